"""A model is one safetensors file; what is cut, damaged or foreign is refused, and no code is run from it."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import cortexsim as cs
from cortexsim.model.checkpoint import write_tensors


class Doubling(nn.Module):
    """A transition of the user's, with a weight."""

    def __init__(self, source, target):
        super().__init__()
        self.weight = nn.Parameter(torch.full((), 2.0))

    def forward(self, h, time):
        return self.weight * h


def doubling(source, target):
    return Doubling(source, target)


def soft(state):
    return nn.PReLU(state.features)


class Retina(nn.Module):
    """A pre-net of the user's."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return self.convolution(images)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture
def saved(calibrated, path):
    cs.save(calibrated, path)
    return path


def meta_of(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["cortexsim"])


# --- round trip ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_model_comes_back_with_the_same_logits(calibrated, pictures, path, dtype):
    calibrated, pictures = calibrated.to(dtype), pictures.to(dtype)
    cs.calibrate(calibrated, pictures, until=8)
    cs.save(calibrated, path)
    loaded = cs.load(path)
    times = [2, 5, 8]
    assert torch.equal(loaded.readouts(pictures, times), calibrated.readouts(pictures, times))
    assert not loaded.training
    assert loaded.graph == calibrated.graph


def test_every_set_of_statistics_comes_back(calibrated, pictures, path):
    cs.calibrate(calibrated, pictures, cs.mixture(cs.flash(1), cs.masked(1, 2), weights=(1, 2)), until=4, seed=3)
    held = calibrated.statistics[cs.flash(1)].held(3)
    calibrated.statistics[cs.flash(1)] = held
    cs.save(calibrated, path)
    loaded = cs.load(path)
    assert list(loaded.statistics) == list(calibrated.statistics)
    for presentation, one in calibrated.statistics.items():
        other = loaded.statistics[presentation]
        assert set(other.moments) == set(one.moments)
        for place, (mean, variance) in one.moments.items():
            assert torch.equal(other.moments[place][0], mean)
            assert torch.equal(other.moments[place][1], variance)
        for field in ("until", "graph", "weights", "images", "n_images", "seed", "change"):
            assert getattr(other, field) == getattr(one, field)


@pytest.mark.parametrize(
    "settings",
    [
        {"sharing": "none"},
        {"sharing": "all"},
        {"sharing": lambda name, time, which: f"{name}-{which}-{'early' if time < 3 else 'late'}"},
        {"pre_net": "deep", "input_gain": 2.5},
        {"normalization": "shared"},
        {"normalization": "none"},
    ],
)
def test_every_setting_comes_back(pictures, path, settings):
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=(8, 8), shortcut=0.5)
    model = cs.Cortex(graph, n_classes=3, readout_time=4, **settings).double().eval()
    if model.normalization != "none":
        cs.calibrate(model, pictures, until=4)
    model.classes, model.about = ["cat", "dog", "owl"], {"data": "three animals"}
    cs.save(model, path)
    loaded = cs.load(path)
    for field in ("readout_time", "n_classes", "input_gain", "normalization", "sharing", "classes", "about"):
        assert getattr(loaded, field) == getattr(model, field)
    assert torch.equal(loaded(pictures), model(pictures))


def test_what_is_said_about_a_model_is_kept(calibrated, path):
    cs.save(calibrated, path, about={"accuracy": 0.5})
    assert cs.load(path).about == {"accuracy": 0.5}


def test_callables_are_given_back_by_their_names(path):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=(8, 8), lateral=False).with_transition("V2", "V2", doubling)
    model = cs.Cortex(graph.with_update("V2", soft), 3, 3, pre_net=Retina(), normalization="none").eval()
    with torch.no_grad():
        model.functions["V2->V2"].weight.fill_(0.7)
        model.updates["V2"].weight.fill_(0.1)
    cs.save(model, path)
    loaded = cs.load(path, {"doubling": doubling, "soft": soft, "Retina": Retina})
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(loaded(images), model(images))
    assert meta_of(path)["model"]["pre_net"] == "Retina"


@pytest.mark.parametrize("missing", ["doubling", "soft", "Retina"])
def test_what_is_not_given_back_is_named(path, missing):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=(8, 8), lateral=False).with_transition("V2", "V2", doubling)
    model = cs.Cortex(graph.with_update("V2", soft), 3, 3, pre_net=Retina(), normalization="none")
    cs.save(model, path)
    modules = {"doubling": doubling, "soft": soft, "Retina": Retina}
    del modules[missing]
    with pytest.raises(
        ValueError, match=f"saved by its name '{missing}', because files contain no code; pass it again"
    ):
        cs.load(path, modules)


def test_another_module_than_the_one_saved_is_refused(path):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=(8, 8)).with_update("V2", soft)
    cs.save(cs.Cortex(graph, 3, 3), path)
    with pytest.raises(ValueError, match="does not fit the model that it describes"):
        cs.load(path, {"soft": lambda state: nn.Conv2d(4, 4, 1)})


def test_tied_tensors_of_a_users_module_are_saved(path):
    retina = Retina()
    retina.twin = retina.convolution
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 3, 3, pre_net=retina)
    cs.save(model, path)


def test_numpys_numbers_in_a_graph_are_saved(path):
    model = cs.Cortex(cs.adjacent({"V1": np.int64(4), "V2": np.int64(4)}, size=np.int64(8)), 3, 3)
    cs.save(model, path)
    assert cs.load(path).graph == model.graph


# --- where it goes -------------------------------------------------------------------------------------------------


def test_an_existing_file_is_refused_and_unchanged(calibrated, saved):
    before = saved.read_bytes()
    with pytest.raises(FileExistsError, match="exists already"):
        cs.save(calibrated, saved)
    assert saved.read_bytes() == before


def test_overwrite_replaces_the_file(calibrated, saved):
    cs.save(calibrated, saved, overwrite=True, about={"second": True})
    assert cs.load(saved).about == {"second": True}
    assert len(list(saved.parent.iterdir())) == 1


def test_another_suffix_is_refused(calibrated, tmp_path):
    with pytest.raises(ValueError, match=r"a model's path must end in \.safetensors, got .*model\.pt"):
        cs.save(calibrated, tmp_path / "model.pt")


def test_a_missing_folder_is_refused(calibrated, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing does not exist"):
        cs.save(calibrated, tmp_path / "missing" / "model.safetensors")


# --- refused -------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_refused(path):
    with pytest.raises(FileNotFoundError, match="there is no model at"):
        cs.load(path)


@pytest.mark.parametrize("name", ["digits-tiny", "digits-tiny.safetensors", "digit-tiny"])
def test_the_name_of_a_pretrained_model_is_answered_with_how_to_load_it(name):
    message = f"there is no model at {name}; digits-tiny ships with cortexsim: cortexsim.zoo.load.'digits-tiny'.$"
    with pytest.raises(FileNotFoundError, match=message):
        cs.load(name)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.1, 0.5, 0.99])
def test_a_cut_file_is_refused(saved, part):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ValueError, match="is not a safetensors file, or it is truncated or damaged"):
        cs.load(saved)


@pytest.mark.parametrize("content", [b"hello, I am a text", b"\x89PNG\r\n\x1a\n" + bytes(100), b"{}" * 50])
def test_a_file_of_another_kind_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a safetensors file, or it is truncated or damaged"):
        cs.load(path)


def test_a_flipped_byte_in_the_weights_is_found(saved):
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="is damaged: its weights do not match their checksum"):
        cs.load(saved)


def test_a_changed_number_in_the_description_is_found(saved):
    content = saved.read_bytes()
    changed = content.replace(rb"\"input_gain\": 1.0", rb"\"input_gain\": 9.0")
    assert changed != content
    saved.write_bytes(changed)
    with pytest.raises(ValueError, match="is damaged: its description of the model does not match its checksum"):
        cs.load(saved)


def test_a_flipped_byte_anywhere_is_refused_or_changes_nothing(calibrated, pictures, saved):
    content, wanted = saved.read_bytes(), calibrated(pictures)
    places, told = np.random.default_rng(0).integers(0, len(content), 120), []
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(place % 8)
        saved.write_bytes(bytes(flipped))
        try:
            assert torch.equal(cs.load(saved)(pictures), wanted)
        except ValueError as error:
            told.append(str(error))
    assert len(told) > 100
    assert all(str(saved) in text for text in told)


def test_a_foreign_safetensors_file_is_refused(path):
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="is a safetensors file, but not one of cortexsim"):
        cs.load(path)


@pytest.mark.parametrize("described", ["{}", "[]", "3", "no json", '{"format": "x"}', '{"format": null}'])
def test_a_file_that_only_uses_the_name_is_refused(path, described):
    save_file({"a": torch.zeros(2)}, path, metadata={"cortexsim": described})
    with pytest.raises(ValueError, match="is a safetensors file, but not one of cortexsim"):
        cs.load(path)


def test_a_newer_format_is_refused_and_says_what_to_do(path):
    save_file({"a": torch.zeros(2)}, path, metadata={"cortexsim": '{"format": 99, "version": "7.0"}'})
    with pytest.raises(ValueError, match=r"has format 99, written by cortexsim 7\.0; .*update cortexsim"):
        cs.load(path)


def test_the_state_of_a_training_is_no_model(path):
    write_tensors({"a": torch.zeros(2)}, {"format": 1, "version": "0", "training": {}}, path)
    with pytest.raises(ValueError, match="contains no model; what it contains: "):
        cs.load(path)


class Trap:
    """Unpickling it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("write", [lambda trap, path: path.write_bytes(pickle.dumps(trap)), torch.save])
def test_loading_runs_no_code_from_the_file(path, tmp_path, write):
    write(Trap(tmp_path / "sprung"), path)
    with pytest.raises(ValueError, match="is not a safetensors file"):
        cs.load(path)
    assert not (tmp_path / "sprung").exists()


def test_names_in_the_file_are_not_looked_up_anywhere(path):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8).with_update("V2", soft), 3, 3)
    cs.save(model, path)
    globals()["soft"]  # it is there to be found
    with pytest.raises(ValueError, match="because files contain no code"):
        cs.load(path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_CUDA_is_refused_where_there_is_none(saved):
    with pytest.raises(ValueError, match="device 'cuda' is not available: this machine has"):
        cs.load(saved, device="cuda")


# --- callables by name -----------------------------------------------------------------------------------------------


def named_alike(slope):
    def soft(state):
        return nn.LeakyReLU(slope)

    return soft


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (named_alike(0.1), named_alike(0.2)),
        (lambda state: nn.ReLU(), lambda state: nn.Tanh()),
        (nn.LeakyReLU(0.1), nn.LeakyReLU(0.2)),
    ],
)
def test_two_different_callables_are_never_saved_under_one_name(path, first, second):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8).with_update("V1", first).with_update("V2", second)
    with pytest.raises(ValueError, match=r"two different callables have the name .* \(update of V1 and update of V2\)"):
        cs.save(cs.Cortex(graph, 3, 3), path)
    assert not path.exists()


def test_modules_that_differ_in_their_weights_only_may_have_one_name(path):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8).with_update("V1", nn.PReLU()).with_update("V2", nn.PReLU())
    model = cs.Cortex(graph, 3, 3)
    torch.nn.init.constant_(model.updates["V2"].weight, 0.5)
    cs.save(model, path)
    assert cs.load(path, {"PReLU": nn.PReLU()}).updates["V2"].weight.tolist() == [0.5]


def test_facts_whose_keys_are_numbers_come_back_as_texts(small_model, tmp_path):
    # 13 is after 5 as a number, and before it as a text
    cs.save(small_model, tmp_path / "m.safetensors", about={"by_cells": {5: 0.9, 13: 0.8}})
    assert cs.load(tmp_path / "m.safetensors").about == {"by_cells": {"5": 0.9, "13": 0.8}}


def _doubled(module, given, found):
    return 2 * found


@pytest.mark.parametrize("place", ["pre", "post.linear", ""])
def test_a_model_with_a_forward_hook_is_not_saved_without_it(place, path):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), n_classes=3, readout_time=3)
    handle = model.get_submodule(place).register_forward_hook(_doubled)
    named = f"the part {place!r}" if place else "the model"
    with pytest.raises(ValueError, match=f"{named} has the forward hook '_doubled', which is not in the file"):
        cs.save(model, path)
    assert not path.exists()
    handle.remove()
    cs.save(model, path)


def test_a_model_with_another_forward_is_not_saved_without_it(path):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), n_classes=3, readout_time=3)
    forward = model.post.forward
    model.post.forward = lambda *given: -forward(*given)
    with pytest.raises(ValueError, match="the part 'post' has another `forward` than its class"):
        cs.save(model, path)


def test_hooks_of_a_module_of_the_users_are_the_users(path):
    retina = Retina()
    retina.convolution.register_forward_hook(_doubled)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 3, 3, pre_net=retina)
    cs.save(model, path)
    assert cs.load(path, {"Retina": Retina}).pre_net_name == "Retina"


def test_class_names_as_a_dataset_has_them_are_names(path, shown_images):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), n_classes=3, readout_time=3)
    model.classes = shown_images.attrs["classes"]
    cs.save(model, path)
    assert cs.load(path).classes == ["cat", "dog", "owl"]
    model.classes = ["cat", "dog"]
    with pytest.raises(ValueError, match="must name each of the 3 classes of the readout, got 2 names"):
        cs.save(model, path, overwrite=True)


@pytest.mark.parametrize("overwrite", ["no", 0, None, [True]])
def test_only_true_overwrites(path, overwrite):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), n_classes=3, readout_time=3)
    cs.save(model, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="overwrite must be True or False, got"):
        cs.save(model, path, overwrite=overwrite)
    assert path.read_bytes() == before


class Doubled(cs.Cortex):
    """Reads out twice the logits."""

    def read(self, *given, **named):
        return 2 * super().read(*given, **named)


class Named(cs.Cortex):
    """Adds what changes no result."""

    def nickname(self):
        return "V1"


def test_a_subclass_that_computes_something_else_is_not_saved_without_it(path):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8)
    with pytest.raises(ValueError, match="the class Doubled replaces 'read' of Cortex, which is not in the file"):
        cs.save(Doubled(graph, 3, 3), path)
    assert not path.exists()
    cs.save(Named(graph, 3, 3), path)


def test_a_part_of_other_settings_with_the_same_weights_is_not_saved_without_them(path):
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), n_classes=3, readout_time=3)
    model.pre = nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect", bias=False)
    with pytest.raises(ValueError, match=r"the part 'pre' of the model was changed to Conv2d\(.*reflect\), but load"):
        cs.save(model, path)


def test_a_module_of_the_users_may_be_given_instead_of_what_makes_it(path):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8)
    model = cs.Cortex(graph, 3, 3, pre_net=nn.Conv2d(3, 4, 1), post_net=nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
    cs.save(model, path)
    empty = nn.Conv2d(3, 4, 1)
    before = empty.weight.clone()
    loaded = cs.load(path, {"Conv2d": empty, "Sequential": nn.Sequential(nn.Flatten(), nn.Linear(64, 3))})
    assert torch.equal(loaded.pre.weight, model.pre.weight)
    assert torch.equal(empty.weight, before)
