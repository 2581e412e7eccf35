"""Films of maps and dissimilarities, as bytes for the canvas in the browser."""

from __future__ import annotations

from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

LEVELS = 254
EMPTY = 255


class Film(NamedTuple):
    """A film for the canvas.

    Parameters
    ----------
    described : dict
        JSON values: `times`; `shownAt` each time; the images `shown` and their `screen` size; the `quantity` of the
        maps; and `films`, each with `name`, `kind` ("map" or "rdm"), `height`, `width`, `low`, `high`, `unit` and
        `populated`.
    movie : bytes
        For each film in turn: uint8 of shape (shown, time, y, x), or (time, y, x) of dissimilarities. Levels 0 to 254
        go from `low` to `high`, the same at all times; 255 is empty.
    screen : bytes
        uint8 of shape (shown, y, x, 3).
    """

    described: dict[str, Any]
    movie: bytes
    screen: bytes


def film(result: xr.Dataset) -> Film:
    """Prepare a result of `Changes` for the canvas.

    Parameters
    ----------
    result : Dataset
        With `map_<state>` (shown, time, y_<state>, x_<state>), `rdm` (time, stimulus, other_stimulus), `picture`
        (shown, channel, y, x) in [0, 1], and `shown_at` (time).

    Returns
    -------
    Film
    """
    films, movie = [], []
    for name in result["state"].values.tolist():
        maps = result[f"map_{name}"]
        described, levels = _levels(maps.values, low=0.0)
        films.append({"name": name, "kind": "map", "unit": str(maps.attrs["units"]), **described})
        movie.append(levels)
    rdm = result["rdm"]
    order = np.argsort(rdm["label"].values, kind="stable")
    described, levels = _levels(rdm.values[:, order][:, :, order], low=min(0.0, float(rdm.min())))
    names = result["class"].values.astype(str)
    labels = names[rdm["place_of_label"].values[order]].tolist()
    matrix = {
        "name": result.attrs["state"],
        "kind": "rdm",
        "unit": "",
        "quantity": rdm.attrs["long_name"],
        "names": [f"stimulus {one} ({name})" for one, name in zip(rdm["stimulus"].values[order], labels, strict=True)],
        "groups": _groups(labels),
    }
    films.append({**matrix, **described})
    movie.append(levels)
    pixels = (np.clip(result["picture"].values, 0, 1) * 255).round().astype(np.uint8).transpose(0, 2, 3, 1)
    return Film(
        {
            "times": result["time"].values.tolist(),
            "shownAt": result["shown_at"].values.tolist(),
            "shown": result["shown"].values.tolist(),
            "screen": list(pixels.shape[1:3]),
            "quantity": str(result[f"map_{films[0]['name']}"].attrs["long_name"]),
            "films": films,
        },
        b"".join(movie),
        pixels.tobytes(),
    )


def _levels(values: np.ndarray, *, low: float) -> tuple[dict[str, Any], bytes]:
    """Turn values (..., time, y, x) into bytes on one scale for all times."""
    finite = np.isfinite(values)
    high = float(values[finite].max()) if finite.any() else low
    span = high - low or 1.0
    levels = np.where(finite, (np.where(finite, values, low) - low) / span * LEVELS, EMPTY)
    over_time = finite.any(tuple(axis for axis in range(values.ndim) if axis != values.ndim - 3))
    described = {
        "height": values.shape[-2],
        "width": values.shape[-1],
        "low": low,
        "high": low + span,
        "populated": over_time.tolist(),
    }
    return described, levels.round().astype(np.uint8).tobytes()


def _groups(labels: list[str]) -> list[dict[str, Any]]:
    """Return the range of rows of each class in the matrix."""
    found, start = [], 0
    for name, run in groupby(labels):
        end = start + len(list(run))
        found.append({"name": name, "from": start, "to": end})
        start = end
    return found
