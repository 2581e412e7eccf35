"""A panel on lesions: the connections that a trained model depends on, and the times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import traitlets
import xarray as xr

from cortexsim import analyse, protocols
from cortexsim._support.joining import joined
from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Range, Scale
from cortexsim.explore.panel.script import Name, call, script, subject_lines, training_line
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.studies import lesions_questions
from cortexsim.explore.studies.lesions_questions import accuracies
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.wiring import Wiring, directions_of
from cortexsim.graph._schedule import populate
from cortexsim.graph.interventions import check_effect
from cortexsim.plot import early_late, effect, lines, reaction_times, speed_accuracy, time_course
from cortexsim.plot._dose import dose
from cortexsim.plot._early_late import show_groups
from cortexsim.plot._reaction_times import show_decisions
from cortexsim.plot._speed_accuracy import show_mark
from cortexsim.plot.theme import PERCENT, in_one_line

STRENGTHS = {"cut": 0.0, "weakened to 25 %": 0.25, "weakened to 50 %": 0.5, "weakened to 75 %": 0.75}
CALIBRATION = (200, 1000)
THRESHOLDS = tuple(round(0.1 * k, 1) for k in range(1, 10))
INTACT = "intact"
ACCURACY_PX = 310


class Lesions(SubjectStudy):
    """Effects of cutting or weakening connections in a window of time, on states, times and decisions.

    Each lesion comes in three versions: acute, with the statistics of the intact model; recalibrated, with statistics
    taken again with the lesion; and mean-replaced, where a connection delivers its mean in place of what is removed.
    An effect of the acute version alone is a shift of means.

    The arguments are those of `SubjectStudy`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Lesions("contours", question="")
    >>> sorted(panel.choices)
    ['calibration', 'connections', 'presentation', 'strength', 'threshold', 'window']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("threshold",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = lesions_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = lesions_questions.EXERCISES
    FORMER_NAMES: ClassVar[Mapping[str, str]] = {
        "links": "connections",
        "left": "strength",
        "shown": "presentation",
    }
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {"presentation": unmasked.FORMER_NAMES}
    ACTION: ClassVar[str] = "cut and compare"
    MORE: ClassVar[tuple[str, ...]] = ("strength", "presentation", "calibration")
    DRAWN: ClassVar[tuple[str, ...]] = ("connections",)

    until: int
    _live: traitlets.Dict[str, Live] = traitlets.Dict()
    # keyed by the id of a result, because all results stay in memory
    _trades: traitlets.Dict[int, xr.Dataset] = traitlets.Dict()
    _decided: traitlets.Dict[tuple[int, float], tuple[xr.Dataset, xr.Dataset]] = traitlets.Dict()

    def controls_for(self, subject: Subject) -> dict[str, Control | widgets.DOMWidget]:
        """Declare the lesion, the presentation, the images for statistics, and the threshold of decisions."""
        graph, self.until = subject.model.graph, subject.model.readout_time
        directions = directions_of(graph)
        start = "lateral" if "lateral" in directions else directions[0] if directions else ""
        sizes = {f"{size:,} training images": size for size in CALIBRATION}
        return {
            "connections": Wiring(graph, start, groups=directions, label="connections"),
            "strength": Menu("connections are", STRENGTHS, width_px=270),
            "window": Range("at t =", 1, self.until),
            "presentation": Menu("shown", unmasked.MENU, unmasked.first_of(subject.model), width_px=170),
            "calibration": Menu("statistics and means from", sizes, width_px=400),
            "threshold": Scale("decision at a confidence of", THRESHOLDS, 0.5),
        }

    def why_not(self, choices: Chosen) -> str:
        """Say that nothing would change, because the connection delivers nothing at these times."""
        graph, shown = self.who.model.graph, UNMASKED[choices["presentation"]]
        if not choices["connections"]:
            return "nothing is cut: click an arrow"
        first, last = choices["window"]
        try:
            front = populate(graph, shown, self.until)
            check_effect(graph, {choices["connections"]: range(first, last + 1)}, [front], "a lesion of")
        except ValueError as error:
            return str(error)
        return ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Run the intact model and each version of the lesion."""
        connections, strength, (first, last) = choices["connections"], choices["strength"], choices["window"]
        report(0.0, f"drawing {choices['calibration']:,} training images")
        training = self.who.training(choices["calibration"])
        table = protocols.lesion(
            self.who.model,
            self.who.images,
            until=self.until,
            **_changes(choices),
            calibrate_on=training,
            presentation=UNMASKED[choices["presentation"]],
            report=report,
        )
        change = "cut" if strength == 0 else f"weakened to {percent(strength)}"
        throughout = first == 1 and last == self.until
        when = "throughout" if throughout else f"at t = {first} to {last}" if first < last else f"at t = {first}"
        return table.assign_attrs(
            what=f"{connections}{'' if '->' in connections else ' connections'} {change} {when}",
            throughout=int(throughout),
            calibration_images=len(training["stimulus"]),
        )

    def script(self, choices: Chosen) -> str:
        """Write the call of the protocol, and the decisions of the acute version at the chosen threshold."""
        table = call(
            "cs.protocols.lesion",
            Name("model"),
            Name("images"),
            **_changes(choices),
            until=self.until,
            calibrate_on=Name("training"),
            presentation=UNMASKED[choices["presentation"]],
        )
        return script(
            *subject_lines(self.who),
            training_line(self.who, choices["calibration"]),
            f"table = {table}",
            'acute = table["logits"].sel(version="acute", drop=True)',
            f"decided = cs.analyse.reaction_time(acute, {choices['threshold']})",
            'figures = {"effect": cs.plot.effect(table), "decisions": cs.plot.reaction_times(decided)}',
            'figures["effect"]',
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the effect by state and time, the accuracy, and the decisions at the chosen threshold."""
        logits = _logits(result)
        threshold = self.choices["threshold"]
        decided, groups = self._decisions(result, threshold)
        what = result.attrs["what"]
        by_version = _by_version({name: analyse.accuracy(one) for name, one in logits.items()})
        by_strength = self._by_strength(result)
        return {
            "accuracy": _named_at_ends(
                _all_visible(in_one_line(time_course(by_version, title=f"{what}: accuracy"))), by_version
            ),
            **({} if by_strength is None else {"dose": _dose(by_strength, result)}),
            "effect": effect(result, title=f"{what}: change of activity by area and time, and of the decision"),
            "decisions": reaction_times(decided),
            "early_late": early_late(groups),
            "speed_accuracy": _all_visible(speed_accuracy(self._trade(result), mark=threshold)),
        }

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Fold up all figures after the first, with the slider of the threshold above those that follow it."""
        self._live = {name: Live(figure) for name, figure in figures.items()}
        first, *others = self._live.values()
        others.insert(list(figures).index("decisions") - 1, self._controls["threshold"])
        self.fold(others)
        return [first]

    def say(self, result: xr.Dataset) -> str:
        """Report the cost of each version, and how it can be interpreted."""
        text = accuracies(result)
        last = result.isel(time=-1)
        low, high = (last[f"accuracy_difference_{end}"] for end in ("low", "high"))
        if bool((low.notnull() & (low <= 0) & (high >= 0)).all()):
            text += f" {result.attrs['n']} images show no cost; the intervals say how large a cost could be."
        elif bool(high.sel(version="acute") < 0) and bool((high.drop_sel(version="acute") >= 0).all()):
            text += " Only the acute version shows it, so it may be nothing but a shift of means."
        elif (
            "recalibrated" in result["version"]
            and bool(high.sel(version="acute") < 0)
            and bool(high.sel(version="recalibrated") >= 0)
        ):
            text += " Recalibration removes it, so it may be nothing but a shift of means or spreads."
        if "recalibrated" not in result["version"]:
            text += " This model takes its moments from each image: there is nothing to recalibrate."
        return f"{text} Statistics and means were taken on {result.attrs['calibration_images']:,} images."

    def look(self, result: xr.Dataset) -> None:
        """Draw the decisions at the chosen threshold."""
        threshold = self.choices["threshold"]
        decided, groups = self._decisions(result, threshold)
        # the browser draws a figure while the next one is computed
        show_decisions(self.figures["decisions"], decided)
        self._live["decisions"].redraw()
        show_groups(self.figures["early_late"], groups)
        self._live["early_late"].redraw()
        show_mark(self.figures["speed_accuracy"], self._trade(result), threshold)
        self._live["speed_accuracy"].redraw()

    def _by_strength(self, result: xr.Dataset) -> xr.Dataset | None:
        """Join the runs that differ from that of a result in strength alone, at the last time; None if none does."""
        chosen = next((choices for choices, one in self.results if one is result), None)
        if chosen is None:
            return None

        def others(choices: Chosen) -> Chosen:
            return {name: value for name, value in choices.items() if name not in ("strength", *self.VIEWS)}

        runs = {choices["strength"]: one for choices, one in self.results if others(choices) == others(chosen)}
        if len(runs) < 2:
            return None
        names = [f"accuracy_difference{end}" for end in ("", "_low", "_high")]
        parts = [one.reset_coords()[names].isel(time=-1, drop=True) for one in runs.values()]
        return xr.concat(parts, xr.Variable("strength", list(runs)), combine_attrs="override")

    def _trade(self, result: xr.Dataset) -> xr.Dataset:
        """Return the speed-accuracy trade-off of a result, computed once."""
        if id(result) not in self._trades:
            # where every path to the last state is cut, there are no decisions
            readable = {name: one for name, one in _logits(result).items() if bool(one.notnull().any())}
            self._trades[id(result)] = _by_version(
                {name: analyse.speed_accuracy(one) for name, one in readable.items()}
            )
        return self._trades[id(result)]

    def _decisions(self, result: xr.Dataset, threshold: float) -> tuple[xr.Dataset, xr.Dataset]:
        """Return reaction times at a threshold, and the accuracy of early and late decisions, computed once."""
        if (id(result), threshold) not in self._decided:
            logits = _logits(result)
            lesioned = {name: one for name, one in logits.items() if name != INTACT}
            self._decided[id(result), threshold] = (
                _by_version({name: analyse.reaction_time(one, threshold) for name, one in logits.items()}),
                _by_version(
                    {name: analyse.early_late(one, logits[INTACT], threshold) for name, one in lesioned.items()}
                ),
            )
        return self._decided[id(result), threshold]


def _dose(by_strength: xr.Dataset, result: xr.Dataset) -> go.Figure:
    title = f"change of accuracy at t = {int(result['time'][-1])} by what is left of the connections; 95 % intervals"
    return dose(by_strength, title=title)


def _all_visible(figure: go.Figure) -> go.Figure:
    """Make lines visible that coincide: the acute version is often at chance, and so is the mean-replaced one."""
    for trace in figure.select_traces({"name": "acute"}):
        trace.update(line_width=5, marker_size=10)
    for trace in figure.select_traces({"name": "mean-replaced"}):
        trace.line.dash = "dash"
    return figure


def _named_at_ends(figure: go.Figure, by_version: xr.DataArray) -> go.Figure:
    """Name each line at its end, in place of the legend, in a figure that lies in the window with the drawing."""
    names = by_version["version"].values.tolist()
    last = by_version.isel(time=-1).values
    named = [
        (float(y), str(name), lines.style(k)["color"])
        for k, (name, y) in enumerate(zip(names, last, strict=True))
        if np.isfinite(y)
    ]
    figure.update_layout(showlegend=False, height=ACCURACY_PX, margin={"r": 120, "b": 48})
    margin = figure.layout.margin
    lines.label_ends(figure, named, span=(0.0, 1.04), plot_px=ACCURACY_PX - margin.t - margin.b)
    return figure.update_yaxes(**PERCENT)


def _changes(choices: Chosen) -> dict[str, Any]:
    """Return the argument of the protocol that says what is cut or weakened, and when."""
    first, last = choices["window"]
    times, strength = range(first, last + 1), choices["strength"]
    if strength == 0:
        return {"silence": {choices["connections"]: times}}
    return {"gain": {choices["connections"]: (strength, times)}}


def _logits(result: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the logits of the intact model and of each version, with the coordinates that decisions need."""
    result = result[["logits_intact", "logits", "label"]].reset_coords()
    logits = result[["logits_intact", "logits"]].assign_coords(label=result["label"])
    versions = result["version"].values.tolist()
    return {INTACT: logits["logits_intact"]} | {
        str(name): logits["logits"].sel(version=name, drop=True) for name in versions
    }


def _by_version(parts: Mapping[str, Any]) -> Any:
    """Join the results of the intact model and of each version along `version`."""
    names = xr.DataArray(list(parts), dims="version", name="version", attrs={"long_name": "version"})
    options = {"data_vars": "all"} if isinstance(next(iter(parts.values())), xr.Dataset) else {}
    return joined(list(parts.values()), names, combine_attrs="override", **options)
