"""Times are sets of whole numbers from 1 on; kinds are read from their names."""

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cortexsim.graph.transitions import Convolution, Kind, Times, Transition

times = st.sets(st.integers(1, 60))


@given(times, times)
@settings(max_examples=60, deadline=None)
def test_without_is_the_difference_of_sets(these, others):
    left = Times.of(these).without(Times.of(others))
    assert {time for time in range(1, 61) if time in left} == these - others


@given(times, st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_without_keeps_an_open_end_open(others, start):
    left = Times(((start, None),)).without(Times.of(others))
    assert {time for time in range(1, 100) if time in left} == set(range(start, 100)) - others
    assert left.intervals[-1][1] is None


@given(times, st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_without_an_open_end_leaves_what_is_before_it(these, start):
    left = Times.of(these).without(Times(((start, None),)))
    assert {time for time in range(1, 100) if time in left} == {time for time in these if time < start}


@given(times)
@settings(max_examples=40, deadline=None)
def test_the_same_times_are_equal_however_they_were_reached(these):
    assert Times.of(these) == Times.of(sorted(these, reverse=True)) == Times.of(these | {70}).without(Times.of(70))


def test_always_is_every_time_from_1_on():
    always = Times.of(None)
    assert always.always
    assert 1 in always
    assert 10**6 in always
    assert 0 not in always


def test_no_times_are_never():
    never = Times.of([])
    assert not never
    assert str(never) == "never"
    assert 1 not in never


def test_numpys_whole_numbers_are_times():
    assert np.int64(3) in Times.of(range(3, 6))
    assert Times.of(np.int64(3)) == Times.of(np.arange(3, 4)) == Times.of(3)


@pytest.mark.parametrize(
    ("these", "text"),
    [(None, "always"), (3, "t = 3"), (range(3, 6), "t = 3…5"), ([1, 2, 7], "t = 1…2, t = 7")],
)
def test_times_as_text(these, text):
    assert str(Times.of(these)) == text


def test_times_without_end_as_text():
    assert str(Times(((4, None),))) == "t ≥ 4"


@pytest.mark.parametrize("these", [0, -1, range(0, 3), [-2, 5]])
def test_negative_and_zero_times_are_refused(these):
    with pytest.raises(ValueError, match="delivers must be a whole number, at least 1, got"):
        Times.of(these)


@pytest.mark.parametrize("these", [[1.5], ["3"], True, [None]])
def test_times_that_are_no_whole_numbers_are_refused(these):
    with pytest.raises(ValueError, match="delivers must be a whole number"):
        Times.of(these)


@pytest.mark.parametrize("intervals", [((0, None),), ((-3, 2),), ((5, 5),), ((4, 6), (1, 3)), ((1, None), (3, 4))])
def test_impossible_intervals_are_refused(intervals):
    with pytest.raises(ValueError, match="must begin at 1 or later"):
        Times(intervals)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("BRCx2", Kind("BRCx2")),
        ("BRDx1", Kind("BRDx1")),
        ("BRCx2+I", Kind("BRCx2", 1.0)),
        ("BRCx2+0.5I", Kind("BRCx2", 0.5)),
        ("Conv", Kind("Conv")),
        ("Pool", Kind("Pool")),
    ],
)
def test_kinds_are_read_from_their_names(text, kind):
    assert Kind.parse(text) == kind


@pytest.mark.parametrize("text", ["BRC", "BRCx3", "BRDx2+I", "BRCx1+I", "BRCx2+.I", "BRCx2+-1I", "conv", "", "Pool2"])
def test_unknown_kinds_are_refused(text):
    with pytest.raises(ValueError, match=r"unknown kind of transition .* allowed are BRCx2\+I, BRCx2, BRCx1"):
        Kind.parse(text)


def test_only_BRC_and_BRD_read_normalized_rates():
    assert [Kind.parse(kind).normalized for kind in ("BRCx1", "BRDx2", "Conv", "Pool")] == [True, True, False, False]


def test_a_transposed_kernel_has_its_channels_the_other_way_round():
    assert Convolution(4, 6, 2, False).kernel_shape == (6, 4, 3, 3)
    assert Convolution(4, 6, 2, True).kernel_shape == (4, 6, 3, 3)


def test_a_transition_is_named_for_its_ends():
    transition = Transition("V1", "V2", "BRCx2", range(2, 4))
    assert transition.name == "V1->V2"
    assert transition.times == Times.of([2, 3])


def test_a_long_range_is_an_interval_and_is_not_listed():
    assert Times.of(range(3, 10**12)) == Times(((3, 10**12),))
    assert Times.of(range(3, 3)) == Times.of([])
    assert Times.of(range(7, 2, -2)) == Times.of([3, 5, 7])


@pytest.mark.parametrize("weight", ["9" * 400, "4" + "0" * 38])
def test_a_shortcut_that_floating_point_cannot_hold_is_refused(weight):
    with pytest.raises(ValueError, match=r"the weight of the identity shortcut .* must be at most 3e\+38, got"):
        Kind.parse(f"BRCx2+{weight}I")


@pytest.mark.parametrize("time", [3, np.int64(3), np.array(3), torch.tensor(3), xr.DataArray(3)])
def test_one_time_of_any_kind_is_one_time(time):
    assert Times.of(time) == Times(((3, 4),))
