"""One self-contained HTML file in which the tracer runs: its models as numbers, their steps in plain JavaScript."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

_FOLDER = Path(__file__).parent
SIZES = (32, 48, 64)
LENGTHS = (9, 20, 40, 60)
SPEEDS = (5, 10, 20, 40, 60)


def page_of(content: Mapping[str, Any], about: Mapping[str, str], limits: Sequence[str]) -> str:
    """Assemble the page.

    Parameters
    ----------
    content : mapping
        What the code of the page reads: `models` (`recurrent`, `unshared`, `deep`), `colours` (RGB of `background`,
        `line` and `dot`, in 0 to 1), `trained_time` and `known` (length and steps needed on the test set).
    about : mapping
        The captions: `recurrent`, `unshared`, `deep`, `chart`.
    limits : sequence of str
        What the page shows and does not, a paragraph each.
    """
    text = {name: (_FOLDER / name).read_text(encoding="utf-8") for name in ("page.html", "page.css")}
    code = {name: (_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("net", "worker", "board", "page")}
    parts = {
        "styles": text["page.css"],
        "lengths": _options(LENGTHS, 40, "px"),
        "sizes": _options(SIZES, 48, "px", lambda size: f"{size} x {size}"),
        "speeds": _options(SPEEDS, 20, "steps/s"),
        "about_recurrent": escape(about["recurrent"]),
        "about_unshared": escape(about["unshared"]),
        "about_deep": escape(about["deep"]),
        "about_chart": escape(about["chart"]),
        "limits": "\n".join(f"<p>{escape(one)}</p>" for one in limits),
        # no text in the JSON can end the script that holds it, or open a comment in it
        "content": json.dumps(content, allow_nan=False).replace("<", "\\u003c"),
        "net": code["net"],
        "worker": code["worker"],
        "code": code["board"] + code["page"],
    }
    page = text["page.html"]
    for name, part in parts.items():
        page = page.replace(f"{{{name}}}", part, 1)
    return page


def _options(values: Sequence[int], chosen: int, unit: str, shown: Any = str) -> str:
    return "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{shown(value)} {unit}</option>'
        for value in values
    )


def packed(values: np.ndarray | None, *, halves: bool) -> str | None:
    """Write an array as base64 of little-endian float32, or of float16 where that loses nothing.

    Raises
    ------
    ValueError
        If a number is not finite, or does not survive float16.
    """
    if values is None:
        return None
    kind = np.dtype("<f2" if halves else "<f4")
    stored = np.ascontiguousarray(values, dtype=kind)
    if not np.isfinite(stored).all():
        raise ValueError("a weight is not finite")
    if halves and not np.array_equal(stored.astype(np.float32), np.asarray(values, np.float32)):
        raise ValueError("the weights are not exact in float16: round them when the model is made")
    return base64.b64encode(stored.tobytes()).decode("ascii")
