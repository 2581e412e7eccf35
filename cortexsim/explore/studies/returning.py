"""A panel on what returns to V1 after a flash, and through which connection, from the bundled result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.bundled import BundledStudy
from cortexsim.explore.panel.controls import Control, Menu
from cortexsim.explore.studies import returning_questions
from cortexsim.explore.studies.returning_questions import NAMED, of_network, points, signed
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.wiring import Wiring
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.plot import theme
from cortexsim.plot._returning import Curve, returning
from cortexsim.protocols import feedback

VERSIONS = ("recalibrated", "acute", "mean-replaced")


class Returning(BundledStudy):
    """What is decoded from V1 after a flash, intact and with a connection cut, with the connections as a drawing.

    A click on an arrow cuts it. The lines are drawn, and the arrows react, as far as the questions are answered.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Returning(question="")
    >>> sorted(panel.choices)
    ['cut', 'network', 'version']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("network", "version", "cut")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = returning_questions.QUESTIONS

    # the cut of V2->V1 is drawn by itself once
    _uncovered = False

    def controls_for(self) -> Mapping[str, Control | widgets.DOMWidget]:
        """Declare the network, the version of the cut, and what is cut."""
        self.wiring = Wiring(self._graph(NAMED))
        return {
            "network": Menu("network", list(feedback.NETWORKS), NAMED, width_px=330),
            "version": Menu("version", VERSIONS, width_px=210),
            "cut": self.wiring,
        }

    def opened(self) -> xr.Dataset:
        """Open the bundled result."""
        return feedback.shipped_feedback()

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw what is not covered."""
        self._follow_answers(result)
        return {"returning": self._figure(result)}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the figure next to the drawing, and the menus under them."""
        self._shown = Live(figures["returning"])
        self._shown.layout.width, self._shown.layout.min_width = "58%", "0"
        side = widgets.Layout(width="42%", min_width="0", justify_content="center")
        row = widgets.Layout(width="100%", align_items="center")
        menus = widgets.Layout(flex_flow="row wrap", grid_gap="2px 14px")
        return [
            widgets.HBox([self._shown, widgets.VBox([self.wiring], layout=side)], layout=row),
            widgets.Box([self._controls["network"], self._controls["version"]], layout=menus),
        ]

    def look(self, result: xr.Dataset) -> None:
        """Draw another network, version or cut."""
        self._follow_answers(result)
        self.figures["returning"] = self._figure(result)
        self._shown.take(self.figures["returning"])
        self._report(result)

    def say(self, result: xr.Dataset) -> str:
        """Report what is decoded at the time of reading, as far as it is drawn."""
        one = of_network(result, self.choices["network"])
        about = (
            "Band: lowest to highest of five networks."
            if one.sizes["seed"] > 1
            else f"Band: {result.attrs['interval']}; one network."
        )
        if self.covered("returns"):
            return about
        before, now = (
            100 * float(one["decode_intact"].sel(time=t).mean()) for t in (feedback.BEFORE, feedback.READ_AT)
        )
        said = f"Decoded from V1: {before:.0f} % at t = {feedback.BEFORE}, {now:.0f} % at t = {feedback.READ_AT}"
        cut = self._cut(one)
        if cut:
            change = points(one, cut, self.choices["version"])
            said += f"; with {cut} cut ({self.choices['version']}) {signed(change)} percentage points"
        return f"{said}. {about}"

    # --- inside

    @cached_property
    def _graphs(self) -> dict[str, CortexGraph]:
        return {}

    def _graph(self, network: str) -> CortexGraph:
        """Return the graph of a network; it is read once."""
        if network not in self._graphs:
            model = feedback.NETWORKS[network].model
            self._graphs[network] = (feedback.network_of(network) if model else feedback.small_network()).graph
        return self._graphs[network]

    def _cut(self, one: xr.Dataset) -> str:
        """Return what is cut and may be seen; "" for nothing."""
        cut = str(self.choices["cut"])
        return cut if cut in self._enabled(one) else ""

    def _enabled(self, one: xr.Dataset) -> list[str]:
        """Return the connections that may be cut: those that were measured, as far as they were predicted."""
        if self.covered("returns") or self.covered("cut"):
            return []
        if self.covered("source"):
            return [feedback.CUT]
        measured = one["decode"].sel(time=feedback.READ_AT).notnull().any(["version", "seed"])
        return [str(cut) for cut in one["cut"].values[measured.values] if cut != feedback.LATE]

    def _follow_answers(self, result: xr.Dataset) -> None:
        """Let the arrows react, and write what each costs, as far as the questions are answered."""
        network = self.choices["network"]
        one = of_network(result, network)
        self.wiring.show(self._graph(network))
        self.wiring.enabled = self._enabled(one)
        self.wiring.invitation = "click an arrow" if self.wiring.enabled else "arrows react after your predictions"
        if self.wiring.enabled and not self._uncovered:
            # the answer to the question about it
            self._uncovered, self.wiring.value = True, self.wiring.value or feedback.CUT
        costs = [] if self.covered("source") else self.wiring.enabled
        self.wiring.notes = {cut: signed(points(one, cut, self.choices["version"])) for cut in costs}

    def _figure(self, result: xr.Dataset) -> go.Figure:
        one = of_network(result, self.choices["network"])
        times = one["time"].values
        intact = self._curve("intact", one, "decode_intact", theme.COLOURS[1])
        if self.covered("returns"):
            known = times == feedback.BEFORE
            values, low, high = (np.where(known, each, np.nan) for each in (intact.values, intact.low, intact.high))
            intact = Curve("", values, low, high, intact.colour)
        curves = [intact]
        cut = self._cut(one)
        if cut:
            at = one.sel(cut=cut, version=self.choices["version"])
            curves.append(self._curve(f"{cut} cut", at, "decode", theme.COLOURS[0]))
        return returning(times, curves, chance=float(one["chance"]), empty_from=1, title="class decoded from V1")

    @staticmethod
    def _curve(name: str, one: xr.Dataset, variable: str, colour: str) -> Curve:
        """Return a line: the mean over seeds, with the range of several seeds or the interval of one."""
        values = one[variable]
        if one.sizes["seed"] > 1:
            low, high = values.min("seed"), values.max("seed")
        else:
            low, high = (one[f"{variable}_{end}"].isel(seed=0) for end in ("low", "high"))
        return Curve(name, values.mean("seed").values, low.values, high.values, colour)
