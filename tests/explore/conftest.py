"""A training small enough to run in a second."""

import pytest

import cortexsim as cs
from cortexsim.explore.training.lesson import Lesson


def lesson_of(**changes):
    recipe = cs.Recipe(
        epochs=changes.pop("epochs", 6),
        batch_size=16,
        optimizer="adamw",
        learning_rate=0.01,
        augmentation="none",
        presentation=cs.sustained(),
        calibration_images=32,
        precision="float32",
    )
    given = {
        "title": "short curves",
        "data": {"name": "contours", "part": "train", "size": 16, "length": [4, 6]},
        "n": 104,
        "n_held_out": 40,
        "features": {"V1": 4, "V2": 4, "IT": 4},
        "size": 16,
        "n_classes": 2,
        "recipe": recipe,
        "readout_time": 4,
        "n_probe": 4,
    }
    return Lesson(**{**given, **changes})


@pytest.fixture(scope="session")
def tiny():
    """24 steps of 16 images, read out at t = 2, 3 and 4."""
    return lesson_of()


@pytest.fixture(scope="session")
def endless():
    """More steps than any test waits for."""
    return lesson_of(epochs=100_000)
