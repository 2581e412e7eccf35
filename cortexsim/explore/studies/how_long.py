"""A panel on readout times: accuracy at every time, with statistics of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report, part
from cortexsim.analyse.interval import wilson, with_interval
from cortexsim.datasets.registry import draw
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.batch import right_over_time
from cortexsim.explore.panel.controls import Chosen, Control, Menu
from cortexsim.explore.panel.script import Name, call, data_line, inside, script, subject_lines
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.task_study import TaskStudy
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.studies import how_long_questions
from cortexsim.explore.studies.how_long_questions import (
    AS_TRAINED,
    CALIBRATED,
    HELD,
    POOLED,
    STATED,
    accuracy_at,
    percent_correct,
)
from cortexsim.graph._schedule import arrival
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import MissingStatisticsError, Statistics
from cortexsim.plot._any_time import any_time
from cortexsim.plot.theme import in_one_line
from cortexsim.stimuli.presentation import Presentation

ALL = "all three"
KINDS = (CALIBRATED, HELD, POOLED)
COUNTS = (10, 30, 100, 300)


class HowLong(TaskStudy):
    """Accuracy by readout time, with statistics of each time, held constant from one time on, or shared over time.

    The arguments are those of `SubjectStudy`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.HowLong("contours", question="")
    >>> sorted(panel.choices)
    ['calibration', 'held_from', 'presentation', 'statistics', 'task', 'until']
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = how_long_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = how_long_questions.EXERCISES
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {"presentation": unmasked.FORMER_NAMES}
    ACTION: ClassVar[str] = "read out at every time"
    MORE: ClassVar[tuple[str, ...]] = ("task", "presentation", "statistics", "calibration")

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the task, the presentation, the times, and the kinds and source of statistics."""
        times, at = _times(subject.model), subject.model.readout_time
        sources = [AS_TRAINED, *(f"{count} images" for count in COUNTS)]
        return {
            "task": self.task_menu(subject),
            "presentation": Menu("shown", unmasked.MENU, width_px=170),
            "until": Menu("last time", times["until"], 2 * at, width_px=130),
            "statistics": Menu("statistics", [ALL, *KINDS], width_px=210),
            "calibration": Menu("taken from", sources, width_px=200),
            "held_from": Menu("held from t =", times["held_from"], at, width_px=150),
        }

    def offer(self, subject: Subject) -> None:
        """Offer the times of the model, and choose those that suit its readout time."""
        at = subject.model.readout_time
        for name, value in (("until", 2 * at), ("held_from", at)):
            self._controls[name].options = _times(subject.model)[name]
            self._controls[name].value = value

    def why_not(self, choices: Chosen) -> str:
        """Say that there is no normalization, or that the model's own statistics end too early."""
        model = self.subject_of(choices).model
        if not model.needs_statistics:
            return "this model normalizes without stored statistics, so there are none to choose"
        if choices["calibration"] == AS_TRAINED:
            try:
                own = model.find_statistics(UNMASKED[choices["presentation"]])
            except MissingStatisticsError:
                return f"the model was not calibrated for this: set «taken from» to «{COUNTS[-1]} images»"
            if own.until < choices["until"]:
                return (
                    f"the model's statistics end at t = {own.until}: choose an earlier last time, or set "
                    f"«taken from» to «{COUNTS[-1]} images»"
                )
        return ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Read the model out at every time with each kind of statistics, and its control with those of each time."""
        who = self.subject_of(choices)
        shown, until, n = UNMASKED[choices["presentation"]], choices["until"], who.images.sizes["stimulus"]
        kinds, words = _kinds(choices), _words(choices, who.model)
        models, curves = {"recurrent": who.model}, [("recurrent", kind) for kind in kinds]
        if who.control is not None:
            models["feedforward"] = who.control
            curves.append(("feedforward", CALIBRATED))
        right = np.full((len(models), len(kinds), until + 1), np.nan)
        for number, (name, kind) in enumerate(curves):
            of_curve = part(report, number / len(curves), (number + 1) / len(curves), f"{name}, {words[kind]}: ")
            used = self._statistics(who, models[name], kind, choices, of_curve)
            counts = right_over_time(models[name], who.images, shown, until, report=of_curve, statistics=used)
            # the control has one curve, the first whatever the kinds
            row = kinds.index(kind) if name == "recurrent" else 0
            right[list(models).index(name), row] = [np.nan if count is None else count for count in counts]
        coordinates = {
            "model": ("model", list(models), {"long_name": "model"}),
            "statistics": ("statistics", [words[kind] for kind in kinds], {"long_name": "statistics"}),
            "kind": ("statistics", list(kinds)),
            "time": ("time", np.arange(until + 1), {"long_name": "readout time", "units": "steps"}),
        }
        about = {"long_name": "accuracy", "units": "1", "chance": 1 / who.model.n_classes}
        accuracy = xr.DataArray(right / n, coordinates, ("model", "statistics", "time"), "accuracy", about)
        low, high = wilson(right, n)
        text = f"95 % Wilson interval over {n} images, one model"
        return xr.Dataset(
            {"accuracy": with_interval(accuracy, low, high, text, n)},
            attrs={
                "n": n,
                "readout_time": who.model.readout_time,
                "held_from": choices["held_from"],
                "task": who.title,
                "presentation": str(shown),
                "statistics": choices["calibration"],
            },
        )

    def script(self, choices: Chosen) -> str:
        """Write a run for each kind of statistics, and one for the control with those of each time."""
        who, until = self.subject_of(choices), choices["until"]
        trained = choices["calibration"] == AS_TRAINED
        described, words = who.to_dict()["data"], _words(choices, who.model)
        how = {CALIBRATED: "", HELD: f".held({choices['held_from']})", POOLED: f".pooled({who.model.readout_time})"}
        taken = call("cs.calibrate", Name("model"), Name("training"), Name("shown"), until=until, keep=False)
        training = None if described is None else {**described, "part": "train"}
        control = who.control is not None
        first, *more = _kinds(choices)
        join = 'coords=["low", "high"], compat="equals", combine_attrs="override"'
        return script(
            *subject_lines(who, control=True),
            *([] if trained else [data_line("training", training, _count(choices))]),
            f"shown = {call('cs.' + choices['presentation'], *([1] if choices['presentation'] == 'flash' else []))}",
            "",
            "",
            "def statistics_of(model):",
            *inside("return " + ("model.find_statistics(shown)" if trained else taken)),
            "",
            "",
            "def accuracy(model, statistics):",
            *inside(f"recording = cs.simulate(model, images, shown, until={until}, record=[], statistics=statistics)"),
            *inside('return cs.analyse.accuracy(recording["readout"])'),
            "",
            "",
            "taken = statistics_of(model)",
            "kinds = {",
            *(f"    {words[kind]!r}: taken{how[kind]}," for kind in (first, *more)),
            "}",
            "curves = [accuracy(model, statistics) for statistics in kinds.values()]",
            f'recurrent = xr.concat(curves, xr.Variable("statistics", list(kinds)), {join})',
            'tables = {"recurrent": recurrent}',
            *(
                [
                    "of_control = accuracy(control, statistics_of(control))",
                    'tables["feedforward"] = of_control.expand_dims(statistics=list(kinds)[:1])',
                ]
                if control
                else []
            ),
            f'table = xr.concat(tables.values(), xr.Variable("model", list(tables)), join="outer", {join})',
            "table = table.sel(statistics=list(kinds))  # in this order",
            f"figure = cs.plot.any_time(table, readout_time={who.model.readout_time})",
            "figure",
            imports=["import xarray as xr"],
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw accuracy by readout time."""
        result = self._shown(result)
        title = f"{result.attrs['task']} — {result.attrs['presentation']}"
        figure = any_time(result["accuracy"], readout_time=result.attrs["readout_time"], title=title)
        return {"any-time": in_one_line(figure)}

    def say(self, result: xr.Dataset) -> str:
        """Report the accuracy at the trained and at the last time, with each kind of statistics."""
        stated, result = self._stated(result), self._shown(result)
        at, last = result.attrs["readout_time"], int(result["time"][-1])
        times = [at, last] if last > at else [last]
        parts = []
        for time in times:
            named = zip(result["kind"].values.tolist(), result["statistics"].values.tolist(), strict=True)
            read = [
                f"{accuracy_at(result, kind, time)} with {name}"
                for kind, name in named
                if percent_correct(result, kind, time) is not None and (kind, time) not in stated
            ]
            if read or not stated:
                parts.append(f"at t = {time}: {', '.join(read) or 'nothing can be read out'}")
        text = "; ".join(parts)
        about = f"{result.attrs['n']} images, statistics {result.attrs['statistics']}"
        text = f"{text[0].upper()}{text[1:]} ({about})." if text else f"{about}."
        if "feedforward" in result["model"].values:
            curve = result["accuracy"].sel(model="feedforward").isel(statistics=0).dropna("time")
            if curve.sizes["time"]:
                when = f"t = {int(curve['time'][0])}" + (" and after" if curve.sizes["time"] > 1 else " only")
                text += (
                    f" The feedforward control: {percent(float(curve[0]), 1)} at {when}; more time does not help it."
                )
        return text

    def _stated(self, result: xr.Dataset) -> list[tuple[str, int]]:
        """List the kinds of statistics and the times whose accuracy is in the verdict above."""
        if not self.ask.states(result):
            return []
        return [(kind, times * result.attrs["readout_time"]) for kind, times in STATED[self.ask.question]]

    def _shown(self, result: xr.Dataset) -> xr.Dataset:
        """Leave out times beyond the trained one until the question about them is answered."""
        return result.sel(time=slice(0, result.attrs["readout_time"])) if self.covered("twice") else result

    def _statistics(self, who: Subject, model: Cortex, kind: str, choices: Chosen, report: Report) -> Statistics:
        """Find or take the statistics, then hold them constant or pool them."""
        shown, at = UNMASKED[choices["presentation"]], model.readout_time
        if choices["calibration"] == AS_TRAINED:
            used = model.find_statistics(shown)
        else:
            used = self._taken(who, model, shown, _count(choices), choices["until"], report)
        if kind == HELD:
            return used.held(choices["held_from"])
        return used.pooled(at) if kind == POOLED else used

    @staticmethod
    def _taken(who: Subject, model: Cortex, shown: Presentation, count: int, until: int, report: Report) -> Statistics:
        report(0.0, f"taking statistics from {count} images …")
        described = who.to_dict()["data"]
        if described is None:
            # for images of your own, there is no known training part
            if who.images.sizes["stimulus"] < count:
                raise ValueError(
                    f"there are only {who.images.sizes['stimulus']} images to take statistics from, not {count}"
                )
            training = who.some(count)
        else:
            training = draw({**described, "part": "train"}, count)
        return calibrate(model, training, shown, until=until, keep=False)


def _kinds(choices: Chosen) -> tuple[str, ...]:
    return KINDS if choices["statistics"] == ALL else (choices["statistics"],)


def _words(choices: Chosen, model: Cortex) -> dict[str, str]:
    """Return the name of each kind of statistics in figures."""
    return {
        CALIBRATED: "statistics of each time",
        HELD: f"those of t = {choices['held_from']} held from then on",
        POOLED: f"shared over times 0 to {model.readout_time}",
    }


def _count(choices: Chosen) -> int:
    """Return the number of images to take statistics from."""
    return int(str(choices["calibration"]).split()[0])


def _times(model: Cortex) -> dict[str, list[int]]:
    """Return the times that a model offers as the last one, and as the first with constant statistics."""
    first, at = max(1, arrival(model.graph)), model.readout_time
    return {"until": list(range(first + 1, 3 * at + 1)), "held_from": list(range(first, at + 1))}
