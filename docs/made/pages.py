"""Pages that are made when the documentation is built: the live page, the notebooks with their panels, the gallery."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from plotly.offline import get_plotlyjs
from sphinx.application import Sphinx

from cortexsim.export.live import export_live
from cortexsim.export.page import exportable
from made import gallery

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
PANELS = "panels"
LIVE = "live.html"
PLOTLY = "plotly.min.js"
GALLERY = """\
# Gallery

Figures with the code that draws them, made from shipped models and results when this page was built. `cs.plot.save`
writes any of them as SVG, PDF or PNG.
The other figures are in the [reference](reference/index.md), panels in the [notebooks](learn.md)."""
NEEDS_A_KERNEL = "*This panel computes in a kernel: open the notebook to use it.*\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write pages before Sphinx looks for them."""
    app.connect("builder-inited", _write_pages)
    return {"parallel_read_safe": True}


def _write_pages(app: Sphinx) -> None:
    if app.builder.format != "html":
        return
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
    """Measure and export the panels of all notebooks that changed since, two at a time."""
    folder.mkdir(exist_ok=True)
    missing = [name for name in exportable() if not _is_newer(folder / f"{name[:-6]}.html", NOTEBOOKS / name)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: _export(name, folder), missing))


def _is_newer(page: Path, notebook: Path) -> bool:
    return page.is_file() and page.stat().st_mtime > notebook.stat().st_mtime


def _export(name: str, folder: Path) -> None:
    command = [sys.executable, "-m", "cortexsim.cli", "export", name, "--overwrite", "--to"]
    subprocess.run([*command, folder / f"{name[:-6]}.html"], check=True, stdout=subprocess.DEVNULL)


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
    parts = [GALLERY, f"```python\n{gallery.SHARED}\n```", f'<script src="{PLOTLY}"></script>']
    for number, (title, figure) in enumerate(gallery.drawn().items()):
        figure.update_layout(width=None, autosize=True)
        name = f"figure-{number}"
        shown = figure.to_html(full_html=False, include_plotlyjs=False, div_id=name, config={"responsive": True})
        parts += [f"## {title}", f'```{{raw}} html\n<div class="figure">{shown}</div>\n```']
        parts.append(f"```python\n{gallery.FIGURES[title]}\n```")
    return "\n\n".join(parts) + "\n"


def framed(address: str, title: str) -> str:
    """Return an exported page within a page, with a link to see it alone."""
    frame = f'<iframe class="panel" src="{address}" title="{title}" loading="lazy"></iframe>'
    return f'{frame}\n<p class="alone"><a href="{address}">{title}: open it alone</a></p>'
