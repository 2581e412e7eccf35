"""The tools that add a second area to the tracer: what they train, measure and judge."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import cortexsim as cs

TOOLS = Path(__file__).parents[2] / "tools"


def loaded(name):
    """Load a tool, which is no module of the package."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    tool = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # a tool that is run finds those next to it
        patch.syspath_prepend(TOOLS)
        spec.loader.exec_module(tool)
    return tool


@pytest.fixture(scope="module")
def holding():
    return loaded("measure_holding")


@pytest.fixture(scope="module")
def faster():
    return loaded("measure_faster_wave")


def test_v1_is_that_of_the_tracer_and_only_v2_is_trained(holding):
    model, tracer = holding.with_second_area(0, 4, together=False), dict(cs.zoo.load("tracer").named_parameters())
    own = dict(model.named_parameters())
    of_v1 = {name for name in tracer if not name.startswith("post.")}
    assert of_v1 < own.keys()
    for name, weights in own.items():
        assert weights.requires_grad == (name not in of_v1)
        if name in of_v1:
            assert bool((weights == tracer[name]).all())


def test_the_tracer_is_right_while_the_picture_is_there_and_has_forgotten_it_five_steps_later(holding):
    curves = cs.datasets.paths(4, size=16, length=(10, 10), part="test")
    found = holding.held(cs.zoo.load("tracer"), curves)
    assert found["yes/no"] == [100.0, 50.0, 50.0, 50.0, 50.0]
    assert found["exact"] == [100.0, 0.0, 0.0, 0.0, 0.0]


def test_the_gap_is_the_smallest_distance_between_two_curves_by_row_or_column(faster):
    target, line = np.zeros((8, 8), int), np.zeros((8, 8), bool)
    target[1, 1:4] = 1
    line |= target == 1
    line[5, 5:7] = True
    assert faster._gap(target, line) == 4
    line[3, 7] = True
    assert faster._gap(target, line) == 4
    line[3, 5] = True
    assert faster._gap(target, line) == 2


def test_near_and_far_curves_are_so_far_apart(faster):
    for gap, (low, high) in faster.GAPS.items():
        some = faster.curves(10, "straight", gap, held_out=True)
        assert some.sizes["stimulus"] == faster.N_CURVES
        found = [faster._gap(*maps) for maps in zip(some["target"].values, some["line"].values, strict=True)]
        assert low <= min(found) <= max(found) <= high


def test_a_wave_is_faster_only_with_feedback_and_only_if_the_curves_are_solved(faster):
    def of(slope, exact):
        return {"straight, far": {"by_length": {"20": {"exact": exact}}, "slope": slope}}

    assert all(faster.verdict(of(0.6, 100), of(0.92, 100)).values())
    assert all(faster.verdict(of(0.6, 100), of(0.6, 0)).values())
    for intact, cut in ((of(0.9, 100), of(0.95, 100)), (of(0.6, 50), of(0.95, 100)), (of(0.6, 100), of(0.6, 100))):
        assert list(faster.verdict(intact, cut).values()).count(False) == 1


def test_a_run_replaces_the_one_of_its_seed_and_kind_only(tmp_path):
    keep, file = loaded("second_area").keep, tmp_path / "runs.json"
    for run in ({"seed": 0, "feedback": True, "n": 1}, {"seed": 0, "feedback": False, "n": 2}):
        keep(run, file, "seed", "feedback")
    keep({"seed": 0, "feedback": True, "n": 3}, file, "seed", "feedback")
    assert [one["n"] for one in json.loads(file.read_text(encoding="utf-8"))] == [2, 3]
