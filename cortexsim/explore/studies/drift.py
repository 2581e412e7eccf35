"""A panel on one feature's values over time: they drift past a threshold that stays where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim._support.progress import Report
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Slider
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import populate
from cortexsim.plot._drift import drift, show_drift
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.presentation import sustained

BINS = 60
PERCENT = tuple(range(0, 101, 10))


def typical(result: xr.Dataset) -> int:
    """Return the feature whose share above the fixed threshold changes most typically: by the median of all."""
    change = result["above_fixed"].isel(time=-1) - result["above_fixed"].isel(time=0)
    size = abs(change).values
    return int(np.argsort(size, kind="stable")[size.size // 2])


def share_above(result: xr.Dataset, name: str, time: int) -> float:
    """Return the share of the typical feature's values above a threshold, in percent."""
    return round(100 * float(result[name].isel(feature=typical(result)).sel(time=time)), 1)


def _ends(result: xr.Dataset) -> tuple[int, int]:
    return int(result["time"][0]), int(result["time"][-1])


def _about_fixed(result: xr.Dataset) -> str:
    first, last = _ends(result)
    return (
        f"With the fixed threshold, {share_above(result, 'above_fixed', first):.0f} % of the values pass at "
        f"t = {first} and {share_above(result, 'above_fixed', last):.0f} % at t = {last}; with the mean of each time, "
        f"{share_above(result, 'above_own', first):.0f} and {share_above(result, 'above_own', last):.0f} %."
    )


QUESTIONS: Mapping[str, Guess] = {
    "passes": Guess(
        "what passes a fixed threshold",
        "What lies above a feature's mean passes on, the rest is set to zero. Now the mean is that of all times "
        "together (the thick line), and you see the first time. At the last time, what percentage of the values lies "
        "above it?",
        PERCENT,
        lambda result: share_above(result, "above_fixed", _ends(result)[1]),
        _about_fixed,
        unit="percent",
        within=10,
    ),
}


class Drift(SubjectStudy):
    """The values of one feature of an area at every time, with the share that passes a fixed threshold.

    The fixed threshold is the mean over all times together, as the model's `pooled` statistics have it; the other is
    the mean of each time. The arguments are those of `SubjectStudy`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Drift(question="")
    >>> sorted(panel.choices)
    ['area', 'feature', 'time']
    """

    TASK: ClassVar[str | None] = "contours"
    N: ClassVar[int] = 60
    VIEWS: ClassVar[tuple[str, ...]] = ("feature", "time")
    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS
    ACTION: ClassVar[str] = "show the other times"

    _live: traitlets.Dict[str, Live] = traitlets.Dict()
    # the feature that is chosen belongs to this area
    _area: str = ""

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the area, its feature, and the time."""
        states, at = subject.model.graph.state_names, subject.model.readout_time
        return {
            "area": Menu("area", states[1:], states[-1], width_px=130),
            "feature": Slider("feature", 0, subject.model.graph.states[-1].features - 1, 0),
            "time": Slider("time", 1, at, 1, width_px=560),
        }

    def why_not(self, choices: Chosen) -> str:
        """Say that the model stores no statistics, so nothing could be held fixed."""
        if not self.who.model.needs_statistics:
            return "this model normalizes without stored statistics, so there is no threshold to hold fixed"
        return ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Record the area, and count the values of every feature at every time."""
        who, area = self.who, choices["area"]
        model, until = who.model, who.model.readout_time
        report(0.0, f"showing {who.n} images")
        recording = simulate(model, who.images, sustained(), until=until, record=[area])
        statistics = model.find_statistics(sustained())
        filled = populate(model.graph, sustained(), until)
        times = [time for time in range(until + 1) if area in filled[time]]
        report(0.7, "counting")
        activity = recording[area]["activation"].sel(time=times).transpose("channel", "time", "stimulus", "y", "x")
        values = activity.values.reshape(*activity.shape[:2], -1).astype(np.float64)
        own = np.stack([statistics.at(area, time)[0].double().cpu().numpy() for time in times], 1)
        fixed = statistics.pooled(until).at(area, times[0])[0].double().cpu().numpy()
        low, high = np.quantile(values, 0.002, (1, 2)), np.quantile(values, 0.998, (1, 2))
        edges = np.linspace(low, high, BINS + 1, axis=1)
        count = np.stack([[np.histogram(one, edges[k])[0] for one in values[k]] for k in range(len(values))])
        return xr.Dataset(
            {
                "count": (("feature", "time", "bin"), count, {"long_name": "values in the bin", "units": "1"}),
                "value": (
                    ("feature", "bin"),
                    (edges[:, 1:] + edges[:, :-1]) / 2,
                    {"long_name": "value", "units": "a.u."},
                ),
                "fixed": ("feature", fixed, {"long_name": "mean over all times", "units": "a.u."}),
                "own": (("feature", "time"), own, {"long_name": "mean of the time", "units": "a.u."}),
                "above_fixed": (("feature", "time"), (values > fixed[:, None, None]).mean(-1), {"units": "1"}),
                "above_own": (("feature", "time"), (values > own[..., None]).mean(-1), {"units": "1"}),
            },
            {
                "feature": ("feature", np.arange(len(values)), {"long_name": "feature"}),
                "time": ("time", times, {"long_name": "time", "units": "steps"}),
            },
            {"area": area, "n": who.n, "places": values.shape[-1]},
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the chosen feature at the chosen time."""
        self._offer(result)
        return {"drift": drift(*self._seen(result), covered=self.covered("passes"))}

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the sliders under the figure."""
        self._live = {name: Live(figure) for name, figure in figures.items()}
        return [*self._live.values(), self._controls["time"], self._controls["feature"]]

    def look(self, result: xr.Dataset) -> None:
        """Draw another feature or time."""
        if not self._live:
            return
        show_drift(self.figures["drift"], *self._seen(result), covered=self.covered("passes"))
        self._live["drift"].redraw()

    def say(self, result: xr.Dataset) -> str:
        """Report the shares at the first and last time, once the question is answered."""
        attributes, n = result.attrs, result.sizes["feature"]
        about = (
            f"{attributes['area']}, {attributes['n']} images, {attributes['places']:,} values a time; the feature at "
            f"the start is {typical(result)}, whose share changes by the median of all {n}."
        )
        # the verdict has the same numbers
        said = self.covered("passes") or self.ask.states(result)
        return about if said else f"{_about_fixed(result)} {about}"

    def _follow(self) -> None:
        """Measure at once while the question is open: it is about the first time, which is then drawn."""
        super()._follow()
        chosen = self.choices
        if self.covered("passes") and not self.why_not(chosen) and not self._is_known(chosen):
            self._start(chosen, compares=False)

    def _seen(self, result: xr.Dataset) -> tuple[xr.Dataset, int]:
        """Return the chosen feature as one table, and the time; the first one while the question is open."""
        feature = min(self.choices["feature"], result.sizes["feature"] - 1)
        one = result.isel(feature=feature)
        one = one.rename(value="values").assign_coords(value=("bin", one["value"].values)).swap_dims(bin="value")
        first, last = _ends(result)
        time = first if self.covered("passes") else int(np.clip(self.choices["time"], first, last))
        return one, time

    def _offer(self, result: xr.Dataset) -> None:
        """Limit the sliders to what was measured, and choose the typical feature of a new area."""
        feature, time = self._controls["feature"], self._controls["time"]
        first, last = _ends(result)
        feature.max = result.sizes["feature"] - 1
        time.max = last
        time.min = first
        time.disabled = feature.disabled = self.covered("passes")
        if self._area != result.attrs["area"]:
            self._area = result.attrs["area"]
            feature.value = typical(result)
