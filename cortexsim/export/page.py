"""A panel as one page for somebody who has nothing installed: its films and figures, with a slider, and no kernel."""

from __future__ import annotations

import ast
import base64
import html
import json
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim._support.files import refuse_existing, written_aside
from cortexsim._support.resources import notebooks_folder
from cortexsim.explore.panel.reopening import SHOWS, STUDIES, reopen
from cortexsim.explore.panel.study import Study
from cortexsim.explore.tour.panel import Tour
from cortexsim.explore.widgets.movie import Movie
from cortexsim.explore.widgets.stage import Stage
from cortexsim.lab.start import find_lesson
from cortexsim.plot import hide_cursor
from cortexsim.recording.description import summary
from cortexsim.stimuli.presentation import flash, masked, sustained

_DEFAULT = "export default {"
_PAGE = Path(__file__).parent


def export(panel: Study | Tour, to: str | Path, *, overwrite: bool = False) -> None:
    """Write a panel's films and figures as one HTML file that needs no kernel and asks no network.

    Parameters
    ----------
    panel : Study or Tour
        A panel that has measured something.
    to : path
        Ends in .html.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    TypeError
        If it is another kind of panel.
    ValueError
        If it has measured nothing yet, or the path is no page.
    FileExistsError, OSError
        If it cannot be written; what was there before is whole.
    """
    path = checked_path(to, overwrite=overwrite)
    if isinstance(panel, Tour):
        page = _of_tour(panel)
    elif isinstance(panel, Study):
        page = _of_study(panel)
    else:
        raise TypeError(f"a page can be made of a Tour and of panels that measure, got {type(panel).__name__}")
    with written_aside(path, replacing=overwrite) as aside:
        aside.write_text(page, encoding="utf-8")


def checked_path(to: str | Path, *, overwrite: bool = False) -> Path:
    """Return where a page can be written.

    Raises
    ------
    ValueError
        If it does not end in .html.
    FileExistsError, FileNotFoundError, PermissionError
        If it cannot be written there.
    """
    path = Path(to)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"a page must end in .html, got {str(path)!r}")
    if path.is_file() and overwrite:
        return path
    try:
        return refuse_existing(path)
    except FileExistsError:
        if path.is_dir():
            raise
        raise FileExistsError(f"{path} exists already; choose another path, or say --overwrite") from None


def open_source(source: str, told: Callable[[str], None] = lambda words: None) -> Study | Tour:
    """Open the panel that is meant, and measure what it shows.

    Parameters
    ----------
    source : str
        The number or name of a notebook, whose first such panel is opened as it is there; or a panel's settings, a
        path ending in .json.
    told : callable
        Takes what is being done.

    Raises
    ------
    FileNotFoundError
        If there are no such settings.
    ValueError
        If there is no such notebook, or no panel in it of which a page can be made; the message lists those that have
        one.
    """
    if Path(source).suffix == ".json":
        panel = _from_settings(Path(source))
    else:
        name = find_lesson(source)
        known = exportable()
        if name not in known:
            raise ValueError(
                f"no panel of {name} can be exported: pages can be made of the notebooks {sorted(known)} and of the "
                f"settings of a Tour or of {', '.join(STUDIES)}"
            )
        kind, arguments = known[name]
        panel = _make(kind, arguments)
    if isinstance(panel, Tour):
        told("measuring how often models are right on such images")
        panel.wait(600)
    else:
        told(f"measuring what {type(panel).__name__} shows")
        panel.compute()
    return panel


def exportable() -> dict[str, tuple[str, dict[str, Any]]]:
    """List the notebooks of whose panels pages can be made, with the first such panel and its arguments."""
    found = {}
    for path in sorted(notebooks_folder().glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            one = _panel_in("".join(cell["source"])) if cell["cell_type"] == "code" else None
            if one is not None:
                found[path.name] = one
                break
    return found


def _panel_in(code: str) -> tuple[str, dict[str, Any]] | None:
    """Find a call such as `cs.explore.Changes("digits")` in a cell; None where its arguments are not written out."""
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in (*STUDIES, "Tour") or not ast.unparse(node.func).startswith("cs.explore."):
            continue
        try:
            arguments = {name: _written_out(value) for name, value in _arguments(node)}
        except ValueError:
            continue
        # a page asks nothing
        return node.func.attr, {**arguments, "question": ""}
    return None


def _arguments(node: ast.Call) -> list[tuple[str, ast.expr]]:
    return [*(("task", value) for value in node.args[:1]), *((str(one.arg), one.value) for one in node.keywords)]


def _written_out(value: ast.expr) -> Any:
    """Evaluate what stands in a cell: a literal, or a presentation such as `cs.flash(1)`.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(value, ast.Call) and ast.unparse(value.func).removeprefix("cs.") in SHOW:
        show = SHOW[ast.unparse(value.func).removeprefix("cs.")]
        given = {str(one.arg): ast.literal_eval(one.value) for one in value.keywords}
        return show(*map(ast.literal_eval, value.args), **given)
    return ast.literal_eval(value)


SHOW = {"flash": flash, "masked": masked, "sustained": sustained}


def _make(kind: str, arguments: Mapping[str, Any]) -> Study | Tour:
    from cortexsim import explore

    return getattr(explore, kind)(**arguments)


def _from_settings(path: Path) -> Study | Tour:
    if not path.is_file():
        raise FileNotFoundError(f"there are no settings at {path}")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no JSON ({error}); write it with panel.save") from error
    if isinstance(settings, Mapping) and settings.get("panel") == "Tour":
        settings = settings.get("shows")
    elif isinstance(settings, Mapping) and "panel" in settings:
        if settings["panel"] in SHOWS:
            raise ValueError(f"no page can be made of a panel {settings['panel']}: it has no film and no result")
        return reopen(settings)
    return Tour.from_settings(settings, question="")


# --- the page


def _of_tour(panel: Tour) -> str:
    traits = ("time", "view", "scene", "movie", "screen", "accuracy", "cover", "marks")
    held = {name: getattr(panel.stage, name) for name in traits} | {"cover": "", "marks": []}
    facts = {
        "panel": "Tour",
        "model": f"{panel.settings['model'] or 'given'} (checksum {panel.settings['model_checksum']})",
        "images": f"{_spelled(panel.settings['data'])}; stimulus {panel.settings['stimulus']}",
        "recording": summary(panel.recording),
    }
    return _page("A picture takes time to be seen", "", facts, panel.settings, [(Stage, held)], {})


def _of_study(panel: Study) -> str:
    if panel.result is None:
        raise ValueError(f"this {type(panel).__name__} has measured nothing yet: run it, or call compute(), first")
    settings = panel.settings
    facts = {"panel": settings["panel"]}
    if panel.subject is not None:
        subject = panel.subject.to_dict()
        facts["model"] = f"{subject['model'] or 'given'} (checksum {subject['model_checksum']})"
        facts["images"] = f"{_spelled(subject['data'])}; {subject['n']} of them"
    facts["chosen"] = _spelled(settings["choices"])
    recording = getattr(panel, "recording", None)
    if recording is not None:
        facts["recording"] = summary(recording)
    movie = getattr(panel, "movie", None)
    canvases: list[tuple[Any, dict[str, Any]]] = []
    if isinstance(movie, Movie):
        canvases = [
            (Movie, {name: getattr(movie, name) for name in ("time", "shown", "pinned", "scene", "movie", "screen")})
        ]
    title = settings["panel"] if panel.subject is None else f"{panel.subject.title} ({settings['panel']})"
    # a canvas draws the cursors of the figures beside it
    figures = {name: hide_cursor(one) if canvases else one for name, one in panel.figures.items()}
    return _page(title, panel.say(panel.result), facts, settings, canvases, figures)


def _spelled(values: Mapping[str, Any] | None) -> str:
    return "given" if values is None else ", ".join(f"{name}: {value}" for name, value in values.items())


def _page(
    title: str,
    finding: str,
    facts: Mapping[str, str],
    settings: Mapping[str, Any],
    canvases: list[tuple[Any, dict[str, Any]]],
    figures: Mapping[str, Any],
) -> str:
    from plotly.offline import get_plotlyjs

    versions = ", ".join(f"{name} {version(name)}" for name in ("plotly", "torch", "numpy"))
    facts = {
        **facts,
        "made by": f"cortexsim {__version__}, {versions}, Python {platform.python_version()}",
    }
    told = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
    styles = "\n".join([_part("page.css"), *(str(kind._css) for kind, _ in canvases)])
    places = "".join(f'<div class="canvas" id="canvas-{k}"></div>' for k in range(len(canvases)))
    drawn = "".join(f'<div class="figure cortexsim-live" id="figure-{k}"></div>' for k in range(len(figures)))
    content = {
        "canvases": [{"values": _for_page(held)} for _, held in canvases],
        "figures": [json.loads(figure.to_json()) for figure in figures.values()],
    }
    scripts = [get_plotlyjs()] if figures else []
    scripts += [
        f"(() => {{\n{widget_code(kind._esm)}\nwindow.cortexsimWidgets.push(widget);\n}})();" for kind, _ in canvases
    ]
    code = "\n".join(f"<script>{script}</script>" for script in ["window.cortexsimWidgets = [];", *scripts])
    return _part("page.html").format_map(
        {
            "title": html.escape(title),
            "styles": styles,
            "finding": f'<p class="finding">{html.escape(finding)}</p>' if finding else "",
            "canvases": places,
            "figures": f'<div class="figures">{drawn}</div>' if figures else "",
            "facts": told,
            "settings": html.escape(json.dumps(settings, indent=1)),
            "code": code,
            # what looks like the end of a script would end it, wherever it stands
            "content": json.dumps(content).replace("</", "<\\/"),
            "start": _part("page.js"),
        }
    )


def widget_code(module: Any) -> str:
    """Turn a widget's module into the value `widget`: a page of a file may not import.

    Raises
    ------
    ValueError
        If the module exports nothing, or more than its default.
    """
    code = str(module)
    if code.count("export ") != 1 or code.count(_DEFAULT) != 1:
        raise ValueError(f"a widget's module must export its default alone, as `{_DEFAULT} ... }}`")
    return code.replace(_DEFAULT, "const widget = {")


def _for_page(held: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in held.items()
    }


def _part(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
