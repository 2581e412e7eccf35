"""What a mask costs, by when it comes, when it is read out, and what the statistics were taken from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import protocols
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.widgets.figure import Live
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.model.shortcut import with_shortcut
from cortexsim.plot import masking_curve
from cortexsim.protocols.conditions import arrival
from cortexsim.stimuli.presentation import Presentation, flash, masked, mixture

SOAS = (1, 2, 3, 4, 6, 8)
MASKS = ("noise", "phase-scrambled", "pixel-shuffled", "texture")
BESIDE = "duration = SOA, beside people"
N_CALIBRATION = 200

OWN, TRIALS, FLASHES = "as trained", "these trials", "flashes without a mask"
WEIGHTS = ("0", "0.25", "0.5", "0.75", "1")
POINTS = tuple(range(-10, 55, 5))


def _shortcut(model: Cortex) -> float | None:
    """Return the weight of the identity shortcuts, where there is one."""
    try:
        return model.graph.shortcut
    except ValueError:
        return None


def _recurrent(result: xr.Dataset, soa: int) -> xr.DataArray:
    return result["accuracy"].sel(model="recurrent", soa=soa).isel(duration=0, missing_dims="ignore")


def _cost(result: xr.Dataset, soa: int) -> float:
    """Return what noise costs at an SOA, in points, beside the same flash without a mask."""
    accuracy = _recurrent(result, soa)
    mask = next(str(name) for name in accuracy["mask"].values if str(name) not in ("target", "blank"))
    return round(100 * float(accuracy.sel(mask="blank") - accuracy.sel(mask=mask)), 1)


def _cost_of_itself(result: xr.Dataset) -> float:
    accuracy = _recurrent(result, 1)
    return round(100 * float(accuracy.sel(mask="blank") - accuracy.sel(mask="target")), 1)


def _beside(result: xr.Dataset, soa: int) -> str:
    """Give the accuracies behind a cost, each with its interval."""
    at = _recurrent(result, soa)
    told = [
        f"{float(at.sel(mask=mask)):.1%} ({float(at['low'].sel(mask=mask)):.0%} to "
        f"{float(at['high'].sel(mask=mask)):.0%}) "
        + ("without a mask" if mask == "blank" else f"after {'the target itself' if mask == 'target' else mask}")
        for mask in at["mask"].values.tolist()
    ]
    return f"{', '.join(told)}: {at.attrs['interval']}, read at t = {result.attrs['readout_time']}."


class Masking(Study):
    """A masking curve: flash, then a mask, at every stimulus-onset asynchrony (SOA); beside it three controls.

    The controls are the same flash without a mask, the target as its own mask, and the feedforward sibling.

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

    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "earliest": Guess(
            "what the earliest mask costs",
            "By how many points does noise one step after the target (SOA 1) lower accuracy, beside the same flash "
            "without a mask? Below 0: it helps.",
            POINTS,
            lambda result: _cost(result, 1),
            lambda result: _beside(result, 1),
            unit="points",
            within=2.5,
        ),
        "itself": Guess(
            "the target as its own mask",
            "The target is shown again as its own mask, one step later: nothing new comes in. By how many points does "
            "that lower accuracy?",
            POINTS,
            _cost_of_itself,
            lambda result: (
                f"{_beside(result, 1)} What the target costs as its own mask is no interruption: it only "
                f"shows that more input came. Noise costs {_cost(result, 1):.1f} points there."
            ),
            unit="points",
            within=2.5,
        ),
        "leakier": Guess(
            "a leakier cortex",
            "Set the shortcut weight λ to 0.25, half of what it was in training: an area keeps less of what it had. By "
            "how many points does noise at SOA 1 lower accuracy now?",
            POINTS,
            lambda result: _cost(result, 1),
            lambda result: f"{_beside(result, 1)} Its convolutions are those that were trained with another λ.",
            unit="points",
            needs={"shortcut": "0.25"},
            within=2.5,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "late-readout": Guess(
            "read out later",
            "Read out at t = 12 in place of 8, everything else as it opened. By how many points does noise at SOA 1 "
            "lower accuracy now?",
            POINTS,
            lambda result: _cost(result, 1),
            lambda result: _beside(result, 1),
            unit="points",
            needs={"readout_time": 12, "statistics": OWN, "mask": "noise", "targets": "1", "shortcut": OWN},
            within=2.5,
        ),
        "other-statistics": Guess(
            "other statistics",
            "Take the statistics from flashes without a mask, everything else as it opened. By how many points does "
            "noise at SOA 1 lower accuracy now?",
            POINTS,
            lambda result: _cost(result, 1),
            lambda result: (
                f"{_beside(result, 1)} Weights and images are the same as before: what changed is only "
                "what each feature is normalized by. A cost that comes and goes with the statistics says nothing about "
                "interruption."
            ),
            unit="points",
            needs={"readout_time": 8, "statistics": FLASHES, "mask": "noise", "targets": "1", "shortcut": OWN},
            within=2.5,
        ),
    }
    ACTION: ClassVar[str] = "show all conditions"

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
        first = arrival(subject.model.graph)
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}
        own = _shortcut(subject.model)
        trained = OWN if own is None else f"{OWN} ({own:g})"
        controls = {
            "mask": widgets.Dropdown(options=MASKS, description="mask", layout=widgets.Layout(width="180px"), **wide),
            "targets": widgets.Dropdown(
                options=["1", "2", BESIDE],
                description="target lasts (steps)",
                layout=widgets.Layout(width="330px"),
                **wide,
            ),
            "readout_time": widgets.Dropdown(
                options=sorted({subject.model.readout_time, *range(first + 1, 3 * subject.model.readout_time + 1)}),
                value=subject.model.readout_time,
                description="read out at t =",
                layout=widgets.Layout(width="160px"),
                **wide,
            ),
            "statistics": widgets.Dropdown(
                options=[OWN, TRIALS, FLASHES],
                description="statistics from",
                layout=widgets.Layout(width="290px"),
                **wide,
            ),
            "shortcut": widgets.Dropdown(
                options=[
                    (trained, OWN),
                    *((one, one) for one in WEIGHTS if own is not None and float(one) != own),
                ],
                description="shortcut weight λ",
                layout=widgets.Layout(width="270px"),
                **wide,
            ),
        }
        super().__init__(subject, controls, question)

    def why_not(self, choices: Mapping[str, Any]) -> str:
        """Say that the model has no statistics for such masks, where it is to be run with its own."""
        if choices["statistics"] == OWN and not self._soas(choices):
            return f"the model was not trained with such masks: take the statistics from «{TRIALS}»"
        return ""

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Run the grid on the model, and on its feedforward sibling where that has such statistics."""
        sibling, soas = self.who.sibling, self._soas(choices)
        models = {"recurrent": self._weighed(choices, soas, told)}
        if sibling is not None and choices["statistics"] != FLASHES and self._knows(sibling, choices, soas):
            models["feedforward"] = sibling
        done = []
        for place, (name, model) in enumerate(models.items()):

            def report(share: float, words: str, place: int = place, name: str = name) -> None:
                told((place + share) / len(models), f"{name}: {words}")

            done.append(self._one(model, choices, soas, report))
        both = xr.concat(done, "model", combine_attrs="override", data_vars="all", coords="different", compat="equals")
        names = xr.Variable("model", list(models), {"long_name": "model"})
        return both.assign_coords(model=names).assign_attrs(n=self.who.n, shortcut=choices["shortcut"])

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw a curve for each model; people beside it where they saw the same."""
        beside = "tang-2018" if "duration" not in result.dims else None
        figures = {}
        for name in result["model"].values.tolist():
            one = result.sel(model=name, drop=True)
            one["accuracy"].attrs = result["accuracy"].attrs
            if bool(one["accuracy"].isnull().all()):
                continue
            title = f"{name} model: what a mask costs"
            figures[name] = masking_curve(one, beside=beside, title=title)
        # one scale for all models, or the eye would take a small cost of the one for a large one of the other
        heights = np.concatenate(
            [np.array(trace.y, dtype=float) for figure in figures.values() for trace in figure.data]
            or [np.array([0.0])]
        )
        for figure in figures.values():
            figure.update_yaxes(range=[np.nanmin(heights) - 0.03, np.nanmax(heights) + 0.03])
        return figures

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the models side by side where there is room."""
        beside = widgets.Layout(flex="1 1 430px", min_width="0")
        row = [widgets.Box([Live(figure)], layout=beside) for figure in figures.values()]
        return [widgets.Box(row, layout=widgets.Layout(flex_flow="row wrap", width="100%"))]

    def say(self, result: xr.Dataset) -> str:
        """Say what the mask, and the target as its own mask, cost at the first SOA."""
        first = int(result["soa"][0])
        at = _recurrent(result, first)
        noise = at.isel(mask=0)
        text = (
            f"At SOA {first}, read at t = {result.attrs['readout_time']}: {float(noise):.1%} right after "
            f"{noise['mask'].item()}, {float(at.sel(mask='target')):.1%} after the target as its own mask, "
            f"{float(at.sel(mask='blank')):.1%} without a mask ({result.attrs['n']} images)."
        )
        if result.attrs["shortcut"] != OWN:
            text += (
                f" λ was set to {result.attrs['shortcut']} in the recurrent model; its weights were trained with "
                f"{_shortcut(self.who.model):g}, so this says what the trained model rests on, not what one trained "
                "with that λ would do."
            )
        if "feedforward" in result["model"].values:
            text += (
                " The feedforward sibling keeps nothing: after a flash it holds the target for as long as that lasted, "
                "and then whatever came next."
            )
        return text

    @property
    def who(self) -> Subject:
        """Who is studied."""
        assert self.subject is not None
        return self.subject

    def _soas(self, choices: Mapping[str, Any]) -> list[int]:
        """List the SOAs: all, or those for which the model has statistics, of every control too."""
        duration = 1 if choices["targets"] == BESIDE else int(choices["targets"])
        possible = [soa for soa in SOAS if soa >= duration and soa < choices["readout_time"]]
        if choices["statistics"] != OWN or self.who.model.normalization == "none":
            return possible
        return [soa for soa in possible if self._knows(self.who.model, choices, [soa])]

    def _weighed(self, choices: Mapping[str, Any], soas: Sequence[int], told: Told) -> Cortex:
        """Return the model, or a copy with another λ, whose statistics are taken anew as the model's own were."""
        model = self.who.model
        if choices["shortcut"] == OWN:
            return model
        changed = with_shortcut(model, float(choices["shortcut"]))
        own = self._serving(model, choices, soas)
        if choices["statistics"] == OWN and own is not None:
            told(0.0, f"λ = {choices['shortcut']}: taking its statistics")
            calibrate(changed, self.who.training(N_CALIBRATION), own.presentation, until=choices["readout_time"])
        return changed

    @classmethod
    def _knows(cls, model: Cortex, choices: Mapping[str, Any], soas: Sequence[int]) -> bool:
        """Whether one set of a model's statistics serves all conditions."""
        return choices["statistics"] != OWN or cls._serving(model, choices, soas) is not None

    @staticmethod
    def _serving(model: Cortex, choices: Mapping[str, Any], soas: Sequence[int]) -> Statistics | None:
        """Find the statistics of a model that serve all conditions."""
        shown: list[Presentation] = []
        for soa in soas:
            duration = soa if choices["targets"] == BESIDE else int(choices["targets"])
            shown += [masked(duration, soa, choices["mask"]), masked(duration, soa, "target"), flash(duration)]
        for held in model.statistics.values():
            if held.until >= choices["readout_time"] and all(held.presentation.contains(one) for one in shown):
                return held
        return None

    def _one(self, model: Cortex, choices: Mapping[str, Any], soas: Sequence[int], told: Told) -> xr.Dataset:
        images = self.who.images
        some = self.who.training(N_CALIBRATION)
        until_mask = choices["targets"] == BESIDE
        durations = list(soas) if until_mask else [int(choices["targets"])]
        given: dict[str, Any] = {}
        if choices["statistics"] == TRIALS:
            given["calibrate_on"] = some
        elif choices["statistics"] == FLASHES:
            flashes = mixture(*map(flash, durations))
            told(0.0, f"taking statistics from «{flashes}»")
            given["statistics"] = calibrate(model, some, flashes, until=choices["readout_time"], keep=False)
        table = protocols.masking(
            model,
            images,
            soas=soas,
            masks=[choices["mask"]],
            durations="soa" if until_mask else durations,
            readout_time=choices["readout_time"],
            told=told,
            **given,
        )
        assert isinstance(table, xr.Dataset)
        return table
