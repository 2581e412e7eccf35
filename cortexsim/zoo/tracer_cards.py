"""The cards of the models that trace and of their control models, from the bundled result of `extrapolation`."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.resources import data_folder
from cortexsim.zoo.cards import cell, over

MAZE = "maze_"
# rows of the table: variable, heading, factor (to percent, or as it is), decimals
_ROWS = (
    ("yes_no_end", "yes/no", 100, 1),
    ("exact_end", "exact", 100, 1),
    ("exact_late", "exact, later", 100, 1),
    ("yes_no_stopped", "yes/no, stopped", 100, 1),
    ("steps_needed", "steps needed", 1, 0),
)
# the last readout, and the later one
_READ = {
    "length": "at three steps a pixel, or at the last time of a model that cannot run longer; later: at nine",
    "cells": "at the last time of each size, or of a model that cannot run longer; later: at twice that time",
}


def names() -> list[str]:
    """Return the names of the models with such a card."""
    with xr.open_dataset(_path()) as result:
        return sorted(map(str, result["model"].values))


def card(name: str) -> xr.Dataset:
    """Read the card of a model that traces, or of one of its control models.

    Parameters
    ----------
    name : str
        As in `zoo.TRACERS`.

    Returns
    -------
    Dataset
        Of a model of curves, by `length` (px); of a model of mazes, by `cells` (cells on each side), the same
        variables. `yes_no` and `exact` (seed, length, time): fraction of test images that are right at the far point
        and the foil, and on every line pixel; `yes_no_end`, `exact_end` (seed, length): at three steps a pixel, and at
        the last time of a maze; `exact_late`: at nine steps a pixel, or twice the last time; `yes_no_stopped`: at the
        trained time; `steps_needed`: median, NaN if too few images are solved; `n`, test images; `size`, px;
        `until`, the last time; `slope` (seed,), steps a pixel, with its 95 % interval `slope_low`, `slope_high`.
        `n_parameters`, `trained_until`, `training_seconds` (seed,). Seed 0 is the bundled model. Attributes: the
        training data, the recipe (JSON), test data, machine, date and the command that trains a seed.

    Raises
    ------
    ValueError
        If there is no such card.
    """
    with xr.open_dataset(_path()) as opened:
        if name not in opened["model"].values:
            raise ValueError(unknown("model that traces", name, sorted(map(str, opened["model"].values))))
        result = opened.load()
    one = result.sel(model=name, drop=True).dropna("seed", how="all").drop_vars("seconds")
    one = one.drop_vars([name for name, values in one.items() if values.isnull().all()])
    if f"{MAZE}n" in one:
        one = one.rename({name: name.removeprefix(MAZE) for name in map(str, one) if name.startswith(MAZE)})
    unused = [dim for dim in one.dims if not any(dim in values.dims for values in one.values())]
    one = one.drop_dims(unused).sel(time=slice(0, int(one["until"].max())))
    recipe = json.loads(result.attrs["recipe"]) | json.loads(result.attrs["recipe_of_each"]).get(name, {})
    one.attrs = {key: result.attrs[key] for key in ("data", "validated_on", "hardware", "date")}
    one.attrs["recipe"] = json.dumps(recipe, sort_keys=True)
    one.attrs["model"] = name
    one.attrs["command"] = f"python tools/train_tracer.py --model {name} --seed N"
    return one


def as_text(card: xr.Dataset) -> str:
    """Write a card as a table: a column for each length or size; with several seeds, the mean and the range.

    Parameters
    ----------
    card : Dataset
        As `card` returns it.
    """
    by, unit = ("length", "px") if "length" in card.dims else ("cells", "cells a side")
    n = card["n"].isel(seed=0)
    table = {
        f"{value} {unit} ({int(n.sel({by: value}))} images)": [
            cell(factor * card[name].sel({by: value}).values, decimals) if name in card else ""
            for name, _, factor, decimals in _ROWS
        ]
        for value in card[by].values
    }
    seconds = cell(card["training_seconds"].values, 0)
    lines = [
        f"{card.attrs['model']}: {int(card['n_parameters'].max()):,} parameters; {over(card)}",
        f"trained by: {card.attrs['command']} ({seconds} s; {card.attrs['hardware']}; {card.attrs['date']})",
        "yes/no: percent right at the far point and the foil (chance 50); exact: percent with every pixel correct.",
        f"Read {_READ[by]};",
        "stopped: at the trained time. Steps needed: the median.",
        "",
        *pd.DataFrame(table, index=[heading for _, heading, _, _ in _ROWS])
        .T.map(" {}".format)
        .to_string()
        .splitlines(),
    ]
    if "slope" in card:
        lines += ["", f"steps needed grow by {cell(card['slope'].values, 2)} for each pixel of the curve"]
    return "\n".join(line.rstrip() for line in lines)


def _path() -> Path:
    return data_folder() / "results" / "extrapolation.nc"
