"""Times are sets of whole numbers from 1 on; kinds are read from their names."""

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Convolution, Kind, Times, Transition
from cortexsim.model.nets import convolve

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


def test_a_kernel_size_is_given_once_for_all_convolutions():
    graph = CortexGraph(
        (State("V1", 4, 8, 8), State("V2", 6, 4, 4)), (Transition("V1", "V2", "BRCx2", kernel_size=np.int64(5)),)
    )
    assert [one.size for one in graph.convolutions("V1->V2")] == [5, 5]
    assert graph.transition("V1->V2").kernel_size == 5


def test_kernel_size_and_affine_are_part_of_the_description():
    graph = CortexGraph(
        (State("V1", 4, 8, 8),), (Transition("V1", "V1", "BRCx2+I", range(2, 4), kernel_size=7, affine=True),)
    )
    assert graph.matrix().loc["V1", "V1"] == "BRCx2+I, 7x7, affine (t = 2…3)"
    assert "BRCx2+I, 7x7, affine" in graph._repr_html_()
    with pytest.raises(ValueError, match=r"exists already \(BRCx2\+I, 7x7, affine\)"):
        graph.with_transition("V1", "V1", "BRCx1")


@pytest.mark.parametrize("kind", ["Conv", "BRDx1"])
@pytest.mark.parametrize("size", [2, 4, 6])
def test_even_kernels_change_the_size_by_the_stride_alone(kind, size):
    source, target = (8, 4) if kind == "Conv" else (4, 8)
    graph = CortexGraph(
        (State("V1", 3, source, source), State("V2", 5, target, target)),
        (Transition("V1", "V2", kind, kernel_size=size),),
    )
    (one,) = graph.convolutions("V1->V2")
    out = convolve(torch.rand(1, 3, source, source), torch.rand(one.kernel_shape), one)
    assert out.shape == (1, 5, target, target)


@pytest.mark.parametrize(
    ("target", "fields", "message"),
    [
        ("V1", {"kind": "BRCx1", "kernel_size": 4}, r"even size would .* kernel_size=4 with strides 1 .*odd size"),
        ("V2", {"kind": "BRCx2", "kernel_size": 2}, r"kernel_size=2 with strides 2 and 1 "),
        ("V2", {"kind": "Pool", "kernel_size": 3}, r"Pool has no kernels.*kinds with kernels are \['BRCx2', 'BRCx1'"),
        ("V2", {"kind": "Conv", "affine": True}, r"Conv does not normalize, .*that normalize are \['BRCx2', 'BRCx1'"),
        ("V2", {"kind": torch.nn.Identity, "affine": True}, r"the module of Identity decides on its kernels"),
        ("V2", {"kind": torch.nn.Identity, "kernel_size": 3}, r"apply to the named kinds \(BRCx2, BRCx1"),
    ],
)
def test_a_kernel_size_or_gain_that_cannot_be_is_refused(target, fields, message):
    states = (State("V1", 4, 8, 8), State("V2", 4, 4, 4))
    with pytest.raises(ValueError, match=rf"V1->{target}: .*{message}"):
        CortexGraph(states, (Transition("V1", "V2", "BRCx1", label="other"), Transition("V1", target, **fields)))


@pytest.mark.parametrize("size", [0, -3, 2.5, True, "5", 10**9])
def test_what_is_no_kernel_size_is_refused(size):
    with pytest.raises(ValueError, match="kernel_size of V1->V1 must be a whole number"):
        Transition("V1", "V1", "BRCx1", kernel_size=size)


def test_what_is_no_truth_value_is_refused_as_affine():
    with pytest.raises(ValueError, match="affine of V1->V1 must be True or False, got 'yes'"):
        Transition("V1", "V1", "BRCx1", affine="yes")
