"""A model file whose description does not fit is refused in words, before memory is taken."""

import re

import pytest
import torch

import cortexsim as cs
from cortexsim.model.checkpoint import read_tensors, write_tensors


@pytest.fixture
def edited(tmp_path):
    """Write a model file whose checksums fit, but whose description was changed."""
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3)
    cs.calibrate(model, torch.rand(4, 3, 8, 8), until=3)
    path = tmp_path / "m.safetensors"
    cs.save(model, path)

    def edit(change):
        tensors, meta = read_tensors(path)
        meta = {key: value for key, value in meta.items() if key not in ("content", "description")}
        change(meta)
        write_tensors(tensors, meta, path)
        return path

    return edit


EDITS = {
    "a key is gone": (lambda meta: meta["model"].pop("input_gain"), r"lack \['input_gain'\]"),
    "a newer key": (lambda meta: meta["model"].update(attention=True), "unknown setting 'attention'"),
    "a newer key of a state": (lambda meta: meta["model"]["graph"]["states"][0].update(z=1), "unknown setting 'z'"),
    "another type": (lambda meta: meta["model"].update(graph=[]), "graph must be a mapping"),
    "states that are texts": (lambda meta: meta["model"]["graph"].update(states=["V1"]), "a state must be a mapping"),
    "no pair": (lambda meta: meta["model"]["graph"]["transitions"][0].update(times=[1]), "must be pairs"),
    "times of texts": (lambda meta: meta["model"]["graph"]["transitions"][0].update(times=[["a", 2]]), "must be pairs"),
    "a size of one side": (lambda meta: meta["model"]["graph"]["states"][0].update(size=[8]), "height and width"),
    "a table of sharing": (lambda meta: meta["model"].update(sharing=[["V1->IT", 1]]), "sharing must have rows"),
    "classes": (lambda meta: meta["model"].update(classes=3), "classes must be a list of strings"),
    "a later time": (lambda meta: meta["model"].update(readout_time=10**9), "from 1 to 10,000"),
    "more classes": (lambda meta: meta["model"].update(n_classes=10**9), r"\(4,000,000,000 numbers\)"),
    "more features": (
        lambda meta: meta["model"]["graph"]["states"][0].update(features=30_000),
        r"has the shape .*, but in the model that it describes",
    ),
    "far more features": (lambda meta: meta["model"]["graph"]["states"][0].update(features=2**50), "too large|shape"),
    "statistics": (lambda meta: meta["statistics"][0].pop("seed"), r"lack \['seed'\]"),
    "moments": (lambda meta: meta["statistics"][0]["places"].update(V1=[0]), "the moments of V1"),
    "a presentation": (lambda meta: meta["statistics"][0]["presentation"].update(colour="red"), "colour"),
    "no mapping": (lambda meta: meta.update(model=3), "must be a mapping"),
    "about": (lambda meta: meta.update(about=[]), "about must be a mapping"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_description_that_does_not_fit_is_refused_with_a_message(edited, name):
    change, said = EDITS[name]
    path = edited(change)
    with pytest.raises((ValueError, TypeError), match=rf"{re.escape(str(path))} cannot be loaded: .*{said}"):
        cs.load(path)


def test_the_version_that_wrote_an_unknown_key_is_named(edited):
    def newer(meta):
        meta["version"] = "7.1"
        meta["model"]["attention"] = True

    with pytest.raises(ValueError, match=r"it was written by cortexsim 7\.1, and its description does not fit this"):
        cs.load(edited(newer))


def test_a_description_that_is_not_changed_loads(edited):
    assert cs.load(edited(lambda meta: None)).statistics
