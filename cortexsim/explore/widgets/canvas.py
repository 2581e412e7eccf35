"""The code of widgets that draw for themselves: one module each, joined from several files without a build step."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

# what all of them stand on: elements, colours and charts; the bar that moves time
DRAW = ("stage_js/1_draw.js", "stage_js/2_time_bar.js")


def joined(*names: str) -> str:
    """Join files of this folder, in that order, so that each can be read by itself."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
