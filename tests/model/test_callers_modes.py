"""The caller's modes of torch and random numbers neither reach what is computed nor are changed by it."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

import cortexsim as cs

IMAGES = torch.rand((6, 3, 8, 8), generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 2
RECIPE = cs.Recipe.quick(batch_size=3, epochs=1, validation=0.0, growth=((0.0, 1.0),), precision="float32")


@contextmanager
def _float64_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


MODES = {
    "inference": torch.inference_mode,
    "no gradients": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "meta by default": lambda: torch.device("meta"),
    "float64 by default": _float64_by_default,
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("modes") / "m.safetensors"
    model = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3, generator=torch.Generator().manual_seed(0))
    cs.save(model, path)
    return path


def _everything(path, to):
    model = cs.load(path)
    cs.calibrate(model, IMAGES, until=4)
    activity = cs.simulate(model, (IMAGES * 255).to(torch.uint8), until=4)["V2"]["activation"].values
    cs.save(model, to / "calibrated.safetensors", overwrite=True)
    again = cs.load(to / "calibrated.safetensors")
    cs.fit(again, (IMAGES, LABELS), RECIPE)
    return activity, again


def test_within_the_callers_autocast_a_training_in_bfloat16_casts_the_weights_of_each_step():
    made = []
    for mode in (nullcontext(), torch.autocast("cpu", torch.bfloat16)):
        model = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3, generator=torch.Generator().manual_seed(0))
        with mode:
            cs.fit(model, (IMAGES, LABELS), replace(RECIPE, precision="bfloat16", epochs=3))
        made.append(model)
    for (name, one), two in zip(made[0].named_parameters(), made[1].parameters(), strict=True):
        assert torch.equal(one, two), name


@pytest.mark.parametrize("mode", list(MODES))
def test_the_callers_mode_changes_no_result(mode, saved, tmp_path):
    wanted, trained = _everything(saved, tmp_path)
    with MODES[mode]():
        got, other = _everything(saved, tmp_path)
    np.testing.assert_array_equal(got, wanted)
    for (name, one), two in zip(trained.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two), name
    # what was made in that mode can be trained outside of it
    other.train()
    other(IMAGES).sum().backward()


def test_a_model_that_was_made_or_moved_in_inference_mode_can_be_trained(saved):
    with torch.inference_mode():
        made = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3)
        models = made, cs.load(saved).at_size(8), cs.load(saved).with_shortcut(0.5), cs.load(saved).double().float()
    for model in models:
        cs.fit(model, (IMAGES, LABELS), RECIPE)


def test_the_global_random_numbers_are_unchanged(saved, tmp_path):
    torch.manual_seed(3)
    before, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    _everything(saved, tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == of_numpy).all()  # noqa: NPY002


def test_a_model_without_weights_is_refused_by_name(tmp_path):
    with torch.device("meta"):
        model = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3)
    for name, call in {
        "save": lambda: cs.save(model, tmp_path / "m.safetensors"),
        "calibrate": lambda: cs.calibrate(model, IMAGES, until=3),
        "train": lambda: cs.train(model, (IMAGES, LABELS), RECIPE),
    }.items():
        with pytest.raises(
            ValueError, match=f"{name} needs a model with weights, but this one is on the device 'meta'"
        ):
            call()


def test_what_is_no_cortex_is_refused_by_every_call_that_takes_a_model(saved, tmp_path):
    model = cs.load(saved)
    averaged, chained = torch.optim.swa_utils.AveragedModel(model), torch.nn.Sequential(model)
    for call in (
        lambda one: cs.save(one, tmp_path / "m.safetensors"),
        lambda one: cs.simulate(one, IMAGES, until=3),
        lambda one: cs.estimate(one, 3, until=3),
        lambda one: cs.calibrate(one, IMAGES, until=3),
        lambda one: cs.fit(one, (IMAGES, LABELS), RECIPE),
        lambda one: cs.protocols.masking(one, None),
        lambda one: cs.protocols.lesion(one, None, None, until=3),
        lambda one: cs.protocols.occlusion(one, None),
        lambda one: cs.brains.compare(one, None, None, until=3),
    ):
        with pytest.raises(
            TypeError, match=r"needs a Cortex, got AveragedModel; pass the Cortex inside it: model\.module"
        ):
            call(averaged)
        with pytest.raises(TypeError, match=r"got Sequential; pass the Cortex inside it: model\.get_submodule\('0'\)"):
            call(chained)
        with pytest.raises(TypeError, match="needs a Cortex, got the class Cortex"):
            call(cs.Cortex)


@pytest.mark.parametrize("change", ["weight_norm", "spectral_norm", "prune", "extra", "replaced"])
def test_weights_that_load_would_not_find_a_place_for_are_refused_before_writing(change, saved, tmp_path):
    model = cs.load(saved)
    match change:
        case "weight_norm":
            torch.nn.utils.parametrizations.weight_norm(model.pre)
        case "spectral_norm":
            torch.nn.utils.parametrizations.spectral_norm(model.post.linear)
        case "prune":
            prune.random_unstructured(model.post.linear, "weight", 0.5)
        case "extra":
            model.memory = torch.nn.Linear(2, 2)
        case "replaced":
            model.post.linear = torch.nn.Linear(2, 3)
    with pytest.raises(ValueError, match="load could not read"):
        cs.save(model, tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_facts_about_a_model_are_plain_or_refused(saved, tmp_path):
    path = tmp_path / "m.safetensors"
    cs.save(cs.load(saved), path, about={"accuracy": np.float32(0.5), "times": np.arange(3)})
    assert cs.load(path).about == {"accuracy": 0.5, "times": [0, 1, 2]}
    with pytest.raises(TypeError, match="about must contain strings, numbers, lists and mappings: 'names' does not"):
        cs.save(cs.load(saved), path, overwrite=True, about={"names": {"a", "b"}})
