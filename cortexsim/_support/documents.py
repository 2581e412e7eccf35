"""Reading text and JSON, with clear errors for damaged files, other encodings and deep nesting."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path) -> str:
    """Read UTF-8 text, with or without a byte order mark.

    Raises
    ------
    ValueError
        If it has another encoding; the message names the file.
    """
    return decoded(Path(path).read_bytes(), str(path))


def decoded(written: bytes, name: str) -> str:
    """Decode UTF-8, with or without a byte order mark; errors as for `read_text`."""
    if written.startswith(_OTHER_MARKS):
        raise ValueError(f"{name} is encoded in UTF-16 (it begins with that byte order mark): save it as UTF-8")
    try:
        return written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 text: byte {error.start} is {written[error.start]:#04x}") from None


def parse_json(
    written: bytes | str, name: str, pairs: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None = None
) -> Any:
    """Read JSON.

    Parameters
    ----------
    written : bytes or str
    name : str
        Name of the file, for messages.
    pairs : callable, optional
        Turns the pairs of an object into a mapping: the `object_pairs_hook` of `json.loads`.

    Raises
    ------
    ValueError
        If it is not JSON, is nested too deeply, or has a number with too many digits.
    """
    text = decoded(written, name) if isinstance(written, bytes) else written
    try:
        return json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError(f"{name} is not JSON that can be read: its brackets are nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{name} is not JSON ({error})") from error


def read_json(path: str | Path) -> Any:
    """Read a JSON file; errors as for `read_text` and `parse_json`."""
    return parse_json(Path(path).read_bytes(), str(path))
