"""A small result of an experiment, made by hand: every number in it is known."""

import numpy as np
import pytest
import xarray as xr

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
