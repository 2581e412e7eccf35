"""The largest difference between two computations that should agree, over steps or times."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot._caption import dress, model_name
from cortexsim.plot.gate import ABOUT, draws

_DASHES = ("solid", "dash", "dot")
_ZERO = 1e-18  # position of 0 on a logarithmic axis


@draws(along=("model", "seed"), about=ABOUT)
def difference(result: xr.Dataset, variable: str = "difference") -> go.Figure:
    """Draw differences on a logarithmic axis.

    Parameters
    ----------
    result : Dataset
        Result of an experiment.
    variable : str
        "difference" (model, seed, precision, quantity, step) or "closed_form_difference" (model, seed, time). The
        largest over seeds is drawn.

    Returns
    -------
    Figure
        A line for each model and precision, a plot for each quantity. Differences of exactly 0 are drawn on a separate
        line below the powers of ten.

    Examples
    --------
    >>> import cortexsim as cs
    >>> figure = cs.plot.difference(cs.experiments.shipped("equivalence"))
    >>> figure.layout.yaxis.type
    'log'
    """
    values = result[variable].max("seed", keep_attrs=True)
    along = str(result[variable].dims[-1])
    # other parts of the experiment may have a larger number of steps
    values = values.dropna(along, how="all")
    quantities = values["quantity"].values.tolist() if "quantity" in values.dims else [""]
    precisions = values["precision"].values.tolist() if "precision" in values.dims else [""]
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(
        1, len(quantities), subplot_titles=quantities, horizontal_spacing=0.12
    )
    labels = [label for label in values["model"].values if bool(values.sel(model=label).notnull().any())]
    for column, quantity in enumerate(quantities, 1):
        for k, label in enumerate(labels):
            for precision, dash in zip(precisions, _DASHES, strict=False):
                line = values.sel(model=label)
                line = line.sel(quantity=quantity) if quantity else line
                line = line.sel(precision=precision) if precision else line
                figure.add_scatter(
                    x=line[along].values,
                    y=np.where(line.values == 0, _ZERO, line.values),
                    mode="lines+markers",
                    connectgaps=False,
                    name=model_name(result, label) + (f"; {precision}" if precision else ""),
                    line={"color": theme.COLOURS[k % len(theme.COLOURS)], "width": 1.5, "dash": dash},
                    marker={"size": 4, "symbol": k},
                    showlegend=column == 1,
                    legendgroup=f"{label}{precision}",
                    hovertemplate=f"{label}, {along} %{{x}}: %{{y:.1e}}<extra>{precision}</extra>",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title_text=theme.axis_title(values, along), tick0=0, dtick=max(values.sizes[along] // 10, 1))
    _set_logarithmic_axis(figure, max(float(values.max()), 1e-12))
    figure.update_annotations(font={"size": theme.TEXT_PX})
    figure.update_yaxes(title_text=str(values.attrs["long_name"]), col=1)
    largest = [f"{p + ': ' if p else ''}{_largest(values, p):.1e}" for p in precisions]
    exact = int((values == 0).sum())
    dress(
        figure,
        result,
        "largest difference",
        f"Largest of all: {', '.join(largest)}. {exact} of {int(values.notnull().sum())} values are exactly 0: equal "
        "to the last bit.",
        rows=len(labels) * len(precisions),
    )
    return figure


def _set_logarithmic_axis(figure: go.Figure, highest: float) -> None:
    powers = [10.0**k for k in range(-15, int(np.ceil(np.log10(highest))) + 1, 3)]
    figure.update_yaxes(
        type="log",
        tickvals=[_ZERO, *powers],
        ticktext=["0", *(f"1e{round(np.log10(power))}" for power in powers)],
        range=[np.log10(_ZERO) - 0.5, np.log10(max(highest, powers[-1])) + 0.5],
    )


def _largest(values: xr.DataArray, precision: str) -> float:
    return float((values.sel(precision=precision) if precision else values).max())
