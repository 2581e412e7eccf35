"""A unit that is clicked in the tour: its fields are those that the analyses find, of the recording on display."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore import Tour
from cortexsim.explore.tour.fields import HINT


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 6}, size=16, shortcut=0.5)
    return cs.Cortex(graph, n_classes=2, readout_time=5, normalization="none")


@pytest.fixture
def panel(model):
    made = Tour(model=model, data=cs.datasets.contours(4, part="test", size=16, length=(4, 8)), until=6, question="")
    yield made
    made.wait()


def click(panel, **unit):
    panel.stage.picked = {"channel": None, **unit}


def test_a_click_shows_what_reaches_the_unit_and_what_matters_to_it(panel, model):
    assert panel.fields.text.value == HINT
    click(panel, state="V2", time=3, y=2, x=5, channel=1)
    fields, shown = panel.fields, panel.stage.scene
    assert fields.unit == {"state": "V2", "time": 3, "y": 2, "x": 5, "channel": 1}
    at = {"time": 3, "y": 2, "x": 5}
    image = cs.datasets.contours(4, part="test", size=16, length=(4, 8)).isel(stimulus=[0])
    flash = cs.flash(1)
    assert shown["shown"][:2] == ["image", "nothing"]
    slope = cs.protocols.sensitivity(model, image, "V2", **at, channels=[1], presentation=flash)
    np.testing.assert_allclose(fields.sensitivity, slope)
    reached = cs.analyse.receptive_field(model, "V2", **at, presentation=flash)
    np.testing.assert_array_equal(fields.reached, reached)
    assert len(fields.children) == 3
    assert "It can reach V1 from t = 4" in fields.text.value


def test_in_the_mean_of_channels_the_most_active_one_is_chosen(panel):
    click(panel, state="IT", time=4, y=1, x=1)
    activity = panel.recording["IT"]["activation"].sel(time=4).isel(stimulus=0, y=1, x=1)
    assert panel.fields.unit["channel"] == int(np.abs(activity.values).argmax())
    assert "the most active channel there" in panel.fields.text.value


def test_an_empty_state_has_no_fields(panel):
    click(panel, state="IT", time=1, y=0, x=0)
    assert panel.fields.unit == {}
    assert "IT is empty at t = 1" in panel.fields.text.value


def test_another_image_removes_the_fields_of_the_last_one(panel):
    click(panel, state="V1", time=2, y=0, x=0)
    assert panel.fields.unit
    panel.stimulus = 1
    assert panel.fields.unit == {}
    assert panel.stage.picked == {}
    assert panel.fields.text.value == HINT


def test_fields_do_not_answer_a_question_that_covers_time(model):
    panel = Tour(
        model=model, data=cs.datasets.contours(4, part="test", size=16, length=(4, 8)), question="arrival", until=6
    )
    click(panel, state="V1", time=0, y=0, x=0)
    assert panel.fields.unit == {}
    assert "Predict first" in panel.fields.text.value
    panel.ask.skip()
    click(panel, state="V1", time=0, y=0, x=1)
    assert panel.fields.unit
    panel.wait()


def test_connections_of_ones_own_have_slopes_only():
    model = cs.zoo.cornet_rt(size=64, n_classes=2)
    images = np.random.default_rng(0).random((2, 3, 64, 64), dtype=np.float32)
    data = xr.Dataset({"image": (("stimulus", "channel", "y", "x"), images)})
    panel = Tour(model=model, data=data, presentation=cs.sustained(), until=4, question="")
    click(panel, state="V4", time=3, y=1, x=1)
    assert panel.fields.reached is None
    assert float(panel.fields.sensitivity.sum()) > 0
    assert "What can reach it is not known" in panel.fields.text.value


def test_an_error_is_shown_in_the_place_of_the_fields(panel):
    click(panel, state="V9", time=0, y=0, x=0)
    assert "The fields could not be drawn" in panel.fields.text.value
