"""The criteria: what would settle each prediction, written as data and apart from what was measured."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from cortexsim.paper.predictions.verdict import (
    CANNOT_BE_TOLD,
    Finding,
    Measured,
    NoRecordError,
    Prediction,
    Records,
    accuracy_of,
    arrival_time,
    chance_of,
    if_any,
    measured,
    own_time,
    percent,
    settled,
)

# two accuracies over 1,000 stimuli differ by up to 4.4 points by chance (95 %): 1.96 * sqrt(2 * 0.25 / 1000)
CLEAR = 0.05
# the target as its own mask may cost at most this share of what noise costs
OWN_MASK = 0.5
SOAS = (1, 2, 3, 4, 6)
# a difference of two fractions of 1,000 stimuli is 0 or at least 0.001
ROUNDING = 1e-9


def _deep_sibling(records: Records, model: str) -> Measured:
    name = f"{model}-feedforward-deep"
    label = "feedforward sibling of twice the convolutions, on arrival"
    if name not in records.cards:
        return Measured(label, np.nan, np.nan, np.nan, 0)
    return if_any(records, label, name, "flash:1", arrival_time(records, name))


def _growth(records: Records, model: str) -> Finding:
    sibling = f"{model}-feedforward"
    arrival, own = arrival_time(records, model), own_time(records, model)
    first, last = (accuracy_of(records, model, "flash:1", time) for time in (arrival, own))
    at_arrival = accuracy_of(records, sibling, "flash:1", arrival)
    later = if_any(records, f"feedforward sibling, t = {own}", sibling, "flash:1", own)
    deep = _deep_sibling(records, model)
    growth = last - first
    # without a later readout, a sibling cannot grow
    alone = later.seeds == 0 or later.mean - at_arrival.mean() < CLEAR
    yes = (
        f"Every seed gains at least {100 * growth.min():.0f} points; beside the feedforward sibling's best, at its "
        f"arrival, {100 * (last.mean() - at_arrival.mean()):+.0f} points remain."
    )
    if deep.seeds and deep.mean >= last.mean() - CLEAR:
        yes += (
            f" But time is not the only way: a feedforward sibling with twice the convolutions between areas and about "
            f"as many parameters has {100 * deep.mean:.1f} % at arrival. The growth shows that this model "
            "uses its time, not that the task needs it."
        )
    if not alone:
        no = "The feedforward sibling grows as well, so that recurrence is not what makes it."
    else:
        no = (
            f"From arrival to its readout time the model changes by {100 * growth.mean():+.1f} points: this task is "
            f"solved on arrival, and the feedforward sibling has {100 * at_arrival.mean():.1f} % there."
        )
    verdict, why = settled(bool((growth >= CLEAR).all()) and alone, len(growth), yes, no)
    return Finding(
        verdict,
        why,
        (
            measured(f"flash:1, on arrival (t = {arrival})", first),
            measured(f"flash:1, at the readout time (t = {own})", last),
            measured("growth, seed by seed", growth, True),
        ),
        (
            measured(f"feedforward sibling, on arrival (t = {arrival})", at_arrival),
            later,
            *((deep,) if deep.seeds else ()),
        ),
    )


def _losses(records: Records, model: str, time: int) -> dict[int, np.ndarray]:
    """Return what noise costs by SOA, a seed each, of the SOAs that can matter at that time."""
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
        f"Every seed loses at SOA 1: {100 * first.min():.1f} to {100 * first.max():.1f} points at t = {own}, of the "
        f"{100 * (flash - at_arrival).mean():.0f} that time had added."
    ]
    if means[1:].max() < 0.1 * means[0]:
        yes.append("At longer SOAs less than a tenth of that is left: at this time it is a step, not a graded curve.")
    if flash.mean() > 1 - CLEAR:
        yes.append(f"Accuracy without a mask, {100 * flash.mean():.1f} %, is at a ceiling that hides small effects.")
    if means_later[0] > means[0] and (np.diff(means_later) <= ROUNDING).all():
        yes.append(
            f"Read later than it was trained to, at t = {late}, the loss is larger and graded: "
            f"{', '.join(percent(value, False) for value in means_later)} points at SOA "
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
    verdict, why = settled(not broken, len(flash), " ".join(yes), f"Against it: {'; '.join(broken)}.")
    numbers = [measured(f"flash:1, no mask, t = {own}", flash)]
    numbers += [measured(f"noise at SOA {soa}: change, t = {own}", -values, True) for soa, values in losses.items()]
    numbers += [
        measured(f"noise at SOA {soa}: change, t = {late}, not judged", -values, True) for soa, values in later.items()
    ]
    target_later = accuracy_of(records, model, "masked:1:1:target", late) - accuracy_of(records, model, "flash:1", late)
    controls = [
        measured(f"target as its own mask, SOA 1: change, t = {own}", -target, True),
        measured(f"target as its own mask, SOA 1: change, t = {late}", target_later, True),
    ]
    controls += [
        if_any(records, f"SOA {soa}, whose mask arrives after t = {own}", model, f"masked:1:{soa}", own)
        for soa in SOAS
        if soa not in losses
    ]
    return Finding(verdict, why, tuple(numbers), tuple(controls))


def _interruption(records: Records, model: str) -> Finding:
    sibling, own = f"{model}-feedforward", own_time(records, model)
    noise, target = "masked:1:1", "masked:1:1:target"
    # what can be compared at one time in both: the same onset, noise or the target again
    apart = {
        name: accuracy_of(records, name, noise, own) - accuracy_of(records, name, target, own)
        for name in (model, sibling)
    }
    numbers = (
        measured(f"model: noise rather than the target again at SOA 1, t = {own}", apart[model], True),
        measured(f"feedforward sibling: the same, t = {own}", apart[sibling], True),
    )
    control = if_any(records, f"feedforward sibling, flash:1 without a mask, t = {own}", sibling, "flash:1", own)
    if control.seeds == 0:
        return Finding(
            CANNOT_BE_TOLD,
            f"After a flash the feedforward sibling has a readout on arrival only, before any mask, and by t = {own} "
            "noise has overwritten the image: its answers are the mask's, and its larger loss is no interruption. "
            "So there is no time at which the two can be compared; the model keeps the image, and loses less.",
            numbers,
            (control,),
        )
    losses = [
        accuracy_of(records, name, "flash:1", own) - accuracy_of(records, name, noise, own) for name in (model, sibling)
    ]
    verdict, why = settled(
        bool(losses[0].min() > losses[1].max() + ROUNDING),
        min(map(len, losses)),
        "Every seed of the model loses more than every seed of its feedforward sibling.",
        "The feedforward sibling loses as much: the mask does not work on what is recurrent.",
    )
    labels = ("model: noise at SOA 1, change", "feedforward sibling: noise at SOA 1, change")
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
        f"{100 * (at_own - values).mean():.1f} points at t = {time}" for time, values in others.items()
    )
    yes = (
        f"Trained to t = {own}, it loses {costs} on average; the lowest seed has {100 * lowest:.1f} % there, the best "
        f"constant answer {100 * chance:.1f} %."
    )
    no = (
        "At one of the other times a seed is at chance."
        if not able
        else f"It is better than chance at other times, but not less accurate than at its own in every seed ({costs})."
    )
    verdict, why = settled(able and less, len(at_own), yes, no)
    numbers = [measured(f"sustained, its own time, t = {own}", at_own)]
    numbers += [measured(f"sustained, t = {time}", values) for time, values in others.items()]
    sibling = if_any(records, f"feedforward sibling, t = {own * 3}", f"{model}-feedforward", "sustained", own * 3)
    return Finding(verdict, why, tuple(numbers), (sibling,))


def _errors(records: Records, name: str) -> xr.DataArray:
    if name not in records.results:
        raise NoRecordError(
            f"No result of the experiment {name} ships. To make one: cortexsim experiment {name} --scale laptop"
        )
    result = records.results[name]
    if str(result.attrs["scale"]).startswith("smoke"):
        raise NoRecordError(f"The result of {name} that ships is a smoke test, trained too briefly to compare.")
    return result["error"].dropna("seed", how="all")


def _sharing(records: Records) -> Finding:
    error = _errors(records, "weight-sharing")
    names = [str(name).removesuffix(", shared") for name in error["model"].values if str(name).endswith(", shared")]
    costs = {
        name: (error.sel(model=f"{name}, shared") - error.sel(model=f"{name}, not shared")).values for name in names
    }
    cost = {name: float(values.mean()) for name, values in costs.items()}
    worst = max(cost, key=cost.__getitem__)
    verdict, why = settled(
        cost[worst] < CLEAR,
        error.sizes["seed"],
        f"The most that sharing costs is {100 * cost[worst]:.1f} points ({worst}).",
        f"Sharing costs {100 * cost[worst]:.1f} points in {worst}.",
    )
    return Finding(
        verdict, why, tuple(measured(f"{name}: cost of sharing", values, True) for name, values in costs.items())
    )


def _more_states(records: Records) -> Finding:
    more, deep = _errors(records, "more-states"), _errors(records, "weight-sharing")
    told = [records.results[name].attrs for name in ("more-states", "weight-sharing")]
    if any(told[0][key] != told[1][key] for key in ("data", "scale")):
        raise NoRecordError("The results of more-states and of weight-sharing are of other data or another scale.")
    single = 1 - deep.sel(model="1-state ResNet, not shared").values
    several = {str(name): 1 - more.sel(model=name).values for name in more["model"].values}
    verdict, why = settled(
        all(values.mean() > single.mean() for values in several.values()),
        min(more.sizes["seed"], deep.sizes["seed"]),
        "Every network of several states is more accurate than the 1-state ResNet.",
        "Not every network of several states is more accurate than the 1-state ResNet.",
    )
    return Finding(
        verdict,
        why,
        tuple(measured(name, values) for name, values in several.items()),
        (measured("1-state ResNet, not shared", single),),
    )


_GROWS = "Accuracy grows with time after a brief flash, even without a mask."
_GROWS_IF = (
    f"After flash:1, every seed is at least {100 * CLEAR:.0f} points more accurate at its readout time than on "
    "arrival, and the feedforward sibling does not grow."
)
_GROWTH_FAKED = (
    "One readout serves all times, and training weighs them all: it may read early times worse than they are, and "
    "each time was not decoded by itself. The seeds are tested on the same stimuli."
)
_OTHER_TIMES = "A model trained to one readout time works at others, less accurately than at its own."
_OTHER_TIMES_IF = (
    f"The image stays on. At one and a half and at three times its readout time every seed is more than "
    f"{100 * CLEAR:.0f} points better than the best constant answer, and less accurate than at its own."
)
_OTHER_TIMES_FAKED = (
    "The statistics of batch normalization at the later times were taken afterwards, on training images: without "
    "them there is no readout. While an image stays on, a feedforward model does the same at all times, so it passes "
    "the first half trivially. Earlier times were trained, and are not other times."
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
        "All read at one time, the readout time. Every seed loses at SOA 1 beside flash:1, and more than at the "
        "longest SOA that can reach the readout; the mean loss never rises with SOA; in every seed the target "
        f"as its own mask costs less than {OWN_MASK:g} of what noise costs.",
        "The readout saw these masks in training. A mask that is merely added to what the states hold lowers accuracy "
        "in the same way, without interrupting anything.",
        partial(_masking, model="ventral-stream-contours"),
    ),
    Prediction(
        2,
        "masking is interruption, contours",
        "What the mask lowers is recurrent computation, which it interrupts.",
        "Read at one time at which both have a readout with and without the mask, every seed of the model loses more "
        "at SOA 1 than every seed of the feedforward sibling.",
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
        f"{100 * CLEAR:.0f} points.",
        "Networks that are trained too briefly are alike in being bad.",
        _sharing,
    ),
    Prediction(
        4,
        "more states",
        "More states beat deeper networks of a single state.",
        "In the experiment more-states the mean error of every network is below that of the 1-state ResNet, not "
        "shared, of weight-sharing, on the same data.",
        "The networks of several states have another pre-net and other numbers of parameters.",
        _more_states,
    ),
)
