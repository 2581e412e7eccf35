"""Extras of the package: parts whose libraries are installed only where they are asked for."""

from __future__ import annotations

import importlib.util
import sys

EXTRAS = {
    "lab": ("jupyterlab", "ipykernel", "ipywidgets", "anywidget"),
    "brains": ("rsatoolbox",),
    "sweep": ("distributed",),
}
"""The libraries without which the part of an extra does not run."""


def check_extra(extra: str, what: str) -> None:
    """Raise an error if an extra is not installed, without importing its libraries.

    Parameters
    ----------
    extra : str
        Its name in pyproject.toml.
    what : str
        The subject of the message, in the plural: "panels".

    Raises
    ------
    RuntimeError
        If one of its libraries is missing; the message says how to install it.
    """
    missing = [name for name in EXTRAS[extra] if not _is_installed(name)]
    if missing:
        raise RuntimeError(f'{what} need {", ".join(missing)}: pip install "cortexsim[{extra}]"')


def _is_installed(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None
