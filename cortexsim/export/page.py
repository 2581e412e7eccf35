"""Panels as single pages that need no installation: films and figures with a slider, without a kernel."""

from __future__ import annotations

import base64
import html
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim._support.checks import one_of, shown
from cortexsim._support.files import as_path, refuse_existing, written_aside
from cortexsim._support.progress import Report, checked, silent
from cortexsim._support.resources import notebooks_folder
from cortexsim._support.settings import Form, anything, mapping, read_settings, text
from cortexsim.explore.panel.reopening import SHOWS, STUDIES, reopen
from cortexsim.explore.panel.settings import SHOWN
from cortexsim.explore.panel.study import Study
from cortexsim.explore.tour.panel import Tour
from cortexsim.explore.widgets.movie import Movie
from cortexsim.explore.widgets.stage import Stage
from cortexsim.lab.start import find_lesson
from cortexsim.plot import hide_cursor
from cortexsim.recording.description import summary
from cortexsim.stimuli.text import one_image_from_dict

METADATA = Form(
    {"panel": text, "arguments": mapping},
    {"choices": mapping, "opens": anything},
    what="the metadata of a panel",
    versioned=False,
)
_DEFAULT = "export default "
_PAGE = Path(__file__).parent


def export(panel: Study | Tour, to: str | Path, *, overwrite: bool = False, plotly: str | None = None) -> None:
    """Write a panel's films and figures as one HTML file that needs neither a kernel nor a network.

    Parameters
    ----------
    panel : Study or Tour
        A panel that has measured something.
    to : path
        Ends in .html.
    overwrite : bool
        Replace an existing file.
    plotly : str, optional
        Address of plotly.js, which many pages can share; by default each page contains it (4.7 MB).

    Raises
    ------
    TypeError
        If it is of another kind, or the address of plotly.js is no text.
    ValueError
        If it has measured nothing yet, or the path does not end in .html.
    FileExistsError, OSError
        If it cannot be written; an existing file is then unchanged.
    """
    path = checked_path(to, overwrite=overwrite)
    if plotly is not None and not isinstance(plotly, str):
        raise TypeError(f"plotly must be the address of plotly.js as text, or None, got {shown(plotly)}")
    if isinstance(panel, Tour):
        page = _of_tour(panel)
    elif isinstance(panel, Study):
        page = _of_study(panel, plotly)
    else:
        raise TypeError(f"a page can be made of a Tour and of panels that measure, got {type(panel).__name__}")
    with written_aside(path, replacing=overwrite) as aside:
        aside.write_text(page, encoding="utf-8")


def checked_path(to: str | Path, *, overwrite: bool = False) -> Path:
    """Return a path at which a page can be written.

    Raises
    ------
    ValueError
        If it does not end in .html.
    FileExistsError, FileNotFoundError, PermissionError
        If it cannot be written there.
    """
    path = as_path(to)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"a page must end in .html, got {str(path)!r}")
    try:
        return refuse_existing(path, replacing=overwrite)
    except FileExistsError:
        if path.is_dir():
            raise
        raise FileExistsError(f"{path} exists already; choose another path, or pass --overwrite") from None


def open_source(source: str | Path, report: Report = silent) -> Study | Tour:
    """Open a panel of a notebook or of a settings file, and run its measurement.

    Parameters
    ----------
    source : str or path
        The number or name of a notebook, whose panel is opened with the settings there; or a panel's settings, a path
        ending in .json.
    report : callable, optional
        Called with the fraction that is done and a message.

    Raises
    ------
    FileNotFoundError
        If there are no such settings.
    ValueError
        If there is no such notebook, or it has no panel of which a page can be made; the message lists those that have
        one.
    """
    report = checked(report)
    if as_path(source, "source").suffix.lower() == ".json":
        panel = _from_settings(read_settings(source))
    else:
        name = find_lesson(str(source))
        known = exportable()
        if name not in known:
            raise ValueError(
                f"no panel of {name} can be exported: pages can be made of the notebooks {sorted(known)} and of the "
                f"settings of a Tour or of {', '.join(STUDIES)}"
            )
        panel = _from_metadata(known[name])
    if isinstance(panel, Tour):
        report(0.0, "measuring how often models are right on such images")
        panel.wait(600)
    else:
        report(0.0, f"measuring what {type(panel).__name__} shows")
        panel.compute()
    return panel


def exportable() -> dict[str, dict[str, Any]]:
    """List the notebooks of whose panels pages can be made, with the panel that the metadata of a cell names.

    Returns
    -------
    dict
        By the notebook's name: `panel`, the name of a panel, `arguments`, plain values to open it with, and maybe
        `choices` for its controls. The first cell with `{"cortexsim": {"panel": ..., "arguments": {...}}}` in its
        metadata counts.

    Raises
    ------
    TypeError, ValueError
        If the metadata are not as above.
    """
    found = {}
    for path in sorted(notebooks_folder().glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        named = next((one for cell in cells if "panel" in (one := cell["metadata"].get("cortexsim", {}))), None)
        if named is not None:
            found[path.name] = METADATA.read(named)
    return found


def _from_metadata(named: Mapping[str, Any]) -> Study | Tour:
    from cortexsim import explore

    one_of(named["panel"], "panel", [*STUDIES, "Tour"])
    arguments = dict(named["arguments"])
    if "presentation" in arguments:
        arguments["presentation"] = one_image_from_dict(arguments["presentation"])
    # a page asks no question, and an experiment has no argument for it
    asks = {} if named["panel"] == "Experiment" else {"question": ""}
    panel: Study | Tour = getattr(explore, named["panel"])(**arguments, **asks)
    if isinstance(panel, Study):
        panel.choose(**named.get("choices", {}))
    return panel


def _from_settings(settings: Any) -> Study | Tour:
    if not isinstance(settings, Mapping) or "panel" not in settings:
        return Tour.from_settings(settings, question="")
    if settings["panel"] == "Tour":
        return Tour.from_settings(SHOWN.read(settings)["shows"], question="")
    if settings["panel"] in SHOWS:
        raise ValueError(f"no page can be made of a panel {settings['panel']}: it has no film and no result")
    panel = reopen(settings)
    assert isinstance(panel, Study)
    return panel


# --- the page


def _of_tour(panel: Tour) -> str:
    traits = ("time", "view", "scene", "movie", "screen", "accuracy", "cover", "covers", "marks")
    shown = {name: getattr(panel.stage, name) for name in traits} | {"cover": "", "covers": {}, "marks": []}
    facts = {
        "panel": "Tour",
        "model": f"{panel.settings['model'] or 'given'} (checksum {panel.settings['model_checksum']})",
        "images": f"{_written(panel.settings['data'])}; stimulus {panel.settings['stimulus']}",
        "recording": summary(panel.recording),
    }
    return _page("A picture takes time to be seen", "", facts, panel.settings, [(Stage, shown)], {})


def _of_study(panel: Study, plotly: str | None) -> str:
    if panel.result is None:
        raise ValueError(f"this {type(panel).__name__} has measured nothing yet: run it, or call compute(), first")
    settings = panel.settings
    facts = {"panel": settings["panel"]}
    if panel.subject is not None:
        subject = panel.subject.to_dict()
        facts["model"] = f"{subject['model'] or 'given'} (checksum {subject['model_checksum']})"
        facts["images"] = f"{_written(subject['data'])}; {subject['n']} of them"
    facts["chosen"] = _written(settings["choices"])
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
    # a canvas draws the cursors of the figures next to it
    figures = {name: hide_cursor(one) if canvases else one for name, one in panel.figures.items()}
    return _page(title, panel.say(panel.result), facts, settings, canvases, figures, plotly)


def _written(values: Mapping[str, Any] | None) -> str:
    return "given" if values is None else ", ".join(f"{name}: {value}" for name, value in values.items())


def _page(
    title: str,
    finding: str,
    facts: Mapping[str, str],
    settings: Mapping[str, Any],
    canvases: list[tuple[Any, dict[str, Any]]],
    figures: Mapping[str, Any],
    plotly: str | None = None,
) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in ("plotly", "torch", "numpy"))
    facts = {
        **facts,
        "made by": f"cortexsim {__version__}, {versions}, Python {platform.python_version()}",
    }
    listed = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
    styles = "\n".join([_part("page.css"), *(str(kind._css) for kind, _ in canvases)])
    places = "".join(f'<div class="canvas" id="canvas-{k}"></div>' for k in range(len(canvases)))
    drawn = "".join(f'<div class="figure cortexsim-live" id="figure-{k}"></div>' for k in range(len(figures)))
    content = {
        "canvases": [{"values": _for_page(values)} for _, values in canvases],
        "figures": [json.loads(figure.to_json()) for figure in figures.values()],
    }
    scripts = [
        f"(() => {{\n{widget_code(kind._esm)}\nwindow.cortexsimWidgets.push(widget);\n}})();" for kind, _ in canvases
    ]
    code = "\n".join(f"<script>{script}</script>" for script in ["window.cortexsimWidgets = [];", *scripts])
    if figures:
        code = f"{_plotly(plotly)}\n{code}"
    return _part("page.html").format_map(
        {
            "title": html.escape(title),
            "styles": styles,
            "finding": f'<p class="finding">{html.escape(finding)}</p>' if finding else "",
            "canvases": places,
            "figures": f'<div class="figures">{drawn}</div>' if figures else "",
            "facts": listed,
            "settings": html.escape(json.dumps(settings, indent=1)),
            "code": code,
            # no text in the JSON can end the script that contains it, or open a comment in it
            "content": json.dumps(content).replace("<", "\\u003c"),
            "start": _part("page.js"),
        }
    )


def _plotly(address: str | None) -> str:
    from plotly.offline import get_plotlyjs

    if address is None:
        return f"<script>{get_plotlyjs()}</script>"
    return f'<script src="{html.escape(address)}"></script>'


def widget_code(module: Any) -> str:
    """Turn a widget's module into the value `widget`: a page opened from a file cannot import modules.

    Raises
    ------
    ValueError
        If the module exports nothing, or more than its default.
    """
    code = str(module)
    if code.count("export ") != 1 or code.count(_DEFAULT) != 1:
        raise ValueError(f"a widget's module must export its default alone, as `{_DEFAULT}...`")
    return code.replace(_DEFAULT, "const widget = ")


def _for_page(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def _part(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")
