"""A panel on masking: accuracy by SOA, with its controls, at a readout time and with statistics of choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import protocols
from cortexsim._support.percentages import percent
from cortexsim._support.progress import Report
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu
from cortexsim.explore.panel.script import Name, call, inside, script, subject_lines, training_line
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.studies import masking_questions
from cortexsim.explore.studies.masking_questions import FLASHES, OWN, TRIALS, recurrent_accuracy
from cortexsim.explore.studies.model_comparison import measure_each
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import arrival
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.model.shortcut import with_shortcut
from cortexsim.plot import masking_curve, narrowed
from cortexsim.stimuli.masks import MASKS
from cortexsim.stimuli.presentation import Presentation, flash, masked, mixture

SOAS = (1, 2, 3, 4, 6, 8)
UNTIL_MASK = "duration = SOA, as for people"
WEIGHTS = ("0", "0.25", "0.5", "0.75", "1")
N_CALIBRATION = 200
WIDTH = 60  # characters of a line of text in one of two figures


def _shortcut(model: Cortex) -> float | None:
    """Return the weight of the identity shortcuts; None where there are none, or several."""
    try:
        return model.graph.shortcut
    except ValueError:
        return None


class Masking(SubjectStudy):
    """A masking curve: accuracy after a flash and a mask, by stimulus-onset asynchrony (SOA), with three controls.

    The controls are the same flash without a mask, the target as its own mask, and a feedforward model.

    The arguments are those of `SubjectStudy`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Masking("contours", question="")
    >>> sorted(panel.choices)
    ['mask', 'readout_time', 'shortcut', 'statistics', 'targets']
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = masking_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = masking_questions.EXERCISES
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "targets": {"duration = SOA, beside people": UNTIL_MASK}
    }
    ACTION: ClassVar[str] = "show all conditions"
    MORE: ClassVar[tuple[str, ...]] = ("targets", "statistics", "shortcut")

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the mask, the target's duration, the readout time, the statistics and the shortcut weight."""
        trained, own = subject.model.readout_time, _shortcut(subject.model)
        readout_times = sorted({trained, *range(arrival(subject.model.graph) + 1, 3 * trained + 1)})
        as_trained = (OWN if own is None else f"{OWN} ({own:g})", OWN)
        others = [(weight, weight) for weight in WEIGHTS if own is not None and float(weight) != own]
        patterns = [name for name, mask in MASKS.items() if not mask.whole_picture]
        return {
            "mask": Menu("mask", patterns, width_px=195),
            "targets": Menu("target lasts (steps)", ["1", "2", UNTIL_MASK], width_px=360),
            "readout_time": Menu("read out at t =", readout_times, trained, width_px=175),
            "statistics": Menu("statistics from", [OWN, TRIALS, FLASHES], width_px=315),
            "shortcut": Menu("shortcut weight λ", [as_trained, *others], width_px=295),
        }

    def why_not(self, choices: Chosen) -> str:
        """Say that the model has no statistics of its own for such masks."""
        if choices["statistics"] == OWN and not self._soas(choices):
            return f"the model was not trained with such masks: set «statistics from» to «{TRIALS}»"
        return ""

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Run all conditions on the model, and on the feedforward control if it has such statistics."""
        soas, models = self._soas(choices), {}
        for name in self._compared(choices, soas):
            control = self.who.control if name == "feedforward" else None
            models[name] = self._with_shortcut(choices, soas, report) if control is None else control
        table = measure_each(models, lambda model, of_model: self._curve(model, choices, soas, of_model), report)
        return table.assign_attrs(n=self.who.n, shortcut=choices["shortcut"])

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw a curve for each model, with human data if there are any for the same conditions."""
        if self.covered("itself"):
            result = result.sel(mask=[name for name in result["mask"].values.tolist() if name != "target"])
        people = "tang-2018" if "duration" not in result.dims else None
        figures = {}
        for name in result["model"].values.tolist():
            one = result.sel(model=name, drop=True)
            one["accuracy"].attrs = result["accuracy"].attrs
            if bool(one["accuracy"].isnull().all()):
                continue
            title = f"{name} model: what a mask costs"
            figures[name] = narrowed(masking_curve(one, humans=people, title=title), height=400, width=WIDTH)
        # one scale for all models: with separate scales, a small cost in one would look like a large one in another
        heights = np.concatenate(
            [np.array(trace.y, dtype=float) for figure in figures.values() for trace in figure.data]
            or [np.array([0.0])]
        )
        # and one height, whose plots begin below the longest of the captions
        top = max((figure.layout.margin.t for figure in figures.values()), default=0)
        for figure in figures.values():
            figure.update_yaxes(range=[np.nanmin(heights) - 0.03, np.nanmax(heights) + 0.03])
            figure.update_layout(margin_t=top)
        return figures

    def script(self, choices: Chosen) -> str:
        """Write one call of the protocol for each model."""
        soas, who, readout_time = self._soas(choices), self.who, choices["readout_time"]
        until_mask, own = choices["targets"] == UNTIL_MASK, choices["statistics"] == OWN
        compared = self._compared(choices, soas)
        durations = list(soas) if until_mask else [int(choices["targets"])]
        named: dict[str, Any] = {"soas": soas, "masks": [choices["mask"]]}
        named |= {"durations": "soa" if until_mask else durations, "readout_time": readout_time}
        if choices["statistics"] == TRIALS:
            named["calibrate_on"] = Name("training")
        elif choices["statistics"] == FLASHES and who.model.needs_statistics:
            flashes = mixture(*map(flash, durations))
            taken = call("cs.calibrate", Name("model"), Name("training"), flashes, until=readout_time, keep=False)
            named["statistics"] = Name(taken)
        lines = subject_lines(who, control="feedforward" in compared)
        serving = self._serving(who.model, choices, soas) if own and choices["shortcut"] != OWN else None
        if not own or serving is not None:
            lines.append(training_line(who, N_CALIBRATION))
        if choices["shortcut"] != OWN:
            lines.append(f"model = {call('cs.with_shortcut', Name('model'), float(choices['shortcut']))}")
        if serving is not None:
            lines.append(
                call("cs.calibrate", Name("model"), Name("training"), serving.presentation, until=readout_time)
            )
        measured = call("cs.protocols.masking", Name("model"), Name("images"), **named).splitlines()
        humans = {"humans": "tang-2018"} if until_mask else {}
        drawn = call("cs.plot.masking_curve", Name("table"), **humans)
        return script(
            *lines,
            "",
            "",
            "def measured(model):",
            *inside("\n".join([f"return {measured[0]}", *measured[1:]])),
            "",
            "",
            f"tables = {{{', '.join(f'{name!r}: measured({variable})' for name, variable in compared.items())}}}",
            f"figures = {{name: {drawn} for name, table in tables.items()}}",
            'figures["recurrent"]',
        )

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the models side by side if there is room."""
        column = widgets.Layout(flex="1 1 430px", min_width="0")
        row = [widgets.Box([Live(figure)], layout=column) for figure in figures.values()]
        return [widgets.Box(row, layout=widgets.Layout(flex_flow="row wrap", width="100%"))]

    def say(self, result: xr.Dataset) -> str:
        """Report the accuracy at the first SOA after the mask, after the target as its own mask, and without a mask."""
        first = int(result["soa"][0])
        at = recurrent_accuracy(result, first)
        noise = at.isel(mask=0)
        target = f"{percent(float(at.sel(mask='target')), 1)} after the target as its own mask, "
        if self.covered("itself"):
            target = ""
        masked = f"{percent(float(noise), 1)} right after {noise['mask'].item()}, {target}"
        if bool(noise.isnull()):
            masked = f"a mask has no effect to measure, because it cannot have reached {self.who.model.graph.last}; "
        numbers = (
            f"At SOA {first}, read at t = {result.attrs['readout_time']}: {masked}"
            f"{percent(float(at.sel(mask='blank')), 1)} without a mask ({result.attrs['n']} images)."
        )
        # the verdict above has the same numbers
        said = [] if self.ask.states(result) else [numbers]
        if result.attrs["shortcut"] != OWN:
            said.append(
                f"λ was set to {result.attrs['shortcut']} in the recurrent model; its weights were trained with "
                f"{_shortcut(self.who.model):g}. This shows how the trained model depends on λ, not what a model "
                "trained with that λ would do."
            )
        if "feedforward" in result["model"].values:
            said.append(
                "The feedforward control has no memory: it represents the target for as long as the target lasted, "
                "and then whatever came next."
            )
        return " ".join(said)

    def _soas(self, choices: Chosen) -> list[int]:
        """List the SOAs: all, or those for which the model has statistics, for every control too."""
        duration = 1 if choices["targets"] == UNTIL_MASK else int(choices["targets"])
        possible = [soa for soa in SOAS if soa >= duration and soa < choices["readout_time"]]
        if choices["statistics"] != OWN:
            return possible
        return [soa for soa in possible if self._knows(self.who.model, choices, [soa])]

    def _compared(self, choices: Chosen, soas: Sequence[int]) -> dict[str, str]:
        """Return the models that are compared, with the variables of the script."""
        control, found = self.who.control, {"recurrent": "model"}
        if control is not None and choices["statistics"] != FLASHES and self._knows(control, choices, soas):
            found["feedforward"] = "control"
        return found

    def _with_shortcut(self, choices: Chosen, soas: Sequence[int], report: Report) -> Cortex:
        """Return the model, or a copy with another λ and statistics taken in the same way as the model's own."""
        model = self.who.model
        if choices["shortcut"] == OWN:
            return model
        changed = with_shortcut(model, float(choices["shortcut"]))
        own = self._serving(model, choices, soas)
        if choices["statistics"] == OWN and own is not None:
            report(0.0, f"λ = {choices['shortcut']}: taking its statistics")
            calibrate(changed, self.who.training(N_CALIBRATION), own.presentation, until=choices["readout_time"])
        return changed

    @classmethod
    def _knows(cls, model: Cortex, choices: Chosen, soas: Sequence[int]) -> bool:
        """Return whether a single set of a model's statistics covers all conditions."""
        if choices["statistics"] != OWN or not model.needs_statistics:
            return True
        return cls._serving(model, choices, soas) is not None

    @staticmethod
    def _serving(model: Cortex, choices: Chosen, soas: Sequence[int]) -> Statistics | None:
        """Find the statistics of a model that cover all conditions."""
        shown: list[Presentation] = []
        for soa in soas:
            duration = soa if choices["targets"] == UNTIL_MASK else int(choices["targets"])
            shown += [masked(duration, soa, choices["mask"]), masked(duration, soa, "target"), flash(duration)]
        for taken in model.statistics.values():
            if taken.until >= choices["readout_time"] and all(taken.presentation.contains(one) for one in shown):
                return taken
        return None

    def _curve(self, model: Cortex, choices: Chosen, soas: Sequence[int], report: Report) -> xr.Dataset:
        images = self.who.images
        training = self.who.training(N_CALIBRATION)
        until_mask = choices["targets"] == UNTIL_MASK
        durations = list(soas) if until_mask else [int(choices["targets"])]
        options: dict[str, Any] = {}
        if choices["statistics"] == TRIALS:
            options["calibrate_on"] = training
        elif choices["statistics"] == FLASHES and model.needs_statistics:
            flashes = mixture(*map(flash, durations))
            report(0.0, f"taking statistics from «{flashes}»")
            options["statistics"] = calibrate(model, training, flashes, until=choices["readout_time"], keep=False)
        table = protocols.masking(
            model,
            images,
            soas=soas,
            masks=[choices["mask"]],
            durations="soa" if until_mask else durations,
            readout_time=choices["readout_time"],
            report=report,
            **options,
        )
        assert isinstance(table, xr.Dataset)
        return table
