"""Settling discriminates rest, drift and cycles."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.analyse.interval import wilson
from tests.analyse.nodes import node_of


@pytest.fixture
def node():
    """One comes to rest, one flips its sign for ever, one doubles for ever; all empty at time 0."""
    steps = np.arange(8.0)
    courses = np.stack([1 + 0.5**steps, (-1) ** steps, 2**steps])
    return node_of(courses[:, :, None] * np.ones(3), np.arange(8) > 0)


def test_speed_is_the_way_relative_to_the_size(node):
    found = cs.analyse.settling(node)
    assert found["speed"].values[1, 2:] == pytest.approx(2)
    assert found["speed"].values[2, 2:] == pytest.approx(2 / 3)
    assert found["speed"].values[0, 2] == pytest.approx(0.25 / 1.375)
    assert found["two_step"].values[1, 3:] == pytest.approx(0)
    assert np.isnan(found["speed"].values[:, :2]).all()
    assert np.isnan(found["two_step"].values[:, :3]).all()


def test_only_a_state_at_rest_settles_and_only_one_that_returns_cycles(node):
    found = cs.analyse.settling(node, threshold=0.1)
    # the speed from t - 1 to t is 0.5^t / (1 + 0.75 0.5^(t - 1)): 0.18, 0.105, 0.057
    assert np.array_equal(found["settled_time"].values, [4, np.nan, np.nan], equal_nan=True)
    assert found["settled"].values.tolist() == [True, False, False]
    assert found["cycles"].values.tolist() == [False, True, False]
    assert {name: found.attrs[name] for name in ("n", "n_settled", "n_cycling")} == {
        "n": 3,
        "n_settled": 1,
        "n_cycling": 1,
    }


def test_the_fraction_that_has_settled_by_a_time_has_an_interval(node):
    found = cs.analyse.settling(node)
    assert found["settled_by"].values.tolist() == [0, 0, 0, 0, *[1 / 3] * 4]
    assert found["settled_by_high"].values[-1] == wilson(1, 3)[1]
    assert found["settled_by"].attrs["interval"] == "95 % Wilson interval over 3 stimuli"


def test_mean_speed_is_over_all_stimuli_or_nan(node):
    populated = np.ones((3, 8), bool)
    populated[:, 0] = populated[1, 3] = False
    found = cs.analyse.settling(node.assign(populated=(("stimulus", "time"), populated)))
    assert np.isnan(found["mean_speed"].values).tolist() == [True, True, False, True, True, False, False, False]
    assert found["mean_speed"].values[-1] == pytest.approx(found["speed"].values[:, -1].mean())
    assert (found["mean_speed_low"] < found["mean_speed"]).values[-1]


def test_a_state_that_a_flash_only_passes_through_never_settles(flashed):
    found = cs.analyse.settling(flashed["V2"])
    assert found.attrs["n_settled"] == 0
    assert np.isnan(found["settled_time"].values).all()


def test_silence_that_stays_is_at_rest():
    assert (cs.analyse.settling(node_of(np.zeros((2, 4, 3))))["settled_time"].values == 1).all()


def test_two_times_are_too_few(node):
    with pytest.raises(ValueError, match="settling needs at least 3 times, got 2"):
        cs.analyse.settling(node.isel(time=slice(2)))


def test_gaps_between_times_are_refused(node):
    with pytest.raises(ValueError, match="needs times that are one step apart, got"):
        cs.analyse.settling(node.isel(time=slice(None, None, 2)))


def test_thresholds_are_positive(node):
    with pytest.raises(ValueError, match=r"threshold must be above 0, and cycle_ratio between 0 and 1, got 0 and 0.1"):
        cs.analyse.settling(node, threshold=0)
