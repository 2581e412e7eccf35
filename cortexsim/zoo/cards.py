"""The cards of the pretrained models: their accuracy over the seeds that were trained, as labelled arrays."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from cortexsim._support.resources import data_folder
from cortexsim.stimuli.text import from_dict, write_presentation

# how many records of a training are printed, in addition to those with a validation
CURVE_LINES = 9
NOT_READ = "no signal has reached the last area yet, or this time was not tested"


def names() -> list[str]:
    """Return the names of the models with a card."""
    return sorted({path.stem.rpartition("-seed")[0] for path in _folder().glob("*-seed*.json")})


def _folder() -> Path:
    return data_folder() / "models" / "runs"


def card(name: str) -> xr.Dataset:
    """Read the card of a pretrained model.

    Parameters
    ----------
    name : str
        As `zoo.pretrained()` lists it; `zoo.card` also takes its short names.

    Returns
    -------
    Dataset
        `accuracy` (seed, presentation, time) and `accuracy_by_bin` (seed, presentation, time, bin), fractions, NaN
        where the last state was not read; `confusion` (seed, presentation, shown, named), counts at the time
        `confusion_at`; `n_by_bin`, stimuli of a bin. Of the training, in the order of `stage` and `step` (record):
        `loss` (seed, record), `training_accuracy` and `validation_accuracy` (seed, record, time), NaN where a seed has
        no such record; `validation` (seed, time), when it was over. `command`, `training_data`, `minutes`,
        `beginnings`, `machine` and `date` (seed). Seed 0 is the bundled model. `fresh` (time), the accuracy of seed 0
        on a second test set, which no other number of the card is about, with the sustained image; not for CIFAR-10,
        which has one test set. Attributes: test data and sizes; machine, command and date of seed 0.

    Raises
    ------
    ValueError
        If there is no card of that name.
    """
    if name not in names():
        raise ValueError(f"there is no card of {name!r}: those with a card are {', '.join(names())}")
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in _folder().glob(f"{name}-seed*.json")]
    return _with_fresh(_joined(runs), name)


def _with_fresh(card: xr.Dataset, name: str) -> xr.Dataset:
    """Add what was measured on the second test set, if anything was."""
    found = json.loads((data_folder() / "models" / "fresh.json").read_text(encoding="utf-8")).get(name)
    if found is None:
        return card
    values = [found["accuracy"].get(str(time), np.nan) for time in card["time"].values]
    about = {"long_name": "accuracy on fresh images", "units": "fraction", "data": found["data"], "date": found["date"]}
    return card.assign(fresh=("time", values, about))


def _joined(runs: list[dict[str, Any]]) -> xr.Dataset:
    """Combine the records of several seeds."""
    each = [_one(run) for run in sorted(runs, key=lambda run: run["seed"])]
    data = xr.concat(each, "seed", data_vars="all", join="outer", combine_attrs="override")
    # seeds whose records differ are joined in text order, "1:1000" before "1:50"
    stages, steps = zip(*(map(int, record.split(":")) for record in data["record"].values), strict=True)
    return data.assign_coords(stage=("record", list(stages)), step=("record", list(steps))).sortby(["stage", "step"])


def _one(run: dict[str, Any]) -> xr.Dataset:
    """Label the record of one seed."""
    test = run["test"]
    shown = test["presentations"].values()
    times = np.arange(1 + max(time for one in shown for time in one["times"]))
    # if the factor is the class, every class is a bin
    by_class = test["factor"] == "label"
    bins = test["classes"] if by_class else [f"{low:g} to {high:g}" for low, high in pairwise(test["edges"])]
    how = _how_trained(run)
    data = xr.Dataset(
        {**_tested_at(test, len(times), len(bins)), **_learned(run, len(times)), **how},
        coords={
            "seed": run["seed"],
            "presentation": [write_presentation(from_dict(one["shown"])) for one in shown],
            "time": ("time", times, {"long_name": "readout time", "units": "steps"}),
            "bin": ("bin", bins, {"long_name": "class" if by_class else test["factor"].replace("_", " ")}),
            "shown": test["classes"],
            "named": test["classes"],
            "record": list(_records(run)),
        },
        attrs={
            "data": f"{test['data']}, test part, {test['n']} stimuli, the same for all models of these data",
            "factor": test["factor"],
            **{name: run[name] for name in ("model", "command", "date", "parameters", "multiply_adds")},
            "machine": how["machine"],
        },
    )
    for variable in ("accuracy", "accuracy_by_bin", "training_accuracy", "validation_accuracy", "validation"):
        data[variable].attrs = {"long_name": "accuracy", "units": "fraction"}
    data["minutes"].attrs = {"long_name": "training", "units": "minutes"}
    return data


def _tested_at(test: dict[str, Any], n_times: int, n_bins: int) -> dict[str, Any]:
    """Return what was measured on test data, for each presentation and time."""
    shown = test["presentations"].values()
    accuracy = np.full((len(shown), n_times), np.nan)
    by_bin = np.full((len(shown), n_times, n_bins), np.nan)
    for k, one in enumerate(shown):
        accuracy[k, one["times"]] = one["accuracy"]
        by_bin[k, one["times"]] = one["by_bin"]
    return {
        "accuracy": (("presentation", "time"), accuracy),
        "accuracy_by_bin": (("presentation", "time", "bin"), by_bin),
        "confusion": (("presentation", "shown", "named"), [one["confusion"] for one in shown]),
        "confusion_at": ("presentation", [one["confusion_at"] for one in shown]),
        "n_by_bin": ("bin", test["n_by_bin"]),
    }


def _records(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the records of a training by "stage:step"."""
    # a stage's last step is recorded twice, the second time with the validation after the calibration
    return {f"{record['stage']}:{record['step']}": record for record in run["training"]}


def _learned(run: dict[str, Any], n_times: int) -> dict[str, Any]:
    """Return the training curves."""
    records = _records(run).values()
    curves = {name: np.full((len(records), n_times), np.nan) for name in ("accuracy", "validation")}
    for name, values in curves.items():
        for k, record in enumerate(records):
            for time, value in (record[name] or {}).items():
                values[k, int(time)] = value
    return {
        "loss": ("record", [record["loss"] for record in records]),
        "training_accuracy": (("record", "time"), curves["accuracy"]),
        "validation_accuracy": (("record", "time"), curves["validation"]),
        "validation": ("time", curves["validation"][-1]),
    }


def _how_trained(run: dict[str, Any]) -> dict[str, Any]:
    """Return the command, the data, the duration and the machine of the training."""
    threads = f"{run['threads']} {'thread' if run['threads'] == 1 else 'threads'}"
    return {
        "command": run["command"],
        "training_data": f"{run['test']['data']}, training part: " + ", then ".join(map(_stimuli, run["stages"])),
        "minutes": run["minutes"],
        # records without it are from before trainings were restarted
        "beginnings": run.get("beginnings", 1),
        "machine": f"{run['machine']}, {threads}",
        "date": run["date"],
    }


def _stimuli(stage: dict[str, Any]) -> str:
    return f"{stage['n']:,} of {stage['size']} x {stage['size']}"


def as_text(card: xr.Dataset, last: int = 12) -> str:
    """Write a card as a table: mean accuracy in percent and, with several seeds, the lowest and highest of them.

    Parameters
    ----------
    card : Dataset
        As `card` returns it.
    last : int
        Last time that is shown.
    """
    first = card.isel(seed=0)
    whose = "" if card.sizes["seed"] == 1 else f"seed {int(first['seed'])}: "
    lines = [
        _sizes(card),
        f"trained by: {first['command'].item()} ({whose}{first['minutes'].item():.1f} minutes, "
        f"{first['machine'].item()}, {first['date'].item()})",
    ]
    if whose:
        minutes = card["minutes"]
        lines.append(f"minutes of training: {cell(minutes.values, 1)}, {over(card)}")
    lines += [_tested(card), f"an empty cell: {NOT_READ}", ""]
    shown = card["accuracy"].sel(time=slice(1, last)).dropna("time", how="all")
    rows = {str(name): _row(shown.sel(presentation=name)) for name in shown["presentation"].values}
    by_bin = card["accuracy_by_bin"].sel(presentation="sustained", time=shown["time"])
    for name in by_bin["bin"].values:
        rows[f"sustained, {by_bin['bin'].attrs['long_name']} {name}"] = _row(by_bin.sel(bin=name))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[f" t = {int(time)}" for time in shown["time"]])
    return "\n".join([*lines, *(line.rstrip() for line in table.map(" {}".format).to_string().splitlines())])


def in_full(card: xr.Dataset) -> str:
    """Write all of a card: each seed's training, every time and bin of each presentation, and the confusion matrices.

    Parameters
    ----------
    card : Dataset
        As `card` returns it.
    """
    lines = [_sizes(card), _tested(card), f"a time that is missing: {NOT_READ}", "an empty cell: there is no value", ""]
    for seed in card["seed"].values:
        one = card.sel(seed=seed)
        begun = int(one["beginnings"])
        again = (
            ""
            if begun == 1
            else f", restarted {begun - 1} {'time' if begun == 2 else 'times'} because it stayed at chance"
        )
        lines += [
            f"seed {seed}, trained by: {one['command'].item()}",
            f"    {one['minutes'].item():.1f} minutes{again}, {one['machine'].item()}, {one['date'].item()}",
            f"    on {one['training_data'].item()}",
        ]
    for name in card["presentation"].values:
        one = card.sel(presentation=name)
        when = int(one["confusion_at"].isel(seed=0))
        lines += [
            "",
            f"{name}, percent correct by {card['bin'].attrs['long_name']} (number of stimuli)",
            *_by_time(one),
        ]
        lines += [
            "",
            f"{name}, stimuli of each class (rows) by the class that the model chose (columns) at time {when}",
            *_confusion(one),
        ]
    return "\n".join([*lines, *_training(card)])


def _sizes(card: xr.Dataset) -> str:
    return (
        f"{card.attrs['model']}: {card.attrs['parameters']:,} parameters, "
        f"{card.attrs['multiply_adds'] / 1e6:.1f} million multiplications per stimulus"
    )


def _tested(card: xr.Dataset) -> str:
    tested = f"tested on {card.attrs['data']}; percent correct, {over(card)}"
    if "fresh" not in card:
        return tested
    fresh = card["fresh"].dropna("time")
    each = ", ".join(
        f"{100 * value:.1f} at t = {time}" for time, value in zip(fresh["time"].values, fresh.values, strict=True)
    )
    return f"{tested}\non fresh images ({fresh.attrs['data']}; seed 0, sustained): {each}"


def over(card: xr.Dataset) -> str:
    """Describe what a cell of a table is: of one seed, or the mean and the range of several."""
    seeds = card.sizes["seed"]
    return "one seed" if seeds == 1 else f"mean (lowest to highest) of {seeds} seeds"


def _by_time(one: xr.Dataset) -> list[str]:
    bins = zip(one["bin"].values, one["n_by_bin"].isel(seed=0).values, strict=True)
    rows = [["time", "all", *(f"{name} ({int(n)})" for name, n in bins)]]
    for time in one["accuracy"].dropna("time", how="all")["time"].values:
        at = one.sel(time=time)
        by_bin = at["accuracy_by_bin"].transpose("bin", "seed").values
        rows.append([str(time), *(cell(100 * values, 1) for values in (at["accuracy"].values, *by_bin))])
    return _table(rows)


def _confusion(one: xr.Dataset) -> list[str]:
    counts = one["confusion"].transpose("shown", "named", "seed")
    rows = [["shown", *(f"as {name}" for name in one["named"].values)]]
    for name in one["shown"].values:
        rows.append([name, *(cell(values, 0) for values in counts.sel(shown=name).values)])
    return _table(rows)


def _training(card: xr.Dataset) -> list[str]:
    """Write the training curve: a few records of those that every seed has, and those with a validation."""
    card = card.isel(record=np.flatnonzero(card["loss"].notnull().all("seed")))
    validated = np.flatnonzero(card["validation_accuracy"].notnull().any(["seed", "time"]))
    few = np.linspace(0, card.sizes["record"] - 1, CURVE_LINES).round().astype(int)
    times = card["time"].values[card["training_accuracy"].notnull().any(["seed", "record"])]
    rows = [["stage", "step", "loss", *(f"time {time}" for time in times)]]
    for k in np.union1d(few, validated):
        at = card.isel(record=k).sel(time=times)
        right = 100 * at["training_accuracy"].transpose("time", "seed").values
        rows.append(
            [str(int(at["stage"])), str(int(at["step"])), cell(at["loss"].values, 3), *(cell(v, 1) for v in right)]
        )
    lines = ["", "training: loss, and percent correct of the training images at each readout time", *_table(rows)]
    held_out = 100 * card["validation_accuracy"].isel(record=validated).dropna("time", how="all")
    if held_out.size:
        rows = [["time", *(f"step {record}" for record in held_out["record"].values)]]
        for time in held_out["time"].values:
            at_time = held_out.sel(time=time).transpose("record", "seed").values
            rows.append([str(time), *(cell(values, 1) for values in at_time)])
        lines += ["", "validation: percent correct of images held out of the training, by stage:step", *_table(rows)]
    return lines


def _table(rows: list[list[str]]) -> list[str]:
    """Write a table whose first row is the heading; with two spaces between columns."""
    # pandas uses one
    widths = [max(map(len, column)) + 1 for column in zip(*rows, strict=True)]
    table = pd.DataFrame(rows[1:], columns=rows[0]).to_string(index=False, col_space=widths)
    return [line.rstrip() for line in table.splitlines()]


def _row(values: xr.DataArray) -> list[str]:
    decimals = 1 if values.sizes["seed"] == 1 else 0
    return [cell(100 * values.sel(time=time).values, decimals) for time in values["time"].values]


def cell(seeds: np.ndarray, decimals: int) -> str:
    """Write the value of one seed, or the mean (lowest-highest) of several; nothing if there is none."""
    if np.isnan(seeds).all():
        return ""
    if len(seeds) == 1:
        return f"{seeds[0]:.{decimals}f}"
    mean, lowest, highest = np.nanmean(seeds), np.nanmin(seeds), np.nanmax(seeds)
    return f"{mean:.{decimals}f} ({lowest:.{decimals}f}-{highest:.{decimals}f})"
