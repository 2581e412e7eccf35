"""JavaScript and styles of widgets: one module for each, joined from several files without a build step."""

from __future__ import annotations

import json
from pathlib import Path

from cortexsim.plot import theme

_HERE = Path(__file__).parent

# what every widget needs, then the elements, charts and time bar of those that draw
DRAW = ("following.js", "stage_js/1_draw.js", "stage_js/2_time_bar.js")


def joined(*names: str) -> str:
    """Join files of this folder in the given order, so that each can be read on its own."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


def styles(*names: str) -> str:
    """Join the style sheets of a widget, after the one that sets the size of all text."""
    return joined("text.css", *names)


def drawing(*names: str) -> str:
    """Join the files of a widget that draws on a canvas: the colours of all figures, `DRAW`, and its own files."""
    return "\n".join([_colours(), joined(*DRAW, *names)])


def _colours() -> str:
    """Return the colours of `plot.theme` as constants of JavaScript."""
    return f"const COLOURS = {json.dumps(theme.COLOURS)};\nconst SEQUENTIAL = {json.dumps(theme.sequential_stops())};"
