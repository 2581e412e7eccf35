"""Whole numbers of every library are whole numbers; messages say what was given and what is allowed."""

import math

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.checks import finite, is_several, is_whole, one_of, ordered_pair, unknown, whole


@pytest.mark.parametrize(
    "value",
    [4, np.int64(4), np.uint8(4), np.array(4), torch.tensor(4), xr.DataArray(4)],
    ids=lambda v: type(v).__name__,
)
def test_a_whole_number_of_any_library_becomes_an_int(value):
    number = whole(value, "n", 1, 10)
    assert type(number) is int
    assert number == 4
    assert is_whole(value)


@pytest.mark.parametrize(
    "value", [True, np.True_, 4.0, "4", None, [4], np.array([4]), torch.tensor(4.0), math.nan, np.datetime64(4, "ns")]
)
def test_anything_but_a_whole_number_is_refused(value):
    assert not is_whole(value)
    with pytest.raises(ValueError, match="n must be a whole number, got"):
        whole(value, "n")


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [(1, None, ", at least 1, got 0"), (1, 9_000, " from 1 to 9,000, got 0"), (None, -1, ", at most -1, got 0")],
)
def test_a_message_gives_the_range(least, most, words):
    with pytest.raises(ValueError, match=f"n must be a whole number of steps{words}$"):
        whole(0, "n", least, most, unit="steps")


def test_both_ends_of_a_range_are_allowed():
    assert [whole(n, "n", 1, 3) for n in (1, 3)] == [1, 3]
    with pytest.raises(ValueError, match="from 1 to 3, got 4"):
        whole(4, "n", 1, 3)


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**400, True, "1", None, 1j])
def test_anything_but_a_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="gain must be a finite number, got"):
        finite(value, "gain")


def test_a_finite_number_becomes_a_float_within_its_range():
    assert finite(np.float32(0.5), "share", 0, 1) == 0.5
    with pytest.raises(ValueError, match=r"share must be a number from 0 to 1, got 1\.5"):
        finite(1.5, "share", 0, 1)


@pytest.mark.parametrize("value", [(2, 1), (0, 1, 2), (0, 11), ("0", 1), 3, (0, math.nan)])
def test_anything_but_an_ordered_pair_is_refused(value):
    with pytest.raises(ValueError, match=r"length must be a pair \(lowest, highest\), both from 0 to 10, got"):
        ordered_pair(value, "length", 0, 10)


def test_a_long_value_is_named_by_its_type():
    with pytest.raises(ValueError, match=r"got a value of type ndarray$"):
        whole(np.zeros(100), "n")


def test_an_unknown_name_is_answered_with_the_nearest():
    assert one_of("V1", "state", ["V1", "IT"]) == "V1"
    with pytest.raises(ValueError, match=r"unknown state 'TI': the allowed values are \['V1', 'IT'\]; did you mean"):
        one_of("TI", "state", ["V1", "IT"])
    assert unknown("state", ["V1"], ["V1"]).startswith("unknown state ['V1']")
    with pytest.raises(ValueError, match="unknown state"):
        one_of(["V1"], "state", ["V1", "IT"])


def test_numpy_integers_are_taken_wherever_a_count_is():
    """The end of a recording, read off its coordinate, ends the next one."""
    four, one = np.int64(4), np.int64(1)
    graph = cs.adjacent({"V1": np.int64(4), "V2": 6}, size=np.int64(8))
    model = cs.Cortex(graph, n_classes=np.int64(2), readout_time=four, normalization="none").eval()
    images = torch.rand(3, 3, 8, 8)
    recording = cs.simulate(model, images, cs.flash(one), until=four, batch_size=np.int64(2))
    again = cs.simulate(model, images, until=recording["readout"]["time"].values[-1])
    assert again["readout"].sizes["time"] == 5
    assert cs.schedule(graph, four).until == 4
    assert type(cs.Recipe(epochs=np.int64(2)).epochs) is int


@pytest.mark.parametrize("value", [[1], (), {1}, range(3), np.array([1]), torch.tensor([1]), iter([1])])
def test_collections_are_several(value):
    assert is_several(value)


@pytest.mark.parametrize("value", ["12", b"12", 3, None, np.array(3), torch.tensor(3), xr.DataArray(3), np.int64(3)])
def test_one_value_is_not_several_even_if_it_can_be_iterated_over(value):
    assert not is_several(value)


@pytest.mark.parametrize(("value", "allowed"), [(1000, True), (1001, False), (10**30, False)])
def test_a_number_above_the_practical_limit_is_refused_with_the_limit(value, allowed):
    if allowed:
        assert whole(value, "until", 1, unit="steps", limit=1000) == value
        return
    with pytest.raises(ValueError, match=f"until must be at most 1,000 steps, got {value}"):
        whole(value, "until", 1, unit="steps", limit=1000)
