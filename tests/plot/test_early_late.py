"""Accuracy of what is decided at once, later and never."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import early_late
from cortexsim.plot._early_late import show_groups


@pytest.fixture
def change():
    def ends(name, values):
        values = np.array(values)
        dims = ("version", "decision")
        about = {"interval": "95 % Wilson interval over the stimuli of a group"}
        return {
            name: (dims, values, about),
            f"{name}_low": (dims, values - 0.1),
            f"{name}_high": (dims, values + 0.05),
        }

    variables = {
        **ends("accuracy", [[0.9, 0.5, np.nan], [0.8, 0.7, np.nan]]),
        **ends("accuracy_intact", [[1.0, 0.9, np.nan]] * 2),
        "n": (("version", "decision"), [[10, 30, 0]] * 2),
    }
    decision = ("decision", ["at arrival", "later", "never"], {"long_name": "when the intact model decides"})
    return xr.Dataset(variables, {"version": ["acute", "recalibrated"], "decision": decision}, {"at": 8})


def test_the_intact_model_and_each_version_have_points_with_intervals(change):
    figure = early_late(change)
    assert [trace.name for trace in figure.data] == ["intact", "acute", "recalibrated"]
    assert [list(trace.y) for trace in figure.data] == [[1, 0.9, None], [0.9, 0.5, None], [0.8, 0.7, None]]
    np.testing.assert_allclose(figure.data[1].error_y.arrayminus[1], 0.1)
    np.testing.assert_allclose(figure.data[1].error_y.array[1], 0.05)
    assert figure.layout.xaxis.ticktext[1] == "later<br>30 stimuli"
    assert "t = 8" in figure.layout.title.text


def test_one_version_needs_no_dimension(change):
    figure = early_late(change.isel(version=0, drop=True))
    assert [trace.name for trace in figure.data] == ["intact", "with the intervention"]


def test_another_threshold_moves_the_same_points(change):
    figure = early_late(change)
    other = change.copy(deep=True)
    other["accuracy"][0, 1] = 0.25
    other["n"][:, 1] = 7
    show_groups(figure, other)
    assert figure.data[1].y[1] == 0.25
    assert figure.layout.xaxis.ticktext[1] == "later<br>7 stimuli"


def test_what_is_no_early_and_late_decision_is_refused(change):
    with pytest.raises(ValueError, match=r"need \['n'\], got"):
        early_late(change.drop_vars("n"))
    with pytest.raises(ValueError, match=r"must be \(decision and at most 1 more\)"):
        early_late(change.expand_dims(condition=2, stage=1))


def test_several_models_and_seeds_have_plots_side_by_side(change):
    other = change.copy(deep=True)
    other["accuracy"][0, 1] = 0.25
    other["n"][:, 1] = 7
    both = xr.concat([change, other], xr.Variable("seed", [3, 5]))
    figure = early_late(both)
    assert [one.text for one in figure.layout.annotations] == ["seed 3", "seed 5"]
    assert [trace.y[1] for trace in figure.data] == [0.9, 0.5, 0.7, 0.9, 0.25, 0.7]
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3
    assert figure.layout.xaxis.ticktext[1] == "later<br>30 stimuli"
    assert figure.layout.xaxis2.ticktext[1] == "later<br>7 stimuli"
    show_groups(figure, both.isel(seed=[1, 0]))
    assert [trace.y[1] for trace in figure.data] == [0.9, 0.25, 0.7, 0.9, 0.5, 0.7]
    models = early_late(both.isel(version=0, drop=True).rename(seed="model").assign_coords(model=["a", "b"]))
    assert [one.text for one in models.layout.annotations] == ["a", "b"]


def test_models_that_were_read_at_different_times_have_no_time_in_the_title(change):
    del change.attrs["at"]
    assert early_late(change).layout.title.text == "accuracy, by when the intact model decides"
