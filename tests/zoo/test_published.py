"""Published models: the numbers of the original programs, and checkpoints checked key by key."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.zoo.published import _spoerer_bl
from cortexsim.zoo.published.weights import read_tensors

KNOWN = Path(__file__).parents[1] / "data" / "published"
MAKE = {"cornet_rt": cs.zoo.cornet_rt, "cornet_s": cs.zoo.cornet_s, "blt": cs.zoo.blt, "spoerer_bl": cs.zoo.spoerer_bl}
LAST = {"cornet_rt": 4, "cornet_s": 8, "blt": 8}
SHOWN = {"cornet_rt": cs.sustained(), "cornet_s": cs.flash(1), "blt": cs.sustained()}


def described_weights(name):
    """The weights with which the original programs were run: a formula of key, index and shape."""
    weights = {}
    for key, entry in json.loads((KNOWN / f"{name}.json").read_text()).items():
        shape = entry["shape"]
        n = int(np.prod(shape))
        s = np.sin(0.37 * np.arange(n) + entry["index"])
        if len(shape) > 1:
            values = s * np.sqrt(3 / (n / shape[0]))
        elif key.endswith("running_var"):
            values = 1 + 0.5 * s**2
        elif key.endswith("running_mean"):
            values = 0.1 * s
        else:
            values = 1 + 0.3 * s if key.endswith("weight") else 0.1 * s
        weights[key] = torch.from_numpy(values.reshape(shape))
    return weights


def described_images(side=224):
    y, x = np.mgrid[:side, :side]
    channels = [[0.5 + 0.5 * np.sin(0.05 * (c + 2) * x + 0.03 * (c + 1) * y + b) for c in range(3)] for b in range(2)]
    return torch.from_numpy(np.array(channels))


def small(name, **settings):
    """A small model in float64 whose normalizations have random moments, scales and shifts."""
    size = 64 if name == "spoerer_bl" else 32
    model = MAKE[name](size=size, n_classes=5, **settings).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for key, value in model.weights_and_buffers().items():
            if value.is_floating_point() and value.ndim == 1:
                low = 0.5 if key.endswith(("weight", "running_var")) else -0.5
                value.copy_(low + torch.rand(value.shape, generator=generator, dtype=torch.float64))
    return model, torch.rand((2, 3, size, size), generator=generator, dtype=torch.float64)


@pytest.mark.slow
@pytest.mark.parametrize("name", LAST)
def test_a_published_model_gives_the_numbers_of_the_original_program(name):
    known = np.load(KNOWN / f"{name}.npz")
    model = MAKE[name](described_weights(name), normalize_images=False)
    recording = cs.simulate(model, described_images(), SHOWN[name], until=LAST[name], dtype="float64")
    for area in model.graph.state_names:
        activity = recording[area]["activation"].values.swapaxes(0, 1)
        (times,) = np.nonzero(recording[area]["populated"].values)
        times = times[: len(known[f"{area}_mean"])]
        assert len(times) == len(known[f"{area}_mean"])
        np.testing.assert_allclose(activity[times, :, :6, :4, :4], known[f"{area}_corner"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(activity[times].mean((1, 2, 3, 4)), known[f"{area}_mean"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(activity[times].std((1, 2, 3, 4), ddof=1), known[f"{area}_std"], rtol=0, atol=1e-9)
    logits = recording["readout"]["logits"].values
    read = logits[:, 5:].swapaxes(0, 1) if name == "blt" else logits[:, -1]
    np.testing.assert_allclose(read, known["logits"], rtol=0, atol=1e-9)


def test_cornet_rt_is_the_papers_loop():
    model, images = small("cornet_rt", normalize_images=False)
    recording = cs.simulate(model, images, cs.sustained(), until=4, dtype="float64")
    areas = model.graph.states
    drive_of_v1 = F.relu(model.pre.layers.norm(model.pre.layers.conv(images)))
    h = {area.name: torch.zeros(2, area.features, *area.size, dtype=torch.float64) for area in areas}
    with torch.no_grad():
        for time in range(5):
            drives = {"V1": drive_of_v1}
            for before, area in pairwise(areas):
                enters = model.functions[f"{before.name}->{area.name}"]
                arrived = F.relu(enters.norm(enters.conv(h[before.name])))
                # before the first step there is no activity at all, later there are zeros and what biases make of them
                drives[area.name] = arrived if time else torch.zeros_like(arrived)
            h = {
                area.name: F.relu(
                    model.updates[area.name].norm(model.updates[area.name].conv(drives[area.name] + h[area.name]))
                )
                for area in areas
            }
            for area in areas:
                got = recording[area.name]["activation"].sel(time=time).values
                np.testing.assert_allclose(got, h[area.name].numpy(), rtol=0, atol=1e-10)


def test_areas_of_cornet_rt_are_populated_before_any_signal_arrives():
    model, images = small("cornet_rt")
    recording = cs.simulate(model, images, cs.flash(1), until=2, dtype="float64")
    assert recording["IT"]["populated"].values.all()
    at_first = recording["IT"]["activation"].sel(time=0).values
    assert at_first.any()
    assert np.array_equal(at_first[0], at_first[1])
    assert np.isfinite(recording["V1"]["activation"].values).all()


def test_spoerers_network_computes_the_published_steps_layer_by_layer_later(monkeypatch):
    narrow = dict(zip(_spoerer_bl.FEATURES, (6, 5, 4, 5, 6, 7, 8), strict=True))
    monkeypatch.setattr(_spoerer_bl, "FEATURES", narrow)
    model, images = small("spoerer_bl", normalize_images=False)
    recording = cs.simulate(model, images, cs.sustained(), until=13, dtype="float64", record=["L0", "L3"])
    layers = model.graph.state_names
    before: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for step in range(8):
            now: dict[str, torch.Tensor] = {}
            for k, layer in enumerate(layers):
                if k == 0:
                    x = model.pre.layers.conv(images)
                else:
                    x = model.functions[f"{layers[k - 1]}->{layer}"].conv(F.max_pool2d(now[layers[k - 1]], 2))
                if before:
                    x = x + model.functions[f"{layer}->{layer}"].conv(before[layer])
                now[layer] = F.relu(model.updates[layer].norms[step](x))
            before = now
            for k, layer in ((0, "L0"), (3, "L3")):
                got = recording[layer]["activation"].sel(time=step + k).values
                np.testing.assert_allclose(got, now[layer].numpy(), rtol=0, atol=1e-10)
            logits = model.post.module.linear(now["L6"].mean((2, 3)))
            got = recording["readout"]["logits"].sel(time=step + 6).values
            np.testing.assert_allclose(got, logits.numpy(), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("make", "n"),
    [("cornet_rt", 5.2e6), ("cornet_s", 53.4e6), ("spoerer_bl", 28.9e6)],
)
def test_a_published_model_has_as_many_parameters_as_its_paper_says(make, n):
    with torch.device("meta"):
        model = MAKE[make]()
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(n, rel=0.01)


@pytest.mark.parametrize(("kind", "n"), [("b", 5), ("bl", 11), ("bt", 10), ("blt", 16)])
def test_blt_comes_with_and_without_lateral_and_top_down_connections(kind, n):
    model = cs.zoo.blt(kind=kind, size=32)
    assert len(model.graph.transitions) == n
    assert torch.isfinite(model(torch.rand(1, 3, 32, 32), cs.sustained())).all()


def test_images_of_another_size_are_refused_with_the_size_that_the_model_takes():
    with pytest.raises(ValueError, match=r"takes images of 64x64 px, and these have 96x96 px: resize them, or use"):
        cs.simulate(cs.zoo.spoerer_bl(size=64), torch.rand(1, 3, 96, 96), cs.sustained(), until=7)


@pytest.mark.parametrize("kind", ["b", "bl", "bt", "blt"])
def test_blt_can_be_read_out_at_its_time_after_a_flash(kind):
    model = cs.zoo.blt(kind=kind, size=32)
    assert cs.multiply_adds(model, presentation=cs.flash(1)) > 0


def test_images_are_normalized_as_in_training_unless_they_come_so():
    images = torch.rand(2, 3, 32, 32)
    raw = cs.zoo.cornet_rt(size=32, normalize_images=False)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    by_hand = (images - mean[:, None, None]) / std[:, None, None]
    torch.testing.assert_close(cs.zoo.cornet_rt(size=32).pre_net(images), raw.pre(by_hand))
    assert raw.checksum() != cs.zoo.cornet_rt(size=32).checksum()


def test_the_seed_draws_the_weights_and_leaves_torchs_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, again, other = (cs.zoo.cornet_rt(size=32, n_classes=2, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert one.checksum() == again.checksum() != other.checksum()


@pytest.fixture(scope="module")
def published_keys():
    """A checkpoint of BLT in float32 with the published keys."""
    return {key: value.float() for key, value in described_weights("blt").items()}


def test_a_checkpoint_of_torch_save_is_read_nested_and_with_the_prefix_of_data_parallel(tmp_path, published_keys):
    path = tmp_path / "blt.pth.tar"
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in published_keys.items()}}, path)
    images = torch.rand(1, 3, 32, 32)
    from_file, from_dict = cs.zoo.blt(path, size=32), cs.zoo.blt(published_keys, size=32)
    assert from_file.checksum() == from_dict.checksum() != cs.zoo.blt(size=32).checksum()
    assert torch.equal(from_file(images, cs.sustained()), from_dict(images, cs.sustained()))


def test_a_missing_and_a_left_over_key_are_named(published_keys):
    given = {key: value for key, value in published_keys.items() if key != "norm_3.bias"}
    with pytest.raises(ValueError, match=r"missing are norm_3.bias; unexpected are none"):
        cs.zoo.blt(given, size=32)
    with pytest.raises(ValueError, match=r"missing are none; unexpected are foreign"):
        cs.zoo.blt(published_keys | {"foreign": torch.zeros(1)}, size=32)
    with pytest.raises(
        ValueError, match=r"is not a checkpoint of blt \(bl\): missing .* none; unexpected are conv_1_0"
    ):
        cs.zoo.blt(published_keys, kind="bl", size=32)


def test_a_tensor_of_a_different_shape_is_named(published_keys):
    with pytest.raises(ValueError, match=r"does not fit blt.*read_out.linear.bias \(20,\) instead of \(7,\)"):
        cs.zoo.blt(published_keys, size=32, n_classes=7)


def test_a_file_with_code_is_refused(tmp_path):
    path = tmp_path / "pickled.pth"
    torch.save({"state_dict": Path("code")}, path)
    with pytest.raises(ValueError, match="cannot be read as tensors alone"):
        read_tensors(path)
    with pytest.raises(FileNotFoundError, match="there are no weights at"):
        cs.zoo.cornet_s(tmp_path / "nowhere.pth", size=32)


def test_a_file_without_a_state_dict_is_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "empty.pth")
    with pytest.raises(ValueError, match=r"contains no state dict: expected tensors by name.*got epoch"):
        read_tensors(tmp_path / "empty.pth")


def test_a_size_that_would_split_a_pixel_is_refused():
    with pytest.raises(
        ValueError, match="size must be a multiple of 32 px, so that every area has whole pixels, got 40"
    ):
        cs.zoo.cornet_rt(size=40)
    with pytest.raises(ValueError, match="unknown kind"):
        cs.zoo.blt(kind="lt")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_classes": 0}, "n_classes must be a whole number, at least 1, got 0"),
        ({"n_classes": 10**9}, "n_classes must be at most 10,000,000, got 1000000000"),
        ({"n_classes": True}, "n_classes must be a whole number, at least 1, got True"),
        ({"normalize_images": "no"}, "normalize_images must be True or False, got 'no'"),
        ({"seed": None}, "seed must be a whole number from .* got None"),
        ({"seed": 2**70}, "seed must be a whole number from"),
    ],
)
def test_settings_of_a_published_model_are_refused_by_their_names(wrong, message):
    with pytest.raises(ValueError, match=message):
        cs.zoo.blt(**({"size": 32, "kind": "b"} | wrong))


def test_a_kind_that_is_given_as_weights_is_not_taken_for_a_file():
    with pytest.raises(ValueError, match=r"got 'bl', which is a kind: write blt\(kind='bl'\), or './bl' for a file"):
        cs.zoo.blt("bl")


def test_weights_as_arrays_of_numpy_in_any_byte_order_are_read(published_keys):
    arrays = {key: value.numpy().astype(value.numpy().dtype.newbyteorder(">")) for key, value in published_keys.items()}
    assert cs.zoo.blt(arrays, size=32).checksum() == cs.zoo.blt(published_keys, size=32).checksum()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda value: value * float("nan"), ValueError, "finite weights, but norm_3.bias has 256 that are NaN"),
        (lambda value: value.to(torch.complex64), ValueError, "dense arrays of real numbers, got norm_3.bias of the"),
        (lambda value: value.to("meta"), ValueError, "got norm_3.bias on the device meta"),
        (lambda value: value.to_sparse(), ValueError, "dense arrays of real numbers, got norm_3.bias"),
        (lambda value: value.long(), ValueError, "floating point, got norm_3.bias of the type torch.int64"),
        (lambda value: None, TypeError, "a tensor for each name, got 'norm_3.bias': None"),
    ],
)
def test_weights_that_are_no_finite_numbers_are_named(published_keys, change, error, message):
    with pytest.raises(error, match=message):
        cs.zoo.blt(published_keys | {"norm_3.bias": change(published_keys["norm_3.bias"])}, size=32)


def test_names_and_files_that_are_no_text_are_refused():
    for call in (cs.zoo.build, cs.zoo.tracer, cs.zoo.modules, cs.zoo.card):
        for name in (["tracer"], {}, np.array("tracer")):
            with pytest.raises((TypeError, ValueError), match=r"unknown |a model is named by text"):
                call(name)
    with pytest.raises(ValueError, match="unknown argument of cornet_rt 'classes'"):
        cs.zoo.modules("cornet_rt", classes=3)
    for call in (lambda: cs.zoo.cornet_s(3, size=32), lambda: cs.zoo.get("cornet_s", weights=[1])):
        with pytest.raises(TypeError, match="weights must be text or a path, got"):
            call()
    with pytest.raises(ValueError, match=r"seed must be a whole number from .* got 'x'"):
        cs.zoo.tracer("tracer").build("x")
