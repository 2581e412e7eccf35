"""Figures of fields: a map for each time, on one scale."""

import numpy as np
import pytest

import cortexsim as cs


@pytest.fixture(scope="module")
def reached():
    return cs.analyse.receptive_field(cs.adjacent({"V1": 3, "V2": 4, "IT": 4}, size=16), "IT", time=4)


def test_each_time_at_which_the_field_is_not_empty_has_a_map(reached):
    figure = cs.plot.field(reached)
    times = [time for time in range(5) if bool(reached.sel(time=time).any())]
    assert (
        [text.text for text in figure.layout.annotations]
        == [f"t = {time}" for time in times]
        == [f"t = {time}" for time in range(3)]
    )
    for trace, time in zip(figure.data, times, strict=True):
        np.testing.assert_array_equal(np.asarray(trace.z, float), reached.sel(time=time))
    assert "unit of IT at y = 2, x = 2 and t = 4" in figure.layout.title.subtitle.text


def test_stimuli_are_averaged_and_the_maps_have_one_scale(reached):
    values = reached.astype(float) * np.arange(1, 6)[:, None, None]
    two = values.expand_dims(stimulus=2) * np.array([1.0, 7.0])[:, None, None, None]
    figure = cs.plot.field(two.assign_attrs(reached.attrs), times=[0, 2])
    assert [trace.zmax for trace in figure.data] == [15.0, 15.0]
    assert np.nanmax(np.asarray(figure.data[0].z, float)) == pytest.approx(5.0)


def test_a_time_that_is_not_there_is_refused(reached):
    with pytest.raises(ValueError, match=r"times must be among 0 to 4, got \[9\]"):
        cs.plot.field(reached, times=[9])
