"""What a trained model depends on, and when: cut or weaken connections, and see which decisions go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import plotly.graph_objects as go
import xarray as xr

from cortexsim import analyse, protocols
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import populate
from cortexsim.graph.interventions import check_effect, direction
from cortexsim.plot import early_late, effect, reaction_times, speed_accuracy, time_course
from cortexsim.plot._early_late import show_groups
from cortexsim.plot._reaction_times import show_decisions
from cortexsim.plot._speed_accuracy import show_mark
from cortexsim.stimuli.presentation import Presentation, flash, sustained

SHOWN: dict[str, Presentation] = {"the image stays": sustained(), "a flash of one step": flash(1)}
STRENGTHS = {"cut": 0.0, "weakened to 25 %": 0.25, "weakened to 50 %": 0.5, "weakened to 75 %": 0.75}
CALIBRATION = (200, 1000)
THRESHOLDS = tuple(round(0.1 * k, 1) for k in range(1, 10))
INTACT = "intact"

Decisions = dict[float, tuple[xr.Dataset, xr.Dataset]]

PERCENT = tuple(range(40, 105, 5))
POINTS = tuple(range(-10, 60, 5))


def _cost(result: xr.Dataset, version: str) -> float | None:
    """Return the points of accuracy that a version costs at the last time; None where it is not there."""
    if version not in result["version"].values:
        return None
    value = -100 * float(result["accuracy_difference"].sel(version=version).isel(time=-1))
    return None if value != value else round(value, 1)


def _left(result: xr.Dataset, version: str) -> float | None:
    """Return the accuracy that a version leaves at the last time, in percent."""
    if version not in result["version"].values:
        return None
    value = 100 * float(result["accuracy"].sel(version=version).isel(time=-1))
    return None if value != value else round(value, 1)


def _told(result: xr.Dataset) -> str:
    """Give the accuracy with and without, and what each version costs with its interval."""
    last = result.isel(time=-1)
    texts = []
    for version in result["version"].values.tolist():
        change, low, high = (
            100 * float(last[f"accuracy_difference{end}"].sel(version=version)) for end in ("", "_low", "_high")
        )
        if change != change:
            texts.append(f"{version}: nothing can be read out")
        else:
            texts.append(f"{version} {change:+.1f} points ({low:+.0f} to {high:+.0f})".replace("+0.0", "0.0"))
    whole = float(last["accuracy_intact"].isel(version=0))
    return (
        f"{result.attrs['what']}, read at t = {int(last['time'])}, {result.attrs['n']} images: {whole:.1%} intact; "
        f"{', '.join(texts)}."
    )


def _throughout(value: Callable[[xr.Dataset], float | None]) -> Callable[[xr.Dataset], float | None]:
    """Let a result that was cut for a part of the time tell nothing."""
    return lambda result: value(result) if result.attrs["throughout"] else None


def _saying(text: Callable[[xr.Dataset], str]) -> Callable[[xr.Dataset], str]:
    """Say of a result that was cut for a part of the time why it tells nothing."""
    return lambda result: (
        text(result) if result.attrs["throughout"] else "The window must be the whole time, from t = 1 to the last."
    )


class Lesions(Study):
    """Cut or weaken connections in a window of time, and see where, when and for which decisions that matters.

    Both are shown in three versions: acute, with the intact model's statistics; recalibrated, with statistics taken
    anew while it is in place; and mean-replaced, where a connection delivers its mean in place of what is taken away.
    What is there in the acute version alone is a shift of means.

    Parameters
    ----------
    task : str, optional
        One that ships, such as "contours".
    model, data : optional
        Your own; see `Subject`.
    n : int
        Images.
    question : str
        A key of `QUESTIONS`, or "" to just look.
    subject : Subject, optional
        In place of all those.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("threshold",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "lateral": Guess(
            "without lateral connections",
            "Every area's connection with itself is cut throughout; statistics stay as they were (acute). How many "
            "percent are right at the end? Guessing gets 50 of two classes.",
            PERCENT,
            _throughout(lambda result: _left(result, "acute")),
            _saying(lambda result: "What the other two versions leave is said below."),
            unit="percent",
            needs={"links": "lateral", "left": 0.0},
            within=2.5,
        ),
        "feedback": Guess(
            "without feedback",
            "All connections from later areas to earlier ones are cut throughout, acutely. How many points of accuracy "
            "does that cost at the end? Below 0: it helps.",
            POINTS,
            _throughout(lambda result: _cost(result, "acute")),
            _saying(lambda result: "That says what this model leans on, and nothing about what feedback is for."),
            unit="points",
            needs={"links": "feedback", "left": 0.0},
            within=2.5,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "one-area": Guess(
            "one area",
            "Cut V1->V1 alone, throughout, everything else as it opened. How many points does the acute version cost "
            "at the end?",
            POINTS,
            _throughout(lambda result: _cost(result, "acute")),
            _saying(_told),
            unit="points",
            needs={"links": "V1->V1", "left": 0.0, "shown": "the image stays"},
            within=2.5,
        ),
        "late": Guess(
            "late and recalibrated",
            "Cut all lateral connections at t = 7 and 8 only, when nearly all decisions have long been right. How many "
            "percent are right at t = 8 in the recalibrated version?",
            PERCENT,
            lambda result: _left(result, "recalibrated"),
            lambda result: (
                f"{_told(result)} The answer had been there since t = 5: what a cut does to it that late is not "
                "that a computation lacks a step."
            ),
            unit="percent",
            needs={"links": "lateral", "left": 0.0, "window": (7, 8), "shown": "the image stays"},
            within=2.5,
        ),
    }
    ACTION: ClassVar[str] = "cut and compare"

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Any = None,
        data: Any = None,
        n: int = 100,
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        subject = subject or Subject(task, model=model, data=data, n=n)
        graph, self.until = subject.model.graph, subject.model.readout_time
        directions = {direction(graph, name) for name in graph.transition_names}
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}
        controls = {
            "links": widgets.Dropdown(
                options=[
                    *(one for one in ("lateral", "feedback", "forward") if one in directions),
                    *graph.transition_names,
                ],
                description="connections",
                layout=widgets.Layout(width="210px"),
                **wide,
            ),
            "left": widgets.Dropdown(
                options=list(STRENGTHS.items()), description="are", layout=widgets.Layout(width="190px"), **wide
            ),
            "window": widgets.IntRangeSlider(
                value=(1, self.until),
                min=1,
                max=self.until,
                description="from t to t",
                layout=widgets.Layout(width="330px"),
                **wide,
            ),
            "shown": widgets.Dropdown(
                options=list(SHOWN), description="shown", layout=widgets.Layout(width="220px"), **wide
            ),
            "calibration": widgets.Dropdown(
                options=[(f"{size:,} training images", size) for size in CALIBRATION],
                description="statistics and means anew from",
                layout=widgets.Layout(width="400px"),
                **wide,
            ),
            "threshold": widgets.SelectionSlider(
                options=THRESHOLDS,
                value=0.5,
                description="decides at a confidence of",
                continuous_update=True,
                layout=widgets.Layout(width="460px"),
                **wide,
            ),
        }
        self._live: dict[str, Live] = {}
        self._seen: dict[int, tuple[xr.Dataset, Decisions]] = {}
        super().__init__(subject, controls, question)
        controls["threshold"].observe(lambda _: self._look(), names="value")

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that nothing would be cut then, since nothing is delivered."""
        graph, shown = self.who.model.graph, SHOWN[choices["shown"]]
        first, last = choices["window"]
        try:
            front = populate(graph, shown, self.until)
            check_effect(graph, {choices["links"]: range(first, last + 1)}, [front], "a lesion of")
        except ValueError as error:
            return str(error)
        return ""

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Run the intact model and each version of the lesion."""
        links, left, (first, last) = choices["links"], choices["left"], choices["window"]
        times = range(first, last + 1)
        told(0.0, f"drawing {choices['calibration']:,} training images")
        training = self.who.training(choices["calibration"])
        table = protocols.lesion(
            self.who.model,
            self.who.images,
            silence={links: times} if left == 0 else None,
            gain={links: (left, times)} if left else None,
            until=self.until,
            calibrate_on=training,
            presentation=SHOWN[choices["shown"]],
            report=told,
        )
        done = "cut" if left == 0 else f"weakened to {left:.0%}"
        throughout = first == 1 and last == self.until
        when = "throughout" if throughout else f"at t = {first} to {last}" if first < last else f"at t = {first}"
        return table.assign_attrs(
            what=f"{links} {done} {when}",
            throughout=int(throughout),
            calibration_images=len(training["stimulus"]),
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw where and when it matters, and the decisions at the threshold that is chosen."""
        logits = _logits(result)
        threshold = self.choices["threshold"]
        trade, decisions = self._behaviour(result)
        decided, groups = decisions[threshold]
        what = result.attrs["what"]
        return {
            "effect": effect(result, title=f"{what}: where and when the activity changes, and the decision"),
            "accuracy": time_course(
                _along({name: analyse.accuracy(one) for name, one in logits.items()}), title=f"{what}: accuracy"
            ),
            "decisions": reaction_times(decided),
            "early_late": early_late(groups),
            "speed_accuracy": speed_accuracy(trade, mark=threshold),
        }

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the slider of the threshold above what follows it."""
        self._live = {name: Live(figure) for name, figure in figures.items()}
        shown: list[widgets.Widget] = list(self._live.values())
        shown.insert(list(figures).index("decisions"), self._controls["threshold"])
        return shown

    def say(self, result: xr.Dataset) -> str:
        """Say what each version costs, and whether that is a finding."""
        text = _told(result)
        last = result.isel(time=-1)
        low, high = (last[f"accuracy_difference_{end}"] for end in ("low", "high"))
        if bool((low.notnull() & (low <= 0) & (high >= 0)).all()):
            text += (
                f" That is no cost that {result.attrs['n']} images can show; the intervals say how large one could be."
            )
        elif bool(high.sel(version="acute") < 0) and bool(
            (high.sel(version=["recalibrated", "mean-replaced"]) >= 0).all()
        ):
            text += " It is there in the acute version alone, so it may be nothing but a shift of means."
        elif bool(high.sel(version="acute") < 0) and bool(high.sel(version="recalibrated") >= 0):
            text += " Statistics taken anew undo it, so it may be nothing but a shift of means or spreads."
        return f"{text} Statistics and means were taken anew on {result.attrs['calibration_images']:,} images."

    @property
    def who(self) -> Subject:
        """Who is studied."""
        assert self.subject is not None
        return self.subject

    def _behaviour(self, result: xr.Dataset) -> tuple[xr.Dataset, Decisions]:
        """Find the trade of speed for accuracy and the decisions at every threshold, once: a slider cannot wait."""
        if id(result) not in self._seen:
            logits = _logits(result)
            cut = {name: one for name, one in logits.items() if name != INTACT}
            # where the way to the last area is cut, nothing is ever decided
            read = {name: one for name, one in logits.items() if bool(one.notnull().any())}
            decisions = {
                threshold: (
                    _along({name: analyse.reaction_time(one, threshold) for name, one in logits.items()}),
                    _along({name: analyse.early_late(one, logits[INTACT], threshold) for name, one in cut.items()}),
                )
                for threshold in THRESHOLDS
            }
            trade = _along({name: analyse.speed_accuracy(one) for name, one in read.items()})
            self._seen[id(result)] = trade, decisions
        return self._seen[id(result)]

    def _look(self) -> None:
        """Draw the decisions at another threshold; no model runs."""
        if not isinstance(self.result, xr.Dataset):
            return
        try:
            threshold = self.choices["threshold"]
            trade, decisions = self._behaviour(self.result)
            decided, groups = decisions[threshold]
            # the browser draws one while the next is made
            show_decisions(self.figures["decisions"], decided)
            self._live["decisions"].redraw()
            show_groups(self.figures["early_late"], groups)
            self._live["early_late"].redraw()
            show_mark(self.figures["speed_accuracy"], trade, threshold)
            self._live["speed_accuracy"].redraw()
        except Exception as error:  # a widget's exception would show nowhere else
            self.notice.value = alert("This could not be drawn", error)


def _logits(result: xr.Dataset) -> dict[str, xr.DataArray]:
    """Give what is read out of the intact model and of each version."""
    versions = result["version"].values.tolist()
    return {INTACT: result["logits_intact"]} | {
        str(name): result["logits"].sel(version=name, drop=True) for name in versions
    }


def _along(parts: Mapping[str, Any]) -> Any:
    """Join the results of the intact model and of each version along `version`."""
    names = xr.DataArray(list(parts), dims="version", name="version", attrs={"long_name": "version"})
    given: dict[str, Any] = {"coords": "different", "compat": "equals", "combine_attrs": "override"}
    if isinstance(next(iter(parts.values())), xr.Dataset):
        given["data_vars"] = "all"
    return xr.concat(list(parts.values()), names, **given)
