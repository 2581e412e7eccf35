"""Small labelled results, as the analyses and the experiments give them: every number in them is known."""

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.plot import theme
from tests.plot.look import check_look

TIME = ("time", np.arange(5), {"long_name": "time", "units": "steps"})


@pytest.fixture(autouse=True)
def every_figure_looks_right(monkeypatch):
    """Check the look of every figure that a test in this folder draws."""
    figures, original = [], go.Figure.__init__

    def noting(figure, *args, **kwargs):
        original(figure, *args, **kwargs)
        figures.append(figure)

    monkeypatch.setattr(go.Figure, "__init__", noting)
    yield
    for figure in figures:
        if figure.layout.template == theme.template():
            check_look(figure.to_dict())


def with_ends(array, width):
    """Give an array an interval of ± width."""
    ends = {"low": (array.dims, array.values - width), "high": (array.dims, array.values + width)}
    return array.assign_coords(ends)


@pytest.fixture
def milliseconds():
    return cs.Milliseconds(onset_ms=66, step_ms=25)


@pytest.fixture
def course():
    """Accuracy of two states at times 0 to 4; IT is empty at 0 and 1, and once again at 3."""
    values = np.array([[0.2, np.nan], [0.3, np.nan], [0.4, 0.5], [0.5, np.nan], [0.6, 0.8]])
    array = xr.DataArray(values, {"time": TIME, "state": ("state", ["V1", "IT"])}, ["time", "state"], "accuracy")
    array.attrs = {
        "long_name": "accuracy",
        "units": "1",
        "chance": 0.1,
        "n": 200,
        "interval": "95 % Wilson interval over 200 stimuli",
    }
    return with_ends(array, 0.05)


@pytest.fixture
def masking():
    """Two masks at SOAs of 1 to 4 steps; a mask at SOA 4 comes too late to reach IT."""
    soa = ("soa", [1, 2, 3, 4], {"long_name": "SOA", "units": "steps"})
    values = [[0.2, 0.4, 0.6, 0.8], [0.5, 0.6, 0.7, 0.8]]
    accuracy = xr.DataArray(values, {"mask": ["noise", "itself"], "soa": soa}, ["mask", "soa"], "accuracy")
    accuracy.attrs = {"long_name": "accuracy", "units": "1", "chance": 0.1, "interval": "95 % over 400 stimuli"}
    result = xr.Dataset({"accuracy": with_ends(accuracy, 0.05), "unmasked": ("soa", [0.6, 0.7, 0.8, 0.9])})
    result.attrs["readout_time"] = 6
    return result.assign_coords(reaches=("soa", [True, True, True, False]), duration=("soa", [1, 2, 3, 4]))


NAN = float("nan")


@pytest.fixture
def measured() -> xr.Dataset:
    """Two readout times of one model and one of another, two seeds, three tested times."""
    n = {"long_name": "error", "units": "1", "n": 100}
    shape = ("model", "seed")
    validation = np.array([[[0.5, 0.3], [0.7, 0.5]], [[0.6, 0.4], [0.6, 0.4]], [[0.8, 0.7], [0.8, 0.7]]])
    own = np.array([[[0.3, 0.4, 0.5]] * 2, [[0.6, 0.2, 0.3]] * 2, [[NAN, 0.7, NAN]] * 2])
    held = own + np.array([0.0, 0.1, 0.2])
    return xr.Dataset(
        {
            "training_error": ((*shape, "epoch"), validation - 0.1, n),
            "validation_error": ((*shape, "epoch"), validation, n),
            "test_error": ((*shape, "statistics", "time"), np.stack([own, held], 2), n),
            "error": (shape, [[0.2, 0.4], [0.2, 0.2], [0.7, 0.7]], n),
            "error_by_images": ((*shape, "images"), [[[0.9, 0.3]] * 2, [[0.8, 0.2]] * 2, [[NAN, NAN]] * 2], n),
            "n_parameters": (shape, [[100.0] * 2, [200.0] * 2, [300.0] * 2]),
            "paper_parameters": (shape, [[76_106.0] * 2, [223_562.0] * 2, [300.0] * 2]),
            "readout_time": (shape, [[1.0] * 2, [2.0] * 2, [2.0] * 2]),
            "diverged": (shape, [[0.0] * 2, [0.0] * 2, [1.0] * 2]),
            "difference": (
                (*shape, "precision", "quantity", "step"),
                np.full((3, 2, 2, 2, 3), [0.0, 1e-7, 1e-6]),
                {"long_name": "largest absolute difference", "units": "1"},
            ),
        },
        coords={
            "model": ["net, t = 1", "net, t = 2", "other"],
            "seed": [0, 1],
            "epoch": ("epoch", [1, 2], {"long_name": "epoch", "units": "1"}),
            "statistics": ["calibrated", "held"],
            "time": ("time", [1, 2, 3], {"long_name": "tested at", "units": "steps"}),
            "images": ("images", [10, 100], {"long_name": "images that statistics were taken on", "units": "1"}),
            "step": ("step", [0, 1, 2], {"long_name": "training steps done", "units": "1"}),
            "precision": ["float64", "float32"],
            "quantity": ["logits", "gradient"],
            "paper_confidence": ("model", ["R", "I", "R"]),
        },
        attrs={
            "title": "A title",
            "question": "A question?",
            "paper": "Nothing is known (U).",
            "data": "digits, 100 test images",
            "validated_on": "validation error: held out",
            "scale": "smoke",
            "hardware": "a machine",
            "seconds": 60.0,
            "date": "2026-01-01",
            "commit": "abc",
            "figures": "epoch,parameters",
        },
    )
