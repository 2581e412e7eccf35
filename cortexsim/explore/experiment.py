"""An experiment of the paper in a panel: the result that ships, or a run made here."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets
import traitlets
import xarray as xr

from cortexsim import experiments
from cortexsim.explore.live import Fit, Live
from cortexsim.explore.notice import alert
from cortexsim.plot import experiment as drawn
from cortexsim.suggest import unknown


class Experiment(widgets.VBox):
    """The figures of an experiment; a button runs it at the smallest scale.

    Parameters
    ----------
    name : str
        One of `experiments.EXPERIMENTS`.
    figures : sequence of str, optional
        Which of its figures; by default all.

    Attributes
    ----------
    source : str
        "ships", "run here", or "" where there is nothing to draw yet.
    result : Dataset or None
        What is drawn.

    Raises
    ------
    ValueError
        If there is no such experiment, or it has no such figure.
    """

    source = traitlets.Unicode("")

    def __init__(self, name: str, *, figures: Any = None) -> None:
        if name not in experiments.EXPERIMENTS:
            raise ValueError(unknown("experiment", name, experiments.EXPERIMENTS))
        self.about = experiments.EXPERIMENTS[name]
        for wanted in figures or ():
            if wanted not in self.about.figures:
                raise ValueError(unknown(f"figure of {name}", wanted, self.about.figures))
        self.chosen = tuple(figures or self.about.figures)
        self.result: xr.Dataset | None = None
        self.button = widgets.Button(description="run it here, at smoke scale", layout=widgets.Layout(width="auto"))
        self.button.on_click(lambda _: self.run())
        self.notice, self.place = widgets.HTML(), widgets.VBox(layout=widgets.Layout(width="100%"))
        super().__init__(
            [widgets.HTML(f"<b>{html.escape(self.about.question)}</b>"), self.button, self.notice, self.place],
            layout=widgets.Layout(width="100%"),
        )
        if name in experiments.shipped_names():
            self._show(experiments.shipped(name), "ships")
        else:
            self.notice.value = "No result of this experiment ships yet: run it."

    def run(self) -> None:
        """Run it on digits made on the spot, in seconds; what is wrong is shown in the panel."""
        self.button.disabled = True
        self.notice.value = "running …"
        try:
            result = experiments.run(self.about.name, report=self._say)
            self._show(result, "run here")
        except Exception as error:
            self.notice.value = alert("This could not be run", error)
        finally:
            self.button.disabled = False

    def _say(self, line: str) -> None:
        self.notice.value = html.escape(line)

    def _show(self, result: xr.Dataset, source: str) -> None:
        figures = drawn(result)
        self.place.children = (Fit(), *(Live(figures[name]) for name in self.chosen))
        self.result, self.source = result, source
        self.notice.value = f"{source}: scale {html.escape(str(result.attrs['scale']))}"
