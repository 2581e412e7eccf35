"""A residual network in two forms, a stack of layers and a loop over steps, which share one time bar."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
import xarray as xr

from cortexsim.explore.widgets.canvas import drawing, styles
from cortexsim.explore.widgets.following import Following


class Forms(Following):
    """The layers of a stack in a row, and below them the loop: layer t and step t are lit at the same time.

    Attributes
    ----------
    time : int
        Linked with the slider in both directions.
    shown : str
        "both", "loop" or "stack".
    stale : bool
        The choices have changed since the run: what is shown is dimmed.
    scene : dict
        `steps`, `colours` of the weights of each layer, `same` (one set of weights); after a run also what `show`
        writes. Without `differences`, the network is drawn without activity and the time bar is locked.
    maps, apart, picture : bytes
        float32 of shape (form, time, y, x), and (time, y, x); uint8 of shape (y, x, 3).
    """

    _esm = drawing("forms.js")
    _css = styles("stage.css", "forms.css")

    time = traitlets.Int(0).tag(sync=True)
    shown = traitlets.Enum(["both", "loop", "stack"], "both").tag(sync=True)
    stale = traitlets.Bool(False).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    maps = traitlets.Bytes().tag(sync=True)
    apart = traitlets.Bytes().tag(sync=True)
    picture = traitlets.Bytes().tag(sync=True)

    def sketch(self, steps: int, colours: list[str]) -> None:
        """Draw the network of these steps, without activity."""
        with self.hold_sync():
            self.scene = {"steps": steps, "colours": colours, "same": len(set(colours)) == 1}
            self.time, self.stale = 0, False

    def show(self, result: xr.Dataset, colours: list[str], words: dict[str, Any]) -> None:
        """Show the activity of both forms for one digit.

        Parameters
        ----------
        result : Dataset
            `activity` (form, time, channel, y, x): the loop, then the stack; `picture` (channel, y, x) in [0, 1].
        colours : list of str
            CSS colours of the weights of each layer.
        words : dict
            `verdicts`, a sentence for each time, and `read`, what is read out of the stack and of the loop.
        """
        activity = result["activity"].values
        apart = np.abs(activity[0] - activity[1])
        pixels = (np.clip(result["picture"].values, 0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
        with self.hold_sync():
            self.maps = np.maximum(activity, 0).mean(2).astype("<f4").tobytes()
            self.apart = apart.max(1).astype("<f4").tobytes()
            self.picture = pixels.tobytes()
            self.scene = {
                "steps": activity.shape[1] - 1,
                "colours": colours,
                "same": len(set(colours)) == 1,
                "side": list(activity.shape[-2:]),
                "channels": activity.shape[2],
                "differences": apart.max((1, 2, 3)).tolist(),
                "largest": np.abs(activity).max((0, 2, 3, 4)).tolist(),
                **words,
            }
            self.time, self.stale = min(self.time, activity.shape[1] - 1), False
