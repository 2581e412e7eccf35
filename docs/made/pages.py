"""Pages that are made when the documentation is built: the live page, the notebooks with their panels, the gallery."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import torch
from plotly.offline import get_plotlyjs
from sphinx.application import Sphinx

from cortexsim.export.live import export_live
from cortexsim.export.page import export, exportable, open_source
from made import gallery
from made.members import own_signature

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PANELS = "panels"
LIVE = "live.html"
PLOTLY = "plotly.min.js"
HEIGHT = 450
"""Of a figure that states none, in pixels: plotly's default."""
GALLERY = """\
# Gallery

Figures with the code that draws them, made from shipped models and results when this page was built. `cs.plot.save`
writes any of them as SVG, PDF or PNG.
The other figures are in the [reference](reference/index.md), panels in the [notebooks](learn.md)."""
NEEDS_A_KERNEL = "*This panel computes in a kernel: open the notebook to use it.*\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write pages before Sphinx looks for them."""
    app.connect("builder-inited", _write_pages)
    app.connect("autodoc-process-signature", own_signature)
    app.connect("html-page-context", _break_heading)
    return {"parallel_read_safe": True}


def _break_heading(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if page.startswith("reference/generated/"):
        context["body"] = re.sub(r"(?<=<h1>)[\w.]+", lambda name: breakable(name[0]), context["body"], count=1)
    for neighbour in (context.get("prev"), context.get("next")):
        if neighbour and neighbour["title"].startswith("cortexsim."):
            neighbour["title"] = breakable(neighbour["title"])


def breakable(name: str) -> str:
    """Let a long name be broken at its dots, underscores and capitals: a phone is not as wide.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        HTML.
    """
    return re.sub(r"(?<=[._])|(?<=[a-z])(?=[A-Z])", "<wbr>", name)


def _write_pages(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
    # models as small as these gain nothing from a second thread, and lose much where another process takes it
    torch.set_num_threads(1)
    outside = Path(app.outdir)
    outside.mkdir(parents=True, exist_ok=True)
    export_live(outside / LIVE, overwrite=True)
    _export_panels(outside / PANELS)
    (outside / PLOTLY).write_text(get_plotlyjs(), encoding="utf-8")
    learn = Path(app.srcdir) / "learn"
    learn.mkdir(exist_ok=True)
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        _write(learn / f"{notebook.stem}.md", page_of(notebook))
    _write(Path(app.srcdir) / "gallery.md", gallery_page())


def _write(path: Path, page: str) -> None:
    # an unchanged page is not read again
    if not path.is_file() or path.read_text(encoding="utf-8") != page:
        path.write_text(page, encoding="utf-8")


def _export_panels(folder: Path) -> None:
    """Measure and export the panels of all notebooks that changed since."""
    # in this process: another one would import torch again, which takes longer than most panels measure
    folder.mkdir(exist_ok=True)
    for name in exportable():
        page = folder / f"{name[:-6]}.html"
        if not _is_newer(page, NOTEBOOKS / name):
            export(open_source(name), page, overwrite=True, plotly=f"../{PLOTLY}")


def _is_newer(page: Path, notebook: Path) -> bool:
    return page.is_file() and page.stat().st_mtime > notebook.stat().st_mtime


def page_of(notebook: Path) -> str:
    """Write a notebook as a page: its text, its code, and in place of its panels their exported pages.

    Parameters
    ----------
    notebook : Path

    Returns
    -------
    str
        Markdown.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    exported = notebook.name in exportable()
    parts = []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(re.sub(r"\]\((\d\d_\w+)\.ipynb\)", r"](\1.md)", source))
            continue
        parts.append(f"```python\n{source}\n```")
        if "explore.Tracer(" in source:
            parts.append(framed(f"../{LIVE}", "The tracer"))
        elif exported and "panel" in cell["metadata"].get("cortexsim", {}):
            parts.append(framed(f"../{PANELS}/{notebook.stem}.html", "The panel, as it was measured for this page"))
            exported = False
        elif "explore." in source:
            parts.append(NEEDS_A_KERNEL)
    number = notebook.stem.partition("_")[0]
    parts.append(f"Open it: `uv run cortexsim lab --lesson {number}`")
    return "\n\n".join(parts) + "\n"


def gallery_page() -> str:
    """Write the gallery: each figure with the code that draws it, from what ships.

    Returns
    -------
    str
        Markdown.
    """
    parts = [GALLERY, f"```python\n{gallery.SHARED}\n```"]
    for title, figure in gallery.drawn().items():
        parts += [f"## {title}", f"```{{raw}} html\n{_placed(figure)}\n```"]
        parts.append(f"```python\n{gallery.FIGURES[title]}\n```")
    parts.append(f'<script src="_static/gallery.js" data-plotly="{PLOTLY}"></script>')
    return "\n\n".join(parts) + "\n"


def _placed(figure: go.Figure) -> str:
    """Return a figure's place and content; `gallery.js` draws it when it is scrolled into view."""
    figure.update_layout(width=None, autosize=True)
    height = figure.layout.height or HEIGHT
    # no text in the JSON can end the script that contains it
    content = figure.to_json().replace("<", "\\u003c")
    script = f'<script type="application/json">{content}</script>'
    return f'<div class="drawn"><div style="height: {height}px">{script}</div></div>'


def framed(address: str, title: str) -> str:
    """Return an exported page within a page, with a link to see it alone."""
    frame = f'<iframe class="panel" src="{address}" title="{title}" loading="lazy"></iframe>'
    return f'{frame}\n<p class="alone"><a href="{address}">{title}: open it alone</a></p>'
