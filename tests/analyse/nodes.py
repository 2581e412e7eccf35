"""Nodes like those of a recording, with known content."""

import numpy as np
import xarray as xr


def node_of(activation, populated=None, **coordinates) -> xr.Dataset:
    """Make a state's node of (stimulus, time, channel, y, x); further arrays are coordinates of the stimuli."""
    activation = np.asarray(activation)
    n, n_times = activation.shape[:2]
    activation = activation.reshape(*activation.shape, *[1] * (5 - activation.ndim))
    populated = np.ones(n_times, bool) if populated is None else np.asarray(populated)
    where = populated if populated.ndim == 2 else np.broadcast_to(populated, (n, n_times))
    values = np.where(where[:, :, None, None, None], activation, np.nan)
    dims = ("stimulus", "time", "channel", "y", "x")
    return xr.Dataset(
        {
            "activation": (dims, values, {"long_name": "activation of V4", "units": "a.u."}),
            "populated": (("stimulus", "time")[2 - populated.ndim :], populated),
        },
        {
            "stimulus": np.arange(n),
            "time": ("time", np.arange(n_times), {"long_name": "time", "units": "steps"}),
            **{name: ("stimulus", values) for name, values in coordinates.items()},
        },
    )


def readout_of(logits, populated=None, **coordinates) -> xr.Dataset:
    """Make a readout node of (stimulus, time, class)."""
    logits = np.asarray(logits, float)
    node = node_of(logits, populated, **coordinates)
    activity = node["activation"].isel(y=0, x=0).rename(channel="class")
    return node[["populated"]].assign(logits=activity.assign_attrs(long_name="logits"))
