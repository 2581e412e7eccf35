"""The folders of notebooks and data: inside an installed package, next to the package in a checkout."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, NamedTuple

_PACKAGE = Path(__file__).resolve().parents[1]


class Copied(NamedTuple):
    """The outcome for one notebook: `new`, `same` (already there) or `kept` (the user's version, which differs)."""

    path: Path
    outcome: Literal["new", "same", "kept"]


def in_checkout() -> bool:
    """Return whether cortexsim runs from a checkout of its repository."""
    return not (_PACKAGE / "notebooks").is_dir()


def _folder(name: str) -> Path:
    folder = _PACKAGE.parent / name if in_checkout() else _PACKAGE / name
    if not folder.is_dir():
        raise FileNotFoundError(
            f"the {name} that come with cortexsim are missing: there is no {folder}; install cortexsim again"
        )
    return folder


def notebooks_folder() -> Path:
    """Return the folder of the notebooks that come with cortexsim.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    return _folder("notebooks")


def data_folder() -> Path:
    """Return the folder of the data that comes with cortexsim: pretrained models and their sources.

    Raises
    ------
    FileNotFoundError
        If the installation is incomplete.
    """
    return _folder("data")


def copy_notebooks(to: Path) -> list[Copied]:
    """Copy the notebooks into a folder of the user, without overwriting any file.

    Parameters
    ----------
    to : Path
        The folder; it is created if it does not exist.

    Returns
    -------
    list of Copied
        One for each notebook, in order. A `kept` file is the user's: it differs from this version of
        cortexsim, because one of the two changed.

    Raises
    ------
    NotADirectoryError
        If `to` is a file.
    """
    if to.exists() and not to.is_dir():
        raise NotADirectoryError(f"cannot copy the notebooks to {to}: it is a file, a folder is needed")
    to.mkdir(parents=True, exist_ok=True)
    copied = []
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        target = to / source.name
        try:
            # "x" refuses an existing file, even one that appeared a moment ago
            with source.open("rb") as shipped, target.open("xb") as own:
                shutil.copyfileobj(shipped, own)
        except FileExistsError:
            same = target.is_file() and target.read_bytes() == source.read_bytes()
            copied.append(Copied(target, "same" if same else "kept"))
        else:
            copied.append(Copied(target, "new"))
    return copied
