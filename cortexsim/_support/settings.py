"""Saved settings: a form lists the allowed values of each key, and one validator reads all forms.

A few functions on plain values are enough here, and their error messages list what is allowed; a validation library
would add messages in a different style, and start-up time to each command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim._support.checks import finite, shown, unknown, whole
from cortexsim._support.documents import parse_json
from cortexsim._support.files import as_path

SCHEMA = 1

Check = Callable[[Any, str], object]
"""Takes a value and the name of its key; raises TypeError or ValueError if the value is not allowed."""


@dataclass(frozen=True)
class Form:
    """The keys of settings, and their allowed values.

    Parameters
    ----------
    required, optional : mapping of str to Check
        By key.
    former : mapping of str to str
        Keys of earlier versions, and their replacements.
    what : str
        Name of the settings in messages, in the plural.
    versioned : bool
        The settings also have `schema`, and optionally `version`: the version of cortexsim that wrote them.
    more : bool
        Other keys are accepted unchecked.
    """

    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    what: str = "the settings"
    versioned: bool = True
    more: bool = False

    def read(self, settings: Any) -> dict[str, Any]:
        """Return checked settings, with the keys of this version.

        Raises
        ------
        TypeError
            If they are not a mapping, or a value has another type.
        ValueError
            If they have another schema, a key is missing or unknown, or a value is not allowed.
        """
        if not isinstance(settings, Mapping):
            like = ", such as panel.settings" if self.versioned else ""
            raise TypeError(f"{self.what} must be a mapping{like}, got {type(settings).__name__}")
        read = {self.former.get(key, key): value for key, value in settings.items()}
        required, optional = dict(self.required), dict(self.optional)
        if self.versioned:
            required, optional = {"schema": anything, **required}, {"version": text_or_none, **optional}
            self._check_schema(read)
        for key in read:
            if key not in required and key not in optional and not self.more:
                raise ValueError(unknown("setting", key, [*required, *optional]))
        missing = [key for key in required if key not in read]
        if missing:
            raise ValueError(f"{self.what} lack {missing}: required are {list(required)}, optional {list(optional)}")
        for key, check in {**required, **optional}.items():
            if key in read:
                check(read[key], key)
        return read

    def written(self, **values: Any) -> dict[str, Any]:
        """Return settings with these values, in the saved form."""
        return {"schema": SCHEMA, "version": __version__, **values}

    @staticmethod
    def _check_schema(settings: Mapping[str, Any]) -> None:
        schema = settings.get("schema", SCHEMA)
        if isinstance(schema, bool) or schema != SCHEMA:
            raise ValueError(
                f"the settings are of schema {schema!r} (written by cortexsim {settings.get('version', 'unknown')}), "
                f"but cortexsim {__version__} reads schema {SCHEMA}"
            )


def read_settings(path: str | Path) -> Any:
    """Read a JSON file, and refuse repeated keys.

    Raises
    ------
    FileNotFoundError
        If the file does not exist.
    ValueError
        If it is not JSON, or a key is given twice: JSON itself would use the last one.
    """
    path, repeated = as_path(path), list[str]()
    if not path.is_file():
        raise FileNotFoundError(f"there are no settings at {path}")

    def as_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        repeated.extend(sorted({name for name in names if names.count(name) > 1}))
        return dict(pairs)

    try:
        settings = parse_json(path.read_bytes(), str(path), as_mapping)
    except ValueError as error:
        raise ValueError(f"{error}; write it with panel.save") from error
    if repeated:
        raise ValueError(f"{path} gives {repeated} more than once; give each once")
    return settings


# --- allowed values


def anything(value: Any, key: str) -> None:
    """Accept any value: its user checks it."""


def text(value: Any, key: str) -> None:
    """Accept text."""
    _of_type(value, key, str, "text")


def text_or_none(value: Any, key: str) -> None:
    """Accept text, or None for an unknown value."""
    _of_type(value, key, str | None, "text")


def name_or_path(value: Any, key: str) -> None:
    """Accept the name or path of a model, or None for a model that was given."""
    _of_type(value, key, str | None, "a name or a path")


def mapping(value: Any, key: str) -> None:
    """Accept a mapping."""
    _of_type(value, key, Mapping, "a mapping")


def mapping_or_none(value: Any, key: str) -> None:
    """Accept a mapping, or None."""
    _of_type(value, key, Mapping | None, "a mapping")


def true_or_false(value: Any, key: str) -> None:
    """Accept True or False."""
    _of_type(value, key, bool, "true or false")


def listed(value: Any, key: str) -> None:
    """Accept a list."""
    _of_type(value, key, list | tuple, "a list")


def whole_number(least: int | None = None, most: int | None = None) -> Check:
    """Accept a whole number in a range."""
    return lambda value, key: whole(value, key, least, most)


def number(least: float | None = None, most: float | None = None, *, unit: str = "") -> Check:
    """Accept a finite number in a range."""
    return lambda value, key: finite(value, key, least, most, unit=unit)


def _of_type(value: Any, key: str, allowed: Any, words: str) -> None:
    if not isinstance(value, allowed):
        raise TypeError(f"{key} must be {words}, got {shown(value)}")
