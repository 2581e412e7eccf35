"""Criteria of the predictions, apart from the measurements that they are applied to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import xarray as xr

from cortexsim._support.percentages import percent
from cortexsim.paper.experiments.states import MATCHED, MORE
from cortexsim.paper.predictions.verdict import (
    SEEDS,
    UNDECIDED,
    Finding,
    Measured,
    NoRecordError,
    Prediction,
    Records,
    accuracy_of,
    arrival_time,
    chance_of,
    decided,
    measured,
    optional,
    own_time,
    without_sign,
)

# two accuracies over 1,000 stimuli differ by up to 4.4 percentage points by chance (95 %): 1.96 * sqrt(2 * 0.25 / 1000)
CLEAR = 0.05
# largest cost of the target as its own mask, as a fraction of the cost of noise
OWN_MASK = 0.5
SOAS = (1, 2, 3, 4, 6)
# a difference of two fractions of 1,000 stimuli is 0 or at least 0.001
ROUNDING = 1e-9
# a comparison of networks needs reference networks that are at least this accurate
REFERENCE = 0.75
SINGLE_STATE = "1-state ResNet"
NETWORKS_COUNT = (
    f" Every network that the others are compared with reaches {percent(REFERENCE)}, over at least {SEEDS} seeds; "
    "otherwise there is no verdict."
)


def _deep_control(records: Records, model: str) -> Measured:
    name = f"{model}-feedforward-deep"
    label = "feedforward control of twice the convolutions, on arrival"
    if name not in records.cards:
        return Measured(label, np.nan, np.nan, np.nan, 0)
    return optional(records, label, name, "flash:1", arrival_time(records, name))


def _growth(records: Records, model: str) -> Finding:
    control_model = f"{model}-feedforward"
    arrival, own = arrival_time(records, model), own_time(records, model)
    first, last = (accuracy_of(records, model, "flash:1", time) for time in (arrival, own))
    at_arrival = accuracy_of(records, control_model, "flash:1", arrival)
    later = optional(records, f"feedforward control, t = {own}", control_model, "flash:1", own)
    deep = _deep_control(records, model)
    growth = last - first
    # without a later readout, a control model cannot gain
    alone = later.seeds == 0 or later.mean - at_arrival.mean() < CLEAR
    yes = (
        f"Every seed gains at least {100 * growth.min():.0f} percentage points; relative to the best of the "
        "feedforward control, on arrival, the gain is "
        f"{100 * (last.mean() - at_arrival.mean()):+.0f} percentage points."
    )
    if deep.seeds and deep.mean >= last.mean() - CLEAR:
        yes += (
            f" But depth does the same: a feedforward control with twice the convolutions between areas and about as "
            f"many parameters reaches {percent(deep.mean, 1)} on arrival. The growth shows that this model uses its "
            "time, not that the task needs it."
        )
    if not alone:
        no = "The feedforward control grows as well, so recurrence is not the reason."
    else:
        no = (
            f"From arrival to its readout time the model changes by {100 * growth.mean():+.1f} percentage points: this "
            f"task is solved on arrival, where the feedforward control reaches {percent(at_arrival.mean(), 1)}."
        )
    verdict, why = decided(bool((growth >= CLEAR).all()) and alone, len(growth), yes, no)
    return Finding(
        verdict,
        why,
        (
            measured(f"flash:1, on arrival (t = {arrival})", first),
            measured(f"flash:1, at the readout time (t = {own})", last),
            measured("growth, seed by seed", growth, True),
        ),
        (
            measured(f"feedforward control, on arrival (t = {arrival})", at_arrival),
            later,
            *((deep,) if deep.seeds else ()),
        ),
    )


def _losses(records: Records, model: str, time: int) -> dict[int, np.ndarray]:
    """Return the cost of noise for each SOA whose mask can arrive by that time; one value for each seed."""
    flash = accuracy_of(records, model, "flash:1", time)
    # a mask enters at its SOA and needs as long as the image to arrive
    reaching = [soa for soa in SOAS if soa + arrival_time(records, model) <= time]
    return {soa: flash - accuracy_of(records, model, f"masked:1:{soa}", time) for soa in reaching}


def _masking(records: Records, model: str) -> Finding:
    own = own_time(records, model)
    late = own * 3 // 2
    flash, at_arrival = (accuracy_of(records, model, "flash:1", time) for time in (own, arrival_time(records, model)))
    losses, later = _losses(records, model, own), _losses(records, model, late)
    target = flash - accuracy_of(records, model, "masked:1:1:target", own)
    first, last = losses[min(losses)], losses[max(losses)]
    means, means_later = (np.array([values.mean() for values in one.values()]) for one in (losses, later))
    loses = bool((first > ROUNDING).all())
    shrinks = bool((first > last + ROUNDING).all()) and bool((np.diff(means) <= ROUNDING).all())
    spared = bool((np.abs(target) < OWN_MASK * first).all())
    yes = [
        f"Every seed loses at SOA 1: {100 * first.min():.1f} to {100 * first.max():.1f} percentage points at "
        f"t = {own}, "
        f"of the {100 * (flash - at_arrival).mean():.0f} that were gained since arrival."
    ]
    if means[1:].max() < 0.1 * means[0]:
        yes.append(
            "At longer SOAs the loss is less than a tenth of that: at this time it is a step, not a graded curve."
        )
    if flash.mean() > 1 - CLEAR:
        yes.append(f"Accuracy without a mask, {percent(flash.mean(), 1)}, is at a ceiling that hides small effects.")
    if means_later[0] > means[0] and (np.diff(means_later) <= ROUNDING).all():
        yes.append(
            f"Read later than it was trained to, at t = {late}, the loss is larger and graded: "
            f"{', '.join(without_sign(value, False) for value in means_later)} percentage points at SOA "
            f"{', '.join(map(str, later))}."
        )
    broken = [
        text
        for fine, text in (
            (loses, "not every seed loses at SOA 1"),
            (shrinks, "the loss does not shrink as the SOA grows"),
            (spared, "the target as its own mask costs half as much as noise, or more"),
        )
        if not fine
    ]
    verdict, why = decided(not broken, len(flash), " ".join(yes), f"Against it: {'; '.join(broken)}.")
    numbers = [measured(f"flash:1, no mask, t = {own}", flash)]
    numbers += [measured(f"noise at SOA {soa}: change, t = {own}", -values, True) for soa, values in losses.items()]
    numbers += [
        measured(f"noise at SOA {soa}: change, t = {late}, not judged", -values, True) for soa, values in later.items()
    ]
    return Finding(verdict, why, tuple(numbers), tuple(_masking_controls(records, model, own, late, losses)))


def _masking_controls(
    records: Records, model: str, own: int, late: int, losses: Mapping[int, np.ndarray]
) -> list[Measured]:
    """Measure the target as its own mask, and masks that arrive after the readout time."""
    controls = []
    for time in (own, late):
        target, flash = (accuracy_of(records, model, shown, time) for shown in ("masked:1:1:target", "flash:1"))
        controls.append(measured(f"target as its own mask, SOA 1: change, t = {time}", target - flash, True))
    controls += [
        optional(records, f"SOA {soa}, whose mask arrives after t = {own}", model, f"masked:1:{soa}", own)
        for soa in SOAS
        if soa not in losses
    ]
    return controls


def _interruption(records: Records, model: str) -> Finding:
    control_model, own = f"{model}-feedforward", own_time(records, model)
    noise, target = "masked:1:1", "masked:1:1:target"
    # conditions that both models can be compared in at one time: a mask at the same onset, noise or the target
    apart = {
        name: accuracy_of(records, name, noise, own) - accuracy_of(records, name, target, own)
        for name in (model, control_model)
    }
    numbers = (
        measured(f"model: noise rather than the target again at SOA 1, t = {own}", apart[model], True),
        measured(f"feedforward control: the same, t = {own}", apart[control_model], True),
    )
    control = optional(
        records, f"feedforward control, flash:1 without a mask, t = {own}", control_model, "flash:1", own
    )
    if control.seeds == 0:
        return Finding(
            UNDECIDED,
            f"After a flash the feedforward control has a readout on arrival only, before any mask, and by t = {own} "
            "noise has overwritten the image: it classifies the mask, and its larger loss is not an interruption. So "
            "there is no time at which the two can be compared; the model keeps the image, and loses less.",
            numbers,
            (control,),
        )
    losses = [
        accuracy_of(records, name, "flash:1", own) - accuracy_of(records, name, noise, own)
        for name in (model, control_model)
    ]
    verdict, why = decided(
        bool(losses[0].min() > losses[1].max() + ROUNDING),
        min(map(len, losses)),
        "Every seed of the model loses more than every seed of its feedforward control.",
        "The feedforward control loses as much: the mask does not act on recurrent computation.",
    )
    labels = ("model: noise at SOA 1, change", "feedforward control: noise at SOA 1, change")
    changes = [measured(label, -loss, True) for label, loss in zip(labels, losses, strict=True)]
    return Finding(verdict, why, (*changes, *numbers), (control,))


def _readout_times(records: Records, model: str) -> Finding:
    own, chance = own_time(records, model), chance_of(records, model)
    at_own = accuracy_of(records, model, "sustained", own)
    others = {time: accuracy_of(records, model, "sustained", time) for time in (own * 3 // 2, own * 3)}
    able = all(bool((values > chance + CLEAR).all()) for values in others.values())
    less = all(bool((values < at_own - ROUNDING).all()) for values in others.values())
    lowest = min(float(values.min()) for values in others.values())
    costs = " and ".join(
        f"{100 * (at_own - values).mean():.1f} percentage points at t = {time}" for time, values in others.items()
    )
    yes = (
        f"Trained to t = {own}, it loses {costs} on average; the lowest seed reaches {percent(lowest, 1)} there, the "
        f"best constant answer {percent(chance, 1)}."
    )
    no = (
        "At one of the other times a seed is at chance."
        if not able
        else f"It is better than chance at other times, but not less accurate than at its own in every seed ({costs})."
    )
    verdict, why = decided(able and less, len(at_own), yes, no)
    numbers = [measured(f"sustained, its own time, t = {own}", at_own)]
    numbers += [measured(f"sustained, t = {time}", values) for time, values in others.items()]
    control_model = optional(
        records, f"feedforward control, t = {own * 3}", f"{model}-feedforward", "sustained", own * 3
    )
    return Finding(verdict, why, tuple(numbers), (control_model,))


def _errors(records: Records, name: str) -> xr.DataArray:
    if name not in records.results:
        raise NoRecordError(
            f"No result of the experiment {name} ships. To make one: cortexsim experiment {name} --scale laptop"
        )
    result = records.results[name]
    if str(result.attrs["scale"]).startswith("smoke"):
        raise NoRecordError(f"The result of {name} that ships is a smoke test, trained too briefly for a comparison.")
    # a seed of which a training diverged compares nothing
    return result["error"].dropna("seed", how="any")


def _sharing(records: Records) -> Finding:
    error = _errors(records, "weight-sharing")
    names = [str(name).removesuffix(", shared") for name in error["model"].values if str(name).endswith(", shared")]
    shared, own = (
        {name: error.sel(model=f"{name}, {how}").values for name in names} for how in ("shared", "not shared")
    )
    costs = {name: shared[name] - own[name] for name in names}
    cost = {name: float(values.mean()) for name, values in costs.items()}
    worst = max(cost, key=cost.__getitem__)
    references = {f"{name}, not shared": 1 - values for name, values in own.items()}
    verdict, why = _decided_by_networks(
        cost[worst] < CLEAR,
        references,
        error.sizes["seed"],
        f"Sharing costs at most {100 * cost[worst]:.1f} percentage points ({worst}).",
        f"Sharing costs {100 * cost[worst]:.1f} percentage points in {worst}.",
    )
    return Finding(
        verdict,
        why,
        tuple(measured(f"{name}: cost of sharing", values, True) for name, values in costs.items()),
        tuple(measured(name, values) for name, values in references.items()),
    )


def _more_states(records: Records) -> Finding:
    accuracy = 1 - _errors(records, "more-states")
    found = {str(name): accuracy.sel(model=name).values for name in accuracy["model"].values}
    references = {name: values for name, values in found.items() if name.startswith(SINGLE_STATE)}
    several = {name: values for name, values in found.items() if name not in references}
    if references:
        # they are as large as this one
        compared = {name: values for name, values in several.items() if name == MORE[MATCHED]}
    elif _comparable(records):
        references, compared = _ordinary_resnet(records), several
    else:
        return Finding(
            UNDECIDED,
            "The results of more-states and of weight-sharing differ in data or scale.",
            tuple(measured(name, values) for name, values in several.items()),
            (),
        )
    best = max(float(values.mean()) for values in references.values())
    verdict, why = _decided_by_networks(
        all(float(values.mean()) > best for values in compared.values()),
        references,
        accuracy.sizes["seed"],
        f"{_listed(compared)}: more accurate than each network of a single state.",
        f"{_listed(compared)}: not more accurate than each network of a single state.",
    )
    return Finding(
        verdict,
        why,
        tuple(measured(name, values) for name, values in several.items()),
        tuple(measured(name, values) for name, values in references.items()),
    )


def _comparable(records: Records) -> bool:
    """Return True if weight-sharing has no result, which is said elsewhere, or has data and scale of more-states."""
    found = [records.results[name].attrs for name in ("more-states", "weight-sharing") if name in records.results]
    return all(found[0][key] == other[key] for other in found for key in ("data", "scale"))


def _ordinary_resnet(records: Records) -> dict[str, np.ndarray]:
    """Return the accuracy of the single-state network of the experiment weight-sharing, on the same data."""
    error = _errors(records, "weight-sharing")
    name = f"{SINGLE_STATE}, not shared"
    return {name: 1 - error.sel(model=name).values}


def _listed(networks: Mapping[str, np.ndarray]) -> str:
    return ", ".join(networks)


def _decided_by_networks(
    met: bool, references: Mapping[str, np.ndarray], seeds: int, yes: str, no: str
) -> tuple[str, str]:
    """Return the verdict of a comparison of networks, and why; networks that hardly learn decide nothing."""
    n = min(seeds, *(len(values) for values in references.values()))
    if n < SEEDS:
        return (
            UNDECIDED,
            f"A comparison of networks needs {SEEDS} seeds, but only {n} are available. {yes if met else no}",
        )
    accuracy = {name: float(values.mean()) for name, values in references.items()}
    worst = min(accuracy, key=accuracy.__getitem__)
    if accuracy[worst] < REFERENCE:
        return UNDECIDED, (
            f"{worst} reaches {percent(accuracy[worst], 1)}, less than the {percent(REFERENCE)} from which a "
            f"comparison counts. {yes if met else no}"
        )
    return decided(met, n, yes, no)


_GROWS = "Accuracy grows with time after a brief flash, even without a mask."
_GROWS_IF = (
    f"After flash:1, every seed is at least {100 * CLEAR:.0f} percentage points more accurate at its readout time than "
    "on arrival, and the feedforward control does not grow."
)
_GROWTH_FAKED = (
    "One readout serves all times, and training weighs them all: early times may contain more than it reads, and no "
    "time was decoded by itself. The seeds are tested on the same stimuli."
)
_OTHER_TIMES = "A model trained to one readout time works at others, less accurately than at its own."
_OTHER_TIMES_IF = (
    f"The image is sustained. At one and a half and at three times its readout time every seed is more than "
    f"{100 * CLEAR:.0f} percentage points better than the best constant answer, and less accurate than at its own."
)
_OTHER_TIMES_FAKED = (
    "The statistics of batch normalization at the later times were taken afterwards, on training images: without "
    "them there is no readout. While an image is sustained, a feedforward model does the same at all times, so it "
    "passes the first half trivially. Earlier times were trained, so they are not other times."
)

PREDICTIONS = (
    Prediction(
        1,
        "growth, contours",
        _GROWS,
        _GROWS_IF,
        _GROWTH_FAKED,
        partial(_growth, model="ventral-stream-contours"),
    ),
    Prediction(
        1,
        "growth, digits",
        _GROWS,
        _GROWS_IF,
        _GROWTH_FAKED,
        partial(_growth, model="ventral-stream-digits"),
    ),
    Prediction(
        2,
        "masking, contours",
        "A mask after a brief flash lowers accuracy, more so at a short stimulus-onset asynchrony (SOA).",
        "All read at one time, the readout time. Every seed loses at SOA 1 relative to flash:1, and more than at the "
        "longest SOA that can reach the readout; the mean loss never rises with SOA; in every seed the target as its "
        f"own mask costs less than {OWN_MASK:g} times as much as noise.",
        "The readout saw these masks in training. A mask that is merely added to the activity of the states lowers "
        "accuracy in the same way, without interrupting anything.",
        partial(_masking, model="ventral-stream-contours"),
    ),
    Prediction(
        2,
        "masking is interruption, contours",
        "The mask lowers accuracy because it interrupts recurrent computation.",
        "Read at one time at which both have a readout with and without the mask, every seed of the model loses more "
        "at SOA 1 than every seed of the feedforward control.",
        "In a feedforward model a mask overwrites: any time after its arrival reads the mask, any time before it "
        "cannot show an effect.",
        partial(_interruption, model="ventral-stream-contours"),
    ),
    Prediction(
        3,
        "other readout times, contours",
        _OTHER_TIMES,
        _OTHER_TIMES_IF,
        _OTHER_TIMES_FAKED,
        partial(_readout_times, model="ventral-stream-contours"),
    ),
    Prediction(
        4,
        "sharing",
        "Sharing weights over time costs little accuracy.",
        f"In every network of the experiment weight-sharing, the mean error over seeds rises by less than "
        f"{100 * CLEAR:.0f} percentage points." + NETWORKS_COUNT,
        "Networks that are trained too briefly are all inaccurate, shared or not.",
        _sharing,
    ),
    Prediction(
        4,
        "more states",
        "More states beat deeper networks of a single state.",
        f"In the experiment more-states, {MORE[MATCHED]} has a lower mean error than ordinary 1-state ResNets of as "
        "many parameters and of as many multiplications. Where these were not run, every network has a lower mean "
        "error than the 1-state ResNet, not shared, of weight-sharing, on the same data." + NETWORKS_COUNT,
        "The networks of several states have a different pre-net; without the 1-state ResNets of equal size, they also "
        "differ in their numbers of parameters.",
        _more_states,
    ),
)
