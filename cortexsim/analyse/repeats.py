"""Rows of a recording that show one stimulus: they are not independent, so that intervals are over stimuli."""

from __future__ import annotations

import numpy as np
import xarray as xr

from cortexsim.analyse.interval import fraction

# only `simulate(repeats=)` and the protocols make these next to `target`, which alone may mean something else
MARKS = ("repeat", "reaches")


def originals(activity: xr.DataArray | xr.Dataset) -> np.ndarray:
    """Return the number of each row's stimulus, counted from 0: the same for repeats, or conditions, of one stimulus.

    The rows of a single stimulus are independent draws of the noise, so they have numbers of their own.
    """
    known = {name for name in ("target", *MARKS) if name in activity.coords and activity[name].dims == ("stimulus",)}
    if "target" not in known or len(known) < 2:
        return np.arange(activity.sizes["stimulus"])
    numbers: np.ndarray = np.unique(activity["target"].values, return_inverse=True)[1]
    return numbers if are_repeated(numbers) and numbers.any() else np.arange(len(numbers))


def are_repeated(of: np.ndarray) -> bool:
    """Return whether a stimulus has several rows."""
    return len(np.unique(of)) < len(of)


def per_stimulus(values: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Average over the rows of each stimulus, (row, ...) to (stimulus, ...); NaN if none of them has a number."""
    shape = (int(of.max(initial=-1)) + 1, *values.shape[1:])
    known, total, n = np.isfinite(values), np.zeros(shape), np.zeros(shape)
    np.add.at(total, of, np.where(known, values, 0.0))
    np.add.at(n, of, known)
    return np.divide(total, n, where=n > 0, out=np.full(shape, np.nan))


def n_stimuli(among: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Count the stimuli that have a row among those chosen, bool (..., row)."""
    if not are_repeated(of):
        return among.sum(-1)
    each = [len(np.unique(of[rows])) for rows in among.reshape(-1, len(of))]
    return np.array(each).reshape(among.shape[:-1])


def fraction_of_rows(successes: np.ndarray | float, rows: np.ndarray | int, stimuli: np.ndarray | int) -> np.ndarray:
    """Return a fraction of rows and the ends of Wilson's interval over their stimuli, (3, ...); NaN without rows.

    The interval is exact if all rows of a stimulus give the same result, and too wide if they are independent.
    """
    rows, stimuli = np.asarray(rows, float), np.asarray(stimuli, float)
    each = np.divide(stimuli, rows, where=rows > 0, out=np.full(np.broadcast_shapes(rows.shape, stimuli.shape), np.nan))
    return fraction(np.asarray(successes, float) * each, stimuli)


def stimuli_text(of: np.ndarray) -> str:
    """Describe the stimuli of an interval, such as "30 stimuli, in 300 trials"."""
    n = len(np.unique(of))
    return f"{n} stimuli, in {len(of)} trials" if n < len(of) else f"{n} {'stimulus' if n == 1 else 'stimuli'}"
