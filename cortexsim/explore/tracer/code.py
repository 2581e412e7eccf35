"""The tracer's JavaScript and styles: read once, for the panel and for the page that needs no kernel."""

from __future__ import annotations

from pathlib import Path

from cortexsim.explore.widgets.canvas import styles

_JS = Path(__file__).parent / "js"


def _read(*names: str) -> str:
    return "\n".join((_JS / name).read_text(encoding="utf-8") for name in names)


WORKER = _read("1_net.js", "worker.js")
CODE = _read("2_board.js", "3_chart.js", "4_questions.js", "5_input.js", "6_view.js")
WIDGET = _read("7_widget.js")
STYLES = styles() + (_JS.parent / "tracer.css").read_text(encoding="utf-8")
