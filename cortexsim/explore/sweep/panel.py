"""A panel on a sweep: a grid of points that fills while they are computed, stops, and resumes from the disk."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.files import as_path
from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report, silent
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen
from cortexsim.explore.panel.notice import message_of
from cortexsim.explore.panel.script import Name, call, script, written
from cortexsim.explore.panel.study import Study
from cortexsim.explore.sweep.grids import GRIDS, controls_of, described, of_own, path_of, study_of
from cortexsim.explore.sweep.progress import Progress, count, on_disk
from cortexsim.explore.sweep.questions import QUESTIONS
from cortexsim.explore.widgets.figure import Live
from cortexsim.plot._sweep_grid import sweep_grid, value_name
from cortexsim.sweeps.running import Outcome, sweep
from cortexsim.sweeps.study import Point
from cortexsim.sweeps.study import Study as SweepStudy

# characters of a reason in the sentence about a result
SHORT = 80


class Sweep(Study):
    """A sweep whose points are cells of a grid: waiting, running, done or failed.

    *stop* ends it after the present point. Points that are done are kept in a folder, and the next run continues with
    the others; points that failed are repeated.

    Parameters
    ----------
    study : path, mapping or Study, optional
        A sweep of your own, as for `cortexsim.sweep`; by default the panel offers two grids.
    to : str
        Folder of the study of your own, or of the folders of the panel's grids; by default a new temporary folder.
    question : str
        A key of `QUESTIONS`, or "" for none.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If the study cannot be read, or has more than 400 points; or there is no such question. Later errors are shown
        in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Sweep(question="")
    >>> sorted(panel.choices)
    ['grid', 'n', 'time', 'to']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("time",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS
    ACTION: ClassVar[str] = "run the sweep"
    MORE: ClassVar[tuple[str, ...]] = ("n", "to")

    _live: Live | None = None
    # what is drawn: a result, or a sweep of which some points are missing
    _drawn: xr.Dataset | None = None

    def __init__(self, study: Any = None, *, to: str = "", question: str = "") -> None:
        own = None if study is None else of_own(study)
        self._folder = None if to else tempfile.TemporaryDirectory(prefix="cortexsim-")
        to = to if self._folder is None else str(Path(self._folder.name) / "sweep")
        super().__init__(None, controls_of(own, to), question)
        self.cancel_button.description = "stop"

    @property
    def study(self) -> SweepStudy:
        """The study of the present choices."""
        return study_of(self.choices)

    def why_not(self, choices: Chosen) -> str:
        """Say that no folder is named, or that there can be none of this name."""
        if not str(choices["to"]).strip():
            return "«folder» is empty: the points are kept there"
        try:
            as_path(choices["to"], "«folder»")
        except (ValueError, OSError) as error:
            return message_of(error)
        return ""

    def in_advance(self, choices: Chosen) -> str:
        """Say how many points there are, and where they are kept."""
        study = study_of(choices)
        return f"{study.n_points:,} points of {study.n:,} images each, kept in {path_of(choices)}"

    def cancelled(self, choices: Chosen) -> str:
        """Say how much is kept, and how the sweep is continued."""
        _, so_far = self._made.get(self._key_of(choices), (choices, None))
        if so_far is None:
            return "stopped"
        return f"stopped: {_said(so_far)} and kept in {path_of(choices)}; «{_action(so_far)}» resumes there"

    def cancel(self) -> None:
        """Stop after the present point; all points that are done are kept."""
        with self._lock:
            was_busy = self.busy
            super().cancel()
            if was_busy:
                self.words.value = "stopping: the present point is finished first"

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Sweep, and draw each point as it starts and ends."""
        study, progress = study_of(choices), Progress(study_of(choices))

        def watch(point: Point, outcome: Outcome) -> None:
            progress.take(point, outcome)
            # without a panel to be drawn in, nothing is drawn
            if report is not silent:
                self._show_so_far(choices, progress.result())
            report(progress.fraction, f"{len(progress.finished):,} of {study.n_points:,} points are done")

        try:
            sweep(study, to=path_of(choices), workers=0, resume=True, watch=watch)
        except InterruptedError:
            with self._lock:
                self._made[self._key_of(choices)] = dict(choices), progress.result(stopped=True)
            self._show_so_far(choices, progress.result(stopped=True))
            raise
        return progress.result(stopped=True)

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the grid at the chosen time; without accuracies while an answer is missing."""
        self._drawn = result
        last = int(result["time"][-1])
        time = self._controls["time"]
        if time.max != last:
            time.max = time.value = last
        if not self.busy:
            self._name_action()
        return {"grid": sweep_grid(result, time.value, covered=self.ask.missing)}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the readout time under the grid, which stays the same widget while it fills."""
        if self._live is None:
            self._live = Live(figures["grid"])
        else:
            self._live.take(figures["grid"])
        return [self._live, self._controls["time"]]

    def look(self, result: xr.Dataset) -> None:
        """Draw the grid at another time."""
        if self._drawn is not None:
            self.figures = self.draw(self._drawn)
            self.show(self.figures)

    def say(self, result: xr.Dataset) -> str:
        """Report the best and the worst point at the last time, and why the first of those that failed did."""
        reasons = [str(one) for one in result["failure"].values.ravel() if one]
        if reasons:
            why = shorten(reasons[0], SHORT, placeholder=" …")
            return f"{_said(result)}; {len(reasons)} failed (point at one to read why): {why}"
        return "" if count(result, "done") < result["status"].size or self.ask.missing else _extremes(result)

    def script(self, choices: Chosen) -> str:
        """Write the study, its sweep, and the figure of the grid."""
        return script(
            "study = {",
            *(f"    {written(name)}: {written(value)}," for name, value in described(choices).items()),
            "}",
            f"result = {call('cs.sweep', Name('study'), to=str(path_of(choices)), workers=0, resume=True)}",
            f"figure = cs.plot.sweep_grid(result, {choices['time']})",
            "figure",
        )

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        grid, to = settings["choices"]["grid"], settings["choices"]["to"]
        own = None if grid in GRIDS else json.loads(grid)
        return cls(own, to=to, question=settings["question"])

    # --- inside

    def _is_known(self, chosen: dict[str, Any]) -> bool:
        """Return whether all points of these choices are done; what is missing or failed is run."""
        return (
            super()._is_known(chosen)
            and count(self._made[self._key_of(chosen)][1], "done") == study_of(chosen).n_points
        )

    def _show_busy(self, busy: bool) -> None:
        super()._show_busy(busy)
        if not busy:
            self._name_action()

    def _name_action(self) -> None:
        """Write on the button what a run does now."""
        self.button.description = self.ACTION if self._drawn is None else _action(self._drawn)

    def _follow(self) -> None:
        """Show the points of other choices before these are run, and take up those that are in their folder."""
        super()._follow()
        chosen, key = self.choices, self._key_of(self.choices)
        if self.busy or self.button.disabled or key in (self._drawn_key, *self._made):
            return
        so_far, before = on_disk(path_of(chosen), study_of(chosen)), self.result
        self._present(chosen, so_far)
        if count(so_far, "done"):
            self._made[key] = chosen, so_far
        else:
            # nothing was measured yet
            self.result = before
        self._dim()

    def _show_so_far(self, choices: Chosen, so_far: xr.Dataset) -> None:
        with self._lock:
            self._present(choices, so_far)
            self._dim()


def _said(result: xr.Dataset) -> str:
    return f"{count(result, 'done'):,} of {result['status'].size:,} points are done"


def _action(result: xr.Dataset) -> str:
    """Return what a run of a sweep does now."""
    done, failed = count(result, "done"), count(result, "failed")
    if failed and done + failed == result["status"].size:
        return f"repeat {failed:,} failed"
    return "continue" if 0 < done < result["status"].size else Sweep.ACTION


def _extremes(result: xr.Dataset) -> str:
    """Return where accuracy is best and worst at the last time, with the widest interval of all points."""
    last = result.isel(time=-1)
    varied = [dim for dim in last["accuracy"].dims if last.sizes[dim] > 1]
    if not varied or bool(last["accuracy"].isnull().any()):
        return f"{_said(result)}."
    found = []
    for name, at in (("best", last["accuracy"].argmax(...)), ("worst", last["accuracy"].argmin(...))):
        one = last.isel(at)
        values = {dim: one[dim].item() for dim in varied}
        # a number alone does not say of what
        place = ", ".join(
            value_name(value) if isinstance(value, str) else f"{dim} {value_name(value)}"
            for dim, value in values.items()
        )
        found.append(f"{name} {percent(float(one['accuracy']))} ({place})")
    half = float((last["high"] - last["low"]).max()) / 2
    reach = f"95 % intervals reach up to ±{100 * half:.0f} percentage points"
    return f"At t = {int(last['time'])}: {', '.join(found)}; {reach}."
