"""The kernels of a model as small images, side by side."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot.gate import draws

_HEIGHT_PX = 225


@draws()
def kernels(first: xr.DataArray, between: xr.DataArray) -> go.Figure:
    """Draw the kernels that read the image, in colour, and those of a transition, with signs.

    Parameters
    ----------
    first : DataArray, (filter, channel, y, x)
        Three channels: red, green and blue.
    between : DataArray, (target, source, y, x)
        The array has the name of the transition.

    Returns
    -------
    Figure
        On the left, each filter as an image, in which grey is 0 and the largest weight is fully bright or dark. On the
        right, a row for each target channel and a column for each source channel; positive weights are red.

    Raises
    ------
    ValueError
        If the first kernels do not have three channels, the dimensions are others, or a weight is NaN.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import numpy as np
    >>> import xarray as xr
    >>> random = np.random.default_rng(0)
    >>> first = xr.DataArray(random.normal(size=(8, 3, 3, 3)), dims=["filter", "channel", "y", "x"])
    >>> between = xr.DataArray(random.normal(size=(4, 8, 3, 3)), dims=["target", "source", "y", "x"], name="V1->V2")
    >>> figure = cs.plot.kernels(first, between)
    >>> len(figure.data)
    2
    """
    first = _checked(first, ("filter", "channel", "y", "x"), "the first kernels")
    between = _checked(between, ("target", "source", "y", "x"), "the kernels of a transition")
    if first.sizes["channel"] != 3:
        raise ValueError(
            f"the first kernels must have 3 channels (red, green, blue) to be drawn, got {first.sizes['channel']}"
        )
    figure = go.Figure(layout={"template": theme.template()}).set_subplots(1, 2, horizontal_spacing=0.08)
    left, right = {"row": 1, "col": 1}, {"row": 1, "col": 2}
    figure.add_image(
        z=_in_colour(first.values),
        colormodel="rgba256",
        name="first",
        hoverinfo="skip",
        **left,
    )
    mosaic, largest = _mosaic(between.values), _largest(between.values)
    figure.add_heatmap(
        z=theme.for_json(mosaic),
        zmin=-largest,
        zmax=largest,
        colorscale=theme.DIVERGING,
        hoverongaps=False,
        name=str(between.name),
        hovertemplate=f"{between.name}: weight %{{z:.3f}}<extra></extra>",
        colorbar={"thickness": 8, "outlinewidth": 0, "tickvals": [-largest, 0, largest], "tickformat": ".2f"},
        **right,
    )
    bare = {"showticklabels": False, "ticks": "", "showline": False, "constrain": "domain"}
    n_filters, (n_targets, n_sources) = first.sizes["filter"], between.shape[:2]
    captions = (
        f"image → {first.name}: {n_filters} kernels (grey is 0)",
        f"{between.name}: {n_targets} × {n_sources} kernels",
    )
    for cell, caption, axis in zip((left, right), captions, ("x", "x2"), strict=True):
        figure.update_xaxes(title_text=caption, side="top", title_standoff=4, **bare, **cell)
        figure.update_yaxes(scaleanchor=axis, constraintoward="top", autorange="reversed", **bare, **cell)
    figure.update_layout(height=_HEIGHT_PX, margin={"t": 30, "b": 8})
    return figure


def _checked(weights: xr.DataArray, dims: tuple[str, ...], what: str) -> xr.DataArray:
    """Return kernels in the order of dimensions in which they are drawn.

    Raises
    ------
    ValueError
        If they have other dimensions, or a weight is missing.
    """
    if set(weights.dims) != set(dims):
        given = ", ".join(map(str, weights.dims)) or "none"
        raise ValueError(f"{what} must have the dimensions {', '.join(dims)}, got {given}")
    if bool(weights.isnull().any()):
        raise ValueError(f"{what} must have finite weights, but {int(weights.isnull().sum()):,} are NaN")
    return weights.transpose(*dims)


def _largest(weights: np.ndarray) -> float:
    """Return the largest absolute weight; 1 if all are 0, because a colour scale needs a nonzero length."""
    return float(np.abs(weights).max(initial=0)) or 1.0


def _in_colour(weights: np.ndarray) -> np.ndarray:
    """Arrange filters (filter, 3, y, x) in one picture, shape (y, x, 4), transparent between them."""
    n, _, height, width = weights.shape
    columns = int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    picture = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 4), np.uint8)
    bright = np.round(127.5 + 127.5 * weights / _largest(weights)).astype(np.uint8).transpose(0, 2, 3, 1)
    for k, one in enumerate(bright):
        y, x = (index * (side + 1) for index, side in zip(divmod(k, columns), (height, width), strict=True))
        picture[y : y + height, x : x + width] = np.dstack([one, np.full((height, width, 1), 255, np.uint8)])
    return picture


def _mosaic(weights: np.ndarray) -> np.ndarray:
    """Arrange kernels (target, source, y, x) in one map, NaN between them."""
    n_targets, n_sources, height, width = weights.shape
    room = np.full((n_targets, n_sources, height + 1, width + 1), np.nan, np.float32)
    room[:, :, :height, :width] = weights
    return room.transpose(0, 2, 1, 3).reshape(n_targets * (height + 1), n_sources * (width + 1))[:-1, :-1]
