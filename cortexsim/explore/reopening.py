"""Open a panel again from its settings, whichever panel it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from cortexsim.explore.study import Study
from cortexsim.suggest import unknown

STUDIES = {
    "Brains": "own_brains",
    "Changes": "changes",
    "Experiment": "experiment",
    "Folding": "folding",
    "HowLong": "how_long",
    "Lesions": "lesions",
    "Masking": "masking",
    "Recorder": "recorder",
    "Sequences": "sequences",
}


def reopen(settings: Mapping[str, Any] | str | Path, *, model: Any = None, data: Any = None) -> Study:
    """Open a panel on another's settings, with the answers that were given in it.

    Parameters
    ----------
    settings : mapping or path
        A panel's `settings`, or the file that `panel.save` wrote.
    model, data
        Where the settings name none, because they were given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no JSON, or no settings of a panel that measures.
    """
    if isinstance(settings, str | Path):
        path = Path(settings)
        if not path.is_file():
            raise FileNotFoundError(f"there are no settings at {path}")
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no JSON ({error}); write it with panel.save") from error
    if not isinstance(settings, Mapping) or "panel" not in settings:
        raise ValueError(
            f"these are no settings of a panel that measures ({', '.join(STUDIES)}): the key 'panel' is missing"
        )
    name = settings["panel"]
    if name not in STUDIES:
        raise ValueError(unknown("panel", str(name), STUDIES))
    panel: type[Study] = getattr(import_module(f"cortexsim.explore.{STUDIES[name]}"), name)
    return panel.from_settings(settings, model=model, data=data)
