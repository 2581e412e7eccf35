"""Tables for other programs: one row for each trial, a column for each coordinate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth
from cortexsim._support.files import written_aside
from cortexsim.analyse._accuracy import logits_of
from cortexsim.analyse._reaction_time import confidence
from cortexsim.analyse.node import stimulus_coordinates
from cortexsim.recording.description import settings

if TYPE_CHECKING:
    import pandas as pd

Tabular = xr.DataTree | xr.Dataset | xr.DataArray
SUFFIXES = (".csv", ".parquet")
# settings of a recording that apply to all its trials
SETTINGS = ("model", "presentation_text", "seed")


def tidy(
    recording: Tabular | Mapping[str, Tabular],
    *,
    time: int | None = None,
    every_time: bool = False,
    to: str | Path | None = None,
) -> pd.DataFrame:
    """Return a table with one row for each trial, and write it as CSV or parquet.

    Parameters
    ----------
    recording : DataTree, Dataset, DataArray or mapping
        A recording, whose trials are the stimuli (and repeats) that were shown; or the result of an analysis, with a
        row for each of its values; or several of the same type by name, such as {"intact": ..., "lesion": ...}, whose
        names become the column `recording`.
    time : int, optional
        The time at which a recording is read out, by default the last.
    every_time : bool
        For a recording: one row for each trial and time.
    to : str or path, optional
        File to write: .csv or .parquet. Parquet needs pyarrow: pip install "cortexsim[tables]".

    Returns
    -------
    DataFrame
        For a recording: `trial`, counted from 0; every coordinate of the stimuli, such as `label`; `time`; `decision`,
        its `confidence` (the difference between the two largest probabilities), `correct` (1 or 0, if the stimuli have
        a `label`) and the logits, `logit_<class>`, missing if the readout is empty; `model`, `presentation` and `seed`.
        If the readout is a map, there are only the columns of stimuli, times and settings. For a result: a column for
        each dimension, coordinate (such as `low` and `high`) and variable.

    Raises
    ------
    TypeError
        If it is none of these.
    ValueError
        If the time does not exist, a column `recording` already exists, or the file has another suffix.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8, record=[])
    >>> table = cs.tidy(recording, time=8)
    >>> table[["curve_length", "correct"]].shape
    (4, 2)
    """
    path = None if to is None else _path(to)
    every_time = truth(every_time, "every_time")
    if time is not None and every_time:
        raise ValueError("pass time= or every_time=True, not both")
    if isinstance(recording, Mapping) and not isinstance(recording, xr.DataTree | xr.Dataset):
        table = _several(recording, time, every_time)
    else:
        table = _one(recording, time, every_time)
    if path is not None:
        _write(table, path)
    return table


def _several(recordings: Mapping[str, Tabular], time: int | None, every_time: bool) -> pd.DataFrame:
    import pandas as pd

    if not recordings:
        raise ValueError("there is nothing to write: the mapping is empty")
    tables = {name: _one(one, time, every_time) for name, one in recordings.items()}
    taken = [name for name, table in tables.items() if "recording" in table]
    if taken:
        raise ValueError(f"the names become the column 'recording', but {taken[0]!r} has such a column already")
    return pd.concat([table.assign(recording=name) for name, table in tables.items()], ignore_index=True)


def _one(recording: Tabular, time: int | None, every_time: bool) -> pd.DataFrame:
    import pandas as pd

    if isinstance(recording, xr.DataTree) and "readout" in recording.children:
        return _trials(recording, time, every_time)
    if time is not None or every_time:
        raise ValueError("time= and every_time= are for recordings; select the times of a result with .sel(time=...)")
    if isinstance(recording, xr.DataArray):
        recording = recording.to_dataset(name=str(recording.name or "value"))
    if not isinstance(recording, xr.Dataset):
        raise TypeError(f"a table is made of a recording, a Dataset or a DataArray, got {type(recording).__name__}")
    if recording.dims:
        return recording.to_dataframe().reset_index()
    return pd.DataFrame({str(name): [one.item()] for name, one in recording.reset_coords().items()})


def _trials(recording: xr.DataTree, time: int | None, every_time: bool) -> pd.DataFrame:
    import pandas as pd

    readout = recording["readout"].to_dataset()
    times = readout["time"].values
    if time is not None and time not in times:
        raise ValueError(f"there is no time {time}: the times are {times[0]} to {times[-1]}")
    places = range(len(times)) if every_time else [len(times) - 1 if time is None else int(np.argmax(times == time))]
    known = {name: one.values for name, one in stimulus_coordinates(readout["logits"]).items()}
    rows = pd.DataFrame({"trial": np.arange(readout.sizes["stimulus"]), **known})
    made = settings(recording)
    for name in SETTINGS:
        column = name.removesuffix("_text")
        if made.get(name) is not None and column not in rows:
            rows[column] = str(made[name]) if isinstance(made[name], dict | list) else made[name]
    tables = [rows.assign(time=times[place], **_decisions(readout, place)) for place in places]
    return pd.concat(tables, ignore_index=True)


def _decisions(readout: xr.Dataset, place: int) -> dict[str, object]:
    """Return the columns of the readout at one time; none if it is a map."""
    import pandas as pd

    if readout["logits"].dims != ("stimulus", "time", "class"):
        return {}
    logits = logits_of(readout.isel(time=[place]))
    there, classes = logits["populated"].values[:, 0], logits["class"].values
    certainty, best = confidence(logits, "margin")
    columns: dict[str, object] = {
        "decision": pd.Series(classes[best[:, 0]]).where(there),
        "confidence": certainty[:, 0],
    }
    if "label" in stimulus_coordinates(logits):
        right = classes[best[:, 0]] == logits["label"].values
        columns["correct"] = np.where(there, right.astype(float), np.nan)
    for position, name in enumerate(classes):
        columns[f"logit_{name}"] = logits.values[:, 0, position]
    return columns


def _path(to: str | Path) -> Path:
    path = Path(to)
    if path.suffix not in SUFFIXES:
        raise ValueError(f"a table is written as {' or '.join(SUFFIXES)}, got {str(to)!r}")
    return path


def _write(table: pd.DataFrame, path: Path) -> None:
    with written_aside(path, replacing=True) as aside:
        if path.suffix == ".csv":
            table.to_csv(aside, index=False)
            return
        try:
            table.to_parquet(aside, index=False, engine="pyarrow")
        except ImportError as error:
            raise ImportError('parquet needs pyarrow: pip install "cortexsim[tables]", or write .csv') from error
