"""Titles, captions and legends of the figures of an experiment."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

HEAD_PX = 44
"""Height of a title of one line, without its subtitle."""
SUBTITLE_PX = 20


def model_name(result: xr.Dataset, label: str) -> str:
    """Return the name of a model with its number of parameters, and the paper's with its certainty (R, I or U)."""
    n_diverged, n_seeds = _diverged(result, label)
    name = label
    if n_diverged:
        name += " (diverged)" if n_diverged == n_seeds else f" ({n_diverged} of {n_seeds} seeds diverged)"
    own, paper = _number(result, "n_parameters", label), _number(result, "paper_parameters", label)
    if not own:
        return name
    certainty = str(result["paper_confidence"].sel(model=label).item()) if "paper_confidence" in result.coords else "U"
    if not paper:
        return f"{name}: {own:,} parameters"
    if certainty == "U":
        return f"{name}: {own:,} parameters (the paper's number is not known)"
    return f"{name}: {own:,} parameters ({'as' if own == paper else f'{paper:,}'} in the paper, {certainty})"


def add_diverged(figure: go.Figure, result: xr.Dataset, drawn: Collection[str]) -> int:
    """Add a legend row for every diverged model that is not drawn, and return the number of rows."""
    missing = [label for label in diverged(result) if label not in drawn]
    for label in missing:
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name=model_name(result, label), marker={"color": theme.CLEAR}
        )
    return len(missing)


def diverged(result: xr.Dataset) -> list[str]:
    """Return the models whose training diverged in at least one seed."""
    return [str(label) for label in result["model"].values if _diverged(result, label)[0]]


def _diverged(result: xr.Dataset, label: str) -> tuple[int, int]:
    """Return the number of seeds of a model that diverged, and of all its seeds."""
    if "diverged" not in result:
        return 0, 0
    values = result["diverged"].sel(model=label).values
    return int(np.nansum(values)), values.size


def _number(result: xr.Dataset, variable: str, label: str) -> int:
    """Return an integer attribute of a model; 0 if it is missing."""
    if variable not in result:
        return 0
    values = result[variable].sel(model=label).values.ravel()
    known = values[~np.isnan(values)]
    return int(known.max()) if known.size else 0


def dress(
    figure: go.Figure, result: xr.Dataset, what: str, *notes: str, plot_px: int = 320, rows: int = 0, top_px: int = 44
) -> None:
    """Set the title of an experiment's figure with the sizes that were run, and a caption below.

    The caption has notes, the paper's results, machine and date.

    Parameters
    ----------
    figure : Figure
    result : Dataset
    what : str
        The quantity that is drawn.
    notes : str
        Sentences of the caption.
    plot_px : int
        Height of the plot area.
    rows : int
        Lines of the legend, which is between plot and caption.
    top_px : int
        Height of the space above the plot, for the title and for the titles of subplots.
    """
    about = result.attrs
    texts = [
        *notes,
        about["paper"],
        f"{about['hardware']}; {float(about['seconds']) / 60:.1f} min of training; {about['date']}, commit "
        f"{about['commit']}.",
    ]
    written = [line for text in texts if text for line in textwrap.wrap(text, theme.LINE_CHARACTERS)]
    legend_px, axis_px = rows * 20 + 8, 52
    figure.add_annotation(
        text="<br>".join(written),
        x=0,
        xref="paper",
        xanchor="left",
        y=-(axis_px + legend_px) / plot_px,
        yref="paper",
        yanchor="top",
        align="left",
        showarrow=False,
        font={"size": theme.TEXT_PX},
        name="caption",
    )
    bottom_px = axis_px + legend_px + theme.LINE_PX * len(written) + 12
    lines.head(figure, f"{about['title']}: {what}", f"{about['data']}; {about['scale']}")
    top_px += figure.layout.margin.t - HEAD_PX
    figure.update_layout(
        height=plot_px + top_px + bottom_px,
        margin={"t": top_px, "b": bottom_px, "l": 64, "r": 16},
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": -axis_px / plot_px,
            "yanchor": "top",
            "tracegroupgap": 0,
        },
    )


@draws()
def caption(figure: go.Figure) -> str:
    """Return the caption of an experiment's figure, in one line: notes, the paper's results, machine and date.

    Data and sizes are in the figure, below its title.

    Parameters
    ----------
    figure : Figure
        As `experiment` returns it.

    Returns
    -------
    str
        Empty if the figure has none.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figures = cs.plot.experiment(cs.experiments.shipped("equivalence"))
    >>> text = cs.plot.caption(next(iter(figures.values())))
    >>> "commit" in text
    True
    """
    return " ".join(str(one.text).replace("<br>", " ") for one in figure.select_annotations({"name": "caption"}))


def without_caption(figure: go.Figure) -> go.Figure:
    """Return a copy of an experiment's figure without caption and subtitle and their room, for a page that writes both.

    The legend is moved down by half a line, because text is larger in a panel.
    """
    copy = go.Figure(figure)
    subtitle = copy.layout.title.subtitle
    if subtitle.text:
        saved = SUBTITLE_PX + theme.LINE_PX * subtitle.text.count("<br>")
        subtitle.text = ""
        copy.update_layout(height=copy.layout.height - saved, margin_t=copy.layout.margin.t - saved)
    captions = list(figure.select_annotations({"name": "caption"}))
    copy.layout.annotations = [one for one in figure.layout.annotations if one.name != "caption"]
    if captions and copy.layout.legend.y is not None:
        plot_px = copy.layout.height - copy.layout.margin.t - copy.layout.margin.b
        lines_px = theme.LINE_PX * (1 + str(captions[0].text).count("<br>"))
        copy.layout.legend.y -= theme.LINE_PX / 2 / plot_px
        saved = lines_px - theme.LINE_PX / 2
        copy.update_layout(height=copy.layout.height - saved, margin_b=copy.layout.margin.b - saved)
    return copy


def interval_note(values: xr.DataArray) -> str:
    """Return a sentence about the interval of an array."""
    return f"Intervals: {values.attrs['interval']}."
