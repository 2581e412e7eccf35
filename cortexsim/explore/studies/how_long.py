"""How long should cortex think? What is named right at any readout time, and with which statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.analyse.interval import wilson, with_interval
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.batch import CHUNK, right_over_time
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.tasks import shipped
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import MissingStatisticsError, Statistics
from cortexsim.plot._any_time import any_time
from cortexsim.protocols.conditions import arrival
from cortexsim.recording._rerun import draw
from cortexsim.stimuli.presentation import Presentation, flash, sustained

OWN_TASK = "your own"
SHOWN = {"the image stays": sustained(), "a flash of one step": flash(1)}
ALL, CALIBRATED, HELD, POOLED = "all three", "of each time", "held", "shared over time"
KINDS = (CALIBRATED, HELD, POOLED)
AS_TRAINED = "as trained"
COUNTS = (10, 30, 100, 300)
PERCENT = tuple(range(0, 101, 10))
POINTS = tuple(range(0, 101, 10))


def _own(result: xr.Dataset, kind: str) -> xr.DataArray | None:
    """Return the recurrent model's curve with a kind of statistics."""
    kinds = result["kind"].values.tolist()
    return result["accuracy"].sel(model="recurrent").isel(statistics=kinds.index(kind)) if kind in kinds else None


def _percent(result: xr.Dataset, kind: str, time: int) -> float | None:
    curve = _own(result, kind)
    if curve is None or time not in curve["time"].values or bool(curve.sel(time=time).isnull()):
        return None
    return round(100 * float(curve.sel(time=time)), 1)


def _told(result: xr.Dataset, kind: str, time: int) -> str:
    """Say an accuracy with its interval."""
    curve = _own(result, kind)
    if curve is None or _percent(result, kind, time) is None:
        return f"nothing was measured at t = {time} with statistics {kind}"
    at = curve.sel(time=time)
    low, high = (100 * float(at[end]) for end in ("low", "high"))
    return f"{100 * float(at):.1f} % ({low:.0f} to {high:.0f})"


def _drop(result: xr.Dataset) -> tuple[float, int] | None:
    """Return the largest loss by holding the statistics, in points, and its time."""
    own, held = _own(result, CALIBRATED), _own(result, HELD)
    if own is None or held is None:
        return None
    lost = 100 * (own.values - held.values)
    place = int(np.nanargmax(lost))
    return round(float(lost[place]), 1), int(own["time"][place])


def _about_drop(result: xr.Dataset) -> str:
    found = _drop(result)
    if found is None:
        return "It takes both curves: statistics of each time, and held."
    time = found[1]
    return (
        f"Most is lost at t = {time}: {_told(result, CALIBRATED, time)} with statistics of that time, "
        f"{_told(result, HELD, time)} with those of t = {result.attrs['held_from']}. Weights and images are the same."
    )


class HowLong(Study):
    """Accuracy by readout time, with statistics of each time, with those of one time held, and shared over times.

    Parameters
    ----------
    task : str, optional
        One that ships, such as "contours"; the others can be chosen in the panel.
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

    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "pooled": Guess(
            "one set of statistics for all times",
            "The model is read out at the time it was trained for, but each feature is normalized by its mean and "
            "spread over all times together. How many percent of the images does it name right?",
            PERCENT,
            lambda result: _percent(result, POOLED, result.attrs["readout_time"]),
            lambda result: (
                f"{_told(result, POOLED, result.attrs['readout_time'])} with shared statistics, "
                f"{_told(result, CALIBRATED, result.attrs['readout_time'])} with those of each time, over "
                f"{result.attrs['n']} images; guessing gets {result['accuracy'].attrs['chance']:.0%}."
            ),
            unit="percent",
            within=5,
        ),
        "twice": Guess(
            "twice the trained time",
            "The model is read out at twice the time it was trained for, with statistics of that time. How many "
            "percent of the images does it name right?",
            PERCENT,
            lambda result: _percent(result, CALIBRATED, 2 * result.attrs["readout_time"]),
            lambda result: (
                f"At t = {2 * result.attrs['readout_time']}: "
                f"{_told(result, CALIBRATED, 2 * result.attrs['readout_time'])}; at the trained "
                f"t = {result.attrs['readout_time']}: {_told(result, CALIBRATED, result.attrs['readout_time'])}."
            ),
            unit="percent",
            within=5,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "from-arrival": Guess(
            "hold them from the arrival on",
            "Contours, the image stays: hold the statistics from t = 3 on, when the signal has just reached IT. How "
            "many points does that cost, at the time at which it costs most?",
            POINTS,
            lambda result: None if _drop(result) is None else _drop(result)[0],  # type: ignore[index]
            _about_drop,
            unit="points",
            needs={"task": "contours", "presentation": "the image stays", "held_from": 3, "calibration": AS_TRAINED},
            within=6,
        ),
        "few-images": Guess(
            "statistics of ten images",
            "Contours, the image stays: take the statistics of each time from only 10 training images. How many "
            "percent does the model name right at t = 8?",
            PERCENT,
            lambda result: _percent(result, CALIBRATED, 8),
            lambda result: (
                f"{_told(result, CALIBRATED, 8)} at t = 8, {_told(result, CALIBRATED, 4)} at t = 4, over "
                f"{result.attrs['n']} images. The model that ships had 2,000 for its statistics."
            ),
            unit="percent",
            needs={"task": "contours", "presentation": "the image stays", "calibration": "10 images"},
            within=6,
        ),
    }
    ACTION: ClassVar[str] = "read out at every time"

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Any = None,
        data: Any = None,
        n: int = 200,
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        subject = subject or Subject(task, model=model, data=data, n=n)
        by_model = {one.model: name for name, one in shipped().items()}
        mine = by_model.get(subject.to_dict()["model"], OWN_TASK)
        self._n, self._subjects = subject.n, {mine: subject}
        tasks = [(one.title, name) for name, one in shipped().items()] if mine != OWN_TASK else [(OWN_TASK, OWN_TASK)]

        def menu(description: str, options: Sequence[Any], value: Any, px: int) -> widgets.Dropdown:
            return widgets.Dropdown(
                options=options,
                value=value,
                description=description,
                style={"description_width": "initial"},
                layout=widgets.Layout(width=f"{px}px"),
            )

        at = subject.model.readout_time
        controls = {
            "task": menu("task", tasks, mine, 330),
            "presentation": menu("shown", list(SHOWN), next(iter(SHOWN)), 220),
            "until": menu("last time", [2 * at], 2 * at, 130),
            "statistics": menu("statistics", [ALL, *KINDS], ALL, 210),
            "calibration": menu("taken from", [AS_TRAINED, *(f"{count} images" for count in COUNTS)], AS_TRAINED, 200),
            "held_from": menu("held from t =", [at], at, 150),
        }
        self._offer(controls, subject.model)
        controls["task"].observe(lambda change: self._turn_to(change["new"]), names="value")
        super().__init__(subject, controls, question)

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that there is no normalization, or that the model's own statistics do not reach so far."""
        model = self._who(choices).model
        if model.normalization == "none":
            return "this model has no normalization, so there are no statistics to choose"
        if choices["calibration"] == AS_TRAINED:
            try:
                held = model.find_statistics(SHOWN[choices["presentation"]])
            except MissingStatisticsError:
                return f"the model was not calibrated for this: take the statistics from «{COUNTS[-1]} images»"
            if held.until < choices["until"]:
                return (
                    f"the model's statistics end at t = {held.until}: choose an earlier last time, or take them from "
                    f"«{COUNTS[-1]} images»"
                )
        return ""

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Read the model out at every time with each kind of statistics, and its sibling with those of each time."""
        who = self._who(choices)
        shown, until = SHOWN[choices["presentation"]], choices["until"]
        kinds = KINDS if choices["statistics"] == ALL else (choices["statistics"],)
        models = {"recurrent": who.model} | ({"feedforward": who.sibling} if who.sibling is not None else {})
        right = np.full((len(models), len(kinds), until + 1), np.nan)
        n = who.images.sizes["stimulus"]
        work = [(0, place) for place in range(len(kinds))] + [(1, 0)] * (len(models) - 1)
        chunks, done = -(-n // CHUNK), 0
        names = {
            CALIBRATED: "statistics of each time",
            HELD: f"those of t = {choices['held_from']} held from then on",
            POOLED: f"shared over times 0 to {who.model.readout_time}",
        }
        for which, place in work:
            (name, model), kind = list(models.items())[which], kinds[place] if which == 0 else CALIBRATED

            def report(name: str = name, kind: str = kind) -> bool:
                nonlocal done
                told(done / (len(work) * chunks), f"{name}, {names[kind]}")
                done += 1
                return True

            used = self._statistics(who, model, kind, choices, told)
            counts = right_over_time(model, who.images, shown, until, wanted=report, statistics=used)
            right[which, place] = [np.nan if count is None else count for count in counts]
        coordinates = {
            "model": ("model", list(models), {"long_name": "model"}),
            "statistics": ("statistics", [names[kind] for kind in kinds], {"long_name": "statistics"}),
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

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw accuracy by readout time."""
        title = f"{result.attrs['task']} — {result.attrs['presentation']}"
        return {"any-time": any_time(result["accuracy"], readout_time=result.attrs["readout_time"], title=title)}

    def say(self, result: xr.Dataset) -> str:
        """Say what was named right at the trained and at the last time, with each kind of statistics."""
        at, last = result.attrs["readout_time"], int(result["time"][-1])
        times = [at, last] if last > at else [last]
        parts = []
        for time in times:
            named = zip(result["kind"].values.tolist(), result["statistics"].values.tolist(), strict=True)
            read = [f"{_told(result, kind, time)} with {name}" for kind, name in named if _percent(result, kind, time)]
            parts.append(f"at t = {time}: {', '.join(read) or 'nothing to read'}")
        text = "A" + "; ".join(parts)[1:] + f" ({result.attrs['n']} images, statistics {result.attrs['statistics']})."
        if "feedforward" in result["model"].values:
            curve = result["accuracy"].sel(model="feedforward").isel(statistics=0).dropna("time")
            if curve.sizes["time"]:
                when = f"t = {int(curve['time'][0])}" + (" and after" if curve.sizes["time"] > 1 else " only")
                text += f" The feedforward sibling: {float(curve[0]):.1%} at {when}; more time adds nothing to it."
        return text

    # --- behind it

    def _who(self, choices: Mapping[str, Any]) -> Subject:
        task = choices["task"]
        if task not in self._subjects:
            self._subjects[task] = Subject(task, n=self._n)
        return self._subjects[task]

    def _turn_to(self, task: str) -> None:
        self.subject = self._who({"task": task})
        self._offer(self._controls, self.subject.model)

    @staticmethod
    def _offer(controls: Mapping[str, widgets.Dropdown], model: Cortex) -> None:
        """Offer the times that a model has; what was chosen before gives way to its readout time."""
        first, at = max(1, arrival(model.graph)), model.readout_time
        for name, options, value in (
            ("until", range(first + 1, 3 * at + 1), 2 * at),
            ("held_from", range(first, at + 1), at),
        ):
            controls[name].options = list(options)
            controls[name].value = value

    def _statistics(self, who: Subject, model: Cortex, kind: str, choices: Mapping[str, Any], told: Told) -> Statistics:
        """Take or find the statistics, and hold or pool them."""
        shown, at = SHOWN[choices["presentation"]], model.readout_time
        if choices["calibration"] == AS_TRAINED:
            used = model.find_statistics(shown)
        else:
            count = int(str(choices["calibration"]).split()[0])
            used = self._taken(who, model, shown, count, choices["until"], told)
        if kind == HELD:
            return used.held(choices["held_from"])
        return used.pooled(at) if kind == POOLED else used

    @staticmethod
    def _taken(who: Subject, model: Cortex, shown: Presentation, count: int, until: int, told: Told) -> Statistics:
        told(0.0, f"taking statistics from {count} images …")
        described = who.to_dict()["data"]
        if described is None:
            # of images that were given nobody knows which others belong to them
            if who.images.sizes["stimulus"] < count:
                raise ValueError(
                    f"there are {who.images.sizes['stimulus']} images to take statistics from, not {count}"
                )
            some = who.some(count)
        else:
            some = draw({**described, "part": "train"}, count)
        return calibrate(model, some, shown, until=until, keep=False)
