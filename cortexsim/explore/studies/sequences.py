"""Streams in and out: a target among other images, one after the other, read out at every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import protocols
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.widgets.figure import Live
from cortexsim.plot import followed, stream, time_course
from cortexsim.plot._stream import show_stream
from cortexsim.protocols.conditions import arrival
from cortexsim.stimuli.images import as_images

STREAMS, OWN = "streams like these", "single images, as trained"
N_CALIBRATION = 150
FRAMES = (3, 4, 5, 6)
STEPS = (1, 2, 3, 4)
PERCENT = tuple(range(0, 110, 10))


def _named(model: str, place: int) -> Callable[[xr.Dataset], float | None]:
    """Read the percent of streams in which a model names the target at a place as it leaves."""

    def read(result: xr.Dataset) -> float | None:
        if model not in result["model"].values or place not in result["position"].values:
            return None
        return round(100 * float(result["followed"].sel(model=model, position=place)), 1)

    return read


def _told(result: xr.Dataset) -> str:
    """Give the percent by place of each model, with the range of the intervals."""
    texts = []
    for model in result["model"].values.tolist():
        one = result.sel(model=model)
        percents = ", ".join(
            f"{float(v):.0%} ({float(low):.0%} to {float(high):.0%})"
            for v, low, high in zip(one["followed"], one["followed_low"], one["followed_high"], strict=True)
        )
        texts.append(f"{model}, by place in the stream: {percents}")
    return (
        f"Named when its last step has just arrived, {result.attrs['n']} targets at each place, "
        f"{result.attrs['steps_per_frame']} steps an image, guessing {result.attrs['chance']:.0%}; {'; '.join(texts)}."
    )


class Sequences(Study):
    """A target stands in a stream of images (RSVP); a model and its feedforward sibling are read out at every time.

    Parameters
    ----------
    task : str, optional
        One that ships; by default "digits", since a stream wants several classes.
    model, data : optional
        Your own; see `Subject`.
    n : int
        Targets; each stands at every place of its stream once.
    question : str
        A key of `QUESTIONS`, or "" to just look.
    subject : Subject, optional
        In place of all those.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("place", "example")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "second": Guess(
            "the second digit",
            "Four digits follow each other, two steps each. Of the streams in which the target comes second, in how "
            "many percent does the recurrent model name it when it has just arrived? Guessing gets 10.",
            PERCENT,
            _named("recurrent", 1),
            lambda result: "Each place has its interval below; the first digit is what it goes on naming.",
            unit="percent",
            needs={"steps": 2, "frames": 4, "statistics": STREAMS},
            within=5,
        ),
        "sibling": Guess(
            "the sibling without recurrence",
            "And the feedforward sibling, which keeps nothing? In how many percent does it name the second of four "
            "digits, two steps each, when that has just arrived?",
            PERCENT,
            _named("feedforward", 1),
            lambda result: "Each place has its interval below; what keeps nothing cannot be held up by it.",
            unit="percent",
            needs={"steps": 2, "frames": 4, "statistics": STREAMS},
            within=5,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "slower": Guess(
            "slower",
            "Show each image for 4 steps in place of 2, everything else as it opened. In how many percent does the "
            "recurrent model name the second digit now, when its last step has just arrived?",
            PERCENT,
            _named("recurrent", 1),
            _told,
            unit="percent",
            needs={"steps": 4, "frames": 4, "statistics": STREAMS},
            within=5,
        ),
        "first": Guess(
            "statistics of single images",
            "Two steps an image again, but with the statistics of single images. In how many percent does the "
            "recurrent model name the first digit, when its last step has just arrived?",
            PERCENT,
            _named("recurrent", 0),
            lambda result: (
                f"{_told(result)} A model is normalized by what it expects to be shown; whether that is a stream is "
                "part of what is measured."
            ),
            unit="percent",
            needs={"steps": 2, "frames": 4, "statistics": OWN},
            within=5,
        ),
    }
    ACTION: ClassVar[str] = "show the streams"

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Any = None,
        data: Any = None,
        n: int = 50,
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        if subject is None:
            subject = Subject("digits" if task is None and model is None else task, model=model, data=data, n=n)
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}
        controls: dict[str, Any] = {
            "frames": widgets.Dropdown(
                options=FRAMES, value=4, description="images in a stream", layout=widgets.Layout(width="190px"), **wide
            ),
            "steps": widgets.Dropdown(
                options=STEPS, value=2, description="steps an image", layout=widgets.Layout(width="160px"), **wide
            ),
            "statistics": widgets.Dropdown(
                options=[STREAMS, OWN], description="statistics from", layout=widgets.Layout(width="310px"), **wide
            ),
            "place": widgets.IntSlider(
                value=2, min=1, max=4, description="place of the target", layout=widgets.Layout(width="330px"), **wide
            ),
            "example": widgets.IntSlider(
                value=1, min=1, max=subject.n, description="stream", layout=widgets.Layout(width="380px"), **wide
            ),
        }
        super().__init__(subject, controls, question)
        for name in self.VIEWS:
            controls[name].observe(lambda _: self._look(), names="value")
        controls["frames"].observe(lambda change: self._lengthen(change["new"]), names="value")

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that the statistics of single images end before the stream does."""
        if choices["statistics"] == STREAMS:
            return ""
        model = self.who.model
        until = self._until(choices)
        known = max((held.until for held in model.statistics.values()), default=0)
        if model.normalization != "none" and known < until:
            return (
                f"the stream runs to t = {until}, but the model's statistics end at {known}: show fewer images, or "
                f"take the statistics from «{STREAMS}»"
            )
        return ""

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Show each target at every place of its stream, to the model and to its sibling."""
        models = {"recurrent": self.who.model}
        if self.who.sibling is not None:
            models["feedforward"] = self.who.sibling
        training = self.who.training(N_CALIBRATION) if choices["statistics"] == STREAMS else None
        done = []
        for place, (name, model) in enumerate(models.items()):

            def report(share: float, words: str, place: int = place, name: str = name) -> None:
                told((place + share) / len(models), f"{name}: {words}")

            given: dict[str, Any] = {"calibrate_on": training}
            if training is None and model.normalization != "none":
                held = max(model.statistics.values(), key=lambda one: one.until)
                given = {"statistics": held}
            done.append(
                protocols.rapid_sequence(
                    model,
                    self.who.images,
                    n_frames=choices["frames"],
                    steps_per_frame=choices["steps"],
                    report=report,
                    **given,
                )
            )
        both = xr.concat(done, "model", combine_attrs="override", data_vars="all", coords="different", compat="equals")
        names = xr.Variable("model", list(models), {"long_name": "model"})
        attrs = {"n": self.who.n, "calibration_streams": 0 if training is None else training.sizes["stimulus"]}
        return both.assign_coords(model=names).assign_attrs(attrs)

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw one stream with its pictures, and accuracy over time and by place."""
        figures: dict[str, go.Figure] = {
            "stream": stream(*self._example(result), arrival=result.attrs["arrival"], **self._how(result))
        }
        for name in result["model"].values.tolist():
            over_time = result["accuracy"].sel(model=name, drop=True)
            over_time = over_time.assign_coords(position=over_time["position"] + 1).assign_attrs(
                result["accuracy"].attrs
            )
            over_time["position"].attrs = {"long_name": "place of the target"}
            over_time.attrs["chance"] = result.attrs["chance"]
            figures[f"over_time_{name}"] = time_course(over_time, title=f"{name}: how often the target is named")
        figures["followed"] = followed(result)
        return figures

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the choice of the stream above its figure."""
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        chosen = widgets.Box([self._controls[name] for name in self.VIEWS], layout=row)
        lives = {name: Live(figure) for name, figure in figures.items()}
        self._stream = lives["stream"]
        return [chosen, *lives.values()]

    def say(self, result: xr.Dataset) -> str:
        """Say how often the target is named by its place, and what the statistics were taken from."""
        streams = result.attrs["calibration_streams"]
        taken = f"{streams} other streams" if streams else "single images, as in training"
        return f"{_told(result)} The weights were trained on single images; the statistics are of {taken}."

    @property
    def who(self) -> Subject:
        """Who is studied."""
        assert self.subject is not None
        return self.subject

    def _until(self, choices: Mapping[str, Any]) -> int:
        return int(choices["frames"] * choices["steps"]) - 1 + arrival(self.who.model.graph)

    def _lengthen(self, frames: int) -> None:
        """Let the target stand at every place of a longer stream; one that is drawn keeps its own."""
        slider = self._controls["place"]
        slider.max = frames

    def _example(self, result: xr.Dataset) -> tuple[xr.DataArray, np.ndarray, list[int]]:
        """Give what was read out of the stream that is chosen, its pictures and their classes."""
        row = self._place(result)
        one = result.isel(position=row, stimulus=self.choices["example"] - 1)
        # every model was shown the same
        shown = one["picture"].isel(model=0).values if "model" in one["picture"].dims else one["picture"].values
        pictures = as_images(self.who.images).numpy()[shown]
        labels = self.who.images["label"].values[shown].tolist()
        logits = one["logits"].transpose("model", "time", "class")
        return logits, pictures, labels

    def _how(self, result: xr.Dataset) -> dict[str, Any]:
        classes = self.who.images.attrs.get("classes")
        return {
            "steps_per_frame": result.attrs["steps_per_frame"],
            "target": self._place(result),
            "classes": None if classes is None else json.loads(classes),
        }

    def _place(self, result: xr.Dataset) -> int:
        return min(self.choices["place"], result.sizes["position"]) - 1

    def _look(self) -> None:
        """Draw another stream; no model runs."""
        if not isinstance(self.result, xr.Dataset):
            return
        try:
            show_stream(self.figures["stream"], *self._example(self.result), **self._how(self.result))
            self._stream.redraw()
        except Exception as error:  # a widget's exception would show nowhere else
            self.notice.value = alert("This could not be drawn", error)
