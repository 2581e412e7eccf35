"""One self-contained HTML file in which the tracer runs on what its visitor draws."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cortexsim.explore.tracer.code import CODE, STYLES, WORKER

_FOLDER = Path(__file__).parent


def page_of(content: Mapping[str, Any], limits: Sequence[str]) -> str:
    """Assemble the page.

    Parameters
    ----------
    content : mapping
        What `TracerView` reads; see `cortexsim.explore.tracer.networks.content_of`.
    limits : sequence of str
        What the page shows and does not, a paragraph each.
    """
    parts = {
        "styles": (_FOLDER / "live.css").read_text(encoding="utf-8") + STYLES,
        "limits": "\n".join(f"<p>{escape(one)}</p>" for one in limits),
        # no text in the JSON can end the script that contains it, or open a comment in it
        "content": json.dumps(content, allow_nan=False).replace("<", "\\u003c"),
        "worker": WORKER,
        "code": CODE,
    }
    page = (_FOLDER / "live.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace(f"{{{name}}}", part, 1)
    return page
