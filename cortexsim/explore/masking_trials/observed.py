"""What an observer answered: trials as plain values, and their accuracy by SOA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.checks import finite, one_of, whole
from cortexsim._support.settings import Form, anything, whole_number
from cortexsim.analyse.interval import fraction
from cortexsim.explore.masking_trials.stimuli import CLASSES, CONDITIONS, NO_MASK

TRIAL = Form(
    {
        "round": whole_number(0),
        "condition": anything,
        "digit": whole_number(0, max(CLASSES)),
        "answer": anything,
        "flash_ms": anything,
        "soa_ms": anything,
        "response_ms": anything,
        "frame_ms": anything,
        "missed": anything,
    },
    what="a trial",
    versioned=False,
)


def checked(trials: Any) -> list[dict[str, Any]]:
    """Read trials from saved settings.

    Raises
    ------
    TypeError, ValueError
        If one of them cannot have happened; the message says which, and what is allowed.
    """
    return [_checked(trial, place) for place, trial in enumerate(trials, 1)]


def _checked(trial: Any, place: int) -> dict[str, Any]:
    try:
        read = TRIAL.read(trial)
        one_of(read["condition"], "condition", CONDITIONS)
        if not isinstance(read["missed"], bool):
            raise TypeError(f"missed must be true or false, got {read['missed']!r}")
        if read["answer"] is not None or not read["missed"]:
            whole(read["answer"], "answer", 0, max(CLASSES))
        for name in ("flash_ms", "frame_ms"):
            finite(read[name], name, 0)
        # without a mask there is no SOA, and without an answer no response time
        for name, absent in (("soa_ms", read["condition"] == NO_MASK), ("response_ms", read["answer"] is None)):
            if not absent and not (name == "soa_ms" and read["missed"] and read[name] is None):
                finite(read[name], name, 0)
    except (TypeError, ValueError) as error:
        raise type(error)(f"the trials are damaged at number {place}: {error}") from None
    return read


def counted(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the trials that count: answered, and without a missed picture."""
    return [trial for trial in trials if not trial["missed"] and trial["answer"] is not None]


def table(trials: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """Return the accuracy by condition, and each trial that counts.

    Parameters
    ----------
    trials : sequence of mapping
        As the panel's `trials`.

    Returns
    -------
    Dataset
        `accuracy`, `low`, `high` (condition,): the fraction right with its 95 % Wilson interval, NaN without trials;
        `n` (condition,), trials; `mean_soa_ms` (condition,), as the browser measured it, NaN without a mask. `digit`,
        `answer`, `right`, `flash_ms`, `soa_ms`, `response_ms` (trial,), with the coordinate `of_condition`. `attrs`:
        `n_missed`, trials that do not count; `frame_ms`, the time between two pictures of the screen.
    """
    valid = counted(trials)
    right = np.array([trial["answer"] == trial["digit"] for trial in valid], float)
    of = np.array([trial["condition"] for trial in valid], dtype=object)
    soa = np.array([np.nan if trial["condition"] == NO_MASK else trial["soa_ms"] for trial in valid], float)
    n = np.array([(of == name).sum() for name in CONDITIONS])
    share, low, high = fraction([right[of == name].sum() for name in CONDITIONS], n)
    means = [soa[of == name].mean() if count else np.nan for name, count in zip(CONDITIONS, n, strict=True)]
    about = {"long_name": "accuracy", "units": "1", "interval": "95 % Wilson interval over trials", "chance": 0.1}
    ms = {"units": "ms"}
    frames = [float(trial["frame_ms"]) for trial in trials]
    per_trial = {
        "digit": ("trial", [trial["digit"] for trial in valid], {"long_name": "digit shown"}),
        "answer": ("trial", [trial["answer"] for trial in valid], {"long_name": "answer"}),
        "right": ("trial", right.astype(bool), {"long_name": "answered correctly"}),
        "soa_ms": ("trial", soa, {"long_name": "stimulus-onset asynchrony", **ms}),
        **{
            name: ("trial", np.array([trial[name] for trial in valid], float), {"long_name": words, **ms})
            for name, words in {"flash_ms": "duration of the flash", "response_ms": "response time"}.items()
        },
    }
    return xr.Dataset(
        {
            "accuracy": ("condition", share, about),
            "low": ("condition", low, about),
            "high": ("condition", high, about),
            "n": ("condition", n, {"long_name": "trials"}),
            "mean_soa_ms": ("condition", means, {"long_name": "stimulus-onset asynchrony", **ms}),
            **per_trial,
        },
        {"condition": list(CONDITIONS), "of_condition": ("trial", of.astype(str) if len(of) else np.array([], str))},
        {"n_missed": len(trials) - len(valid), "frame_ms": float(np.median(frames)) if frames else np.nan},
    )
