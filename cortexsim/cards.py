"""The cards of the models that ship: what each can do, over the seeds that were trained, as labelled arrays."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from cortexsim.presentation import AnyPresentation, Mixture, from_dict
from cortexsim.shipped import data_folder


def names() -> list[str]:
    """Return the names of the models that have a card."""
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
        `confusion_at`; `n_by_bin`, stimuli of a bin; `loss` (seed, record) and `validation` (seed, time), of the
        training; `minutes` (seed). Seed 0 is the model that ships. Attributes: data, machine, command, sizes.

    Raises
    ------
    ValueError
        If there is no card of that name.
    """
    if name not in names():
        raise ValueError(f"there is no card of {name!r}: those with a card are {', '.join(names())}")
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_folder().glob(f"{name}-seed*.json"))]
    return xr.concat([_one(run) for run in runs], "seed", data_vars="all", join="outer", combine_attrs="override")


def _one(run: dict[str, Any]) -> xr.Dataset:
    test = run["test"]
    shown = test["presentations"]
    times = np.arange(1 + max(time for one in shown.values() for time in one["times"]))
    # where the factor is the class, every class is a bin
    by_class = test["factor"] == "label"
    bins = test["classes"] if by_class else [f"{low:g} to {high:g}" for low, high in pairwise(test["edges"])]
    accuracy = np.full((len(shown), len(times)), np.nan)
    by_bin = np.full((len(shown), len(times), len(bins)), np.nan)
    for k, one in enumerate(shown.values()):
        accuracy[k, one["times"]] = one["accuracy"]
        by_bin[k, one["times"]] = one["by_bin"]
    held_out = run["training"][-1]["validation"] or {}
    steps = [f"{record['stage']}:{record['step']}" for record in run["training"] if record["validation"] is None]
    data = xr.Dataset(
        {
            "accuracy": (("presentation", "time"), accuracy),
            "accuracy_by_bin": (("presentation", "time", "bin"), by_bin),
            "confusion": (("presentation", "shown", "named"), [one["confusion"] for one in shown.values()]),
            "confusion_at": ("presentation", [one["confusion_at"] for one in shown.values()]),
            "n_by_bin": ("bin", test["n_by_bin"]),
            "loss": ("record", [record["loss"] for record in run["training"] if record["validation"] is None]),
            "validation": ("time", [held_out.get(str(time), np.nan) for time in times]),
            "minutes": run["minutes"],
        },
        coords={
            "seed": run["seed"],
            "presentation": [short(from_dict(one["shown"])) for one in shown.values()],
            "time": ("time", times, {"long_name": "readout time", "units": "steps"}),
            "bin": ("bin", bins, {"long_name": "class" if by_class else test["factor"].replace("_", " ")}),
            "shown": test["classes"],
            "named": test["classes"],
            "record": steps,
        },
        attrs={
            "model": run["model"],
            "command": run["command"],
            "data": f"{test['data']}, test part, {test['n']} stimuli",
            "factor": test["factor"],
            "machine": f"{run['machine']}, {run['threads']} thread",
            "date": run["date"],
            "parameters": run["parameters"],
            "multiply_adds": run["multiply_adds"],
        },
    )
    for variable in ("accuracy", "accuracy_by_bin", "validation"):
        data[variable].attrs = {"long_name": "accuracy", "units": "fraction"}
    data["minutes"].attrs = {"long_name": "training", "units": "minutes"}
    return data


def short(presentation: AnyPresentation) -> str:
    """Name a presentation as the command line does; a mask that is not mentioned is noise and stays on."""
    if isinstance(presentation, Mixture):
        return "+".join(short(component) for component in presentation.components)
    if presentation.kind != "masked":
        return presentation.kind if presentation.duration is None else f"{presentation.kind}:{presentation.duration}"
    mask = "" if presentation.mask == "noise" else f":{presentation.mask}"
    return f"masked:{presentation.duration}:{presentation.soa}{mask}"


def as_text(card: xr.Dataset, last: int = 12) -> str:
    """Write a card as a table: mean accuracy in percent and, with several seeds, the lowest and highest of them.

    Parameters
    ----------
    card : Dataset
        As `card` returns it.
    last : int
        Last time that is shown.
    """
    seeds = card.sizes["seed"]
    minutes = float(card["minutes"].mean())
    lines = [
        f"{card.attrs['model']}: {card.attrs['parameters']:,} parameters, "
        f"{card.attrs['multiply_adds'] / 1e6:.1f} million multiplications a stimulus",
        f"trained by: {card.attrs['command']} ({minutes:.1f} minutes, {card.attrs['machine']}, {card.attrs['date']})",
        f"tested on {card.attrs['data']}; percent correct, {_over(seeds)}",
        "",
    ]
    shown = card["accuracy"].sel(time=slice(1, last)).dropna("time", how="all")
    lines.append(f"{'time':36}" + "".join(f"{int(time):>14}" for time in shown["time"]))
    for name in shown["presentation"].values:
        lines.append(f"{name:36}" + _row(shown.sel(presentation=name)))
    by_bin = card["accuracy_by_bin"].sel(presentation="sustained", time=shown["time"])
    for name in by_bin["bin"].values:
        label = f"sustained, {by_bin['bin'].attrs['long_name']} {name}"
        lines.append(f"{label:36}" + _row(by_bin.sel(bin=name)))
    return "\n".join(lines)


def _over(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"mean (lowest to highest) of {seeds} seeds"


def _row(values: xr.DataArray) -> str:
    cells = []
    for time in values["time"].values:
        at = 100 * values.sel(time=time).values
        if np.isnan(at).all():
            cells.append("")
        elif len(at) == 1:
            cells.append(f"{at[0]:.1f}")
        else:
            cells.append(f"{np.nanmean(at):.0f} ({np.nanmin(at):.0f}-{np.nanmax(at):.0f})")
    return "".join(f"{cell:>14}" for cell in cells)
