"""Class probabilities of the readout at every time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.percentages import percentages
from cortexsim.analyse.probabilities import softmax
from cortexsim.plot import theme
from cortexsim.plot.gate import draws
from cortexsim.recording import trial
from cortexsim.recording.trial import class_names

_N_NAMED = 4
_NOW = "now"


@draws()
def probabilities(
    recording: xr.DataTree, *, stimulus: int, time: int | None = None, classes: Sequence[str] | None = None
) -> go.Figure:
    """Draw the class probabilities of one stimulus over time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    stimulus : int
        A value of the `stimulus` coordinate.
    time : int, optional
        A time to mark with a vertical line.
    classes : sequence of str, optional
        Names of the classes, by default those of the recording.

    Returns
    -------
    Figure
        A line for each class: the softmax of the logits. The correct class and those that are most probable at
        some time are named at the ends of their lines. Times at which the readout is empty are gaps, shaded and
        labelled "empty".

    Raises
    ------
    ValueError
        If the recording lacks the stimulus or the time, or the number of names differs from that of the classes.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(20, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> figure = cs.plot.probabilities(recording, stimulus=0, time=8)
    >>> figure.layout.xaxis.title.text
    'time (steps)'
    """
    readout = trial.node(recording, "readout", stimulus)
    chance = softmax(readout["logits"])
    names = class_names(recording, classes)
    right = _right_class(readout, len(names))
    named = _most_probable(chance, right)

    figure = go.Figure(layout={"template": theme.template()})
    times = chance["time"].values
    for index in [*(set(range(len(names))) - set(named)), *named]:
        rank = named.index(index) if index in named else None
        figure.add_scatter(
            x=times,
            y=chance.isel({"class": index}).values,
            mode="lines" if rank is None else "lines+markers",
            connectgaps=False,
            name=names[index],
            line={
                "color": theme.FAINT if rank is None else theme.COLOURS[rank],
                "width": 3 if index == right else (1 if rank is None else 1.5),
            },
            marker={"size": 5},
            customdata=percentages(chance.isel({"class": index}).values),
            hovertemplate=f"{names[index]} at t = %{{x}}: %{{customdata}}<extra></extra>",
            showlegend=False,
        )
    _name_lines(figure, chance, names, named, right)
    _shade_empty(figure, times, readout["populated"].values)
    if time is not None:
        figure.add_vline(x=time, line={"color": theme.INK, "width": 2, "dash": "dot"}, name=_NOW)
        show_time(figure, readout, time)
    figure.update_layout(title_text=f"class probabilities of stimulus {stimulus}", height=250, margin={"r": 130})
    figure.update_xaxes(
        title_text=theme.axis_title(chance, "time"), range=[times[0] - 0.5, times[-1] + 0.5], tickformat="d"
    )
    figure.update_yaxes(title_text="probability", range=[-0.03, 1.03], **theme.PERCENT)
    return figure


def show_time(figure: go.Figure, readout: xr.Dataset | xr.DataArray, time: int) -> None:
    """Move the vertical line of a figure of `probabilities` to another time.

    Raises
    ------
    ValueError
        If the recording lacks the time.
    """
    trial.check_time(readout, time)
    moved = {"x0": time, "x1": time}
    shapes = [shape.to_plotly_json() for shape in figure.layout.shapes]
    # replace all shapes: if one shape changes in place, a browser lays out the whole figure again
    figure.layout.shapes = [shape | moved if shape.get("name") == _NOW else shape for shape in shapes]


def _right_class(readout: xr.Dataset, n_classes: int) -> int | None:
    """Return the label of the stimulus, if it is among the classes of the readout."""
    # labels of classes that the model lacks are names
    if "label" not in readout.coords or readout["label"].dtype.kind not in "iuf":
        return None
    if not 0 <= float(readout["label"]) < n_classes:
        return None
    return int(readout["label"])


def _most_probable(chance: xr.DataArray, right: int | None) -> list[int]:
    """Return the classes to name: the correct class, then those with the largest probabilities."""
    peaks = chance.fillna(0).max("time").values
    order = sorted(range(len(peaks)), key=lambda index: (index != right, -peaks[index]))
    return order[:_N_NAMED]


def _name_lines(figure: go.Figure, chance: xr.DataArray, names: list[str], named: list[int], right: int | None) -> None:
    """Write the names at the ends of the lines, moved apart to avoid overlap."""
    ends = {index: _last_value(chance.isel({"class": index}).values) for index in named}
    height = -np.inf
    for index in sorted(named, key=lambda index: ends[index]):
        height = max(ends[index], height + 0.1)
        figure.add_annotation(
            text=f"{names[index]} (right)" if index == right else names[index],
            x=1,
            xref="paper",
            xanchor="left",
            xshift=4,
            y=height,
            showarrow=False,
            font={"color": theme.COLOURS[named.index(index)]},
        )


def _last_value(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if known.size else 0.0


def _shade_empty(figure: go.Figure, times: np.ndarray, populated: np.ndarray) -> None:
    """Shade each run of times without a readout."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ~populated, [False]]).astype(int)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        figure.add_vrect(
            x0=times[start] - 0.5,
            x1=times[end - 1] + 0.5,
            fillcolor=theme.INK,
            opacity=0.15,
            line_width=0,
            annotation_text="empty",
            # above the plot, where no line crosses it
            annotation_position="outside top",
            name="empty",
        )
