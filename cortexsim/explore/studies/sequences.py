"""A panel on rapid streams (RSVP): a target among other images, read out at every time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import protocols
from cortexsim._support.progress import Report
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.study import Study
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.studies import sequences_questions
from cortexsim.explore.studies.model_comparison import measure_each
from cortexsim.explore.studies.sequences_questions import OWN, STREAMS, accuracies
from cortexsim.explore.widgets.figure import Live
from cortexsim.model.cortex import Cortex
from cortexsim.plot import followed, stream, time_course
from cortexsim.plot._stream import show_stream
from cortexsim.protocols.conditions import arrival
from cortexsim.stimuli.images import as_images

N_CALIBRATION = 150
FRAMES = (3, 4, 5, 6)
STEPS = (1, 2, 3, 4)


class Sequences(Study):
    """A target in a stream of images (RSVP): readouts of a model and its feedforward control at every time.

    Parameters
    ----------
    task : str, optional
        A task with a pretrained model; by default "digits", because a stream needs several classes.
    model, data : optional
        In place of a task; see `Subject`.
    n : int
        Number of targets; each is shown once at every place of its stream.
    question : str
        A key of `QUESTIONS`, or "" for none.
    subject : Subject, optional
        In place of task, model, data and n.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. Later errors are shown in the panel.
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("place", "example")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = sequences_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = sequences_questions.EXERCISES
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
                options=STEPS, value=2, description="steps per image", layout=widgets.Layout(width="160px"), **wide
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
            controls[name].observe(lambda _: self._redraw(), names="value")
        controls["frames"].observe(lambda change: self._lengthen(change["new"]), names="value")

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that the statistics of single images end before the stream does."""
        if choices["statistics"] == STREAMS:
            return ""
        model = self.who.model
        until = self._until(choices)
        last = max((taken.until for taken in model.statistics.values()), default=0)
        if model.normalization != "none" and last < until:
            return (
                f"the stream runs to t = {until}, but the model's statistics end at t = {last}: show fewer images, or "
                f"set «statistics from» to «{STREAMS}»"
            )
        return ""

    def measure(self, choices: Mapping[str, Any], report: Report) -> xr.Dataset:
        """Show each target at every place of its stream, to the model and to its control."""
        models = {"recurrent": self.who.model}
        if self.who.sibling is not None:
            models["feedforward"] = self.who.sibling
        training = self.who.training(N_CALIBRATION) if choices["statistics"] == STREAMS else None

        def measure(model: Cortex, of_model: Report) -> xr.Dataset:
            statistics = None
            if training is None and model.normalization != "none":
                statistics = max(model.statistics.values(), key=lambda taken: taken.until)
            return protocols.rapid_sequence(
                model,
                self.who.images,
                n_frames=choices["frames"],
                steps_per_frame=choices["steps"],
                statistics=statistics,
                calibrate_on=training,
                report=of_model,
            )

        table = measure_each(models, measure, report)
        return table.assign_attrs(
            n=self.who.n, calibration_streams=0 if training is None else training.sizes["stimulus"]
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw one stream with its images, and accuracy over time and by place."""
        figures: dict[str, go.Figure] = {
            "stream": stream(*self._example(result), arrival=result.attrs["arrival"], **self._layout_of_stream(result))
        }
        for name in result["model"].values.tolist():
            over_time = result["accuracy"].sel(model=name, drop=True)
            over_time = over_time.assign_coords(position=over_time["position"] + 1).assign_attrs(
                result["accuracy"].attrs
            )
            over_time["position"].attrs = {"long_name": "place of the target"}
            over_time.attrs["chance"] = result.attrs["chance"]
            figures[f"over_time_{name}"] = time_course(over_time, title=f"{name}: accuracy for the target")
        figures["followed"] = followed(result)
        return figures

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the controls that choose a stream above its figure."""
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        chosen = widgets.Box([self._controls[name] for name in self.VIEWS], layout=row)
        lives = {name: Live(figure) for name, figure in figures.items()}
        self._stream = lives["stream"]
        return [chosen, *lives.values()]

    def say(self, result: xr.Dataset) -> str:
        """Report accuracy by place of the target, and where the statistics come from."""
        streams = result.attrs["calibration_streams"]
        taken = f"{streams} other streams" if streams else "single images, as in training"
        return f"{accuracies(result)} The weights were trained on single images; the statistics come from {taken}."

    @property
    def who(self) -> Subject:
        """Who is studied."""
        assert self.subject is not None
        return self.subject

    def _until(self, choices: Mapping[str, Any]) -> int:
        return int(choices["frames"] * choices["steps"]) - 1 + arrival(self.who.model.graph)

    def _lengthen(self, frames: int) -> None:
        """Offer every place of a stream of this length."""
        self._controls["place"].max = frames

    def _example(self, result: xr.Dataset) -> tuple[xr.DataArray, np.ndarray, list[int]]:
        """Return the logits of the chosen stream, its images and their classes."""
        row = self._place(result)
        one = result.isel(position=row, stimulus=self.choices["example"] - 1)
        # every model was shown the same images
        shown = one["picture"].isel(model=0).values if "model" in one["picture"].dims else one["picture"].values
        pictures = as_images(self.who.images).numpy()[shown]
        labels = self.who.images["label"].values[shown].tolist()
        logits = one["logits"].transpose("model", "time", "class")
        return logits, pictures, labels

    def _layout_of_stream(self, result: xr.Dataset) -> dict[str, Any]:
        classes = self.who.images.attrs.get("classes")
        return {
            "steps_per_frame": result.attrs["steps_per_frame"],
            "target": self._place(result),
            "classes": None if classes is None else json.loads(classes),
        }

    def _place(self, result: xr.Dataset) -> int:
        return min(self.choices["place"], result.sizes["position"]) - 1

    def _redraw(self) -> None:
        """Draw the chosen stream, without running a model."""
        if not isinstance(self.result, xr.Dataset):
            return
        try:
            show_stream(self.figures["stream"], *self._example(self.result), **self._layout_of_stream(self.result))
            self._stream.redraw()
        except Exception as error:  # nothing else would show an exception of a widget
            self.notice.value = alert("This could not be drawn", error)
