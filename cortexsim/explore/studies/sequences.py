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
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Slider
from cortexsim.explore.panel.script import Name, call, inside, script, subject_lines, training_line
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.studies import sequences_questions
from cortexsim.explore.studies.model_comparison import measure_each
from cortexsim.explore.studies.sequences_questions import OWN, STREAMS, accuracies
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import arrival
from cortexsim.model.cortex import Cortex
from cortexsim.plot import followed, stream, time_course
from cortexsim.plot._intrusions import intrusions
from cortexsim.plot._stream import show_stream
from cortexsim.stimuli.images import as_images

N_CALIBRATION = 150
FRAMES = (3, 4, 5, 6)
STEPS = (1, 2, 3, 4)


class Sequences(SubjectStudy):
    """A target in a stream of images (RSVP): readouts of a model and its feedforward control at every time.

    Each of the `n` targets is shown once at every place of its stream. The arguments are those of `SubjectStudy`; the
    task is "digits" by default, because a stream needs several classes.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Sequences("digits", question="")
    >>> sorted(panel.choices)
    ['example', 'frames', 'place', 'statistics', 'steps']
    """

    TASK: ClassVar[str | None] = "digits"
    N: ClassVar[int] = 50
    VIEWS: ClassVar[tuple[str, ...]] = ("place", "example")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = sequences_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = sequences_questions.EXERCISES
    ACTION: ClassVar[str] = "show the streams"
    MORE: ClassVar[tuple[str, ...]] = ("frames", "statistics")

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the stream, the statistics, and the stream that is drawn."""
        return {
            "frames": Menu("images in a stream", FRAMES, 4, width_px=190),
            "steps": Menu("steps per image", STEPS, 2, width_px=180),
            "statistics": Menu("statistics from", [STREAMS, OWN], width_px=310),
            "place": Slider("place of the target", 1, 4, 2),
            "example": Slider("stream", 1, subject.n, min(16, subject.n), width_px=380),
        }

    def why_not(self, choices: Chosen) -> str:
        """Say that the statistics of single images end before the stream does."""
        if choices["statistics"] == STREAMS:
            return ""
        model = self.who.model
        until = self._until(choices)
        last = max((taken.until for taken in model.statistics.values()), default=0)
        if model.needs_statistics and last < until:
            return (
                f"the stream runs to t = {until}, but the model's statistics end at t = {last}: show fewer images, or "
                f"set «statistics from» to «{STREAMS}»"
            )
        return ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Show each target at every place of its stream, to the model and to its control."""
        models = {"recurrent": self.who.model}
        if self.who.control is not None:
            models["feedforward"] = self.who.control
        training = self.who.training(N_CALIBRATION) if choices["statistics"] == STREAMS else None

        def measure(model: Cortex, of_model: Report) -> xr.Dataset:
            statistics = None
            if training is None and model.needs_statistics:
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

    def script(self, choices: Chosen) -> str:
        """Write one call of the protocol for each model, and the stream that is drawn."""
        who, streams = self.who, choices["statistics"] == STREAMS
        named: dict[str, Any] = {"n_frames": choices["frames"], "steps_per_frame": choices["steps"]}
        if streams:
            named["calibrate_on"] = Name("training")
        elif who.model.needs_statistics:
            named["statistics"] = Name("max(model.statistics.values(), key=lambda taken: taken.until)")
        measured = call("cs.protocols.rapid_sequence", Name("model"), Name("images"), **named).splitlines()
        compared = {"recurrent": "model"} | ({} if who.control is None else {"feedforward": "control"})
        place, example = min(choices["place"], choices["frames"]) - 1, choices["example"] - 1
        drawn = {"steps_per_frame": choices["steps"], "target": place, "arrival": Name('one.attrs["arrival"]')}
        pictures, labels = Name('images["image"].values[frames]'), Name('images["label"].values[frames]')
        return script(
            *subject_lines(who, control=True),
            *([training_line(who, N_CALIBRATION)] if streams else []),
            "",
            "",
            "def measured(model):",
            *inside("\n".join([f"return {measured[0]}", *measured[1:]])),
            "",
            "",
            f"tables = {{{', '.join(f'{name!r}: measured({variable})' for name, variable in compared.items())}}}",
            "figures = {name: cs.plot.followed(table) for name, table in tables.items()}",
            f'one = tables["recurrent"].isel(position={place}, stimulus={example})',
            'frames = one["picture"].values',
            'logits = one["logits"].transpose("time", "class")',
            f'figures["stream"] = {call("cs.plot.stream", Name("logits"), pictures, labels, **drawn)}',
            'figures["stream"]',
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw which item is reported, one stream with its images, and accuracy over time and by place."""
        models = result["model"].values.tolist()
        hidden = set(models) - set(self._shown(result)["model"].values.tolist())
        matrices = intrusions(result, covered=hidden)
        result = self._shown(result)
        figures: dict[str, go.Figure] = {
            "intrusions": matrices,
            "stream": stream(*self._example(result), arrival=result.attrs["arrival"], **self._layout_of_stream(result)),
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
        """Put the controls that choose a stream above its figure, and fold up the figures after it."""
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        chosen = widgets.Box([self._controls[name] for name in self.VIEWS], layout=row)
        lives = {name: Live(figure) for name, figure in figures.items()}
        self._stream = lives["stream"]
        others = [live for name, live in lives.items() if name not in ("intrusions", "stream")]
        self.fold(others)
        return [lives["intrusions"], chosen, lives["stream"]]

    def say(self, result: xr.Dataset) -> str:
        """Report accuracy by place of the target, and where the statistics come from."""
        result = self._shown(result)
        streams = result.attrs["calibration_streams"]
        taken = f"{streams} other streams" if streams else "single images, as in training"
        return (
            f"{accuracies(result)} A matrix counts every image of the streams, not only the target. The weights were "
            f"trained on single images; the statistics come from {taken}."
        )

    def look(self, result: xr.Dataset) -> None:
        """Draw the chosen stream."""
        result = self._shown(result)
        show_stream(self.figures["stream"], *self._example(result), **self._layout_of_stream(result))
        self._stream.redraw()

    def _shown(self, result: xr.Dataset) -> xr.Dataset:
        """Leave out the control until the question about it is answered."""
        return result.sel(model=["recurrent"]) if self.covered("control") else result

    def _until(self, choices: Chosen) -> int:
        return int(choices["frames"] * choices["steps"]) - 1 + arrival(self.who.model.graph)

    def _follow(self) -> None:
        """Offer every place of a stream of this length; a stream that is drawn is not changed."""
        self._controls["place"].max = self.choices["frames"]
        super()._follow()

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
