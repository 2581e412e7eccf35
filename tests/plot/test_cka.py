"""The figure of centred kernel alignment: matrices of times, and curves with their intervals."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.plot import cka


def node(times, seed, n=12):
    values = np.random.default_rng(seed).normal(size=(n, len(times), 5))
    activation = xr.DataArray(values, {"stimulus": range(n), "time": times}, ("stimulus", "time", "unit"))
    return activation.assign_attrs(long_name=f"activity of area {seed}").rename("activation")


@pytest.fixture
def alignment():
    return cs.analyse.cka(node([1, 2, 3], 0), node([2, 3, 4, 5], 1))


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def curves(figure):
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines+markers"]


def bands(figure):
    return [trace for trace in figure.data if trace.type == "scatter" and trace.fill == "toself" and len(trace.y)]


def test_the_matrix_and_the_curve_of_equal_times(alignment):
    figure = cka(alignment)
    (matrix,), (curve,) = maps(figure), curves(figure)
    np.testing.assert_array_equal(matrix.z, alignment.values)
    assert (matrix.x.tolist(), matrix.y.tolist()) == ([2, 3, 4, 5], [1, 2, 3])
    # only 2 and 3 are times of both
    assert curve.x.tolist() == [2, 3]
    np.testing.assert_array_equal(curve.y, [alignment.values[1, 0], alignment.values[2, 1]])
    assert figure.layout.title.subtitle.text.replace("<br>", " ").startswith("95 % interval over 12 stimuli")


def test_the_band_is_the_interval(alignment):
    (band,) = bands(cka(alignment, at=4))
    chosen = alignment.sel(other_time=4)
    np.testing.assert_array_equal(band.y[:6], [*chosen["low"].values, *chosen["high"].values[::-1]])


def test_the_curve_may_be_with_one_time_of_the_second_state(alignment):
    figure = cka(alignment, at=5)
    (curve,) = curves(figure)
    np.testing.assert_array_equal(curve.y, alignment.values[:, 3])
    assert figure.layout.yaxis2.title.text.endswith("at t = 5")


@pytest.mark.parametrize("dim", ["model", "seed"])
def test_several_have_matrices_side_by_side_and_a_line_each(alignment, dim):
    several = xr.concat([alignment, alignment / 2], xr.Variable(dim, ["a", "b"] if dim == "model" else [0, 1]))
    figure = cka(several)
    names = ["a", "b"] if dim == "model" else ["seed 0", "seed 1"]
    assert [trace.name for trace in maps(figure)] == [trace.name for trace in curves(figure)] == names
    np.testing.assert_array_equal(curves(figure)[1].y, np.array(curves(figure)[0].y) / 2)
    assert len({trace.yaxis for trace in maps(figure)}) == 2
    assert len({trace.yaxis for trace in curves(figure)}) == 1


def test_plain_alignment_has_no_band_and_says_why():
    figure = cka(cs.analyse.cka(node([1, 2], 0), node([1, 2], 1), debiased=False))
    assert not bands(figure)
    assert "plain CKA depends on the numbers" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_what_cannot_be_drawn_is_refused(alignment):
    with pytest.raises(ValueError, match=r"must be \(time, other_time\), got \(time\)"):
        cka(alignment.isel(other_time=0))
    with pytest.raises(ValueError, match=r"at must be one of the times of the second state, \[2, 3, 4, 5\], got 9"):
        cka(alignment, at=9)
    with pytest.raises(ValueError, match="no time in common"):
        cka(alignment.sel(time=[1]))
    with pytest.raises(ValueError, match="NaN at all times"):
        cka(alignment * np.nan)
    with pytest.raises(TypeError, match="'alignment' of cka must be a DataArray"):
        cka(alignment.to_dataset())
