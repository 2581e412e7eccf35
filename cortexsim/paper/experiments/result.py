"""Results of experiments: one labelled netCDF file, with its provenance."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import xarray as xr

from cortexsim import __version__
from cortexsim._support.checks import unknown
from cortexsim._support.files import as_path
from cortexsim._support.netcdf import open_dataset
from cortexsim._support.resources import data_folder

# attributes of every result
NAMED = (
    "experiment",
    "title",
    "question",
    "paper",
    "data",
    "scale",
    "hardware",
    "seconds",
    "commit",
    "version",
    "date",
)


def open_result(path: str | Path) -> xr.Dataset:
    """Open the result of an experiment.

    Parameters
    ----------
    path : str or path
        A result's .nc file, or the folder of a run.

    Returns
    -------
    Dataset

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged, or not the result of an experiment.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "result.nc"
    >>> cs.experiments.shipped("sequences").to_netcdf(path, engine="h5netcdf")
    >>> cs.experiments.open_result(path).sizes["seed"]
    1
    """
    path = as_path(path)
    if path.is_dir():
        path = path / "result.nc"
    if not path.is_file():
        raise FileNotFoundError(f"there is no result at {path}; to finish a run that was stopped, use --resume")
    result = open_dataset(path, "run the experiment again, or fetch the file again")
    missing = [name for name in NAMED if name not in result.attrs]
    if missing:
        raise ValueError(f"{path} is not the result of an experiment: it lacks the attribute {missing[0]!r}")
    return result


def shipped_names() -> list[str]:
    """List the experiments with a bundled result.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.experiments.shipped_names()[:2]
    ['equivalence', 'extrapolation']
    """
    return sorted(path.stem for path in (data_folder() / "results").glob("*.nc"))


def shipped(name: str) -> xr.Dataset:
    """Open a bundled result.

    Raises
    ------
    ValueError
        If there is none of that name; the message lists the names.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("weight-sharing")
    >>> result["error"].dims
    ('model', 'seed')
    """
    if name not in shipped_names():
        raise ValueError(unknown("result", name, shipped_names()) + "; run it: experiments.run(...)")
    return open_result(data_folder() / "results" / f"{name}.nc")


def machine(device: str | torch.device, threads: int) -> str:
    """Name the hardware."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    name = platform.processor() or platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.is_file():
        lines = [line for line in cpus.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{name}, {threads} {'thread' if threads == 1 else 'threads'}, torch {torch.__version__}"


def commit() -> str:
    """Return the commit of the checkout; for an installed package, its version."""
    here = Path(__file__).resolve().parents[3]

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        changed = " and changes since" if git("status", "--porcelain", "--untracked-files=no", "--", str(here)) else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return f"version {__version__}, no checkout"


def combined(parts: Mapping[tuple[str, int], xr.Dataset]) -> xr.Dataset:
    """Combine the parts of a run, with NaN where a part has no value.

    Parameters
    ----------
    parts : mapping of (model's label, seed) to Dataset
        In the order in which they are drawn.

    Returns
    -------
    Dataset
        With the dimensions `model` and `seed` before those of the parts.
    """
    whole = xr.merge(
        [data.expand_dims(model=[label], seed=[seed]) for (label, seed), data in parts.items()],
        join="outer",
        compat="no_conflicts",
        combine_attrs="drop_conflicts",
    )
    # a merge sorts the labels; the order of the plan is restored
    return whole.reindex(model=list(dict.fromkeys(label for label, _ in parts)))


def over_seeds(values: xr.DataArray) -> xr.DataArray:
    """Take the mean over seeds, with an interval.

    Parameters
    ----------
    values : DataArray
        Errors (fractions), with the dimension `seed`, and `n` stimuli in its attributes.

    Returns
    -------
    DataArray
        Without `seed`; coordinates `low` and `high`: the lowest and highest over several seeds (NaN where only one
        has a value), or the 95 % Wilson interval over the stimuli of one. `attrs["interval"]` says which.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference. JASA 22:209-212.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.experiments.shipped("plain-or-residual")
    >>> error = cs.experiments.over_seeds(result["error"])
    >>> error.attrs["interval"]
    'lowest to highest over 3 seeds'
    """
    n_seeds, n = values.sizes["seed"], int(values.attrs["n"])
    mean = values.mean("seed", keep_attrs=True)
    if n_seeds > 1:
        low, high = values.min("seed"), values.max("seed")
        interval = f"lowest to highest over {n_seeds} seeds"
        counted = values.count("seed")
        # a single remaining seed has no spread
        low, high = low.where(counted > 1), high.where(counted > 1)
        counts = counted.values
        fewest = counts[counts > 0].min(initial=n_seeds)
        if fewest < n_seeds:
            interval += f" ({fewest} where the others diverged)"
    else:
        z = 1.959964
        centre = (mean + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(mean * (1 - mean) / n + z**2 / (4 * n**2))
        low, high = centre - half, centre + half
        interval = f"95 % Wilson interval over {n} stimuli, one seed"
    return mean.assign_coords(low=low.variable, high=high.variable).assign_attrs(interval=interval)


def plain(settings: Mapping[str, object]) -> str:
    """Write settings as one line of JSON, which netCDF takes as an attribute."""
    return json.dumps(settings, sort_keys=True)
