"""The fields of a unit that was clicked: what can reach it, what matters to it, and what it can reach."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import plot
from cortexsim._support.percentages import percent
from cortexsim.analyse import projective_field, receptive_field
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.widgets.figure import Live
from cortexsim.model.cortex import Cortex
from cortexsim.model.plan import Images
from cortexsim.plot.theme import enlarged
from cortexsim.protocols import sensitivity
from cortexsim.stimuli.presentation import Presentation

HINT = "Click a unit in a map, or press Enter on it, to see what reaches it and what matters to it."


class Fields(widgets.VBox):
    """Fields of a unit over time, below the maps in which it was clicked.

    Attributes
    ----------
    unit : dict
        `state`, `time`, `y`, `x` and `channel` of the unit whose fields are drawn; empty if there are none.
    sensitivity : DataArray or None
        What matters to it, as `protocols.sensitivity` returns it.
    reached : DataArray or None
        What can reach it, as `analyse.receptive_field` returns it; None if the graph does not say.
    """

    def __init__(self) -> None:
        self.text = widgets.HTML(HINT)
        self.unit: dict[str, Any] = {}
        self.sensitivity: xr.DataArray | None = None
        self.reached: xr.DataArray | None = None
        super().__init__([self.text])

    def clear(self) -> None:
        """Remove the fields, which belong to an earlier recording."""
        self.unit, self.sensitivity, self.reached = {}, None, None
        self.text.value, self.children = HINT, (self.text,)

    def show(
        self,
        model: Cortex,
        shown: Images,
        recording: xr.DataTree,
        picked: Mapping[str, Any],
        presentation: Presentation,
    ) -> None:
        """Compute and draw the fields of a unit; an error is shown in their place.

        Parameters
        ----------
        model : Cortex
        shown : Dataset or Tensor
            The image.
        recording : DataTree
            Of this image.
        picked : mapping
            `state`, `time`, `y`, `x`, and `channel`, or None for the channel that is most active there.
        presentation : Presentation
        """
        self.clear()
        try:
            state, time, y, x = picked["state"], int(picked["time"]), int(picked["y"]), int(picked["x"])
            activity: xr.DataArray = recording[state].to_dataset()["activation"]
            here = np.abs(np.asarray(activity.isel(stimulus=0, y=y, x=x).sel(time=time)))
            if not np.isfinite(here).any():
                self.text.value = f"{html.escape(state)} is empty at t = {time}: nothing has reached it. {HINT}"
                return
            channel = picked.get("channel")
            chosen = int(here.argmax()) if channel is None else int(channel)
            self.unit = {"state": state, "time": time, "y": y, "x": x, "channel": chosen}
            self.sensitivity = sensitivity(
                model, shown, state, time=time, y=y, x=x, channels=[chosen], presentation=presentation
            )
            figures = [
                _below(plot.field(self.sensitivity), "what matters to it: the slope of its activity by each pixel")
            ]
            until = int(np.asarray(recording["readout"]["time"])[-1])
            try:
                self.reached = receptive_field(model, state, time=time, y=y, x=x, presentation=presentation)
                reach = _reach(projective_field(model, state, time=time, y=y, x=x, until=until), until)
                figures.insert(0, _below(plot.field(self.reached), "what can reach it: the pixels by the graph"))
            except ValueError as error:
                reach = f"What can reach it is not known: {error}."
            which = "the most active channel there" if channel is None else "the channel that was clicked"
            self.text.value = html.escape(
                f"Unit of {state} at t = {time}, y = {y}, x = {x}; channel {chosen}, {which}. {reach}"
            )
            self.children = (self.text, *figures)
        except Exception as error:  # Jupyter shows no exception of a widget's callback
            self.text.value = alert("The fields could not be drawn", error, "All else in the panel is valid.")


def _reach(found: xr.DataTree, until: int) -> str:
    """Say which states a unit can reach, from which time, and how much of their maps in the end."""
    parts = []
    for name, node in found.children.items():
        field = node["field"]
        times = np.asarray(field["time"])[np.asarray(field.any(["y", "x"]))]
        if times.size:
            parts.append(
                f"{name} from t = {int(times[0])} ({percent(float(field.isel(time=-1).mean()))} of it at t = {until})"
            )
    return f"It can reach {'; '.join(parts)}." if parts else f"It reaches nothing up to t = {until}."


def _below(figure: go.Figure, title: str) -> Live:
    """Return a figure as low as a row of maps; the text above it names the unit."""
    figure.update_layout(title={"text": title, "subtitle": {"text": ""}}, height=226, margin_t=58)
    return Live(enlarged(figure))
