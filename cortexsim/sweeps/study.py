"""Studies: models, seeds and presentations from a TOML file or a mapping; an error in it names its line."""

from __future__ import annotations

import hashlib
import itertools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from cortexsim import __version__, zoo
from cortexsim._support.checks import finite, listed, shown, unknown, whole
from cortexsim._support.documents import read_text
from cortexsim._support.files import as_path
from cortexsim.datasets.registry import draw
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.recording.dtypes import DTYPES
from cortexsim.stimuli.text import read_presentation, read_record, read_silence
from cortexsim.zoo.models import file_of, path_of

# the dimensions of the grid, each with the setting that lists its values
AXES = {
    "model": "models",
    "seed": "seeds",
    "presentation": "presentations",
    "noise": "noise",
    "silence": "silence",
}
NOTHING = "none"
MOST_STIMULI = 10_000_000
T = TypeVar("T")


@dataclass(frozen=True)
class Study:
    """A study: every model with every seed, presentation, noise and silence.

    Parameters
    ----------
    models : tuple of str
        .safetensors files, or pretrained models by name.
    data : str or mapping
        "digits", "contours", or a folder of images; or {"name": "digits", "occlusion": [0.3, 0.5], ...}, arguments of
        that dataset.
    until : int
        Last time; every readout time up to it is in the result.
    n : int
        Stimuli of each point.
    seeds : tuple of int
        Each draws its stimuli, masks and noise.
    presentations, silence : tuple of str
        As on the command line: "masked:1:3"; "feedback:3-20", several joined by commas, or "none".
    noise : tuple of float
        As for `simulate`, in standard deviations.
    calibrate_on : int
        Training images on which statistics are taken again for each presentation; 0 uses the model's own.
    record : str
        Selection that each point records, as on the command line: "V1:spatial_mean,IT"; "" writes no recording.
    dtype : str
        Of the recordings.
    batch_size : int
        Stimuli at once; 0 is as many as fit.
    """

    models: tuple[str, ...]
    data: str | dict[str, object]
    until: int
    n: int = 200
    seeds: tuple[int, ...] = (0,)
    presentations: tuple[str, ...] = ("flash",)
    noise: tuple[float, ...] = (0.0,)
    silence: tuple[str, ...] = (NOTHING,)
    calibrate_on: int = 0
    record: str = ""
    dtype: str = "float16"
    batch_size: int = 0

    @property
    def axes(self) -> dict[str, tuple[str | int | float, ...]]:
        """The values along each dimension of the grid."""
        return {axis: getattr(self, name) for axis, name in AXES.items()}

    @property
    def n_points(self) -> int:
        """Number of points of the grid."""
        return prod(map(len, self.axes.values()))

    @property
    def fixed(self) -> dict[str, object]:
        """The settings that are the same at every point, as plain values."""
        return {name: value for name, value in asdict(self).items() if name not in AXES.values()}

    def points(self) -> Iterator[Point]:
        """Iterate over the points of the grid."""
        files = {model: _checksum(model) for model in self.models}
        for values in itertools.product(*self.axes.values()):
            chosen = dict(zip(self.axes, values, strict=True))
            yield Point(chosen, {**self.fixed, "file": files[str(chosen["model"])], "version": __version__})


@dataclass(frozen=True)
class Point:
    """One point of the grid.

    Parameters
    ----------
    chosen : dict
        By dimension, the value at this point.
    settings : dict
        All other settings that determine the result.
    """

    chosen: dict[str, Any]
    settings: dict[str, Any]

    @property
    def key(self) -> str:
        """Name of its file, which depends on all settings."""
        return hashlib.sha256(repr(sorted({**self.settings, **self.chosen}.items())).encode()).hexdigest()[:16]

    @property
    def place(self) -> tuple[str, str, str]:
        """Its model, presentation and silence, which decide whether it can run."""
        return self.chosen["model"], self.chosen["presentation"], self.chosen["silence"]

    def __str__(self) -> str:
        usual = {"noise": 0.0, "silence": NOTHING}
        shown = {axis: value for axis, value in self.chosen.items() if usual.get(axis) != value}
        return ", ".join(str(v) if axis in ("model", "presentation") else f"{axis} {v}" for axis, v in shown.items())


def read_study(study: str | Path | Mapping[str, object] | Study) -> Study:
    """Read a study from a TOML file, or from a mapping of the same form.

    Parameters
    ----------
    study : path, mapping or Study

    Raises
    ------
    FileNotFoundError
        If the file, a model or a folder of images does not exist.
    TypeError
        If it is none of these.
    ValueError
        If a setting is not allowed; the message says where it is, its value and what is allowed.
    """
    if isinstance(study, Study):
        return _checked({field.name: getattr(study, field.name) for field in fields(study)}, lambda *_: "the study: ")
    if isinstance(study, Mapping):
        return _checked(dict(study), lambda *_: "the study: ")
    if not isinstance(study, str | Path):
        raise TypeError(f"a study is a .toml file or a mapping, got {type(study).__name__}")
    path = as_path(study)
    if not path.is_file():
        raise FileNotFoundError(f"there is no study {str(path)!r}")
    try:
        text = read_text(path)
        written = tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"{path} is not TOML that can be read: its brackets are nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    return _checked(written, lambda *names: f"{path}, {_line(text, *names)}")


def folder_of(data: object, base: Path = Path()) -> Path | None:
    """Return the folder of images that a study names; None if there is no such folder."""
    folder = base / Path(data).expanduser() if isinstance(data, str) else None
    return folder if folder is not None and folder.is_dir() else None


def _line(text: str, *names: object) -> str:
    """Find the line that sets the first name, or the line after it that has the other names."""
    found, lines = 0, text.splitlines()
    for depth, name in enumerate(names):
        shape = rf"""^\s*\[?\s*["']?{re.escape(str(name))}["']?\s*[\]=]""" if depth == 0 else re.escape(str(name))
        found = next((k for k in range(found, len(lines)) if re.search(shape, lines[k])), found)
    return f"line {found + 1}: "


def _checked(written: dict[str, object], where: Callable[..., str]) -> Study:
    known = {field.name: field.default for field in fields(Study)}
    for name in written:
        if name not in known:
            raise ValueError(where(name) + unknown("setting", name, known))
    missing = [name for name, default in known.items() if default is MISSING and name not in written]
    if missing:
        raise ValueError(f"{where()}a study needs {missing}; the settings are {list(known)}")
    values = {name: _typed(name, value, where) for name, value in written.items()}
    study = Study(**values)
    if not study.n_points:
        empty = [name for name in AXES.values() if not getattr(study, name)]
        raise ValueError(f"{where(empty[0])}the grid has no points: {empty} are empty")
    for name, read in (("presentations", read_presentation), ("silence", silenced), ("models", _known)):
        for value in getattr(study, name):
            _attempt(read, value, where(name, value))
    _attempt(read_record, study.record, where("record"))
    if study.dtype not in DTYPES:
        raise ValueError(where("dtype") + unknown("dtype", study.dtype, DTYPES))
    if folder_of(study.data) is None:
        named = {"name": study.data} if isinstance(study.data, str) else study.data
        own = [name for name in named if name in ("n", "seed", "device")]
        if own:
            raise ValueError(f"{where('data', own[0])}{own} of the data are set by the study's n and seeds")
        # two images are drawn at once, so that a wrong argument is refused before anything starts
        wrong = next((name for name in named if name != "name" and not _can_draw(named, name)), "name")
        _attempt(lambda data: draw(data, 2), named, where("data", *([wrong] if isinstance(study.data, dict) else [])))
    return study


def _can_draw(named: Mapping[str, object], argument: str) -> bool:
    try:
        draw({"name": named.get("name"), argument: named[argument]}, 2)
    except (ValueError, TypeError):
        return False
    return True


def _attempt(read: Callable[[T], object], value: T, place: str) -> None:
    try:
        read(value)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError) as error:
        raise ValueError(f"{place}{error}") from error


def _typed(name: str, value: object, where: Callable[..., str]) -> Any:
    """Refuse a value of another type, and make tuples of lists."""
    texts, wholes = ("models", "presentations", "silence"), ("until", "n", "calibrate_on", "batch_size")
    if name == "data":
        if not isinstance(value, str | dict) or not value:
            raise ValueError(f"{where(name)}data must be a name, a folder or a table with a name, got {shown(value)}")
        return value
    if name in ("record", "dtype"):
        if not isinstance(value, str):
            raise ValueError(f"{where(name)}{name} must be text, got {shown(value)}")
        return value
    if name in wholes:
        most = MOST_STEPS if name == "until" else MOST_STIMULI
        return whole(value, f"{where(name)}{name}", 1 if name in ("until", "n") else 0, limit=most)
    try:
        value = listed(value, name)
    except TypeError:
        raise ValueError(f"{where(name)}{name} must be a list, got {shown(value)}") from None
    for one in value:
        if name in texts and not isinstance(one, str):
            raise ValueError(f"{where(name, one)}{name} must be strings, got {shown(one)}")
    values = tuple(value) if name in texts else tuple(_amount(name, one, where) for one in value)
    twice = [one for one in dict.fromkeys(values) if values.count(one) > 1] if len(set(values)) < len(values) else []
    if twice:
        raise ValueError(f"{where(name, twice[0])}{name} must be different, but {twice} are repeated")
    return values


def _amount(name: str, value: object, where: Callable[..., str]) -> float:
    """Return a seed as an int, or noise as a float."""
    try:
        return whole(value, name, 0) if name == "seeds" else finite(value, name, 0)
    except ValueError:
        numbers = "whole numbers" if name == "seeds" else "numbers"
        raise ValueError(f"{where(name, value)}{name} must be {numbers} of at least 0, got {shown(value)}") from None


def silenced(text: str) -> dict[str, Any]:
    """Read the silences of one point; {} for "none".

    Raises
    ------
    ValueError
        If one cannot be read, or is named twice.
    """
    if text == NOTHING:
        return {}
    read = [read_silence(part.strip()) for part in text.split(",")]
    if len(dict(read)) < len(read):
        raise ValueError(f"{text!r} silences something twice; name it once")
    return dict(read)


def _known(name: str) -> None:
    path = path_of(name)
    if path is None and name not in zoo.PUBLISHED:
        file_of(name)
    if path is not None and not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}")


def _checksum(name: str) -> str:
    """Return a checksum, by which models of the same name differ."""
    path = path_of(name)
    if path is None:
        return zoo.get(name).checksum()
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
