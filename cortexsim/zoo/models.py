"""The paper's models and the pretrained models, by name."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import xarray as xr

from cortexsim._support.checks import one_of, shown, unknown
from cortexsim._support.files import as_path
from cortexsim._support.resources import data_folder
from cortexsim.graph.builders import adjacent, fully_recurrent, resnet
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.checkpoint import load as load_file
from cortexsim.model.cortex import Cortex
from cortexsim.zoo import cards, tracer_cards
from cortexsim.zoo.published.registry import PUBLISHED
from cortexsim.zoo.tracers import TRACERS


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
        Source of the size and the readout time: "S" stated in the paper, "R" recalled, "I" inferred.
    count_confidence : str
        Source of the paper's number of parameters.
    pre_net, sharing : str
        As for `Cortex`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> paper = cs.zoo.PAPER["resnet-1-state"]
    >>> paper.readout_time, paper.n_parameters
    (10, 76106)
    """

    description: str
    graph: Callable[[], CortexGraph]
    readout_time: int
    n_parameters: int
    confidence: str
    pre_net: str = "conv"
    sharing: str = "time"
    count_confidence: str = "I"


SUFFIX = ".safetensors"
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
    "resnet-1-state": PaperModel(
        description="1-state ResNet, weights shared over time",
        graph=_resnet_1,
        readout_time=10,
        n_parameters=76_106,
        confidence="R",
    ),
    "resnet-1-state-unshared": PaperModel(
        description="1-state ResNet, ordinary: separate weights at each time",
        graph=_resnet_1,
        readout_time=10,
        n_parameters=739_658,
        confidence="R",
        sharing="none",
    ),
    "resnet-3-state": PaperModel(
        description="3-state ResNet, weights shared over time",
        graph=_resnet_3,
        readout_time=11,
        n_parameters=120_890,
        confidence="I",
    ),
    "resnet-3-state-unshared": PaperModel(
        description="3-state ResNet, ordinary: separate weights at each time",
        graph=_resnet_3,
        readout_time=11,
        n_parameters=314_426,
        confidence="I",
        sharing="none",
    ),
    "fully-recurrent-2-state": PaperModel(
        description="2-state fully recurrent network",
        graph=_recurrent_2,
        readout_time=10,
        n_parameters=297_290,
        confidence="R",
        count_confidence="R",
    ),
    "fully-recurrent-2-state-unshared": PaperModel(
        description="2-state fully recurrent network, separate weights at each time",
        graph=_recurrent_2,
        readout_time=10,
        n_parameters=2_656_586,
        confidence="I",
        sharing="none",
    ),
    "one-kernel-16": PaperModel(
        description="one set of weights for all convolutions, 16 features",
        graph=partial(_one_kernel, 16),
        readout_time=29,
        n_parameters=2_906,
        confidence="I",
        sharing="all",
    ),
    "one-kernel-32": PaperModel(
        description="one set of weights for all convolutions, 32 features",
        graph=partial(_one_kernel, 32),
        readout_time=29,
        n_parameters=10_410,
        confidence="I",
        sharing="all",
    ),
    "fully-recurrent-3-state": PaperModel(
        description="3-state fully recurrent network, deep pre-net",
        graph=partial(fully_recurrent, _THREE, size=32),
        readout_time=5,
        n_parameters=4_206_794,
        confidence="R",
        pre_net="deep",
    ),
    "adjacent-3-state": PaperModel(
        description="3-state network of adjacent connections, deep pre-net",
        graph=partial(adjacent, _THREE, size=32),
        readout_time=5,
        n_parameters=3_285_194,
        confidence="R",
        pre_net="deep",
    ),
    "fully-recurrent-4-state": PaperModel(
        description="4-state fully recurrent network, deep pre-net",
        graph=partial(fully_recurrent, _FOUR, size=32),
        readout_time=5,
        n_parameters=327_458,
        confidence="R",
        pre_net="deep",
    ),
    "adjacent-4-state": PaperModel(
        description="4-state network of adjacent connections, deep pre-net",
        graph=partial(adjacent, _FOUR, size=32),
        readout_time=5,
        n_parameters=208_802,
        confidence="R",
        pre_net="deep",
    ),
}


def build(name: str, n_classes: int = 10) -> Cortex:
    """Make one of the paper's models, untrained.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.build("adjacent-4-state")
    >>> model.n_parameters()
    208802
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
# what the control models of a pretrained model lack or have instead; each has as many parameters as that model, except
# the wide one. The names of their files end in these words
CONTROLS = {
    "lateral": "no feedback",
    "feedback": "no lateral connections",
    "feedforward": "neither",
    "feedforward-wide": "neither, and as many multiplications",
    "feedforward-deep": "neither, and twice as many convolutions between areas",
}
_TRAINING = "uv run python tools/train_zoo.py cifar10-jpeg --data FOLDER --control"
REPOSITORY_ONLY = {f"ventral-stream-cifar10-jpeg-{kind}": f"{_TRAINING} {kind}" for kind in ("feedback", "lateral")}
"""Pretrained models that a checkout has and an installed package lacks, which keeps the package small, with the command
that makes each; their cards are in the package."""


def pretrained() -> list[str]:
    """Return the names of the models that are bundled with weights.

    Examples
    --------
    >>> import cortexsim as cs
    >>> "tracer" in cs.zoo.pretrained()
    True
    """
    return sorted(path.stem for path in _files().glob(f"*{SUFFIX}"))


def _files() -> Path:
    return data_folder() / "models"


def controls(name: str) -> dict[str, str]:
    """Return the names of a pretrained model's control models, by what distinguishes them; see `CONTROLS`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.zoo.controls("ventral-stream")["feedforward"]
    'ventral-stream-contours-feedforward'
    """
    known = pretrained()
    return {kind: f"{full_name(name)}-{kind}" for kind in CONTROLS if f"{full_name(name)}-{kind}" in known}


def siblings(name: str) -> dict[str, str]:
    """Return the names of a pretrained model's control models: the former name of `controls`."""
    warnings.warn("zoo.siblings is called zoo.controls now", DeprecationWarning, stacklevel=2)
    return controls(name)


def get(
    model: str | os.PathLike[str],
    *,
    base: str | os.PathLike[str] = ".",
    weights: str | os.PathLike[str] | None = None,
) -> Cortex:
    """Load a model by its name or from its file.

    Parameters
    ----------
    model : str or path
        A pretrained model's name, the path of a .safetensors file, or a published model's name, which is made with
        random weights. What contains a slash is a path: `./name` where a file has the name of a model.
    base : path
        The folder that relative paths refer to.
    weights : path, optional
        The checkpoint of a published model.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If there is no model of that name, the nearest one is suggested; or weights are given for a model that already
        has weights.

    Warns
    -----
    UserWarning
        If there is also a file or folder of the model's name, which is not read.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.zoo.get("tracer").n_parameters()
    2770
    """
    if path_of(model, base=base) is None and (as_path(base) / as_path(model, "model")).exists():
        warnings.warn(
            f"{str(model)!r} names a model of cortexsim; the file or folder of that name is not read: write ./{model} "
            "to read it",
            stacklevel=2,
        )
    if str(model) in PUBLISHED:
        return PUBLISHED[str(model)].make(
            None if weights is None else as_path(base, "base") / as_path(weights, "weights")
        )
    if weights is not None:
        raise ValueError(f"{str(model)!r} already has weights; weights= is only for {', '.join(PUBLISHED)}")
    path = path_of(model, base=base)
    return load_file(path) if path is not None else load(str(model))


def path_of(model: str | os.PathLike[str], *, base: str | os.PathLike[str] = ".") -> Path | None:
    """Return the file that a model's name stands for, or None for the name of a bundled model."""
    path = as_path(model, "model")
    # a path of one part loses its ./ when it becomes a Path
    is_path = path.suffix.lower() == SUFFIX or any(sign and sign in os.fspath(model) for sign in (os.sep, os.altsep))
    return as_path(base) / path if is_path else None


def load(name: str) -> Cortex:
    """Load a bundled pretrained model; "ventral-stream" is the one that traces contours.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.
    FileNotFoundError
        If it is one of `REPOSITORY_ONLY` and cortexsim was installed as a package.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.zoo.load("ventral-stream")
    >>> model.readout_time, model.classes
    (8, ['different', 'same'])
    """
    return load_file(file_of(name))


def file_of(name: str) -> Path:
    """Return the file of a pretrained model.

    Raises
    ------
    ValueError
        If there is none of that name; the nearest one is suggested.
    FileNotFoundError
        If it is one of `REPOSITORY_ONLY` and cortexsim was installed as a package.
    """
    full = full_name(name)
    path = _files() / f"{full}{SUFFIX}"
    if full in REPOSITORY_ONLY and not path.is_file():
        raise FileNotFoundError(
            f"{full!r} is not part of the installed package, which would be too large with it: take "
            f"data/models/{path.name} from a checkout of the repository and open it with cs.load, or make it there by "
            f"`{REPOSITORY_ONLY[full]}`"
        )
    return path


def card(name: str) -> xr.Dataset:
    """Read the card of a pretrained model; see `cards.card`, and `tracer_cards.card` for the models that trace.

    Raises
    ------
    ValueError
        If there is no model of that name, or it has no card.

    Examples
    --------
    >>> import cortexsim as cs
    >>> card = cs.zoo.card("ventral-stream")
    >>> card["accuracy"].sel(seed=0, presentation="sustained", time=8).item()
    0.996
    """
    return tracer_cards.card(name) if isinstance(name, str) and name in TRACERS else cards.card(full_name(name))


def full_name(name: str) -> str:
    """Return the full name of a pretrained model that is given by its full or short name.

    Raises
    ------
    ValueError
        If no model of that name has weights here or in the repository.
    """
    if not isinstance(name, str):
        raise TypeError(f"a model is named by text, such as 'tracer', got {shown(name)}")
    if name in PAPER:
        raise ValueError(f"{name!r} ships without weights: make it with zoo.build({name!r}) and train it")
    if name in PUBLISHED:
        raise ValueError(f"{name!r} ships without weights: make it with zoo.get({name!r}, weights=...)")
    if SHORT.get(name, name) not in {*pretrained(), *REPOSITORY_ONLY}:
        raise ValueError(unknown("model", name, [*SHORT, *pretrained(), *PAPER, *PUBLISHED]))
    return SHORT.get(name, name)


def _paper(name: str) -> PaperModel:
    return PAPER[one_of(name, "model of the paper", PAPER)]
