"""Verdicts on the paper's predictions: the values behind each verdict, with those of the control models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cortexsim._support.checks import listed, shown
from cortexsim.paper.predictions.verdict import DOES_NOT_HOLD, HOLDS, UNDECIDED, Measured, Verdict
from cortexsim.plot import lines, theme
from cortexsim.plot.gate import draws

ROW_PX = 19
SIGNS = {HOLDS: "✓", DOES_NOT_HOLD: "✗", UNDECIDED: "?"}
KINDS = (
    ("measured", theme.COLOURS[1], "circle"),
    ("control", theme.COLOURS[0], "diamond-open"),
)


@draws(first_too=False)
def verdicts(judged: Sequence[Verdict], *, title: str | None = None) -> go.Figure:
    """Draw the values by which predictions were judged.

    Parameters
    ----------
    judged : sequence of Verdict
        As `cortexsim.predictions.check` returns them.
    title : str, optional

    Returns
    -------
    Figure
        A row for each value: the mean over seeds, with a line from the lowest seed to the highest; accuracies on the
        left, differences of accuracies on the right. The row of a control without a readout has no mark.

    Raises
    ------
    TypeError
        If they are not verdicts.
    ValueError
        If there is nothing to draw.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.verdicts(cs.predictions.check())
    >>> len(figure.data) > 0
    True
    """
    judged = listed(judged, "judged", "cortexsim.predictions.check()")
    for one in judged:
        if not isinstance(one, Verdict):
            raise TypeError(
                f"each of judged must be a Verdict, as cortexsim.predictions.check() returns, got {shown(one)}"
            )
    if not judged:
        raise ValueError("there are no verdicts to draw: cortexsim.predictions.check() returns them")
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, 2, shared_yaxes=True, horizontal_spacing=0.04
    )
    labels: list[str] = []
    rows: list[tuple[int, str, Measured]] = []
    for one in judged:
        labels.append(f"<b>{SIGNS[one.verdict]} {one.number}. {one.name}: {one.verdict}</b>")
        for kind, numbers in (("measured", one.numbers), ("control", one.controls)):
            for number in numbers:
                rows.append((len(labels), kind, number))
                labels.append(number.label)
    for kind, colour, symbol in KINDS:
        for change, column in ((False, 1), (True, 2)):
            own = [(y, n) for y, other, n in rows if other == kind and n.change == change and n.seeds]
            _add_numbers(figure, own, kind, colour, symbol, column)
    figure.add_vline(x=0, line={"color": theme.FAINT, "dash": "dash"}, row=1, col=2)
    figure.update_xaxes(title_text="accuracy (% correct)", range=[0, 103], row=1, col=1)
    figure.update_xaxes(title_text="difference (percentage points)", row=1, col=2)
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5])
    for y, _, number in rows:
        if number.seeds == 0:
            figure.add_annotation(x=2, y=y, text="no readout", showarrow=False, xanchor="left", row=1, col=1)
    seeds = sorted({n.seeds for _, _, n in rows if n.seeds}) or [0]
    over = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seed{'s' * (seeds[0] != 1)}"
    subtitle = f"mean, and a line from the lowest to the highest of {over}, on test stimuli"
    name = title or "the paper's predictions, tested on the models that ship"
    lines.head(figure, name, subtitle, height=110 + ROW_PX * len(labels))
    figure.update_layout(
        margin={"t": 80}, legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 1, "xanchor": "right"}
    )
    return figure


def _add_numbers(
    figure: go.Figure, numbers: list[tuple[int, Measured]], kind: str, colour: str, symbol: str, column: int
) -> None:
    """Add the marks of values in percent, each at the y of its row."""
    mean, low, high = (np.array([100 * getattr(n, end) for _, n in numbers]) for end in ("mean", "low", "high"))
    figure.add_scatter(
        x=mean,
        y=[y for y, _ in numbers],
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
        error_x=lines.error_bars(mean, low, high, thickness=1.5, width=4) | {"color": colour},
        hovertext=[str(n) for _, n in numbers],
        hoverinfo="text",
        name=kind,
        legendgroup=kind,
        showlegend=column == 1,
        row=1,
        col=column,
    )
