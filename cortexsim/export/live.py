"""One self-contained HTML file in which the tracer runs on the visitor's drawings."""

from __future__ import annotations

import json
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from cortexsim._support.files import written_aside
from cortexsim.explore.tracer.code import CODE, STYLES, WORKER
from cortexsim.explore.tracer.networks import shipped_content
from cortexsim.export.page import checked_path

_FOLDER = Path(__file__).parent


LIMITS = (
    "True: trained on curves of up to 10 px for 12 steps, the model traces longer curves by running more steps of the "
    "same computation. Stopped at the trained time, it is at chance on them. A network with as many steps but "
    "different weights at each, and a feedforward net of 24 layers, both trained on the same short curves, are right "
    "on those and not on longer ones.",
    "Not shown: that feedforward nets cannot do it (none was trained on longer curves), "
    "that any length or any maze works, that feedback is needed, or that the model remembers: try the mask. "
    "The speed of the wave is not a finding: kernels of 3x3 reach one "
    "pixel per step.",
    "The weights of the two controls are rounded to half precision in this page.",
)
"""Claims of the page, and what it does not show."""


def export_live(to: str | Path, *, overwrite: bool = False) -> None:
    """Write the page with the tracer that ships and its controls.

    Parameters
    ----------
    to : path
        Ends in .html.
    overwrite : bool
        Replace an existing page.

    Raises
    ------
    ValueError
        If the path does not end in .html.
    FileExistsError, OSError
        If the page cannot be written; an existing page is unchanged then.
    """
    path = checked_path(to, overwrite=overwrite)
    page = _page_of(shipped_content(), LIMITS)
    with written_aside(path, replacing=overwrite) as aside:
        aside.write_text(page, encoding="utf-8")


def open_live() -> Path:
    """Write the page into the folder for temporary files and open it in the browser of this machine.

    Returns
    -------
    Path
        The page, for a machine that has no browser.
    """
    path = Path(tempfile.mkdtemp(prefix="cortexsim-live-")) / "tracer.html"
    export_live(path)
    webbrowser.open(path.as_uri())
    return path


def _page_of(content: Mapping[str, Any], limits: Sequence[str]) -> str:
    """Assemble the page.

    Parameters
    ----------
    content : mapping
        The input of `TracerView`; see `cortexsim.explore.tracer.networks.content_of`.
    limits : sequence of str
        Claims and their limits, a paragraph each.
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
