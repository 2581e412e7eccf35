"""A panel in which a person draws curves and watches a recurrent model of V1 find the one of the dot."""

from __future__ import annotations

from typing import Any

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim.datasets.target_maps import painted, with_maps
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.tracer.code import CODE, STYLES, WIDGET, WORKER
from cortexsim.explore.tracer.networks import shipped_content
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.presentation import sustained
from cortexsim.zoo.models import load

STEPS_A_PIXEL = 3
SHORTEST_RUN = 60  # steps


class _View(anywidget.AnyWidget):
    _esm = CODE + WIDGET
    _css = STYLES

    content = traitlets.Dict().tag(sync=True)
    worker = traitlets.Unicode().tag(sync=True)
    seed = traitlets.Int(6).tag(sync=True)
    drawn = traitlets.Dict().tag(sync=True)


class Tracer(Panel):
    """Draw curves, place the dot, and watch the model that ships tag the dot's curve.

    The model and its two controls run in the browser: a drawing is followed at once, without the kernel. In Python the
    same drawing is `drawing`, and `record` shows it to the same model.

    Attributes
    ----------
    drawing : Dataset
        The drawing on the screen, with the fields of `cs.datasets.paths`: `image`, `target`, `line` and `distance` of
        one stimulus. None until the panel is on a screen and something with a dot is drawn.
    """

    def __init__(self) -> None:
        self._view = _View(content=shipped_content(), worker=WORKER)
        super().__init__([self._view], layout=widgets.Layout(width="100%"))

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
            If nothing with a dot is drawn.
        """
        drawing = self.drawing
        if drawing is None:
            raise ValueError("there is nothing to record: draw a curve in the panel; the dot goes to where you begin")
        length = int(drawing["distance"].max()) + 1
        model = load("tracer").at_size(drawing.sizes["y"]).eval()
        return simulate(model, drawing, sustained(), until=until or max(SHORTEST_RUN, STEPS_A_PIXEL * length))


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
    """Return the steps along the lines from a pixel, -1 where they do not lead; as `Board.distances` of the page.

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
