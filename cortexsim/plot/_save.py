"""Figures as files for a paper: SVG, PDF and PNG at the width of one or two columns, or one HTML page."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from cortexsim._support.checks import is_number, is_whole, shown, whole
from cortexsim._support.files import as_path, refuse_existing, written_aside
from cortexsim.plot import theme
from cortexsim.plot._caption import caption
from cortexsim.plot._stacked import stack

COLUMN_MM = {1: 85.0, 2: 175.0}
"""Widths of figures of one and of two columns, in mm."""
PX_PER_MM = 96 / 25.4
PNG_DPI = 300
WIDEST_MM = 1000.0
FILMS = (".gif", ".webp")
SUFFIXES = (".svg", ".pdf", ".png", ".html", *FILMS)
FILM_DPI = 150
CHARACTER_EM = 0.6
"""Mean width of a character, in units of the text's size."""
AXIS_PX = 55
"""Tick labels and title of an axis."""
SYMBOL_PX = 45
"""The line or marker of an entry of the legend, with its spaces."""
WIDEST_LEGEND = 0.3
"""Largest part of the width that a legend next to the plot may take."""
FEWEST_CHARACTERS = 8
HALF_LABEL_PX = 24
"""Half of a tick label, which stands out at either end of an axis."""
MARK_PX = 16
LABELLED_BAR_PX = 24
"""A bar with the space below it."""
COLOUR_BAR_PX = 75
"""A bar of colours, with its labels and title."""
LOWEST_PLOT_PX, NARROWEST_PLOT_PX = 90, 40
"""A plot is made no lower than the first; one that is narrower than the second has no room for its title and ticks."""
BLACK, WHITE = "#000000", "#FFFFFF"


def save(
    figure: go.Figure,
    path: str | Path,
    *,
    columns: int = 1,
    width_mm: float | None = None,
    height_mm: float | None = None,
    overwrite: bool = False,
    frame_ms: int = 120,
) -> Path:
    """Write a figure for a paper, on white and with black text.

    SVG, PDF and PNG need the extra `figures` (`pip install "cortexsim[figures]"`) and a Chrome or Chromium on this
    machine: kaleido draws the figure in it, without a network. PDF files embed their fonts; SVG files name them. A
    figure with frames, such as `film` returns it, can be saved as a moving .gif or .webp, which repeats. The caption of
    an experiment's figure belongs in the text of a paper and is left out: `caption` returns it.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        As every function of `cs.plot` returns it; it is not changed.
    path : path
        Ends in .svg, .pdf, .png (300 dots per inch), .html (one page that needs no network), or, for a film, in .gif
        or .webp (150 dots per inch).
    columns : {1, 2}
        Columns that the figure spans: 85 or 175 mm wide.
    width_mm, height_mm : float, optional
        Size in mm; by default the width of the columns, and two thirds of the width as height, plus what the title and
        the caption need in addition when they are broken into lines of that width, and what low plots lack. Plots that
        are too narrow side by side for this width stand under each other. A warning is given if they are too narrow all
        the same.
    overwrite : bool
        Replace an existing file.
    frame_ms : int
        For a film, the duration of each frame; the last frame is shown ten times as long.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If `figure` is not a plotly figure.
    ValueError
        If the suffix, the columns or the size are not allowed.
    ImportError
        If kaleido is missing.
    RuntimeError
        If no Chrome or Chromium is found.
    FileExistsError, FileNotFoundError, OSError
        If the file cannot be written; an existing file is then unchanged.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> paths = cs.datasets.paths(10, size=16, part="test")
    >>> recording = cs.simulate(cs.zoo.load("tracer"), paths, cs.sustained(), until=20, record=[])
    >>> path = Path(tempfile.mkdtemp()) / "traced.gif"
    >>> _ = cs.plot.save(cs.plot.film(recording, paths, every=4), path)  # .svg, .pdf and .png need the extra "figures"
    >>> path.stat().st_size > 1000
    True
    """
    if not isinstance(figure, go.Figure):
        raise TypeError(f"figure must be a plotly figure, as the functions of cs.plot return it, got {figure!r:.80}")
    target = as_path(path)
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"a figure can be saved as {', '.join(SUFFIXES)}, got {str(path)!r}")
    if suffix in FILMS and not figure.frames:
        raise ValueError(f"{suffix} is for films, but this figure has no frames: save it as .png, .svg, .pdf or .html")
    frame_ms = whole(frame_ms, "frame_ms", 10, unit="ms")
    width, height = _size(columns, width_mm, height_mm)
    refuse_existing(target, replacing=overwrite)
    printed = _for_paper(figure)
    if suffix != ".html":
        added_px = _fit(printed, width * PX_PER_MM, height * PX_PER_MM)
        _warn_of_narrow_plots(printed, width * PX_PER_MM)
        height += added_px / PX_PER_MM if height_mm is None else 0.0
    with written_aside(target, replacing=overwrite) as aside:
        if suffix == ".html":
            printed.write_html(aside, include_plotlyjs=True)
        elif suffix in FILMS:
            _draw_film(printed, aside, width, height, frame_ms)
        else:
            _draw(printed, aside, width, height)
    return target


def _size(columns: int, width_mm: float | None, height_mm: float | None) -> tuple[float, float]:
    if not is_whole(columns) or int(columns) not in COLUMN_MM:
        raise ValueError(f"columns must be 1 or 2, got {shown(columns)}")
    width = COLUMN_MM[int(columns)] if width_mm is None else _length(width_mm, "width_mm")
    return width, width * 2 / 3 if height_mm is None else _length(height_mm, "height_mm")


def _length(length: float, name: str) -> float:
    if not is_number(length) or not 0 < length <= WIDEST_MM:
        raise ValueError(f"{name} must be above 0 and at most {WIDEST_MM:g} mm, got {shown(length)}")
    return float(length)


def _for_paper(figure: go.Figure) -> go.Figure:
    """Return a copy on white: on screen, figures are transparent, with grey text that is readable on light and dark."""
    printed = go.Figure(figure)
    printed.update_layout(paper_bgcolor=WHITE, plot_bgcolor=WHITE, font_color=BLACK)
    printed.update_xaxes(linecolor=BLACK, tickcolor=BLACK)
    printed.update_yaxes(linecolor=BLACK, tickcolor=BLACK)
    if caption(figure):
        printed.layout.annotations = [one for one in printed.layout.annotations if one.name != "caption"]
        # the caption had its place there; without a vertical axis, the first label of the other needs its half
        alone = all(axis.visible is False for axis in printed.select_yaxes())
        printed.update_layout(margin={"l": HALF_LABEL_PX if alone else 8, "b": 8})
        if alone:
            printed.update_layout(margin_r=HALF_LABEL_PX)
    return printed


def _fit(figure: go.Figure, width_px: float, height_px: float) -> int:
    """Arrange texts and legend for the width of a column, and return the height that this adds, in px."""
    stacked = _stack_narrow(figure, width_px, height_px)
    height_px += stacked
    raised = _raise(figure, height_px)
    height_px += raised
    added = stacked + raised + _break_lines(figure, width_px) + _move_legend_below(figure, width_px)
    added += _break_labels(figure, width_px, height_px) + _break_mark(figure, width_px)
    return added + _break_titles_of_plots(figure, width_px) + _break_axis_titles(figure, width_px, height_px)


def _raise(figure: go.Figure, height_px: float) -> int:
    """Return the height that the plots lack, in px."""
    share = min((one for axis in figure.select_yaxes() if (one := _share(axis)) > 0), default=1.0)
    lowest = share * (height_px - AXIS_PX - (figure.layout.margin.t or 0))
    return max(round((LOWEST_PLOT_PX - lowest) / share), 0)


def _stack_narrow(figure: go.Figure, width_px: float, height_px: float) -> int:
    """Lay out plots that are too narrow side by side under each other, and return the height that this adds, in px."""
    share, widest = _widest_plot(figure, width_px)
    if share == 1 or widest >= LOWEST_PLOT_PX:
        return 0
    area_px = stack(figure, _characters(_across(figure, width_px) - _bar_px(figure), theme.TEXT_PX))
    return max(round(area_px + AXIS_PX + (figure.layout.margin.t or 0) - height_px), 0) if area_px else 0


def _bar_px(figure: go.Figure) -> int:
    """Return the width of a bar of colours; 0 if there is none."""
    maps = list(figure.select_traces({"type": "heatmap"}))
    owners = [one if one.coloraxis is None else figure.layout[one.coloraxis] for one in maps]
    return COLOUR_BAR_PX if any(one.showscale is not False for one in owners) else 0


def _widest_plot(figure: go.Figure, width_px: float) -> tuple[float, float]:
    """Return the part of the width that the widest plot has, and its width in px."""
    share = max(map(_share, figure.select_xaxes()), default=1.0)
    return share, share * (_across(figure, width_px) - _bar_px(figure))


def _warn_of_narrow_plots(figure: go.Figure, width_px: float) -> None:
    share, widest = _widest_plot(figure, width_px)
    # a single plot is as wide as was asked for
    if share < 1 and widest < NARROWEST_PLOT_PX:
        warnings.warn(
            f"each plot of this figure is about {max(widest, 0) / PX_PER_MM:.0f} mm wide, and its texts may overlap: "
            "save it with columns=2, or with a larger width_mm",
            stacklevel=3,
        )


def _characters(length_px: float, size_px: float) -> int:
    return max(int(length_px / (CHARACTER_EM * size_px)), FEWEST_CHARACTERS)


def _broken(text: str, most: int) -> str:
    """Return a text in lines of at most so many characters; unchanged if its lines are short enough."""
    return text if max(map(len, text.split("<br>"))) <= most else theme.wrapped(text.replace("<br>", " "), most)


def _named(figure: go.Figure) -> list[Any]:
    """Return the traces of the legend; none if it is not drawn."""
    shown = figure.layout.showlegend
    if shown is False or (len(figure.data) == 1 and not shown):
        return []
    # maps have an entry only where it is asked for
    entries = [one for one in figure.data if one.showlegend or (one.showlegend is None and one.type != "heatmap")]
    return [trace for trace in entries if trace.name]


def _width_beside(figure: go.Figure) -> float:
    """Return the width of a legend to the right of the plot, in px; 0 if it is elsewhere."""
    legend, named = figure.layout.legend, _named(figure)
    if not named or legend.orientation == "h" or legend.x is not None:
        return 0.0
    return _entry_px(named, legend.font.size or theme.TEXT_PX)


def _entry_px(named: list[Any], size_px: float) -> float:
    return SYMBOL_PX + CHARACTER_EM * size_px * max(len(line) for one in named for line in one.name.split("<br>"))


def _move_legend_below(figure: go.Figure, width_px: float) -> int:
    """Put a legend that is too wide, or below the plot on screen, at the lower edge; return the height that it adds."""
    legend, named = figure.layout.legend, _named(figure)
    below = legend.y is not None and legend.y < 0
    if not named or not (below or _width_beside(figure) > WIDEST_LEGEND * width_px):
        return 0
    size = legend.font.size or theme.TEXT_PX
    for trace in named:
        trace.name = _broken(trace.name, _characters(width_px - SYMBOL_PX - 16, size))
    columns = max(1, int((width_px - 16) // _entry_px(named, size)))
    lines = [max(one.name.count("<br>") + 1 for one in named[k : k + columns]) for k in range(0, len(named), columns)]
    legend.update(
        orientation="h", xref="container", x=0, xanchor="left", yref="container", y=0, yanchor="bottom", maxheight=1
    )
    figure.layout.margin.r = theme.template().layout.margin.r
    return round(1.3 * size * sum(lines) + 5 * len(lines) + 8)


def _across(figure: go.Figure, width_px: float) -> float:
    return width_px - AXIS_PX - max(figure.layout.margin.r or 0, _width_beside(figure))


def _share(axis: Any) -> float:
    """Return the part of the plot area that an axis spans."""
    return axis.domain[1] - axis.domain[0] if axis.domain else 1.0


def _break_titles_of_plots(figure: go.Figure, width_px: float) -> int:
    """Break the titles above plots that stand side by side, and return the height that this adds, in px."""
    share = min(map(_share, figure.select_xaxes()), default=1.0)
    added = 0
    for one in figure.layout.annotations:
        if one.yref == "paper" and one.xref == "paper" and one.y == 1 and one.yanchor == "bottom":
            size = one.font.size or theme.TEXT_PX
            before = one.text.count("<br>")
            one.text = _broken(one.text, _characters(share * _across(figure, width_px), size))
            added = max(added, round(1.3 * size) * (one.text.count("<br>") - before))
    if added:
        figure.layout.margin.t = (figure.layout.margin.t or 0) + added
    return added


def _break_labels(figure: go.Figure, width_px: float, height_px: float) -> int:
    """Break the labels above bars, and return the height that the rows lack, in px."""
    labels = [one for one in figure.layout.annotations if one.name == "label"]
    for one in labels:
        one.text = _broken(one.text, _characters(_across(figure, width_px), one.font.size))
    if not labels:
        return 0
    row_px = LABELLED_BAR_PX + max(1.3 * one.font.size * (one.text.count("<br>") + 1) for one in labels)
    plot_px = height_px - AXIS_PX - (figure.layout.margin.t or 0)
    return max(round(row_px * len(labels) - plot_px), 0)


def _break_mark(figure: go.Figure, width_px: float) -> int:
    """Break the text at the paper's error, above the label of the first bar, and return the height that this adds."""
    added = 0
    for one in figure.select_annotations({"name": "paper"}):
        size = one.font.size or theme.TEXT_PX
        one.text = _broken(one.text, _characters((1 - one.x) * _across(figure, width_px), size))
        one.update(y=1, yanchor="bottom", yshift=MARK_PX / 2)
        added = round(1.3 * size) * one.text.count("<br>")
    for mark in figure.select_shapes({"name": "paper"}):
        mark.update(ysizemode="pixel", yanchor=1, y0=MARK_PX / 2, y1=1.5 * MARK_PX)
    if added:
        figure.layout.margin.t += added
    return added


def _break_axis_titles(figure: go.Figure, width_px: float, height_px: float) -> int:
    """Break titles that are longer than their axes, and return the height that this adds, in px."""
    down = height_px - AXIS_PX - (figure.layout.margin.t or 0)
    for axis in figure.select_yaxes():
        text = axis.title.text or ""
        axis.title.text = _broken(text, max(_characters(_share(axis) * down, _size_of(axis)), _longest_word(text)))
    added = 0
    for axis in figure.select_xaxes():
        most = _characters(_share(axis) * _across(figure, width_px), _size_of(axis))
        axis.title.text = _broken(axis.title.text or "", most)
        added = max(added, round(1.3 * _size_of(axis)) * axis.title.text.count("<br>"))
    return added


def _longest_word(text: str) -> int:
    return max(map(len, text.replace("<br>", " ").split(" ")))


def _size_of(axis: Any) -> float:
    return float(axis.title.font.size or theme.TEXT_PX)


def _break_lines(figure: go.Figure, width_px: float) -> int:
    """Break title and caption into lines that fit, and return the height that this adds, in px."""
    title, added = figure.layout.title, 0
    texts = [(title, theme.TITLE_PX), (title.subtitle, theme.TEXT_PX)]
    for holder, usual_px in texts:
        text, size = str(holder.text or ""), holder.font.size or usual_px
        most = int((width_px - 2 * (title.pad.l or 8)) / (CHARACTER_EM * size))
        if max(map(len, text.split("<br>"))) > most:
            holder.text = theme.wrapped(text.replace("<br>", " "), most)
            more = holder.text.count("<br>") - text.count("<br>")
            added += round(1.3 * size) * more
            if holder is title:
                # plotly moves a title up by half of each further line
                title.pad.t = (title.pad.t or 0) + round(0.65 * size) * more
                added += round(0.65 * size) * more
    if added and figure.layout.margin.t is not None:
        figure.layout.margin.t += added
    return added


def _draw_film(figure: go.Figure, path: Path, width_mm: float, height_mm: float, frame_ms: int) -> None:
    """Draw each frame as a picture, without the buttons, and join them."""
    from PIL import Image

    still = go.Figure(figure.data, figure.layout)
    # the buttons, and the room below the picture that they take on screen; an update would merge an empty list
    still.layout.updatemenus, still.layout.sliders, still.layout.margin.b = (), (), 8
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for k, frame in enumerate(figure.frames):
            for trace, changed in zip(still.data, frame.data, strict=False):
                trace.update(changed)
            still.update_layout(frame.layout)
            one = Path(folder) / f"{k}.png"
            _draw(still, one, width_mm, height_mm, FILM_DPI)
            with Image.open(one) as drawn:
                pictures.append(drawn.convert("RGB"))
    durations = [frame_ms] * (len(pictures) - 1) + [10 * frame_ms]
    pictures[0].save(
        path, path.suffix[1:], save_all=True, append_images=pictures[1:], duration=durations, loop=0, lossless=True
    )


def _draw(figure: go.Figure, path: Path, width_mm: float, height_mm: float, dpi: int = PNG_DPI) -> None:
    try:
        import kaleido
        from kaleido.errors import ChromeNotFoundError
    except ImportError as error:
        raise ImportError(
            f'a figure is saved as {path.suffix} by kaleido, which is missing: pip install "cortexsim[figures]"; '
            "saving as .html does not need it"
        ) from error
    opts = {
        "format": path.suffix[1:].lower(),
        "width": width_mm * PX_PER_MM,
        "height": height_mm * PX_PER_MM,
        "scale": dpi / 96 if path.suffix.lower() == ".png" else 1,
    }
    try:
        # mathjax would be loaded from the network
        drawn = kaleido.calc_fig_sync(figure, opts=opts, kopts={"page_generator": kaleido.PageGenerator(mathjax=False)})
    except ChromeNotFoundError as error:
        raise RuntimeError(
            "no Chrome or Chromium was found to draw the figure in: install one, or name it in the environment "
            "variable BROWSER_PATH; saving as .html does not need it"
        ) from error
    path.write_bytes(drawn)
