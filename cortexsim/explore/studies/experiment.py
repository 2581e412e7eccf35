"""An experiment of the paper in a panel: the result that ships, or a run made here, behind the cell."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim.explore.panel.study import Study, Told
from cortexsim.paper import experiments
from cortexsim.plot import experiment as drawn

SHIPS = "ships"
# what is drawn: the result that ships, or a run made here at a scale
HERE = {"a run here: smoke (seconds; learns nothing)": "smoke", "a run here: laptop (long; digits)": "laptop"}


class Experiment(Study):
    """The figures of an experiment: of the result that ships, or of a run on digits made on the spot.

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

    Raises
    ------
    ValueError
        If there is no such experiment, or it has no such figure.
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
        # which experiment it is belongs to the settings, but another is another panel
        fixed: dict[str, Any] = {"layout": widgets.Layout(display="none")}
        scale = widgets.Dropdown(
            options=({"the one that ships": SHIPS} if self._ships is not None else {}) | HERE,
            description="result",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="380px"),
        )
        super().__init__(
            None,
            {
                "scale": scale,
                "experiment": widgets.Dropdown(options=[name], **fixed),
                "figures": widgets.SelectMultiple(options=self.about.figures, value=chosen, **fixed),
            },
        )
        question = widgets.HTML(f'<b style="line-height:1.4">{html.escape(self.about.question)}</b>')
        self.children = (question, *self.children)  # type: ignore[has-type]
        if self._ships is not None:
            self._take(self.choices, self._ships)
        else:
            self.finding.value = "No result of this experiment ships yet: run it."

    @property
    def source(self) -> str:
        """Where what is drawn is from."""
        if self.result is None:
            return ""
        ships = isinstance(self.result, xr.Dataset) and self._ships is not None and self._ships.identical(self.result)
        return SHIPS if ships else "run here"

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Take what ships, or run it in a folder that is thrown away; a cancelled run ends at its next report."""
        if choices["scale"] == SHIPS:
            return experiments.shipped(choices["experiment"])
        return experiments.run(choices["experiment"], scale=choices["scale"], report=told)

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the chosen figures of a result."""
        figures = drawn(result)
        return {name: figures[name] for name in self.about.figures if name in self.choices["figures"]}

    def say(self, result: xr.Dataset) -> str:
        """Say where the result is from, on which data and at which scale."""
        learned = " Nothing is learned at this scale." if str(result.attrs["scale"]).startswith("smoke") else ""
        return f"This result {self.source.replace('run', 'was run')}: {result.attrs['data']}; scale: " + (
            f"{result.attrs['scale']}.{learned}"
        )

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        choices = settings["choices"]
        return cls(choices["experiment"], figures=choices["figures"])
