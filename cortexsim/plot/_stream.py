"""One stream of images: the pictures on the screen above the class probabilities, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import is_several, whole
from cortexsim._support.percentages import percentages
from cortexsim._support.png import png_address
from cortexsim.analyse.probabilities import softmax
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

PICTURE_PX = 96
STRIP_PX = 96
# a trace, because a change of annotations makes a browser lay out the whole figure again
_NAMES = "names of the pictures"


@draws()
def stream(
    logits: xr.DataArray,
    pictures: np.ndarray,
    shown: Sequence[int],
    *,
    steps_per_frame: int,
    target: int,
    arrival: int = 0,
    classes: Sequence[str] | None = None,
    title: str | None = None,
) -> go.Figure:
    """Draw the pictures of a stream at the times at which they are shown, and the class probabilities below.

    Parameters
    ----------
    logits : DataArray, (time, class) or (model, time, class)
        The readout of one stream; NaN if it is empty. There is a plot for each model.
    pictures : array, shape (frame, 3, height, width)
        RGB, uint8 or in [0, 1].
    shown : sequence of int
        The class number of each frame.
    steps_per_frame : int
        Steps for which each picture is shown.
    target : int
        The frame to recognise; its class is the thick line.
    arrival : int
        Steps from the image to the readout. For every second frame, the times at which it is the latest that can have
        arrived are shaded.
    classes : sequence of str, optional
        Names of the classes, by default their numbers.
    title : str, optional

    Returns
    -------
    Figure
        A line for each class: coloured for the classes of the stream, faint for the others.

    Raises
    ------
    ValueError
        If the target frame does not exist, or there is not one picture for each frame.

    Examples
    --------
    >>> import cortexsim as cs
    >>> digits = cs.datasets.digits(3, part="test")
    >>> model = cs.zoo.load("ventral-stream-digits")
    >>> recording = cs.simulate(model, digits, cs.sustained(), until=8, record=[])
    >>> logits = recording["readout"]["logits"].isel(stimulus=0)
    >>> figure = cs.plot.stream(logits, digits["image"].values, digits["label"].values, steps_per_frame=3, target=0)
    >>> len(figure.data) > 0
    True
    """
    others = lines.check_dims(logits, ["time", "class"], more=1, what="a stream's readout")
    check_frames(pictures, shown, target)
    steps_per_frame = whole(steps_per_frame, "steps_per_frame", 1, unit="steps")
    arrival = whole(arrival, "arrival", 0, unit="steps")
    n_classes = logits.sizes["class"]
    names = [str(k) for k in range(n_classes)] if classes is None else list(classes)
    if len(names) != n_classes:
        raise ValueError(f"classes must have a name for each of the {n_classes} classes, got {len(names)}")
    models = [""] if not others else [str(name) for name in logits[others[0]].values]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1 + len(models),
        1,
        shared_xaxes=True,
        row_heights=[STRIP_PX, *[200] * len(models)],
        vertical_spacing=0.07,
        subplot_titles=["", *models] if others else None,
    )
    times = logits["time"].values
    for row in range(2, len(models) + 2):
        _add_readout(figure, row, names, times)
        for frame in range(0, len(shown), 2):
            at = arrival + frame * steps_per_frame - 0.5
            where = {"x0": at, "x1": at + steps_per_frame, "row": row, "col": 1}
            figure.add_vrect(fillcolor=theme.INK, opacity=0.1, line_width=0, name="arrives", **where)
    figure.add_scatter(
        x=[_middle(frame, steps_per_frame) for frame in range(len(shown))],
        y=[0.86] * len(shown),
        mode="text",
        textposition="top center",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        name=_NAMES,
        row=1,
        col=1,
    )
    figure.update_xaxes(range=[times[0] - 0.5, times[-1] + 0.5], tickformat="d")
    figure.update_xaxes(title_text=theme.axis_title(logits, "time"), row=1 + len(models), col=1)
    figure.update_yaxes(visible=False, range=[0, 1], fixedrange=True, row=1, col=1)
    figure.update_xaxes(showline=False, ticks="", showticklabels=False, row=1, col=1)
    subtitle = (
        f"above: on the screen, {steps_per_frame} step{'s' * (steps_per_frame > 1)} each; below: the readout; shading "
        f"alternates with the frame that can have arrived last, {arrival} steps after its onset"
    )
    lines.head(figure, title or "one stream", subtitle, height=STRIP_PX + 215 * len(models) + 130)
    show_stream(figure, logits, pictures, shown, steps_per_frame=steps_per_frame, target=target, classes=names)
    return figure


def _add_readout(figure: go.Figure, row: int, names: Sequence[str], times: np.ndarray) -> None:
    """Add a line without values for each class, which `show_stream` fills."""
    for index, name in enumerate(names):
        figure.add_scatter(
            x=times,
            connectgaps=False,
            # what is read out at one step holds for that step; a slope would show a change between two of them
            line={"shape": "hvh"},
            marker={"size": 4},
            name=name,
            meta={"class": index, "row": row},
            hovertemplate=f"{name} at t = %{{x}}: %{{customdata}}<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
    figure.update_yaxes(range=[-0.03, 1.03], **theme.PERCENT, title_text="probability", nticks=4, row=row, col=1)


def show_stream(
    figure: go.Figure,
    logits: xr.DataArray,
    pictures: np.ndarray,
    shown: Sequence[int],
    *,
    steps_per_frame: int,
    target: int,
    classes: Sequence[str] | None = None,
) -> None:
    """Update a figure of `stream` to another stream of the same length and speed; arguments as for `stream`.

    Raises
    ------
    ValueError
        If the target frame does not exist, or there is not one picture for each frame.
    """
    check_frames(pictures, shown, target)
    names = [str(k) for k in range(logits.sizes["class"])] if classes is None else list(classes)
    chance = softmax(logits)
    values = chance.values.reshape(-1, *chance.shape[-2:])
    # the colour of the target does not depend on its position
    order = [shown[target], *dict.fromkeys(one for one in shown if one != shown[target])]
    colours = {one: theme.COLOURS[index % len(theme.COLOURS)] for index, one in enumerate(order)}
    (named,) = figure.select_traces({"name": _NAMES})
    named.text = [f"<b>{names[one]} (target)</b>" if frame == target else names[one] for frame, one in enumerate(shown)]
    named.textfont = {"color": [colours[one] for one in shown], "size": 12}
    for trace in figure.data:
        if trace.meta is None:
            continue
        index = trace.meta["class"]
        trace.y = theme.for_json(values[trace.meta["row"] - 2, :, index])
        trace.customdata = percentages(values[trace.meta["row"] - 2, :, index])
        trace.line.color = colours.get(index, theme.FAINT)
        trace.line.width = 3.5 if index == shown[target] else 1.8 if index in colours else 1
        # dots at all times would take a browser longer than the line
        trace.mode = "lines+markers" if index in colours else "lines"
    figure.layout.images = [
        {
            "source": png_address(np.asarray(picture), least_px=PICTURE_PX),
            "xref": "x",
            "yref": "y",
            "x": _middle(frame, steps_per_frame),
            "y": 0.42,
            "sizex": steps_per_frame * 0.96,
            "sizey": 0.84,
            "xanchor": "center",
            "yanchor": "middle",
            "sizing": "contain",
            "layer": "above",
        }
        for frame, picture in enumerate(pictures)
    ]


def _middle(frame: int, steps_per_frame: int) -> float:
    """Return the middle of the time during which a frame is on the screen."""
    return (frame + 0.5) * steps_per_frame - 0.5


def check_frames(pictures: np.ndarray, shown: Sequence[int], target: int) -> None:
    """Raise a ValueError unless there is one picture for each frame, and the target is one of them."""
    if not is_several(pictures):
        raise TypeError(f"pictures must be an array with a picture for each frame, got {type(pictures).__name__}")
    if len(pictures) != len(shown):
        raise ValueError(f"a stream needs a picture for each frame, got {len(pictures)} for {len(shown)} frames")
    if target not in range(len(shown)):
        raise ValueError(f"there is no frame {target}: the frames are 0 to {len(shown) - 1}")
