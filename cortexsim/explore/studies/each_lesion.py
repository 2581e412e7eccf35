"""A panel on all connections: each is cut alone, in every version, and the costs stand in one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import ipywidgets as widgets
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim import protocols
from cortexsim._support.progress import Report
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Slider
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.widgets.figure import Live
from cortexsim.plot._lesion_table import lesion_table

CALIBRATION = (100, 200, 1000)


def robust(result: xr.Dataset) -> list[str]:
    """Return the connections whose cut costs something at the last time in every version: intervals exclude 0."""
    last = result.isel(time=-1)
    clear = (last["accuracy_difference_high"] < 0).all("version")
    return [str(name) for name in last["connection"].values[clear.values]]


def acute_only(result: xr.Dataset) -> list[str]:
    """Return the connections whose cut costs something in the acute version alone."""
    last = result.isel(time=-1)
    costs = last["accuracy_difference_high"] < 0
    others = costs.drop_sel(version="acute").any("version")
    clear = costs.sel(version="acute") & ~others
    return [str(name) for name in last["connection"].values[clear.values]]


def _about(result: xr.Dataset) -> str:
    named = {"In every version": robust(result), "in the acute version alone": acute_only(result)}
    said = "; ".join(f"{when}: {', '.join(names) or 'none'}" for when, names in named.items())
    return f"{said}. At t = {int(result['time'][-1])}, {result.attrs['n']} images."


QUESTIONS: Mapping[str, Guess] = {
    "robust": Guess(
        "how many in every version?",
        "Each connection is cut alone, throughout. For how many of them does the cut cost something in all three "
        "versions, so that the interval excludes 0 each time?",
        tuple(range(11)),
        lambda result: len(robust(result)),
        _about,
        unit="connections",
        within=1,
    ),
}


class EachLesion(SubjectStudy):
    """The cost of cutting each connection alone, in every version, as a table at one time.

    The arguments are those of `SubjectStudy`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.EachLesion(question="")
    >>> sorted(panel.choices)
    ['calibration', 'presentation', 'time']
    """

    N: ClassVar[int] = 100
    VIEWS: ClassVar[tuple[str, ...]] = ("time",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS
    ACTION: ClassVar[str] = "cut each connection"
    MORE: ClassVar[tuple[str, ...]] = ("presentation", "calibration")

    _live: traitlets.Dict[str, Live] = traitlets.Dict()

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the presentation, the images for statistics, and the time of the table."""
        until = subject.model.readout_time
        return {
            "presentation": Menu("shown", unmasked.MENU, unmasked.first_of(subject.model), width_px=170),
            "calibration": Menu(
                "statistics and means from", {f"{n:,} training images": n for n in CALIBRATION}, 200, width_px=400
            ),
            "time": Slider("read out at t =", 1, until, until, width_px=420),
        }

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Cut each connection in each version."""
        report(0.0, f"drawing {choices['calibration']:,} training images")
        table = protocols.each_lesion(
            self.who.model,
            self.who.images,
            until=self.who.model.readout_time,
            calibrate_on=self.who.training(choices["calibration"]),
            presentation=UNMASKED[choices["presentation"]],
            report=report,
        )
        return table.assign_attrs(n=self.who.n, calibration_images=choices["calibration"])

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the table at the chosen time."""
        return {"table": lesion_table(result, self.choices["time"])}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the time under the table."""
        self._live = {name: Live(figure) for name, figure in figures.items()}
        return [*self._live.values(), self._controls["time"]]

    def look(self, result: xr.Dataset) -> None:
        """Draw the table at another time."""
        self.figures["table"] = lesion_table(result, self.choices["time"])
        self._live["table"].take(self.figures["table"])

    def say(self, result: xr.Dataset) -> str:
        """Report which cuts cost something in every version, and which in the acute one alone."""
        return (
            f"Change of accuracy in percentage points, with its 95 % interval; in colour where that excludes 0. "
            f"{_about(result)}"
        )
