"""A panel with the figures of an experiment of the paper: of the bundled result, or of a run on this machine."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.progress import Report
from cortexsim.explore.panel.controls import Chosen, Control, Fixed, Menu
from cortexsim.explore.panel.study import Study
from cortexsim.explore.widgets.figure import Live
from cortexsim.paper import experiments
from cortexsim.plot import caption
from cortexsim.plot import experiment as drawn
from cortexsim.plot._caption import without_caption

SHIPS = "ships"
# the bundled result, or the scales of a run on this machine
HERE = {"run here: smoke (seconds; learns nothing)": "smoke", "run here: laptop (long; digits)": "laptop"}


class Experiment(Study):
    """The figures of an experiment: of the bundled result, or of a run on digits on this machine.

    Parameters
    ----------
    name : str
        One of `experiments.EXPERIMENTS`.
    figures : sequence of str, optional
        Names of its figures; by default all.

    Attributes
    ----------
    source : str
        "ships" for the bundled result, "run here", or "" if there is nothing to draw yet.

    Raises
    ------
    ValueError
        If there is no such experiment, or it has no such figure.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Experiment("weight-sharing")
    >>> panel.source
    'ships'
    """

    ACTION: ClassVar[str] = "show"

    def __init__(self, name: str, *, figures: Sequence[str] | None = None) -> None:
        if name not in experiments.EXPERIMENTS:
            raise ValueError(unknown("experiment", name, experiments.EXPERIMENTS))
        self.about = experiments.EXPERIMENTS[name]
        for wanted in figures or ():
            if wanted not in self.about.figures:
                raise ValueError(unknown(f"figure of {name}", wanted, self.about.figures))
        chosen = tuple(figures or self.about.figures)
        self._ships = experiments.shipped(name) if name in experiments.shipped_names() else None
        bundled = {} if self._ships is None else {"bundled with cortexsim": SHIPS}
        controls: dict[str, Control] = {
            "scale": Menu("result", bundled | HERE, width_px=380),
            # a panel shows one experiment
            "experiment": Fixed(name),
            "figures": Fixed(chosen),
        }
        super().__init__(None, controls)
        question = widgets.HTML(f'<b style="line-height:1.4">{html.escape(self.about.question)}</b>')
        self.children = (question, *self.children)  # type: ignore[has-type]
        if self._ships is not None:
            self._take(self.choices, self._ships)
        else:
            self.finding.value = "There is no bundled result of this experiment yet: run it."

    @property
    def source(self) -> str:
        """The source of the result that is drawn."""
        if self.result is None:
            return ""
        ships = isinstance(self.result, xr.Dataset) and self._ships is not None and self._ships.identical(self.result)
        return SHIPS if ships else "run here"

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Open the bundled result, or run the experiment in a temporary folder."""
        if choices["scale"] == SHIPS:
            return experiments.shipped(choices["experiment"])
        return experiments.run(choices["experiment"], scale=choices["scale"], report=report)

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the chosen figures of a result."""
        figures = drawn(result)
        return {name: figures[name] for name in self.about.figures if name in self.choices["figures"]}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Write the caption of each figure below it, where its lines are broken as the page needs."""
        shown: list[widgets.Widget] = []
        for figure in figures.values():
            shown.append(Live(without_caption(figure)))
            text = html.escape(caption(figure))
            shown.append(widgets.HTML(f'<div style="color:var(--jp-ui-font-color2)">{text}</div>'))
        return shown

    def say(self, result: xr.Dataset) -> str:
        """Report the source of the result, its data and its scale."""
        source = "is bundled with cortexsim" if self.source == SHIPS else "was run here"
        learned = " Nothing is learned at this scale." if str(result.attrs["scale"]).startswith("smoke") else ""
        return f"This result {source}: {result.attrs['data']}; scale: {result.attrs['scale']}.{learned}"

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        choices = settings["choices"]
        return cls(choices["experiment"], figures=choices["figures"])
