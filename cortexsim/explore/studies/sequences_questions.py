"""Questions and exercises of the panel on streams, and the numbers that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.studies.phrases import fraction

STREAMS, OWN = "streams like these", "single images, as trained"
PERCENT = tuple(range(0, 110, 10))


def percent_at(model: str, place: int) -> Callable[[xr.Dataset], float | None]:
    """Return a reader of the percentage of targets at a place (from 0) that a model reports."""

    def read(result: xr.Dataset) -> float | None:
        if model not in result["model"].values or place not in result["position"].values:
            return None
        return round(100 * float(result["followed"].sel(model=model, position=place)), 1)

    return read


def accuracies(result: xr.Dataset) -> str:
    """Write the accuracy of each model by place of the target."""
    parts = [
        f"{model} {', '.join(fraction(value) for value in result['followed'].sel(model=model).values)}"
        for model in result["model"].values.tolist()
    ]
    return (
        f"Target reported when its last step arrives, by its place: {'; '.join(parts)} ({result.attrs['n']} targets at "
        f"each place, {result.attrs['steps_per_frame']} steps per image, chance {percent(result.attrs['chance'])})."
    )


def _interval(model: str, place: int) -> Callable[[xr.Dataset], str]:
    def text(result: xr.Dataset) -> str:
        at = result.sel(model=model, position=place)
        return f"95 % interval: {100 * float(at['followed_low']):.0f} to {percent(float(at['followed_high']))}."

    return text


def _reported(
    title: str,
    question: str,
    answer: Callable[[xr.Dataset], float | None],
    because: Callable[[xr.Dataset], str],
    *,
    steps: int,
    statistics: str,
) -> Guess:
    """Ask how often an image of four is reported, in percent."""
    needs = {"steps": steps, "frames": 4, "statistics": statistics}
    return Guess(title, question, PERCENT, answer, because, unit="percent", needs=needs, within=5)


QUESTIONS: Mapping[str, Guess] = {
    "second": _reported(
        "the second digit",
        "Four digits follow each other, two steps each. In what percentage of streams does the recurrent model report "
        "the second digit when the last step of that digit arrives? (Chance is 10.)",
        percent_at("recurrent", 1),
        lambda result: f"{_interval('recurrent', 1)(result)} The model continues to report the first digit.",
        steps=2,
        statistics=STREAMS,
    ),
    "control": _reported(
        "the control without recurrence",
        "And the feedforward control, which has no memory? In what percentage of streams does it report the second of "
        "four digits, two steps each, when the last step of that digit arrives?",
        percent_at("feedforward", 1),
        lambda result: f"{_interval('feedforward', 1)(result)} Without a memory, the first digit cannot interfere.",
        steps=2,
        statistics=STREAMS,
    ),
}

EXERCISES: Mapping[str, Guess] = {
    "slower": _reported(
        "slower",
        "Show each image for 4 steps instead of 2, with everything else as at the start. In what percentage of streams "
        "does the recurrent model report the second digit now, when its last step arrives?",
        percent_at("recurrent", 1),
        accuracies,
        steps=4,
        statistics=STREAMS,
    ),
    "first": _reported(
        "statistics of single images",
        "Two steps per image again, but with the statistics of single images. In what percentage of streams does the "
        "recurrent model report the first digit, when its last step arrives?",
        percent_at("recurrent", 0),
        lambda result: (
            f"{accuracies(result)} The statistics belong to what the model expects to be shown; whether that is a "
            "stream is part of what is measured."
        ),
        steps=2,
        statistics=OWN,
    ),
}
