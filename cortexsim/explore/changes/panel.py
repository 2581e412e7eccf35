"""A panel on changes over time in the activity of a state: in the code, or only in its scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim._support.progress import Report, part
from cortexsim.explore.changes import questions
from cortexsim.explore.changes.film import film
from cortexsim.explore.changes.questions import mean_loss, percent_correct
from cortexsim.explore.changes.summaries import OWN_SCALE, RAW, SCALINGS, evolution
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu
from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.script import Name, call, script, subject_lines
from cortexsim.explore.panel.subject import NeededClasses, Subject
from cortexsim.explore.panel.task_study import OWN_TASK, TaskStudy
from cortexsim.explore.panel.tasks import TASKS
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.movie import Movie
from cortexsim.model.cortex import Cortex
from cortexsim.plot import (
    add_cursor,
    add_points,
    hide_cursor,
    move_cursor,
    narrowed,
    time_course,
)
from cortexsim.plot import trajectory as trajectory_figure
from cortexsim.plot._generalizations import generalizations
from cortexsim.recording._simulate import simulate
from cortexsim.recording.description import settings as made_with

UNTIL = 12


class Changes(TaskStudy):
    """One time slider for linked views of a model's activity: maps, dissimilarities, trajectories, decoders.

    The arguments are those of `SubjectStudy`.

    Attributes
    ----------
    time : int
        Linked with the slider.
    movie : Movie
        The canvas.
    recording : DataTree or None
        The recording that the last result was measured on.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Changes("digits", question="")
    >>> sorted(panel.choices)
    ['presentation', 'quantity', 'scaling', 'state', 'task']
    """

    N: ClassVar[int] = 150
    CLASSES: ClassVar[NeededClasses] = NeededClasses.ANY
    QUESTIONS: ClassVar[Mapping[str, Guess]] = questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = questions.EXERCISES
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {"task": {"own": OWN_TASK}}
    ACTION: ClassVar[str] = "show and analyse"
    MORE: ClassVar[tuple[str, ...]] = ("task", "quantity", "scaling", "presentation", "state")

    time = traitlets.Int(0)
    recording: xr.DataTree | None = None
    # the choices that the recording was made with
    _recorded = ""

    @cached_property
    def movie(self) -> Movie:
        """The canvas, whose time is linked with that of the panel."""
        movie = Movie()
        traitlets.link((self, "time"), (movie, "time"))
        return movie

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the task, the quantity and its scale, the presentation and the area."""
        task = self.task_menu(subject, width_px=285)
        start = str(TASKS[str(task.value)].start["kind"]) if task.value in TASKS else "flash"
        states = subject.model.graph.state_names
        return {
            "task": task,
            "quantity": Menu("read as", ["rate", "state"], width_px=140),
            "scaling": Menu("scale", list(SCALINGS), width_px=305),
            "presentation": Menu("shown", unmasked.MENU, start, width_px=170),
            "state": Menu("area", states, states[-1], width_px=110),
        }

    def offer(self, subject: Subject) -> None:
        """Offer the areas of the model, and show the images as the task does."""
        area, states = self._controls["state"], subject.model.graph.state_names
        chosen = area.value if area.value in states else states[-1]
        area.options = states
        area.value = chosen
        if self.choices["task"] in TASKS:
            self._controls["presentation"].value = TASKS[self.choices["task"]].start["kind"]

    def why_not(self, choices: Chosen) -> str:
        """Say that the model has no statistics for the presentation."""
        model = self.subject_of(choices).model
        reason = Offer(model, _last_time(model)).why_not(UNMASKED[choices["presentation"]])
        return f"«{UNMASKED[choices['presentation']]}»: {reason}" if reason else ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Record the model, unless the last recording can be used, and analyse its activity."""
        report(0.01, "drawing the images")
        # the task of the panel may change during the run
        who = self.subject_of(choices)
        images = who.images
        presentation = UNMASKED[choices["presentation"]]
        key = "/".join(str(choices[name]) for name in ("task", "presentation", "quantity"))
        recording = self.recording if self._recorded == key else None
        if recording is None:
            report(0.08, f"showing {who.n} images")
            recording = simulate(
                who.model, images, presentation, until=_last_time(who.model), quantity=choices["quantity"]
            )
        report(0.25, "analysing")
        result = evolution(
            recording,
            images,
            state=choices["state"],
            scaling=choices["scaling"],
            report=part(report, 0.25, 1.0),
        )
        # a cancelled run has raised before this line
        self.recording, self._recorded = recording, key
        return result.assign_attrs(
            model=who.title, model_checksum=made_with(recording)["model"], presentation=str(presentation)
        )

    def script(self, choices: Chosen) -> str:
        """Write the recording, and the analyses of the chosen area and of all areas."""
        who, state = self.subject_of(choices), choices["state"]
        recording = call(
            "cs.simulate",
            Name("model"),
            Name("images"),
            UNMASKED[choices["presentation"]],
            until=_last_time(who.model),
            quantity=choices["quantity"],
        )
        divided = {} if choices["scaling"] == OWN_SCALE else {"divided": False}
        scaled = call("cs.analyse.standardized", Name("recording[name]"), **divided)
        each = "recording[name]" if choices["scaling"] == RAW else scaled
        return script(
            *subject_lines(who),
            f"recording = {recording}",
            f"nodes = {{name: {each} for name in model.graph.state_names}}",
            f"node = nodes[{state!r}]",
            "generalization = cs.analyse.temporal_generalization(node)",
            "rdm = cs.analyse.rdm(node)",
            'trajectory = cs.analyse.trajectory(node, 2, average="label")',
            "decode = {name: cs.analyse.decode(one) for name, one in nodes.items()}",
            "dimensionality = {name: cs.analyse.dimensionality(one) for name, one in nodes.items()}",
            "spread = {name: cs.analyse.spread(recording[name]) for name in nodes}",
            "figures = {",
            '    "generalization": cs.plot.temporal_generalization(generalization),',
            '    "trajectory": cs.plot.trajectory(trajectory),',
            f'    "decoding": cs.plot.time_course(decode[{state!r}]),',
            f'    "spread": cs.plot.time_course(spread[{state!r}]),',
            f'    "dimensionality": cs.plot.time_course(dimensionality[{state!r}]),',
            "}",
            'figures["generalization"]',
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the summaries over time, each with a cursor at the present time."""
        state, now = result.attrs["state"], self._within(result)
        decode = result["decode"].transpose("time", "state")
        others = {
            "decoding": add_cursor(time_course(decode, title="class decoded from each area (shrinkage LDA)"), now),
            "trajectory": add_points(
                trajectory_figure(result["trajectory"], title=f"{state}: trajectory of each class mean"),
                result["trajectory"],
                now,
            ),
            "spread": add_cursor(
                time_course(
                    result["spread"].transpose("time", "state"), title="scale: spread of responses over stimuli"
                ),
                now,
            ),
            "dimensionality": add_cursor(
                time_course(
                    result["dimensionality"].transpose("time", "state"),
                    title="dimensionality: number of directions of variation",
                ),
                now,
            ),
        }
        hidden = [name for name in SCALINGS if name != RAW] if self.covered("only-scale") else []
        named = {name: name.removesuffix(" at each time") for name in SCALINGS}
        notes = {named[name]: f"loses {mean_loss(result, name)} points" for name in SCALINGS}
        scores = result["by_scaling"].assign_coords(scaling=[named[name] for name in SCALINGS])
        matrices = generalizations(
            scores, notes, covered=dict.fromkeys((named[name] for name in hidden), "answer «only a shift?»")
        )
        return {
            "generalization": add_cursor(matrices, now, along="xy", plots=len(SCALINGS)),
            # the legend of ten classes is higher than that of four areas
            **{name: narrowed(one, height=430 if name == "trajectory" else 330) for name, one in others.items()},
        }

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Return maps, matrices and dissimilarities in one view, and fold up the other figures."""
        columns = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))", grid_gap="4px 12px")
        cells = []
        matrices = Live(hide_cursor(figures["generalization"]))
        for name, figure in figures.items():
            if name == "generalization":
                continue
            # by default, cells of a grid do not shrink below their content; and plotly, redrawn in a narrower page,
            # needs a container with a height of its own
            cell = widgets.Layout(min_width="0", overflow="hidden", height=f"{figure.layout.height}px")
            # the canvas draws the cursors, because it knows the time without the kernel
            cells.append(widgets.Box([Live(hide_cursor(figure))], layout=cell))
        self.body.add_class("cortexsim-linked")
        views = widgets.Box([self.movie, matrices])
        views.add_class("cortexsim-one-view")
        self.fold([widgets.GridBox(cells, layout=columns)])
        return [views]

    def say(self, result: xr.Dataset) -> str:
        """Report the accuracy of the earliest decoder at the last time, and the mean loss over pairs of times."""
        state = result.attrs["state"]
        decoded = result["time"].values[result["temporal_generalization"].notnull().any("test_time").values]
        if decoded.size < 2:
            return f"{state} is active at fewer than two times."
        first, last = int(decoded[0]), int(decoded[-1])
        return (
            f"{state}, {result.attrs['quantity_text']}: trained at t = {first} and tested at t = {last}, a decoder is "
            f"right on {percent_correct(result, first, last):.0f} % of the images; one trained at t = {last} on "
            f"{percent_correct(result, last, last):.0f} %. At another time a decoder loses {mean_loss(result)} "
            "percentage points, relative to one trained there, on average over pairs of times."
        )

    def _draw(self, result: Any) -> None:
        if self.result is None and self.time == 0:
            # before this time the area is empty, and so is its matrix
            is_known = result["rdm"].notnull().any(["stimulus", "other_stimulus"])
            self.time = int(result["time"].values[np.argmax(is_known.values)])
        self.movie.show(film(result))
        super()._draw(result)
        # the time may have changed during drawing
        self._move()

    def _within(self, result: xr.Dataset) -> int:
        times = result["time"].values
        return int(np.clip(self.time, times[0], times[-1]))

    @traitlets.observe("time")
    def _move(self, _change: object = None) -> None:
        """Move the cursors of `figures` to the present time; the browser has moved those that are on the page."""
        for figure in self.figures.values():
            move_cursor(figure, self.time)


def _last_time(model: Cortex) -> int:
    """Return the last time that is shown: `UNTIL`, or the end of the model's statistics."""
    return min(UNTIL, max((taken.until for taken in model.statistics.values()), default=UNTIL))
