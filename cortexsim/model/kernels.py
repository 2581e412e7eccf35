"""The kernels of a model, and the sharing of kernels between convolutions (the paper's set S)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping

import torch
from torch import Tensor, nn

from cortexsim._support.checks import unknown
from cortexsim._support.memory import available
from cortexsim.graph._schedule import Schedule
from cortexsim.graph.cortex_graph import CortexGraph

Pair = tuple[str, int, int]
Table = dict[Pair, str]
Sharing = str | Mapping[Pair, Hashable] | Callable[[str, int, int], Hashable]

# by name: (transition name, time, which convolution) -> key
RULES: dict[str, Callable[[str, int, int], str]] = {
    "time": lambda name, time, which: f"{name}:{which}",
    "none": lambda name, time, which: f"{name}:{which}@{time}",
    "all": lambda name, time, which: "all",
}


def refuse_too_large(graph: CortexGraph, n_classes: int) -> None:
    """Raise a MemoryError if a model of a graph does not fit in memory, before any weight is made.

    Counts the weights of each transition once, and those of the final layer.
    """
    if torch.get_default_device().type == "meta":  # takes no memory
        return
    shapes = [one.kernel_shape for name in graph.transition_names for one in graph.convolutions(name)]
    n = sum(map(math.prod, shapes)) + graph.states[-1].features * n_classes
    needed = n * torch.get_default_dtype().itemsize
    if needed > available():
        raise MemoryError(
            f"a model with {n:,} weights takes {needed / 1e9:,.0f} GB, but {available() / 1e9:,.1f} GB of memory is "
            "free; give its states fewer features, or fewer classes"
        )


def _he(shape: tuple[int, ...], fan_in: int, generator: torch.Generator | None) -> Tensor:
    return torch.randn(shape, generator=generator) * math.sqrt(2 / fan_in)


def _torch_default(shape: tuple[int, ...], fan_in: int, generator: torch.Generator | None) -> Tensor:
    bound = 1 / math.sqrt(fan_in)
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


def _undrawn(shape: tuple[int, ...], fan_in: int, generator: torch.Generator | None) -> Tensor:
    return torch.empty(shape)


# by name: (shape, fan-in, generator) -> initial kernel. He et al. (2015) preserve the variance of ReLU outputs; torch
# draws uniformly from -1/√fan-in to 1/√fan-in, a sixth of that variance, which suits a recurrent kernel used often
INITIALIZATIONS: dict[str, Callable[[tuple[int, ...], int, torch.Generator | None], Tensor]] = {
    "he": _he,
    "torch": _torch_default,
}


def settle(sharing: Sharing, own: Schedule) -> str | Table:
    """Read `sharing`: return the name of a rule unchanged, and anything else as a table over the model's schedule.

    Parameters
    ----------
    sharing : str, mapping or callable
        From (transition name, time, which convolution: 0 or 1) to a key; convolutions with the same key share weights.
    own : Schedule
        Everything that contributes to the model's readouts.

    Raises
    ------
    ValueError
        If the rule is unknown, a convolution has no key, or two keys are equal as text.
    """
    if isinstance(sharing, str):
        if sharing not in RULES:
            raise ValueError(unknown("sharing", sharing, (*RULES, "a mapping")))
        return sharing
    table: Table = {}
    named: dict[str, Hashable] = {}
    for name, time in own:
        for which in range(len(own.graph.convolutions(name))):
            pair = (name, time, which)
            try:
                key = sharing[pair] if isinstance(sharing, Mapping) else sharing(*pair)
            except KeyError:
                raise ValueError(f"sharing has no key for {pair}: (transition, time, which convolution)") from None
            text = str(key)
            # the key becomes a parameter's name in files, where a dot would split it
            if not text or "." in text or named.setdefault(text, key) != key:
                raise ValueError(
                    f"the sharing key {key!r} of {pair} is not allowed: written as text, a key must not be empty, must "
                    "not contain '.', and must differ from every other key"
                )
            table[pair] = text
    return table


class Kernels(nn.ParameterDict):
    """The kernels of a model's schedule, by key.

    Parameters
    ----------
    own : Schedule
        Everything that contributes to the model's readouts.
    sharing : str, mapping or callable
        See `settle`.
    generator : torch.Generator, optional
        Generator of the initial kernels; None means torch's global generator.
    initialization : str
        One of `INITIALIZATIONS`.

    Raises
    ------
    ValueError
        If convolutions that share a kernel differ in shape.
    """

    def __init__(
        self,
        own: Schedule,
        sharing: Sharing,
        generator: torch.Generator | None = None,
        initialization: str = "he",
    ) -> None:
        super().__init__()
        self.sharing = settle(sharing, own)
        self.n_convolutions = {name: len(own.graph.convolutions(name)) for name in own.graph.transition_names}
        made_for: dict[str, str] = {}
        # as in `nets.draw_convolutions`
        draw = _undrawn if torch.get_default_device().type == "meta" else INITIALIZATIONS[initialization]
        for name, time in own:
            for which, convolution in enumerate(own.graph.convolutions(name)):
                key, shape = self.key(name, time, which), convolution.kernel_shape
                if key not in made_for:
                    self[key] = nn.Parameter(draw(shape, convolution.fan_in, generator))
                    made_for[key] = name
                elif tuple(self[key].shape) != shape:
                    raise ValueError(
                        f"{made_for[key]} and {name} cannot share the kernel {key!r}: "
                        f"their shapes are {tuple(self[key].shape)} and {shape}"
                    )

    def key(self, name: str, time: int, which: int) -> str:
        """Return the key of a convolution's kernel; "" if a table has none."""
        if isinstance(self.sharing, str):
            return RULES[self.sharing](name, time, which)
        return self.sharing.get((name, time, which), "")

    def used_by(self, name: str, time: int) -> list[str]:
        """Return the keys of a transition's kernels at a time, in order."""
        return [self.key(name, time, which) for which in range(self.n_convolutions[name])]

    def has(self, name: str, time: int) -> bool:
        """Return True if a transition has all its kernels at a time; without convolutions it needs none."""
        return all(key in self for key in self.used_by(name, time))

    def of(self, name: str, time: int) -> list[Tensor]:
        """Return a transition's kernels at a time, in order."""
        return [self[key] for key in self.used_by(name, time)]


class Affine(nn.Module):
    """The gains and biases of the normalizations of affine transitions, by the key of the kernel that reads them.

    They are therefore shared over time, and between transitions, like the kernels.

    Parameters
    ----------
    own : Schedule
        Everything that contributes to the model's readouts.
    kernels : Kernels
        The kernels of that schedule.

    Raises
    ------
    ValueError
        If convolutions that share a kernel read different numbers of channels.
    """

    def __init__(self, own: Schedule, kernels: Kernels) -> None:
        super().__init__()
        self.scale, self.shift = nn.ParameterDict(), nn.ParameterDict()
        for name, time in own:
            for which, convolution in own.graph.affine(name).items():
                key, n = kernels.key(name, time, which), convolution.in_channels
                if key not in self.scale:
                    self.scale[key], self.shift[key] = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))
                elif len(self.scale[key]) != n:
                    raise ValueError(
                        f"the key {key!r} of {name} cannot be shared: the normalizations before its convolutions have "
                        f"{len(self.scale[key])} and {n} channels"
                    )

    def of(self, key: str) -> tuple[Tensor, Tensor]:
        """Return the gain and bias of a key, each of shape (channel,)."""
        return self.scale[key], self.shift[key]

    def n_weights(self, keys: Iterable[str]) -> int:
        """Count the gains and biases of some keys."""
        return sum(2 * len(self.scale[key]) for key in keys if key in self.scale)
