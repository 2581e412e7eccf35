"""What each prediction of the paper comes to: the numbers behind each verdict, beside their controls."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from cortexsim.paper.predictions.verdict import CANNOT_BE_TOLD, DOES_NOT_HOLD, HOLDS, Measured, Verdict
from cortexsim.plot import theme

ROW_PX = 19
SIGNS = {HOLDS: "✓", DOES_NOT_HOLD: "✗", CANNOT_BE_TOLD: "?"}
KINDS = (
    ("measured", theme.COLOURS[1], "circle"),
    ("control", theme.COLOURS[0], "diamond-open"),
)


def verdicts(judged: Sequence[Verdict], *, title: str | None = None) -> go.Figure:
    """Draw the numbers that predictions were judged by.

    Parameters
    ----------
    judged : sequence of Verdict
        As `cortexsim.paper.predictions.check` returns them.
    title : str, optional

    Returns
    -------
    Figure
        A row for each number: the mean over seeds, with a line from the lowest seed to the highest; accuracies on the
        left, differences of accuracies on the right. A control without a readout is a row without a mark.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not judged:
        raise ValueError("there are no verdicts to draw: cortexsim.predictions.check() gives them")
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
            own = [(y, n) for y, which, n in rows if which == kind and n.change == change and n.seeds]
            figure.add_scatter(
                x=[100 * n.mean for _, n in own],
                y=[y for y, _ in own],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2, "color": colour}},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (n.high - n.mean) for _, n in own],
                    "arrayminus": [100 * (n.mean - n.low) for _, n in own],
                    "color": colour,
                    "thickness": 1.5,
                    "width": 4,
                },
                hovertext=[str(n) for _, n in own],
                hoverinfo="text",
                name=kind,
                legendgroup=kind,
                showlegend=change is False,
                row=1,
                col=column,
            )
    figure.add_vline(x=0, line={"color": theme.FAINT, "dash": "dash"}, row=1, col=2)
    figure.update_xaxes(title_text="accuracy (% correct)", range=[0, 103], row=1, col=1)
    figure.update_xaxes(title_text="difference (points)", row=1, col=2)
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5], tickfont={"size": 11}
    )
    # a number without a readout is said where its mark would be
    for y, _, number in rows:
        if number.seeds == 0:
            figure.add_annotation(
                x=2, y=y, text="no readout", showarrow=False, xanchor="left", font={"size": 10}, row=1, col=1
            )
    seeds = sorted({n.seeds for _, _, n in rows if n.seeds}) or [0]
    over = f"{seeds[0]} to {seeds[-1]} seeds" if len(seeds) > 1 else f"{seeds[0]} seed{'s' * (seeds[0] != 1)}"
    caption = f"mean, and a line from the lowest to the highest of {over}, on test stimuli"
    figure.update_layout(
        title={"text": f"{title or 'what the paper predicts, on the models that ship'}<br><sup>{caption}</sup>"},
        height=110 + ROW_PX * len(labels),
        margin={"t": 70},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 1, "xanchor": "right"},
    )
    return figure
