"""Random calls of the interface: most arguments are correct, some are odd, and each result has a property to check.

The rule: a correct result, or an error in the project's own words. A result is checked by something that is computed in
another way: a plain loop, the definition, or the same call with the input in another order.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from hypothesis import strategies as st

import cortexsim as cs
from benchmarks.competitors import NaiveLoop
from cortexsim.stimuli.text import from_dict

Draw = Callable[[st.SearchStrategy[Any]], Any]
N, SIZE, CLASSES, UNTIL = 12, 8, ("ant", "bee", "cow"), 4
# what users pass by mistake, or from other libraries
ODD = st.sampled_from(
    [
        None, True, False, -1, 0, 1, 1.5, math.nan, math.inf, -math.inf, 10**12, 2**63, "", "x", "1", b"x", (), [], [1],
        (1, 2), {}, {"a": 1}, np.int64(3), np.float32(2.0), np.float64(0.5), np.bool_(True), np.array(2), np.array([1]),
        torch.tensor(2), pd.NA, pd.NaT, pd.Series([1]), xr.DataArray([1]), range(3), slice(1), object, 1j,
        "\0", "é" * 300,
    ]
)  # fmt: skip


class WrongResultError(AssertionError):
    """A result that breaks its property, without an error."""


def require(holds: Any, text: str) -> None:
    """Raise WrongResultError unless a property of a result holds."""
    if not holds:
        raise WrongResultError(text)


# one odd value in a call says more than many: the first is refused
LUCK = st.sampled_from(["left out"] * 24 + ["good"] * 15 + ["odd"])


def some(draw: Draw, **options: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Draw some of the options; a few of them have an odd value."""
    lucks = {name: draw(LUCK) for name in options}
    return {
        name: draw(ODD) if lucks[name] == "odd" else draw(good)
        for name, good in options.items()
        if lucks[name] != "left out"
    }


def rarely(draw: Draw, times: int = 20) -> bool:
    """Draw True in about one of `times` cases."""
    return draw(st.sampled_from([False] * (times - 1) + [True]))


# --- what is drawn from, and what is made once


FEATURES = st.sampled_from([{"V1": 2, "V2": 3}, {"V1": 2, "V2": 3, "IT": 4}, {"V1": 3}, {"V1": np.int64(2), "IT": 4}])
TIMES = st.sampled_from([None, range(1, 3), range(2, 10**6), [1, 3], 2, range(0), [10**9]])


SHOWN = (None, cs.flash(1), cs.flash(3), cs.sustained(), cs.masked(1, 2), cs.masked(2, 3, "target", 1))


def presentations() -> st.SearchStrategy[Any]:
    """Return presentations for which the model is calibrated."""
    return st.sampled_from(SHOWN)


@cache
def pictures() -> torch.Tensor:
    """Return the images that are shown, shape (stimulus, 3, y, x)."""
    return torch.rand((N, 3, SIZE, SIZE), generator=torch.Generator().manual_seed(0))


@cache
def model() -> cs.Cortex:
    """Return a calibrated model with class names."""
    graph = cs.adjacent({"V1": 3, "V2": 4, "IT": 4}, size=SIZE)
    made = cs.Cortex(graph, 3, UNTIL, generator=torch.Generator().manual_seed(0)).eval()
    made.classes = list(CLASSES)
    for shown in filter(None, SHOWN):
        cs.calibrate(made, pictures(), shown, until=UNTIL)
    return made


def images() -> xr.Dataset:
    """Return the images with names, labels and a factor."""
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), pictures().numpy())},
        {
            "label": ("stimulus", np.arange(N) % 3),
            "file_name": ("stimulus", [f"{k}.png" for k in range(N)]),
            "contrast": ("stimulus", np.linspace(0, 1, N)),
        },
        {"classes": json.dumps(CLASSES)},
    )


@cache
def recording() -> xr.DataTree:
    """Return a recording of the images."""
    return cs.simulate(model(), images(), until=UNTIL)


# --- the calls


def graphs(draw: Draw) -> None:
    """Build a graph; it survives JSON, and its schedule is what a walk over all times finds."""
    build = draw(st.sampled_from([cs.adjacent, cs.fully_recurrent]))
    given = {"size": SIZE} | some(
        draw,
        size=st.sampled_from([8, 16, np.int64(8), (8, 4, 2), [(8, 4), 4]]),
        shortcut=st.sampled_from([True, False, 0.5, 1, 0]),
        lateral=st.booleans(),
        feedback=st.booleans(),
        convolutions=st.sampled_from([1, 2]),
    )
    features = draw(ODD) if rarely(draw) else draw(FEATURES)
    graph = build(features, **given)
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*graph.transition_names, "V1->IT", "IT", "feedback", "x", None]))
        graph = graph.without(name, draw(ODD) if rarely(draw) else draw(TIMES))
    again = cs.CortexGraph.from_dict(json.loads(json.dumps(graph.to_dict())))
    require(again == graph, "the graph that comes back from JSON differs")
    until = draw(st.integers(1, 6))
    planned = cs.schedule(graph, readout_time=until, presentation=cs.flash(1))
    populated = {graph.first}
    for time in range(1, until + 1):
        populated = {t.target for t in graph.transitions if t.source in populated and time in t.times}
        late = {t.target for t in planned.at(time)}
        require(late <= populated, f"the schedule runs a transition from an empty state at time {time}")
    require(graph.last in {t.target for t in planned.at(until)} or until == 0 or len(graph.states) == 1,
            "nothing reaches the last state at the readout time")  # fmt: skip


def shows(draw: Draw) -> None:
    """Make a presentation; it survives JSON, and shows what its definition says."""
    if draw(st.booleans()):
        given = some(draw, duration=st.integers(1, 9))
        made = cs.flash(**given)
        length = int(given.get("duration", 1))
        times = [0, length - 1, length, length + 7]
        require([made.shown(time) for time in times] == ["image", "image", "nothing", "nothing"], "the flash differs")
    else:
        given = some(
            draw,
            duration=st.integers(1, 3),
            soa=st.integers(3, 5),
            mask=st.sampled_from(["noise", "texture", "image", "target", torch.rand(3, SIZE, SIZE)]),
            mask_duration=st.sampled_from([None, 1, 4]),
        )
        made = cs.masked(**given)
        soa = int(given.get("soa", 3))
        require((made.shown(0), made.shown(soa)) == ("image", "mask"), "the mask does not appear at the SOA")
    if rarely(draw, 4):
        made = cs.mixture(made, draw(presentations()) or cs.flash(), **some(draw, weights=st.just([1, 2])))
    require(from_dict(json.loads(json.dumps(made.to_dict()))) == made, "the presentation that comes back differs")


def recipes(draw: Draw) -> None:
    """Make a recipe; it survives JSON."""
    given = some(
        draw,
        epochs=st.integers(1, 5),
        batch_size=st.integers(2, 64),
        optimizer=st.sampled_from(["sgd", "adamw"]),
        learning_rate=st.floats(1e-4, 1),
        warmup=st.floats(0, 0.9),
        momentum=st.floats(0, 0.99),
        nesterov=st.booleans(),
        weight_decay=st.floats(0, 0.1),
        augmentation=st.sampled_from(["none", "crop-flip"]),
        label_smoothing=st.floats(0, 0.5),
        loss_at=st.sampled_from(["all", "readout", 2]),
        progressive=st.sampled_from([None, (0.5, 4)]),
        clip_norm=st.sampled_from([None, 1.0]),
        growth=st.sampled_from([((0.0, 1.0),), ((0.0, 0.5), (0.5, 1.0)), [[0.0, 1.0]]]),
        unfolding=st.sampled_from([((0.0, None),), ((0.0, 2), (0.5, None))]),
        curriculum=st.sampled_from([((0.0, 1.0),), ((0.0, 0.5), (0.5, 1.0))]),
        validation=st.floats(0, 0.5),
        calibrate_until=st.sampled_from([None, 4]),
        calibration_images=st.integers(2, 50),
        seed=st.integers(0, 2**31),
        presentation=presentations().filter(bool),
    )
    made = cs.Recipe.quick(**given)
    require(cs.Recipe.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False))) == made, "the recipe differs")


def models(draw: Draw) -> None:
    """Make a model; it reads out what a plain loop does, in double precision."""
    graph = draw(st.sampled_from([cs.adjacent, cs.fully_recurrent]))({"V1": 2, "IT": 3}, size=SIZE)
    given = {"n_classes": 3, "readout_time": 3, "generator": torch.Generator().manual_seed(0)}
    given |= some(
        draw,
        n_classes=st.integers(1, 4),
        readout_time=st.integers(1, 4),
        pre_net=st.sampled_from(["conv", "deep"]),
        input_gain=st.sampled_from([1.0, 2.0]),
        normalization=st.sampled_from(["time-specific", "shared", "channel", "none"]),
        post_net=st.sampled_from(["pool", "map"]),
        initialization=st.sampled_from(["he", "default"]),
    )
    made = cs.Cortex(graph, **given).double().eval()
    shown = pictures()[:3].double()
    if made.needs_statistics:
        cs.calibrate(made, shown, until=made.readout_time)
    with torch.no_grad():
        logits = made(shown)
        require(logits.shape[:2] == (3, made.n_classes) and logits.isfinite().all(), f"logits of {tuple(logits.shape)}")
        if {"pre_net", "normalization", "post_net", "input_gain"} & {*given} or made.readout_time < 3:
            return
        wanted = NaiveLoop(made)(shown, [made.readout_time])[0]
        require(torch.allclose(logits, wanted, rtol=0, atol=1e-9), "the readout differs from that of a plain loop")


def simulations(draw: Draw) -> None:
    """Simulate; every node has its shape, is NaN where it is empty, and is populated where a walk arrives."""
    given: dict[str, Any] = {"until": UNTIL} | some(
        draw,
        until=st.integers(1, UNTIL),
        record=st.sampled_from([[], ["V1"], ("V2", "IT"), {"V1": "spatial_mean", "IT": [0, (1, 0, 0)]}]),
        silence=st.sampled_from([{"V2->V1": None}, {"V1->V2": [4]}, {"feedback": range(2, 9)}, {"V2": 3}]),
        gain=st.sampled_from([{"V1->V1": (0.5, None)}, {"IT->IT": (0, [3])}]),
        noise=st.sampled_from([0.0, 0.1]),
        repeats=st.integers(1, 2),
        labels=st.sampled_from([[0, 1, 2] * 4, ["ant", "cow"] * 6, np.zeros(N), pd.Categorical(list("abcd") * 3)]),
        quantity=st.sampled_from(["state", "rate"]),
        dtype=st.sampled_from(["float16", "float32", "float64"]),
        seed=st.integers(0, 2**40),
        batch_size=st.integers(1, 20),
        report=st.just(lambda fraction, message: None),
        deterministic=st.just(False),
    )  # fmt: skip
    if rarely(draw, 4):
        given |= {"lesion": draw(st.sampled_from(["recalibrated", "mean-replaced"])), "calibrate_on": pictures()}
    shown = draw(ODD) if rarely(draw) else draw(presentations())
    source = draw(ODD) if rarely(draw) else draw(st.sampled_from([pictures(), images(), pictures().numpy()]))
    with tempfile.TemporaryDirectory() as folder:
        if rarely(draw, 8):
            name = draw(st.sampled_from(["r.zarr", "r.nc", "r", "no/r.nc", "a\0.zarr", "e" * 300 + ".nc"]))
            given["to"] = draw(ODD) if rarely(draw, 4) else str(Path(folder, name))
        found = cs.simulate(model(), source, shown, **given)
        try:
            _check_recording(found, given)
        finally:
            found.close()


def _check_recording(found: xr.DataTree, given: Mapping[str, Any]) -> None:
    rows, times = N * int(given.get("repeats", 1)), int(given["until"]) + 1
    for name, node in found.children.items():
        values = node["logits" if name == "readout" else "activation"].values
        populated = np.broadcast_to(node["populated"].values, (rows, times)) if node["populated"].ndim == 1 else None
        require(values.shape[:2] == (rows, times), f"{name} has the shape {values.shape}")
        empty = np.isnan(values).reshape(rows, times, -1)
        require((empty.all(2) == empty.any(2)).all(), f"{name} is partly NaN")
        if populated is not None:
            require((populated == ~empty.all(2)).all(), f"{name} is not NaN exactly where it is empty")
    if not {"silence", "noise", "gain", "dtype", "quantity"} & {*given}:
        arrival = np.asarray(found["readout"]["populated"].values).reshape(-1, times)[0]
        require(not arrival[:2].any(), "the readout is populated before anything can have arrived")


def orders(draw: Draw) -> None:
    """Show the same images in other forms: another order of dimensions, stimuli, classes and labels."""
    data, turn = images(), np.array(draw(st.permutations(range(N))))
    classes = draw(st.permutations(CLASSES))
    label = [classes.index(CLASSES[k]) for k in data["label"].values]
    other = data.assign_coords(label=("stimulus", label)).assign_attrs(classes=json.dumps(classes))
    if draw(st.booleans()):
        other = other.assign_coords(channel=["r", "g", "b"]).isel(channel=draw(st.permutations(range(3))))
    shuffled = other.isel(stimulus=turn).transpose(*draw(st.permutations(["stimulus", "channel", "y", "x"])))
    given: dict[str, Any] = {}
    how = draw(st.sampled_from(["own", "names", "array", "series", "bytes"]))
    names = np.array([CLASSES[k] for k in data["label"].values])
    by_name = {"index": data["file_name"].values, "name": "file_name"}
    if how == "names":
        given["labels"] = draw(st.sampled_from([list, np.array, pd.Categorical, np.char.encode]))(names[turn])
    elif how == "array":
        given["labels"] = data["label"].copy(data=names).isel(stimulus=draw(st.permutations(range(N))))
    elif how == "series":
        given["labels"] = pd.Series(names, **by_name).sample(frac=1, random_state=draw(st.integers(0, 99)))
    elif how == "bytes":
        given["labels"] = pd.Series(names, index=[name.encode() for name in data["file_name"].values])
    found = cs.simulate(model(), shuffled, until=UNTIL, record=[], **given)["readout"].to_dataset()
    wanted = recording()["readout"].to_dataset().isel(stimulus=turn)
    require(np.array_equal(found["label"].values, wanted["label"].values), f"labels by {how} are in another order")
    difference = np.nanmax(abs(found["logits"].values - wanted["logits"].values))
    require(difference < 1e-5, f"the readout differs by {difference}")


def calibrations(draw: Draw) -> None:
    """Calibrate; evaluation with the statistics equals training mode on all images at once."""
    made = cs.Cortex(model().graph, 3, 6, generator=torch.Generator().manual_seed(1)).double()
    given = {"until": UNTIL} | some(
        draw, until=st.integers(2, 6), batch_size=st.integers(1, 20), seed=st.integers(0, 99), keep=st.just(True),
        silence=st.just(None),
    )  # fmt: skip
    shown = draw(ODD) if rarely(draw) else draw(st.sampled_from([None, cs.flash(1), cs.sustained()]))
    taken = cs.calibrate(made, pictures().double(), shown, **given)
    require(taken.until == int(given["until"]), f"the statistics end at {taken.until}")
    if shown is None and taken.until == 6:
        with torch.no_grad():
            require(torch.allclose(made.eval()(pictures().double()), made.train()(pictures().double()), atol=1e-8),
                    "evaluation differs from training mode")  # fmt: skip


def analyses(draw: Draw) -> None:
    """Analyse a node in an order of its own; the result is that of the node as it was recorded."""
    name, function, options = draw(st.sampled_from(ANALYSES))
    given = some(draw, **options)
    node = recording()[
        "readout" if name in ("accuracy", "reaction_time", "latched", "cumulative") else "IT"
    ].to_dataset()
    result = function(node, **given)
    dims = draw(st.permutations(sorted(map(str, node.dims))))
    turned = node.transpose(*dims).isel(time=draw(st.permutations(range(UNTIL + 1))))
    again = function(turned, **given)
    require(type(result) is type(again), "the results are of different kinds")
    one, other = (
        found if isinstance(found, xr.Dataset) else found.to_dataset(name="found") for found in (result, again)
    )
    for key, values in one.data_vars.items():
        if values.dtype.kind not in "fiub":
            continue
        wanted, seen = (np.asarray(found.astype(float)) for found in (values, other[key].transpose(*values.dims)))
        if "time" in values.dims and "time" in other[key].coords:
            seen = np.asarray(other[key].sel(time=values["time"]).transpose(*values.dims).astype(float))
        # components have no sign, and float32 sums depend on their order
        wanted, seen = (abs(found) if name == "trajectory" else found for found in (wanted, seen))
        require(
            np.allclose(wanted, seen, atol=1e-3, equal_nan=True), f"{name}: {key} depends on the order of the input"
        )
    if name == "accuracy" and not given:
        truth = (node["logits"].values.argmax(2) == node["label"].values[:, None]).mean(0)[-1]
        require(abs(float(result[-1]) - truth) < 1e-12, "the accuracy is not the fraction of correct stimuli")


SEEDS, CVS = st.integers(0, 9), st.sampled_from([2, 3])
LABELS = st.sampled_from(["label", "file_name", "contrast", [0, 1] * 6, list("ab") * 6, np.arange(N) % 3])
ANALYSES: tuple[tuple[str, Callable[..., Any], dict[str, st.SearchStrategy[Any]]], ...] = (
    ("accuracy", cs.analyse.accuracy, {"labels": LABELS, "by": st.just("contrast"), "edges": st.just([0, 0.5, 1])}),
    ("rdm", cs.analyse.rdm, {"metric": st.sampled_from(["correlation", "euclidean", "cosine"])}),
    ("cka", cs.analyse.cka, {"debiased": st.booleans()}),
    ("dimensionality", cs.analyse.dimensionality, {"debiased": st.booleans(), "seed": SEEDS}),
    ("selectivity", cs.analyse.selectivity, {"labels": LABELS, "units": st.sampled_from(["channel", "unit"])}),
    ("trajectory", cs.analyse.trajectory, {"n_components": st.integers(1, 3), "average": st.just("label")}),
    ("decode", cs.analyse.decode, {"labels": LABELS, "cv": CVS, "seed": SEEDS, "groups": st.just(np.arange(N) // 2)}),
    ("reaction_time", lambda node, threshold=0.5, **given: cs.analyse.reaction_time(node, threshold, **given),
     {"threshold": st.floats(0, 1), "by": st.sampled_from(["entropy", "margin"]), "labels": LABELS}),
    ("latched", lambda node, threshold=0.05: cs.analyse.latched(node, threshold), {"threshold": st.floats(0, 1)}),
    ("cumulative", cs.analyse.cumulative, {}),
    ("settling", cs.analyse.settling, {"threshold": st.floats(0.01, 1), "cycle_ratio": st.floats(0.01, 1)}),
)  # fmt: skip

CALLS: dict[str, Callable[[Draw], None]] = {
    "graphs": graphs,
    "presentations": shows,
    "recipes": recipes,
    "models": models,
    "simulate": simulations,
    "orders": orders,
    "calibrate": calibrations,
    "analyses": analyses,
}
