"""The model that traces and its control models, untrained, with the training data of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from cortexsim._support.checks import one_of
from cortexsim._support.randomness import torch_seed
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Transition
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.presentation import AnyPresentation, flash, sustained

FEATURES = 16


@dataclass(frozen=True)
class Tracer:
    """A model of one state that answers for each pixel, and its training.

    Parameters
    ----------
    description : str
        How it differs from the others.
    recurrent : bool
        Its weights are shared over time, and it is trained to continue after its readout time, so it can run longer.
    kind : str
        Of its transition.
    pre_net, sharing : str
        As for `Cortex`.
    readout_time : int
        At which it is trained.
    data : str
        Name of its dataset: "paths" or "mazes".
    shown : mapping
        Arguments of the dataset, for training.
    epochs : int
        Passes over 12,800 images.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.zoo.tracer("tracer").readout_time
    12
    """

    description: str
    recurrent: bool = False
    kind: str = "BRCx1"
    pre_net: str = "conv"
    sharing: str = "none"
    readout_time: int = 12
    data: str = "paths"
    shown: Mapping[str, Any] = field(default_factory=lambda: {"size": 16, "length": (3, 10)})
    epochs: int = 4

    @property
    def size(self) -> int:
        """Side of the training images, px."""
        return 2 * self.shown["cells"] + 1 if "cells" in self.shown else self.shown["size"]

    @property
    def presentation(self) -> AnyPresentation:
        """The presentation: a network that is deep and not recurrent is shown the image once."""
        return sustained() if self.pre_net == "conv" and self.kind == "BRCx1" else flash(1)

    def build(self, seed: int = 0) -> Cortex:
        """Make the untrained model; the same seed gives the same weights."""
        return Cortex(
            CortexGraph((State("V1", FEATURES, self.size, self.size),), (Transition("V1", "V1", self.kind),)),
            n_classes=2,
            readout_time=self.readout_time,
            pre_net=self.pre_net,
            sharing=self.sharing,
            input_gain=2.0,
            normalization="channel",
            post_net="map",
            initialization="torch",
            generator=torch.Generator().manual_seed(torch_seed(seed)),
        )


_MAZES: dict[str, Any] = {"recurrent": True, "sharing": "time", "readout_time": 20, "data": "mazes", "epochs": 5}
# by the name of its file; a control model has the same training images as "tracer"
TRACERS: dict[str, Tracer] = {
    "tracer": Tracer("weights shared over time", recurrent=True, sharing="time"),
    "tracer-unshared": Tracer("the same depth, weights not shared over time"),
    "tracer-deep": Tracer("a residual net of 24 layers at full resolution", kind="BRCx2+I"),
    "tracer-dilated": Tracer(
        "a residual net of 12 dilated layers, which sees 47 px", pre_net="dilated", readout_time=1
    ),
    "tracer-u-shaped": Tracer("a U-net of three resolutions", pre_net="u-shaped", readout_time=1),
    "tracer-deep-20": Tracer(
        "24 layers, trained on curves of 6 to 20 px", kind="BRCx2+I", shown={"size": 24, "length": (6, 20)}
    ),
    "tracer-mazes": Tracer("split mazes of 5x5 cells", shown={"cells": 5, "goal": "component"}, **_MAZES),
    "tracer-mazes-deep": Tracer(
        "24 layers, trained on split mazes of 5x5 cells",
        kind="BRCx2+I",
        data="mazes",
        shown={"cells": 5, "goal": "component"},
        epochs=5,
    ),
    "tracer-mazes-solution": Tracer(
        "the solution path of mazes of 5x5 cells", shown={"cells": 5, "goal": "solution"}, **_MAZES
    ),
}


def tracer(name: str) -> Tracer:
    """Return a model that traces, or one of its control models, by name.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.zoo.tracer("tracer-deep").description
    'a residual net of 24 layers at full resolution'
    """
    return TRACERS[one_of(name, "tracer", TRACERS)]
