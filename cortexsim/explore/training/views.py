"""The figures of a training: its curves, and kernels and one RDM at any past step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim.explore.training.snapshot import Snapshot
from cortexsim.explore.widgets.figure import Live
from cortexsim.plot._dissimilarity import dissimilarity
from cortexsim.plot._kernels import kernels
from cortexsim.plot._learning import learning, mark_step
from cortexsim.plot._traced import traced

_ROW = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 14px")
_WIDE = {"description_width": "initial"}


class LearningViews(widgets.VBox):
    """The figures of a `Training`, and the controls that choose between them.

    Parameters
    ----------
    changed : callable
        Called after the choice of a step, transition or state; it calls `look`.
    runs : Widget
        The choice of a run, in the same row as that of a step.
    """

    def __init__(self, changed: Callable[[], None], runs: widgets.Widget) -> None:
        self.transition = widgets.Dropdown(description="kernels of", layout=widgets.Layout(width="165px"), style=_WIDE)
        self.state = widgets.Dropdown(description="RDM of", layout=widgets.Layout(width="130px"), style=_WIDE)
        self.look_back = widgets.IntSlider(
            min=0, max=0, description="look back", readout=False, layout=widgets.Layout(width="210px"), style=_WIDE
        )
        self.words = widgets.HTML()
        self.weights = widgets.ToggleButton(
            description="show kernels", tooltip="in place of the test curves", layout=widgets.Layout(width="auto")
        )
        self._boxes = {
            name: widgets.VBox(layout=widgets.Layout(flex=flex, min_width="0", width="100%"))
            for name, flex in (("curves", "1 1 auto"), ("maps", "1 1 auto"), ("kernels", "2 1 0"), ("rdm", "1 1 0"))
        }
        self._following = False
        self._marked: int | None = None
        full = widgets.Layout(width="100%", min_width="0")
        self._inside = widgets.Box([self._boxes["kernels"], self._boxes["rdm"]], layout=widgets.Layout(width="100%"))
        super().__init__(
            [
                self._boxes["maps"],
                self._boxes["curves"],
                widgets.Box([self.transition, self.state, self.look_back, self.words, self.weights, runs], layout=_ROW),
                self._inside,
            ],
            layout=full,
        )
        for control in (self.transition, self.state, self.look_back):
            control.observe(lambda _: None if self._following else changed(), names="value")
        # there is nothing to look at before a run
        self.look_back.layout.display = "none"
        self.weights.observe(lambda _: self._arrange(), names="value")
        self._arrange()

    def figure(self, name: str) -> go.Figure | None:
        """Return the figure "curves", "maps", "kernels" or "rdm"; None if it is not drawn yet."""
        shown = self._boxes[name].children
        return shown[0].figure if shown else None

    def show_curves(self, run: xr.Dataset, earlier: Sequence[xr.Dataset], chance: float) -> None:
        """Draw a run and earlier ones; see `plot.learning`."""
        figure = learning(run, earlier, chance=chance)
        mark_step(figure, self._marked)
        self._show("curves", figure)

    def preview(self, maps: xr.Dataset | None) -> None:
        """Show curves before a run, or nothing."""
        if maps is None:
            self._boxes["maps"].children = ()
        else:
            self._show("maps", traced(maps, title="test curves: nothing is learned yet"))

    def begin(self) -> None:
        """Clear the steps of an earlier run."""
        self._following = True
        self.look_back.max = self.look_back.value = 0
        self._following = False
        self.words.value, self._marked = "", None
        for name in ("maps", "kernels", "rdm"):
            self._boxes[name].children = ()
        self._arrange()

    def follow(self, snapshots: Sequence[Snapshot]) -> None:
        """Offer the steps so far; the newest is drawn unless an earlier one is chosen."""
        if not snapshots:
            return
        self._following = True
        self.look_back.layout.display = ""
        newest, last = self.look_back.value == self.look_back.max, len(snapshots) - 1
        # the slider cannot move beyond its maximum, so that comes first
        self.look_back.max = last
        self.look_back.value = last if newest else min(self.look_back.value, last)
        for menu, names in ((self.transition, [*snapshots[0].kernels]), (self.state, [*snapshots[0].rdms][::-1])):
            if list(menu.options) != names:
                before = menu.value
                menu.options = names
                if names:
                    menu.value = before if before in names else names[0]
        self._following = False
        self.look(snapshots)

    def look(self, snapshots: Sequence[Snapshot]) -> None:
        """Draw maps, kernels and RDM of the chosen step."""
        if not snapshots:
            return
        shot = snapshots[min(self.look_back.value, len(snapshots) - 1)]
        self._mark(shot.step if self.look_back.value < len(snapshots) - 1 else None)
        if shot.maps is not None:
            title = f"tagged after {shot.maps.attrs['time']} steps of thinking, at training step {shot.step:,}"
            self._show("maps", traced(shot.maps, title=title))
        between, rdm = shot.kernels.get(self.transition.value), shot.rdms.get(self.state.value)
        if between is not None:
            self._show("kernels", kernels(shot.first, between))
        if rdm is not None:
            title = f"RDM of {self.state.value} at t = {int(rdm['time'])}, {rdm.sizes['stimulus']} held-out stimuli"
            self._show("rdm", dissimilarity(rdm, title=title))
        self.words.value = f"step {shot.step:,}" + (" (untrained)" if shot.step == 0 else "")
        self._arrange()

    def _arrange(self) -> None:
        """Show test curves or kernels: both together are higher than a window."""
        maps, inside = (bool(self._boxes[name].children) for name in ("maps", "kernels"))
        are_both = maps and inside
        shows_inside = inside and (self.weights.value or not maps)
        shown = {
            self.weights: are_both,
            self._boxes["maps"]: maps and not (are_both and self.weights.value),
            self._inside: shows_inside,
            self.transition: shows_inside and bool(self.transition.options),
            self.state: shows_inside and bool(self.state.options),
        }
        for one, is_shown in shown.items():
            one.layout.display = "" if is_shown else "none"

    def _mark(self, step: int | None) -> None:
        """Mark the step that is looked at in the curves; the newest is not marked."""
        if step == self._marked:
            return
        self._marked = step
        shown = self._boxes["curves"].children
        if shown:
            mark_step(shown[0].figure, step)
            shown[0].redraw()

    def _show(self, name: str, figure: go.Figure) -> None:
        """Redraw in place."""
        shown = self._boxes[name].children
        if shown:
            shown[0].take(figure)
        else:
            self._boxes[name].children = (Live(figure),)
