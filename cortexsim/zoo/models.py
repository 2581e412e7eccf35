"""The paper's models by name, and the pretrained ones that ship."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.resources import data_folder
from cortexsim.graph.builders import adjacent, fully_recurrent, resnet
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.checkpoint import load as load_file
from cortexsim.model.cortex import Cortex
from cortexsim.zoo import cards


@dataclass(frozen=True)
class PaperModel:
    """A model of Liao & Poggio (2016).

    Parameters
    ----------
    description : str
    graph : callable
        Builds the graph.
    readout_time : int
    n_parameters : int
        For 10 classes; convolutions and the final layer, BN not counted.
    confidence : str
        How sure the size and the readout time are: "S" stated in the paper, "R" recalled, "I" inferred.
    count_confidence : str
        How sure the paper's number of parameters is.
    pre_net, sharing : str
        As for `Cortex`.
    """

    description: str
    graph: Callable[[], CortexGraph]
    readout_time: int
    n_parameters: int
    confidence: str
    pre_net: str = "conv"
    sharing: str = "time"
    count_confidence: str = "I"


_THREE = {"h1": 64, "h2": 128, "h3": 256}
_FOUR = {"h1": 8, "h2": 16, "h3": 32, "h4": 64}


def _resnet_1() -> CortexGraph:
    return resnet({"h1": 64}, size=32, steps=10)


def _resnet_3() -> CortexGraph:
    return resnet({"h1": 16, "h2": 32, "h3": 64}, size=32, steps=3)


def _recurrent_2() -> CortexGraph:
    return fully_recurrent({"h1": 64, "h2": 64}, size=(32, 32))


def _one_kernel(features: int) -> CortexGraph:
    return resnet(dict.fromkeys(("h1", "h2", "h3"), features), size=32, steps=9, between="Pool")


PAPER: dict[str, PaperModel] = {
    "resnet-1-state": PaperModel("1-state ResNet, weights shared over time", _resnet_1, 10, 76_106, "R"),
    "resnet-1-state-unshared": PaperModel(
        "1-state ResNet, ordinary: weights of its own at each time", _resnet_1, 10, 739_658, "R", sharing="none"
    ),
    "resnet-3-state": PaperModel("3-state ResNet, weights shared over time", _resnet_3, 11, 120_890, "I"),
    "resnet-3-state-unshared": PaperModel(
        "3-state ResNet, ordinary: weights of its own at each time", _resnet_3, 11, 314_426, "I", sharing="none"
    ),
    "fully-recurrent-2-state": PaperModel(
        "2-state fully recurrent network", _recurrent_2, 10, 297_290, "R", count_confidence="R"
    ),
    "fully-recurrent-2-state-unshared": PaperModel(
        "2-state fully recurrent network, weights of its own at each time",
        _recurrent_2,
        10,
        2_656_586,
        "I",
        sharing="none",
    ),
    "one-kernel-16": PaperModel(
        "one set of weights for all convolutions, 16 features", lambda: _one_kernel(16), 29, 2_906, "I", sharing="all"
    ),
    "one-kernel-32": PaperModel(
        "one set of weights for all convolutions, 32 features", lambda: _one_kernel(32), 29, 10_410, "I", sharing="all"
    ),
    "fully-recurrent-3-state": PaperModel(
        "3-state fully recurrent network, deep pre-net",
        lambda: fully_recurrent(_THREE, size=32),
        5,
        4_206_794,
        "R",
        pre_net="deep",
    ),
    "adjacent-3-state": PaperModel(
        "3-state network of adjacent connections, deep pre-net",
        lambda: adjacent(_THREE, size=32),
        5,
        3_285_194,
        "R",
        pre_net="deep",
    ),
    "fully-recurrent-4-state": PaperModel(
        "4-state fully recurrent network, deep pre-net",
        lambda: fully_recurrent(_FOUR, size=32),
        5,
        327_458,
        "R",
        pre_net="deep",
    ),
    "adjacent-4-state": PaperModel(
        "4-state network of adjacent connections, deep pre-net",
        lambda: adjacent(_FOUR, size=32),
        5,
        208_802,
        "R",
        pre_net="deep",
    ),
}


def build(name: str, n_classes: int = 10) -> Cortex:
    """Make one of the paper's models, untrained.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.
    """
    paper = _paper(name)
    return Cortex(
        paper.graph(),
        n_classes=n_classes,
        readout_time=paper.readout_time,
        pre_net=paper.pre_net,
        sharing=paper.sharing,
    )


SHORT = {"ventral-stream": "ventral-stream-contours"}
# what the siblings of a model lack or have instead; each is as large as it in parameters, but for the wide one
SIBLINGS = {
    "lateral": "no feedback",
    "feedback": "no lateral transitions",
    "feedforward": "neither",
    "feedforward-wide": "neither, and as many multiplications",
    "feedforward-deep": "neither, and twice as many convolutions between areas",
}


def pretrained() -> list[str]:
    """Return the names of the models that ship with weights."""
    return sorted(path.stem for path in (data_folder() / "models").glob("*.safetensors"))


def siblings(name: str) -> dict[str, str]:
    """Return the names of a pretrained model's siblings, by what distinguishes them; see `SIBLINGS`."""
    known = pretrained()
    return {kind: f"{_full(name)}-{kind}" for kind in SIBLINGS if f"{_full(name)}-{kind}" in known}


def load(name: str) -> Cortex:
    """Load a pretrained model that ships; "ventral-stream" is the one that traces contours.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.
    """
    return load_file(data_folder() / "models" / f"{_full(name)}.safetensors")


def card(name: str) -> xr.Dataset:
    """Read what a pretrained model was measured to do; see `cards.card`.

    Raises
    ------
    ValueError
        If there is no model of that name, or it has no card.
    """
    return cards.card(_full(name))


def _full(name: str) -> str:
    if name in PAPER:
        raise ValueError(f"{name!r} ships without weights: make it with zoo.build({name!r}) and train it")
    if SHORT.get(name, name) not in pretrained():
        raise ValueError(unknown("pretrained model", name, [*SHORT, *pretrained()]))
    return SHORT.get(name, name)


def _paper(name: str) -> PaperModel:
    if name not in PAPER:
        raise ValueError(unknown("model of the paper", name, PAPER))
    return PAPER[name]
