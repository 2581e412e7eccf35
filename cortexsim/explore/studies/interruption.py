"""A panel on what a mask interrupts: the shipped measurement of a model that traces, moved by the speed of its wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.progress import Report
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Menu, Scale
from cortexsim.explore.panel.study import Study
from cortexsim.explore.studies import interruption_questions
from cortexsim.explore.studies.interruption_questions import LONG
from cortexsim.explore.widgets.figure import Live
from cortexsim.paper import experiments
from cortexsim.plot._interruption import MASK_NAMES, halfway, interruption, masked_accuracy

EXPERIMENT = "extrapolation"
BOTH = "noise+lines"
MASKS = {"noise and other curves": BOTH, **{words: name for name, words in MASK_NAMES.items()}}
SPEEDS = tuple(round(0.1 * k, 1) for k in range(15))  # steps a pixel
DECISIONS = {"kept once taken (latch)": "latched", "read at the end (no latch)": "unlatched"}


class Interruption(Study):
    """Accuracy of the tracer after a mask, by SOA and by length of the curve, with a slider for the speed of its wave.

    Everything was measured before, in the experiment `extrapolation`: all controls act at once.

    Parameters
    ----------
    question : str
        A key of `QUESTIONS`, to be answered before anything is shown, or "" for none.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Interruption(question="")
    >>> sorted(panel.choices)
    ['decision', 'mask', 'steps_a_pixel']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("mask", "decision", "steps_a_pixel")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = interruption_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = interruption_questions.EXERCISES
    ACTION: ClassVar[str] = "show"

    _live: Live | None = None

    def __init__(self, question: str = "too-early") -> None:
        controls = {
            "mask": Menu("mask", MASKS, BOTH, width_px=270),
            "decision": Menu("decision", DECISIONS, "latched", width_px=290),
            "steps_a_pixel": Scale("move each line left by (steps a pixel)", SPEEDS, 0.0),
        }
        super().__init__(None, controls, question)
        if not question:
            self.compute()

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Open the bundled result."""
        return experiments.shipped(EXPERIMENT)

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the chosen masks; the line that answers a question is covered until that is answered."""
        lengths = [int(one) for one in result["masked_length"].values]
        chosen = self.choices
        figure = interruption(
            result,
            chosen["mask"].split("+"),
            steps_a_pixel=chosen["steps_a_pixel"],
            lengths=[one for one in lengths if one != LONG or not self.covered("thirty")],
            latched=chosen["decision"] == "latched",
        )
        return {"interruption": figure}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the controls above the figure."""
        self._live = Live(figures["interruption"])
        row = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="2px 14px")
        return [widgets.Box([self._controls[name] for name in self.VIEWS], layout=row), self._live]

    def look(self, result: xr.Dataset) -> None:
        """Draw again."""
        if self._live is not None:
            self.figures = self.draw(result)
            self._live.take(self.figures["interruption"])
            self.finding.value = f'<div role="status" style="line-height:1.45">{self.say(result)}</div>'

    def say(self, result: xr.Dataset) -> str:
        """Report how far apart the lines rise."""
        chosen = self.choices
        if chosen["decision"] != "latched":
            return "Measured with noise, at three SOAs: without a latch no SOA helps."
        mask = chosen["mask"].split("+")[0]
        rises = halfway(masked_accuracy(result).sel(mask=mask))
        if self.covered("thirty"):
            rises = rises.sel(masked_length=rises["masked_length"] != LONG)
        if bool(rises.isnull().any()):
            return "This mask costs nothing at any SOA: it shows the same picture."
        at = rises - chosen["steps_a_pixel"] * rises["masked_length"]
        return f"The lines rise within {float(at.max() - at.min()):.1f} steps of each other."

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        return cls(settings["question"])
