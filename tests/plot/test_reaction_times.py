"""Decisions add up over time, with separate lines for right and wrong ones."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import reaction_times
from cortexsim.plot._reaction_times import HEADLINE, show_decisions

from .conftest import TIME


@pytest.fixture
def decided():
    """Of four stimuli one is right at 2, one right at 3, one wrong at 3, one never decided; cut, all wrong at 4."""
    dims = ("version", "stimulus")
    variables = {
        "reaction_time": (dims, [[2, 3, 3, np.nan], [4, 4, 4, 4]]),
        "correct": (dims, [[1, 1, 0, np.nan], [0, 0, 0, 0]]),
        "confidence": ((*dims, "time"), np.zeros((2, 4, 5))),
    }
    return xr.Dataset(variables, {"version": ["intact", "acute"], "time": TIME}, {"threshold": 0.5, "by": "entropy"})


def lines_of(figure, version):
    return {
        trace.meta["outcome"]: list(trace.y)
        for trace in figure.data
        if trace.meta["version"] == version and "outcome" in trace.meta
    }


def headline(figure, version):
    (found,) = (trace for trace in figure.select_traces({"name": HEADLINE}) if trace.meta["version"] == version)
    return found.text[0]


def test_shares_of_all_stimuli_add_up(decided):
    figure = reaction_times(decided)
    assert lines_of(figure, "intact") == {"right": [0, 0, 0.25, 0.5, 0.5], "wrong": [0, 0, 0, 0.25, 0.25]}
    assert lines_of(figure, "acute") == {"right": [0] * 5, "wrong": [0, 0, 0, 0, 1]}
    assert headline(figure, "intact") == "<b>intact</b><br>right 2.5 (2)<br>wrong 3.0 (1)"
    assert headline(figure, "acute") == "<b>acute</b><br>right – (0)<br>wrong 4.0 (4)"
    assert "confidence of at least 0.5 by entropy; of 4 stimuli" in figure.layout.title.subtitle.text


def test_another_threshold_redraws_the_same_lines(decided):
    figure = reaction_times(decided)
    show_decisions(figure, decided.assign(reaction_time=decided["reaction_time"] + 1).assign_attrs(threshold=0.9))
    assert lines_of(figure, "intact")["right"] == [0, 0, 0, 0.25, 0.5]
    assert "<br>right 3.5 (2)" in headline(figure, "intact")
    assert "at least 0.9" in figure.layout.title.subtitle.text


def test_one_version_needs_no_dimension_and_milliseconds_are_stated(decided, milliseconds):
    figure = reaction_times(decided.isel(version=0, drop=True), milliseconds=milliseconds)
    assert figure.data[0].x[0] == 66
    assert figure.layout.xaxis.title.text == "time (ms) = 66 + 25 t, assumed"


def test_what_are_no_reaction_times_is_refused(decided):
    with pytest.raises(ValueError, match=r"need \['correct'\], got"):
        reaction_times(decided.drop_vars("correct"))
    with pytest.raises(ValueError, match=r"must be \(stimulus and at most 1 more\)"):
        reaction_times(decided.expand_dims(seed=2))
