"""The trainings that the panel offers."""

from __future__ import annotations

from typing import Any

from cortexsim.datasets.registry import SOURCES
from cortexsim.explore.training.lesson import Lesson
from cortexsim.explore.training.tracing import NAME, tracing_lesson
from cortexsim.stimuli.presentation import sustained
from cortexsim.training.recipe import Recipe


def _quick(**changes: Any) -> Recipe:
    return Recipe.quick(augmentation="none", growth=((0.0, 1.0),), presentation=sustained(), **changes)


def _small(name: str) -> dict[str, Any]:
    return {"name": name, "part": "train", **SOURCES[name].small}


LESSONS: dict[str, Lesson] = {
    NAME: tracing_lesson(),
    "contours": Lesson(
        title="contours: are both dots on one curve?",
        data=_small("contours"),
        n=6400,
        n_held_out=400,
        features={"V1": 16, "V2": 16, "V4": 24, "IT": 32},
        size=16,
        n_classes=len(SOURCES["contours"].classes),
        # as many steps as three epochs of 40,000 images
        recipe=Recipe.contours(epochs=20, calibration_images=500),
        readout_time=8,
        input_gain=16.0,
    ),
    "digits": Lesson(
        title="digits: which one is it?",
        data=_small("digits"),
        n=4400,
        n_held_out=400,
        features={"V1": 8, "V2": 16, "IT": 32},
        size=16,
        n_classes=len(SOURCES["digits"].classes),
        recipe=_quick(epochs=5, batch_size=64, learning_rate=0.1, calibration_images=500),
        readout_time=5,
        n_probe=3,
    ),
}
