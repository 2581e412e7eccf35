"""A panel in which a person draws curves and watches a recurrent model of V1 find the one of the dot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.settings import Form, listed, whole_number
from cortexsim.datasets.target_maps import painted, with_maps
from cortexsim.explore.panel.asking import Asking, Guess
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.script import Name, call, script
from cortexsim.explore.panel.settings import Saving
from cortexsim.explore.tracer.code import CODE, STYLES, WIDGET, WORKER
from cortexsim.explore.tracer.networks import shipped_content
from cortexsim.explore.tracer.questions import QUESTIONS
from cortexsim.explore.widgets.canvas import joined
from cortexsim.explore.widgets.copyable import Copyable
from cortexsim.explore.widgets.following import Following
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.presentation import sustained
from cortexsim.zoo.models import load

STEPS_A_PIXEL = 3
SHORTEST_RUN = 60  # steps
SIZES = (32, 48, 64, 96)  # px

DRAWN = Form(
    {"size": whole_number(min(SIZES), max(SIZES)), "lines": listed, "dot": whole_number(0)},
    what="the settings of a drawing",
    versioned=False,
)


class _View(Following):
    _esm = joined("following.js") + CODE + WIDGET
    _css = STYLES

    content = traitlets.Dict().tag(sync=True)
    worker = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int(58).tag(sync=True)
    drawn = traitlets.Dict().tag(sync=True)
    answered: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)


class _Answers(Asking):
    """The panel's questions, which are asked in its view; this widget is not shown."""

    def __init__(self, view: _View, question: str) -> None:
        super().__init__(QUESTIONS, question)
        self._view = view
        view.observe(lambda change: self._take(change["new"]), names="answered")

    def recall(self, answered: Sequence[Mapping[str, Any]], exercises: Mapping[str, Guess]) -> None:
        """Take over saved answers, and show them."""
        super().recall(answered, exercises)
        self._view.answered = list(self.answered)

    def _take(self, answered: Sequence[Mapping[str, Any]]) -> None:
        self.answered[:] = [dict(one) for one in answered]


class Tracer(Saving, Panel):
    """Draw curves, place the dot, and watch the model that ships tag the dot's curve.

    The model and its two controls run in the browser: a drawing is processed at once, without the kernel. In Python the
    same drawing is `drawing`, and `record` shows it to the same model.

    Parameters
    ----------
    question : str
        The first question, a key of `QUESTIONS`, which the later ones follow. With "", there is none, and everything is
        shown at once.

    Attributes
    ----------
    drawing : Dataset
        The drawing on the screen, with the fields of `cs.datasets.paths`: `image`, `target`, `line` and `distance` of
        one stimulus. None until the panel is on a screen and a curve with a dot is drawn.
    settings : dict
        Plain values that make the drawing again.
    ask : Asking
        Its `answered` lists question, answer and truth of each prediction.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Tracer(question="")
    >>> panel.drawing is None  # until a curve with a dot is drawn
    True
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = {}

    def __init__(self, question: str = "nine-pixels") -> None:
        if question and question not in QUESTIONS:
            raise ValueError(unknown("question", question, QUESTIONS))
        self._view = _View(content=shipped_content(question), worker=WORKER)
        self.ask = _Answers(self._view, question)
        self.copyable = Copyable()
        self._view.observe(lambda _: self.copyable.set_trait("text", self.code), names="drawn")
        super().__init__([self._view, self.copyable], layout=widgets.Layout(width="100%"))

    @classmethod
    def from_settings(cls, shows: Mapping[str, Any], *, question: str = "") -> Self:
        """Open the panel on a drawing of `settings`.

        Raises
        ------
        TypeError, ValueError
            If these are not settings of a drawing; the message says why.
        """
        panel = cls(question)
        if shows:
            drawn = DRAWN.read(shows)
            pixels = drawn["size"] ** 2
            if drawn["size"] not in SIZES:
                raise ValueError(f"size must be one of {list(SIZES)}, got {drawn['size']}")
            lines = [at for at in drawn["lines"] if isinstance(at, int) and 0 <= at < pixels]
            if len(lines) != len(drawn["lines"]) or drawn["dot"] not in lines:
                raise ValueError(f"lines must be whole numbers from 0 to {pixels - 1}, and dot one of them")
            panel._view.drawn = drawn
        return panel

    @property
    def settings(self) -> dict[str, Any]:
        """The drawing as plain values; empty until a curve with a dot is drawn."""
        return dict(self._view.drawn) if self._view.drawn.get("dot") is not None else {}

    @property
    def drawing(self) -> xr.Dataset | None:
        """The drawing on the screen, as a Dataset of one stimulus."""
        return dataset_of(self._view.drawn) if self._view.drawn.get("dot") is not None else None

    def record(self, until: int | None = None) -> xr.DataTree:
        """Show the drawing to the model, sustained.

        Parameters
        ----------
        until : int, optional
            Last time, in steps; by default three steps for each pixel of the curve, at least 60.

        Raises
        ------
        ValueError
            If no curve with a dot is drawn.
        """
        drawing = self.drawing
        if drawing is None:
            raise ValueError("there is nothing to record: draw a curve in the panel; the dot goes to where you begin")
        model = load("tracer").at_size(drawing.sizes["y"]).eval()
        return simulate(model, drawing, sustained(), until=until or _long_enough(drawing))

    @property
    def code(self) -> str:
        """Python lines that make the recording of the drawing without the panel; "" until one is drawn."""
        drawing = self.drawing
        if drawing is None:
            return ""
        size = drawing.sizes["y"]
        recording = call("cs.simulate", Name("tracer"), Name("drawing"), sustained(), until=_long_enough(drawing))
        lines = self.settings["lines"]
        rows = [f"    {', '.join(map(str, lines[at : at + 16]))}," for at in range(0, len(lines), 16)]
        return script(
            "# line pixels, counted row by row from the upper left, and the pixel of the dot",
            "lines = [",
            *rows,
            "]",
            f"drawing = {call('dataset_of', {'size': size, 'lines': Name('lines'), 'dot': self.settings['dot']})}",
            f'tracer = cs.zoo.load("tracer").at_size({size})',
            f"recording = {recording}",
            "steps = cs.analyse.steps_needed(recording, drawing)",
            "figure = cs.plot.film_strip(recording, drawing)",
            "figure",
            imports=["from cortexsim.explore.tracer.panel import dataset_of"],
        )


def _long_enough(drawing: xr.Dataset) -> int:
    """Return a last time at which the wave has crossed the curve of a drawing, in steps."""
    length = int(drawing["distance"].max()) + 1
    return max(SHORTEST_RUN, STEPS_A_PIXEL * length)


def dataset_of(drawn: dict[str, Any]) -> xr.Dataset:
    """Return a drawing of the browser as a Dataset of one stimulus.

    Parameters
    ----------
    drawn : dict
        `size` in px, `lines` (indices of the line pixels, row by row) and `dot` (the index of its pixel).
    """
    size, dot = int(drawn["size"]), int(drawn["dot"])
    flat = np.zeros(size * size, dtype=bool)
    flat[drawn["lines"]] = True
    line = flat.reshape(1, size, size)
    cue = np.array([[[dot // size, dot % size]]])
    distance = distances(line[0], dot // size, dot % size)[None]
    factors = {"cue_y": cue[:, 0, 0], "cue_x": cue[:, 0, 1], "length": np.array([distance.max() + 1])}
    classes = ("another curve", "the dot's curve")
    attrs: dict[str, str | int | float] = {"name": "drawing", "part": "test", "size": size}
    return with_maps(painted(line, cue), distance >= 0, line, distance, factors, classes=classes, attrs=attrs)


def distances(line: np.ndarray, y: int, x: int) -> np.ndarray:
    """Return the steps along the lines from a pixel, -1 for pixels out of reach; as `Board.distances` of the page.

    Parameters
    ----------
    line : array, shape (y, x), bool
    y, x : int
        A line pixel.

    Returns
    -------
    array, shape (y, x), int
        Pixels that meet at a corner only are two steps apart, as along a staircase.
    """
    found = np.full(line.shape, -1)
    fronts: list[list[tuple[int, int]]] = [[(y, x)], [], []]
    steps = 0
    while any(fronts):
        here, *fronts = (*fronts, [])
        for at in here:
            if found[at] >= 0:
                continue
            found[at] = steps
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    v, u = at[0] + down, at[1] + right
                    inside = 0 <= v < line.shape[0] and 0 <= u < line.shape[1]
                    if inside and line[v, u] and found[v, u] < 0:
                        fronts[1 if down and right else 0].append((v, u))
        steps += 1
    return found
