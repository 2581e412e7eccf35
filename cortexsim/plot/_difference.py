"""The largest difference between two computations that should agree."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot._caption import dress, model_name
from cortexsim.plot.gate import ABOUT, draws

ROW_PX = 20
_ZERO = 1e-18  # position of 0 on a logarithmic axis


@draws(along=("model", "seed"), about=ABOUT)
def difference(result: xr.Dataset, variable: str = "difference") -> go.Figure:
    """Draw the largest difference of each model as a dot on a logarithmic axis.

    Parameters
    ----------
    result : Dataset
        Result of an experiment.
    variable : str
        "difference" (model, seed, precision, quantity, step) or "closed_form_difference" (model, seed, time). The
        largest over seeds and over steps or times is drawn.

    Returns
    -------
    Figure
        A dot for each model and precision, with its value; a plot for each quantity. A difference of exactly 0 is to
        the left of the powers of ten, and says so.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.difference(cs.experiments.shipped("equivalence"))
    >>> figure.layout.xaxis.type
    'log'
    """
    values = result[variable].max("seed", keep_attrs=True)
    along = str(values.dims[-1])
    quantities = values["quantity"].values.tolist() if "quantity" in values.dims else [""]
    precisions = values["precision"].values.tolist() if "precision" in values.dims else [""]
    labels = [label for label in values["model"].values if bool(values.sel(model=label).notnull().any())]
    rows = [(label, precision) for label in labels for precision in precisions]
    places = _places(len(labels), len(precisions))
    largest = values.max(along)
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(quantities), subplot_titles=quantities, horizontal_spacing=0.04
    )
    for column, quantity in enumerate(quantities, 1):
        for (label, precision), place in zip(rows, places, strict=True):
            at = {"model": label} | _chosen(quantity=quantity, precision=precision)
            colour = theme.COLOURS[labels.index(label) % len(theme.COLOURS)]
            _add_dot(figure, float(largest.sel(at)), place, colour, column, f"{label} {precision}".strip())
    _name_rows(figure, result, rows, places)
    _set_logarithmic_axes(figure, max(float(values.max()), 1e-12), str(values.attrs["long_name"]))
    figure.update_yaxes(range=[-0.6, places[0] + 1], tickvals=places, ticktext=[precision for _, precision in rows])
    figure.update_yaxes(showticklabels=False, ticks="", col=2)
    found = [f"{p + ': ' if p else ''}{_largest(values, p):.1e}" for p in precisions]
    exact = int((values == 0).sum())
    dress(
        figure,
        result,
        f"largest difference over all {along}s",
        f"Largest of all: {', '.join(found)}. {exact} of {int(values.notnull().sum())} values are exactly 0: equal "
        "to the last bit.",
        plot_px=int(ROW_PX * (places[0] + 1.6)),
        top_px=64 if quantities != [""] else 44,
    )
    figure.update_layout(showlegend=False)
    return figure


def _places(n_labels: int, n_precisions: int) -> list[float]:
    """Return the place of each row, from the top down; between two models is a row for the name of the next."""
    height = n_precisions + 1
    return [
        float(height * (n_labels - 1 - k) + n_precisions - 1 - row)
        for k in range(n_labels)
        for row in range(n_precisions)
    ]


def _chosen(**selected: str) -> dict[str, str]:
    """Leave out the dimensions that the values do not have."""
    return {name: value for name, value in selected.items() if value}


def _add_dot(figure: go.Figure, value: float, place: float, colour: str, column: int, name: str) -> None:
    """Draw the difference of one row, with its value written to the right."""
    said = "0: equal to the last bit" if value == 0 else f"{value:.1e}"
    figure.add_scatter(
        x=[_ZERO if value == 0 else value],
        y=[place],
        mode="markers+text",
        text=[said],
        textposition="middle right",
        textfont={"size": theme.PANEL_PX},
        marker={"color": colour, "size": 10},
        cliponaxis=False,
        name=name,
        hoverinfo="skip",
        row=1,
        col=column,
    )


def _name_rows(figure: go.Figure, result: xr.Dataset, rows: list[tuple[str, str]], places: list[float]) -> None:
    """Write the name of each model above its first row."""
    named: set[str] = set()
    for (label, _), place in zip(rows, places, strict=True):
        if label in named:
            continue
        named.add(label)
        figure.add_annotation(
            text=f"<b>{model_name(result, label)}</b>",
            x=0,
            xref="x domain",
            xshift=6,
            y=place + 0.8,
            xanchor="left",
            yanchor="middle",
            showarrow=False,
            font={"size": theme.PANEL_PX},
            name="label",
        )


def _set_logarithmic_axes(figure: go.Figure, highest: float, title: str) -> None:
    powers = [10.0**k for k in range(-15, int(np.ceil(np.log10(highest))) + 1, 3)]
    figure.update_xaxes(
        type="log",
        tickvals=[_ZERO, *powers],
        ticktext=["0", *(f"1e{round(np.log10(power))}" for power in powers)],
        # a value is written to the right of its dot
        range=[np.log10(_ZERO) - 0.5, np.log10(max(highest, powers[-1])) + 2.5],
        title_text=title,
    )


def _largest(values: xr.DataArray, precision: str) -> float:
    return float((values.sel(precision=precision) if precision else values).max())
