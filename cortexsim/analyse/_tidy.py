"""Tables for other programs: one row for each trial, a column for each coordinate."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from cortexsim._support.checks import truth, whole
from cortexsim._support.files import as_path, refuse_existing, written_aside
from cortexsim.analyse._accuracy import correct, logits_of
from cortexsim.analyse._reaction_time import confidence
from cortexsim.analyse.node import activity_of
from cortexsim.analyse.same_stimuli import stimulus_coordinates
from cortexsim.recording.description import settings

if TYPE_CHECKING:
    import pandas as pd

Tabular = xr.DataTree | xr.Dataset | xr.DataArray
SUFFIXES = (".csv", ".parquet")
COLUMNS = ("trial", "time", "decision", "confidence", "correct")
LOGIT = "logit_"
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
        If the time does not exist, labels are no classes of the readout, a column already exists, or the file has
        another suffix.
    FileNotFoundError, OSError
        If the file cannot be written.
    ImportError
        If pyarrow is missing.

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
    time = None if time is None else whole(time, "time")
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
    if len({isinstance(one, xr.DataTree) for one in recordings.values()}) > 1:
        kinds = {name: type(one).__name__ for name, one in recordings.items()}
        raise TypeError(f"the mapping must contain recordings, or results of analyses, but not both, got {kinds}")
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
        name = str(recording.name or "value")
        if name in recording.coords or name in recording.dims:
            raise ValueError(f"the array and its coordinate are both called {name!r}: rename it, as by .rename('mean')")
        recording = recording.to_dataset(name=name)
    if not isinstance(recording, xr.Dataset):
        raise TypeError(f"a table is made of a recording, a Dataset or a DataArray, got {type(recording).__name__}")
    if recording.dims:
        return recording.to_dataframe().reset_index()
    return pd.DataFrame({str(name): [one.item()] for name, one in recording.reset_coords().items()})


def _trials(recording: xr.DataTree, time: int | None, every_time: bool) -> pd.DataFrame:
    import pandas as pd

    node = recording["readout"]
    logits = activity_of(node)
    is_map = logits.dims != ("stimulus", "time", "class")
    if not is_map:
        logits = logits_of(node)
    times = logits["time"].values
    if time is not None and time not in times:
        raise ValueError(f"there is no time {time}: the times are {times[0]} to {times[-1]}")
    places = range(len(times)) if every_time else [len(times) - 1 if time is None else int(np.argmax(times == time))]
    known = {name: one.values for name, one in stimulus_coordinates(logits).items()}
    taken = sorted(name for name in known if name in COLUMNS or name.startswith(LOGIT))
    if taken:
        raise ValueError(f"the stimuli have the coordinates {taken}, which are columns of the table: rename these")
    rows = pd.DataFrame({"trial": np.arange(logits.sizes["stimulus"]), **known})
    made = settings(recording)
    for name in SETTINGS:
        column = name.removesuffix("_text")
        if made.get(name) is not None and column not in rows:
            rows[column] = str(made[name]) if isinstance(made[name], dict | list) else made[name]
    decided = [] if is_map else _decisions(logits, correct(node).values if "label" in known else None)
    tables = [rows.assign(time=times[place], **(decided[place] if decided else {})) for place in places]
    return pd.concat(tables, ignore_index=True)


def _decisions(logits: xr.DataArray, right: np.ndarray | None) -> list[dict[str, object]]:
    """Return the columns of the readout at each time; `right` is whether it is correct, (stimulus, time)."""
    import pandas as pd

    populated, classes = logits["populated"].values, logits["class"].values
    certainty, best = confidence(logits, "margin")
    found: list[dict[str, object]] = []
    for place in range(logits.sizes["time"]):
        decisions = pd.Series(classes[best[:, place]]).where(populated[:, place])
        columns: dict[str, object] = {"decision": decisions, "confidence": certainty[:, place]}
        if right is not None:
            columns["correct"] = right[:, place]
        for position, name in enumerate(classes):
            columns[f"{LOGIT}{name}"] = logits.values[:, place, position]
        found.append(columns)
    return found


def _path(to: str | Path) -> Path:
    path = as_path(to, "to")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"a table is written as {' or '.join(SUFFIXES)}, got {str(to)!r}")
    if path.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ImportError('parquet needs pyarrow: pip install "cortexsim[tables]", or write .csv')
    return refuse_existing(path, what="to", replacing=True)


def _write(table: pd.DataFrame, path: Path) -> None:
    with written_aside(path, replacing=True) as aside:
        if path.suffix.lower() == ".csv":
            table.to_csv(aside, index=False)
            return
        try:
            table.to_parquet(aside, index=False, engine="pyarrow")
        except (ValueError, TypeError, NotImplementedError) as error:
            text = "; ".join(map(str, error.args))
            raise ValueError(f"parquet cannot contain this table ({text}); change the column, or write .csv") from error
