"""What changes in a state from one time to another: the code, or only its scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim._support.progress import part
from cortexsim.explore.changes.film import film
from cortexsim.explore.changes.summaries import OWN_SCALE, RAW, evolution
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.tasks import TASKS, shipped
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.movie import Movie
from cortexsim.plot import (
    add_cursor,
    add_points,
    hide_cursor,
    move_cursor,
    narrowed,
    temporal_generalization,
    time_course,
)
from cortexsim.plot import trajectory as trajectory_figure
from cortexsim.recording._simulate import simulate
from cortexsim.recording.io import settings as made_with
from cortexsim.stimuli.presentation import Presentation, flash, sustained

UNTIL = 12
SHOW: dict[str, Presentation] = {"flash": flash(1), "sustained": sustained()}
PERCENT = tuple(range(0, 101, 10))
POINTS = tuple(range(-5, 45, 5))


def at(result: xr.Dataset, train: int, test: int) -> float | None:
    """Return how often a decoder that learned at one time is right at another, in percent; None where one is empty."""
    scores = result["temporal_generalization"]
    if not {train, test} <= set(scores["train_time"].values.tolist()):
        return None
    value = float(scores.sel(train_time=train, test_time=test))
    return None if np.isnan(value) else round(100 * value, 1)


def lost(result: xr.Dataset) -> float | None:
    """Return how many points a decoder of another time loses to the time's own, on average over pairs of times."""
    scores = result["temporal_generalization"].values
    loss = np.diag(scores) - scores
    others = np.isfinite(loss) & ~np.eye(len(scores), dtype=bool)
    return round(100 * float(loss[others].mean()), 1) if others.any() else None


def _because(train: int, test: int) -> Any:
    def told(result: xr.Dataset) -> str:
        other, own = at(result, train, test), at(result, test, test)
        if other is None or own is None:
            return f"{result.attrs['state']} is empty at t = {train} or t = {test}."
        return (
            f"In {result.attrs['state']} ({result.attrs['quantity_text']}), a decoder that learned at t = {train} is "
            f"right on {other:.0f} % of the images at t = {test}, where one that learned there is right on {own:.0f} % "
            f"({result.attrs['n']} images, chance {result.attrs['chance']:.0%})."
        )

    return told


def _lost_because(result: xr.Dataset) -> str:
    spread = result["spread"].sel(state=result.attrs["state"]).dropna("time")
    first, last = (int(time) for time in spread["time"].values[[0, -1]])
    return (
        f"On average over pairs of times, a decoder of another time loses {lost(result)} points to the time's own, in "
        f"{result.attrs['state']} ({result.attrs['quantity_text']}). The spread over stimuli, before any "
        f"standardizing, is {float(spread[-1] / spread[0]):.1f} times as large at t = {last} as at t = {first}."
    )


class Changes(Study):
    """One time slider over linked views of what a model's states hold: maps, dissimilarities, paths, decoders.

    Parameters
    ----------
    task : str, optional
        One that ships, such as "digits".
    model, data : optional
        Your own; see `Subject`.
    n : int
        Images.
    question : str
        A key of `QUESTIONS`, or "" to just look.
    subject : Subject, optional
        In place of all those.

    Attributes
    ----------
    time : int
        The slider follows, and leads.
    movie : Movie
        The canvas.
    recording : DataTree or None
        What the last result was measured on.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "generalizes": Guess(
            "is the code of t = 3 that of t = 8?",
            "The digits stay on the screen, and IT is read as a rate. A decoder learns at t = 3 and is tested on other "
            "images at t = 8. On how many percent of them is it right? (Chance is about 10.)",
            PERCENT,
            lambda result: at(result, 3, 8),
            _because(3, 8),
            unit="percent",
            needs={"task": "digits", "quantity": "rate", "scaling": RAW, "presentation": "sustained", "state": "IT"},
            within=5,
        ),
        "backwards": Guess(
            "and in the state, backwards?",
            "Now V4, read as the state itself. A decoder learns at t = 8 and is tested at t = 3. On how many percent "
            "is it right?",
            PERCENT,
            lambda result: at(result, 8, 3),
            _because(8, 3),
            unit="percent",
            needs={"task": "digits", "quantity": "state", "scaling": RAW, "presentation": "sustained", "state": "V4"},
            within=5,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "only-scale": Guess(
            "only scale?",
            "V4, read as the state, digits that stay on the screen; now take out the scale: each unit standardized at "
            "each time. How many points does a decoder of another time lose on average?",
            POINTS,
            lost,
            _lost_because,
            unit="points",
            needs={
                "task": "digits",
                "quantity": "state",
                "scaling": OWN_SCALE,
                "presentation": "sustained",
                "state": "V4",
            },
            within=2.5,
        ),
        "after-a-flash": Guess(
            "a code that changes",
            "Show the digits as a flash, and standardize V4's state at each time, so that scale cannot be what "
            "changes. A decoder learns at t = 3 and is tested at t = 12. On how many percent is it right?",
            PERCENT,
            lambda result: at(result, 3, 12),
            _because(3, 12),
            unit="percent",
            needs={"task": "digits", "quantity": "state", "scaling": OWN_SCALE, "presentation": "flash", "state": "V4"},
            within=5,
        ),
    }
    ACTION: ClassVar[str] = "show and analyse"

    time = traitlets.Int(0)

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Any = None,
        data: Any = None,
        n: int = 150,
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        subject = subject or Subject(task, model=model, data=data, n=n)
        named = subject.to_dict()["model"]
        known = shipped()
        first = next((name for name, one in known.items() if one.model == named), "own")
        self._subjects = {first: subject}
        self.recording: xr.DataTree | None = None
        self._recorded = ""
        self.movie = Movie()
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}

        def menu(description: str, width_px: int, options: Sequence[Any], value: Any = None) -> widgets.Dropdown:
            layout = widgets.Layout(width=f"{width_px}px")
            return widgets.Dropdown(options=options, value=value, description=description, layout=layout, **wide)

        tasks = [(subject.title, first)] if first == "own" else [(one.title, name) for name, one in known.items()]
        start = TASKS[first].start["kind"] if first in TASKS else "flash"
        states = [state.name for state in subject.model.graph.states]
        controls = {
            "task": menu("task", 300, tasks, first),
            "quantity": menu("read as", 150, ["rate", "state"], "rate"),
            "scaling": menu("scale", 280, [RAW, OWN_SCALE], RAW),
            "presentation": menu("shown", 150, [("flash, 1 step", "flash"), ("sustained", "sustained")], start),
            "state": menu("area", 110, states, states[-1]),
        }
        controls["task"].observe(lambda _: self._change_task(), names="value")
        super().__init__(subject, controls, question)
        self.place.add_class("cortexsim-linked")
        traitlets.link((self, "time"), (self.movie, "time"))
        self.observe(lambda _: self._move(), names="time")

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that the model has no statistics for what is to be shown."""
        offer = Offer(self.who.model, self._until)
        reason = offer.why_not(SHOW[choices["presentation"]])
        return f"«{SHOW[choices['presentation']]}»: {reason}" if reason else ""

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Show the images to the model, unless that was done just now, and analyse what its states hold."""
        told(0.01, "drawing the images")
        images = self.who.images
        presentation = SHOW[choices["presentation"]]
        key = "/".join(str(choices[name]) for name in ("task", "presentation", "quantity"))
        recording = self.recording if self._recorded == key else None
        if recording is None:
            told(0.08, f"showing {self.who.n} images")
            recording = simulate(self.who.model, images, presentation, until=self._until, quantity=choices["quantity"])
        told(0.25, "analysing")
        result = evolution(
            recording,
            images,
            state=choices["state"],
            scaling=choices["scaling"],
            report=part(told, 0.25, 1.0),
        )
        # only what was measured to its end is kept: a run that is wanted no longer has raised before
        self.recording, self._recorded = recording, key
        return result.assign_attrs(
            model=self.who.title, model_checksum=made_with(recording)["model"], presentation=str(presentation)
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the summaries over time, each with a cursor at the present one."""
        state, now = result.attrs["state"], self._within(result)
        decode = result["decode"].transpose("time", "state")
        figures = {
            "decoding": add_cursor(time_course(decode, title="what each area tells about the class"), now),
            "generalization": add_cursor(
                temporal_generalization(
                    result["temporal_generalization"], title=f"{state}: learned at one time, tested at another"
                ),
                now,
                along="xy",
            ),
            "trajectory": add_points(
                trajectory_figure(result["trajectory"], title=f"{state}: the way of each class's mean"),
                result["trajectory"],
                now,
            ),
            "spread": add_cursor(
                time_course(result["spread"].transpose("time", "state"), title="scale: how far responses lie apart"),
                now,
            ),
            "dimensionality": add_cursor(
                time_course(result["dimensionality"].transpose("time", "state"), title="dimensions taken up"), now
            ),
        }
        # beside others there is no room for a square
        figures["generalization"].update_yaxes(scaleanchor=None)
        return {name: narrowed(figure) for name, figure in figures.items()}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Return the canvas, and below it the figures side by side."""
        grid = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(400px, 1fr))", grid_gap="4px 12px")
        cells = []
        for figure in figures.values():
            # a grid's cells do not shrink below their content unless told; and plotly, redrawn in a narrower page, may
            # find no height where its container has none of its own
            cell = widgets.Layout(min_width="0", overflow="hidden", height=f"{figure.layout.height}px")
            # the canvas draws the cursors, for it knows the time without asking the kernel
            cells.append(widgets.Box([Live(hide_cursor(figure))], layout=cell))
        return [self.movie, widgets.GridBox(cells, layout=grid)]

    def say(self, result: xr.Dataset) -> str:
        """Say how well the earliest readable time's decoder does at the last, and what is lost on average."""
        state = result.attrs["state"]
        known = result["time"].values[result["temporal_generalization"].notnull().any("test_time").values]
        if known.size < 2:
            return f"{state} holds activity at fewer than two times."
        first, last = int(known[0]), int(known[-1])
        return (
            f"{state}, {result.attrs['quantity_text']}: learned at t = {first} and tested at t = {last}, a decoder is "
            f"right on {at(result, first, last):.0f} % of the images; one that learned at t = {last} on "
            f"{at(result, last, last):.0f} %. {_lost_because(result)}"
        )

    @property
    def who(self) -> Subject:
        """Who is studied."""
        assert self.subject is not None
        return self.subject

    @property
    def _until(self) -> int:
        longest = max((taken.until for taken in self.who.model.statistics.values()), default=UNTIL)
        return min(UNTIL, longest)

    def _change_task(self) -> None:
        name = self._controls["task"].value
        if name not in self._subjects:
            self._subjects[name] = Subject(name, n=self.who.n)
        self.subject = self._subjects[name]
        states = [state.name for state in self.who.model.graph.states]
        area = self._controls["state"]
        kept = area.value if area.value in states else states[-1]
        area.options = states
        area.value = kept
        if name in TASKS:
            self._controls["presentation"].value = TASKS[name].start["kind"]

    def _take(self, chosen: Mapping[str, Any], result: Any) -> None:
        self.movie.show(film(result))
        super()._take(chosen, result)
        # time may have moved on while they were drawn
        self._move()

    def _within(self, result: xr.Dataset) -> int:
        times = result["time"].values
        return int(np.clip(self.time, times[0], times[-1]))

    def _move(self) -> None:
        """Let the figures that can be taken away say the present time; the browser has moved its own already."""
        for figure in self.figures.values():
            move_cursor(figure, self.time)
