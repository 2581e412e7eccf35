"""The grids that the panel on a sweep offers, its controls, and the study and the folder of each choice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cortexsim._support.files import as_path
from cortexsim.explore.panel.controls import Chosen, Control, Fixed, Menu, Slider, Text
from cortexsim.sweeps.study import Study, read_study

MODEL, DATA, UNTIL = "ventral-stream-digits", "digits", 8
GRIDS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "mask": (
        "noise x onset of a mask",
        {
            "models": [MODEL],
            "presentations": ["masked:1:1", "masked:1:2", "masked:1:4", "flash:1"],
            "noise": [0.0, 0.25, 0.5, 0.75],
        },
    ),
    # some of these models lack what is cut in others, so that some points cannot run
    "lesions": (
        "model x lesion",
        {
            "models": [MODEL, *(f"{MODEL}-{name}" for name in ("lateral", "feedback", "feedforward"))],
            "presentations": ["sustained"],
            "silence": ["none", "lateral", "feedback"],
        },
    ),
}
"""Titles, and what differs between their studies."""
COUNTS = (30, 60, 200)
MOST_POINTS = 400


def of_own(study: Any) -> Study:
    """Read a study that is to be seen in the panel.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If it cannot be read, or has more points than can be seen.
    """
    read = read_study(study)
    if read.n_points > MOST_POINTS:
        raise ValueError(
            f"the panel shows grids of up to {MOST_POINTS} points, got {read.n_points:,}; cs.sweep runs larger ones"
        )
    return read


def controls_of(study: Study | None, to: str) -> dict[str, Control]:
    """Declare the controls: of the panel's own grids, or of a study that cannot be changed in the panel.

    Parameters
    ----------
    study : Study or None
    to : str
        The folder.
    """
    if study is None:
        titles = {title: name for name, (title, _) in GRIDS.items()}
        n = Menu("images of each point", COUNTS, 60, width_px=230)
        return {"grid": Menu("grid", titles, width_px=300), **_placed(to, UNTIL), "n": n}
    return {"grid": Fixed(json.dumps(asdict(study))), **_placed(to, study.until), "n": Fixed(study.n)}


def _placed(to: str, until: int) -> dict[str, Control]:
    return {"to": Text("folder", to, width_px=460), "time": Slider("read out at t =", 1, until, until, width_px=420)}


def described(choices: Chosen) -> dict[str, Any]:
    """Return the study of these choices, as a mapping that `cortexsim.sweep` takes."""
    if choices["grid"] not in GRIDS:
        return json.loads(choices["grid"])
    _, own = GRIDS[choices["grid"]]
    return {"data": DATA, "until": UNTIL, "n": choices["n"], **own}


def study_of(choices: Chosen) -> Study:
    """Return the study of these choices."""
    return read_study(described(choices))


def path_of(choices: Chosen) -> Path:
    """Return the folder of these choices: each of the panel's own grids has one in the folder that is named."""
    to = as_path(choices["to"])
    return to / f"{choices['grid']}-{choices['n']}" if choices["grid"] in GRIDS else to
