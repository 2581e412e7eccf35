"""Parts of the model: pre-nets, post-nets and convolution; and functions for any torch module."""

from __future__ import annotations

import copy
import inspect
import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim._support.checks import shown
from cortexsim._support.randomness import torch_seed
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Convolution, module_name
from cortexsim.model.moments import CHANNEL_EPSILON, Normalize

Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)


class DeepPreNet(nn.Module):
    """The layers between retina and V1: conv-BN-ReLU-conv-BN-ReLU-conv, with the first state's number of channels."""

    def __init__(self, features: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        widths = (3, features, features, features)
        self.layers = nn.ModuleList(_convolution(before, after, generator) for before, after in pairwise(widths))

    def forward(self, images: Tensor, normalize: Normalize, n_layers: int = 3) -> Tensor:
        """Run the first `n_layers` convolutions, with BN-ReLU between them."""
        x = self.layers[0](images)
        for k in range(1, n_layers):
            x = self.layers[k](F.relu(normalize(x, f"pre_net:{k - 1}", None)))
        return x


def conv_pre_net(features: int, generator: torch.Generator | None = None) -> nn.Conv2d:
    """Create a pre-net of one 3x3 convolution."""
    return _convolution(3, features, generator)


class PixelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel, with a scale and a shift for each channel."""

    def __init__(self, features: int) -> None:
        super().__init__(features, eps=CHANNEL_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x, shape (stimulus, channel, y, x)."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class DilatedPreNet(nn.Module):
    """A residual net of 3x3 convolutions at full resolution, with dilations 1, 2, 4 and 8, three times over.

    Its receptive field reaches 46 px in every direction, with as many weights as an undilated net that reaches 13 px
    (Yu & Koltun 2016): a control model.
    """

    DILATIONS = (1, 2, 4, 8) * 3

    def __init__(self, features: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.first = _convolution(3, features, generator)
        self.norms = nn.ModuleList(PixelNorm(features) for _ in self.DILATIONS)
        self.layers = nn.ModuleList(
            _convolution(features, features, generator, dilation=dilation) for dilation in self.DILATIONS
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the input to the first state, shape (stimulus, channel, y, x)."""
        x = self.first(images)
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(F.relu(norm(x)))
        return x


class _TwiceConvolved(nn.Sequential):
    """3x3 convolution, norm, ReLU; twice."""

    def __init__(self, before: int, after: int, generator: torch.Generator | None) -> None:
        super().__init__()
        for width in (before, after):
            self.append(_convolution(width, after, generator)).append(PixelNorm(after)).append(nn.ReLU())


class UShapedPreNet(nn.Module):
    """A U-net with three resolutions, doubling the features at each (Ronneberger et al. 2015): a control model.

    It has 2, 4 and 8 times the features of the first state.
    """

    def __init__(self, features: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        wide, wider, widest = (features * factor for factor in (2, 4, 8))
        self.down = nn.ModuleList(
            _TwiceConvolved(before, after, generator) for before, after in pairwise((3, wide, wider, widest))
        )
        self.up = nn.ModuleList(
            _TwiceConvolved(before + after, after, generator) for before, after in pairwise((widest, wider, wide))
        )
        self.last = _convolution(wide, features, generator)

    def forward(self, images: Tensor) -> Tensor:
        """Return the input to the first state, shape (stimulus, channel, y, x)."""
        x, fine = self.down[0](images), []
        for level in self.down[1:]:
            fine.append(x)
            x = level(F.max_pool2d(x, 2, ceil_mode=True))
        for level in self.up:
            skipped = fine.pop()
            x = level(torch.cat((F.interpolate(x, size=skipped.shape[2:]), skipped), 1))
        return self.last(x)


class PostNet(nn.Module):
    """BN (scale and shift shared by all readout times), ReLU, average over positions, fully connected layer."""

    def __init__(self, features: int, n_classes: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.linear = _as_torch_draws(nn.Linear, features, n_classes, generator=generator)

    def forward(self, h: Tensor, place: str, time: int, normalize: Normalize) -> Tensor:
        """Return logits, shape (stimulus, class)."""
        rate = F.relu(normalize(h, place, time, self.scale, self.shift))
        return self.linear(rate.mean((2, 3)))

    def n_weights(self) -> int:
        """Count the weights, without those of the normalization."""
        return count_parameters(self.linear)


class MapPostNet(nn.Module):
    """BN (scale and shift shared by all readout times), ReLU, the same fully connected layer at each position."""

    def __init__(self, features: int, n_classes: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))
        self.shift = nn.Parameter(torch.zeros(features))
        self.linear = _as_torch_draws(nn.Conv2d, features, n_classes, 1, generator=generator)

    def forward(self, h: Tensor, place: str, time: int, normalize: Normalize) -> Tensor:
        """Return logits, shape (stimulus, class, y, x)."""
        return self.linear(F.relu(normalize(h, place, time, self.scale, self.shift)))

    def n_weights(self) -> int:
        """Count the weights, without those of the normalization."""
        return count_parameters(self.linear)


class OwnPostNet(nn.Module):
    """A user's module from the last state to logits (stimulus, class) or (stimulus, class, y, x)."""

    def __init__(self, module: nn.Module, n_classes: int) -> None:
        super().__init__()
        self.module, self.n_classes = module, n_classes

    def forward(self, h: Tensor, place: str, time: int, normalize: Normalize) -> Tensor:
        """Return the output of the module for a copy of h, which it may change in place."""
        logits, n = self.module(h.clone()), self.n_classes
        check_delivered(
            logits,
            h,
            "the post-net",
            f"(stimulus, {n}) or (stimulus, {n}, y, x) from {place}",
            lambda shape: shape[0] == n and len(shape) in (1, 3),
            any_precision=True,
        )
        return logits.clone()

    def n_weights(self) -> int:
        """Count the weights, without those of its normalizations."""
        return count_parameters(self.module)


# by name: (features, generator) -> Module, and (features, n_classes, generator) -> Module
PRE_NETS: dict[str, Callable[[int, torch.Generator | None], nn.Module]] = {
    "conv": conv_pre_net,
    "deep": DeepPreNet,
    "dilated": DilatedPreNet,
    "u-shaped": UShapedPreNet,
}
POST_NETS: dict[str, Callable[[int, int, torch.Generator | None], PostNet | MapPostNet]] = {
    "pool": PostNet,
    "map": MapPostNet,
}


def _convolution(before: int, after: int, generator: torch.Generator | None, *, dilation: int = 1) -> nn.Conv2d:
    settings = {"padding": dilation, "dilation": dilation, "bias": False}
    return _as_torch_draws(nn.Conv2d, before, after, 3, generator=generator, **settings)


def _as_torch_draws(kind: type[Layer], *sizes: int, generator: torch.Generator | None, **settings: Any) -> Layer:
    """Create a layer with torch's default initialisation, drawn by a generator (None means torch's global one)."""
    layer = nn.utils.skip_init(kind, *sizes, device=torch.get_default_device(), **settings)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if layer.bias is not None:
        bound = 1 / math.sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def draw_convolutions(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Initialise every convolution as in He et al. (2015), which preserves the variance of ReLU outputs."""
    for part in module.modules():
        # on "meta" nothing is drawn, and torch would import its compiler, which takes seconds, to do so
        if isinstance(part, nn.Conv2d) and not part.weight.is_meta:
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=generator)


def channels_last(images: Tensor) -> Tensor:
    """Return images with channels last in memory, the layout for the fastest convolutions."""
    if not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(images):
        # forward-mode derivatives are vectorised, and torch cannot choose a memory format then
        return images
    return images.contiguous(memory_format=torch.channels_last)


def convolve(x: Tensor, kernel: Tensor, convolution: Convolution) -> Tensor:
    """Apply one convolution of a transition, or its transpose, to x of shape (row, channel, y, x)."""
    stride, padding, groups = convolution.stride, convolution.padding, convolution.groups
    if convolution.transposed:
        # what is missing from the side of the input times the stride: one less if the kernel is even
        rest = stride + 2 * padding - convolution.size
        return F.conv_transpose2d(x, kernel, stride=stride, padding=padding, output_padding=rest, groups=groups)
    return F.conv2d(x, kernel, stride=stride, padding=padding, groups=groups)


def keep_frozen(module: nn.Module) -> None:
    """Put parts whose parameters are all frozen in evaluation mode, including running statistics and dropout."""
    for part in module.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()


def check_delivered(
    delivered: object,
    given: Tensor,
    module: str,
    wanted: str,
    fits: Callable[[tuple[int, ...]], bool],
    *,
    any_precision: bool = False,
    hint: str = "",
) -> None:
    """Refuse the output of a user's module if it would be broadcast or converted, or cannot be used.

    Parameters
    ----------
    delivered : object
        What the module returned.
    given : Tensor, shape (stimulus, channel, y, x)
        Its input.
    module : str
        Its place in the model, for the message.
    wanted : str
        The shape that it must deliver, for the message.
    fits : callable
        Whether the shape of the output of one stimulus is allowed.
    any_precision : bool
        Its floating-point numbers may have another precision than those of its input.
    hint : str
        What to do about a wrong shape, for the message.

    Raises
    ------
    ValueError
        If it is no tensor on the device of its input, or has another shape or dtype.
    """
    if not isinstance(delivered, Tensor) or delivered.layout != torch.strided or delivered.device != given.device:
        layout = "" if not isinstance(delivered, Tensor) else f" ({delivered.layout}, on {delivered.device})"
        got = f"{type(delivered).__name__}{layout}"
        raise ValueError(f"{module} must deliver a dense tensor on {given.device}, {wanted}, got {got}")
    shape = tuple(delivered.shape)
    if len(shape) < 2 or not fits(shape[1:]):
        raise ValueError(f"{module} must deliver {wanted}, got {shape}{hint}")
    if shape[0] != len(given):
        raise ValueError(f"{module} must deliver {wanted}, for each of {len(given)} stimuli, got {shape}")
    if delivered.dtype == given.dtype or (any_precision and delivered.dtype.is_floating_point):
        return
    # autocast mixes precisions everywhere
    if not (delivered.dtype.is_floating_point and torch.is_autocast_enabled(given.device.type)):
        allowed = "floating-point numbers" if any_precision else f"{given.dtype}, as its input"
        raise ValueError(f"{module} must deliver {allowed}, got {delivered.dtype}: convert it in the module")


def count_parameters(*modules: nn.Module) -> int:
    """Count the parameters of modules, without those of their normalizations; what is shared counts once."""
    norms = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
    counted = {
        parameter
        for module in modules
        for part in module.modules()
        if not isinstance(part, norms)
        for parameter in part.parameters(recurse=False)
    }
    return sum(parameter.numel() for parameter in counted)


def net_name(net: str | nn.Module) -> str:
    """Return the name of a pre-net or post-net; for a module, that of its class."""
    return module_name(net) if isinstance(net, nn.Module) else net


def module_of(made_by: Callable[..., nn.Module] | nn.Module, *arguments: State) -> nn.Module:
    """Return a copy of a given module, or what a function returns for these states."""
    return copy.deepcopy(made_by) if isinstance(made_by, nn.Module) else made_by(*arguments)


def usable(module: object, place: str, *given: str, named: Collection[str] = ()) -> nn.Module:
    """Return a user's module, or refuse what cannot be a part of a model.

    Parameters
    ----------
    module : object
        What the user gave, or what the user's function returned.
    place : str
        Its place in the model, for the message.
    given : str
        The arguments that it is called with, in order.
    named : collection of str
        Further arguments, which come by name.

    Raises
    ------
    TypeError
        If it is no module, or its `forward` cannot be called like that.
    ValueError
        If its weights have no shape yet.
    """
    if not isinstance(module, nn.Module):
        raise TypeError(f"{place} must be a torch.nn.Module, or a function that returns one, got {shown(module)}")
    kind = type(module).__name__
    try:
        called = inspect.signature(module.forward)
    except ValueError:  # it is not written in Python
        called = None
    if called is not None:
        try:
            called.bind(*given, **dict.fromkeys(named))
        except TypeError as error:
            raise TypeError(f"{place} ({kind}) must have forward({', '.join(given)}): {error}") from None
    if any(nn.parameter.is_lazy(one) for one in (*module.parameters(), *module.buffers())):
        raise ValueError(f"{place} ({kind}) has weights without a shape yet: call it once with its input")
    return module


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's random numbers within the context, and restore its global generator afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(seed))
        yield


def redrawn(module: nn.Module) -> nn.Module:
    """Return a copy of a module with new initial weights, drawn by its layers.

    Raises
    ------
    ValueError
        If a part has weights but no `reset_parameters`.
    """
    again = copy.deepcopy(module)
    for name, part in again.named_modules():
        if not any(True for _ in part.parameters(recurse=False)):
            continue
        if not hasattr(part, "reset_parameters"):
            raise ValueError(
                f"the weights of {name or 'the module'} ({type(part).__name__}) cannot be drawn again: it has no "
                "reset_parameters"
            )
        part.reset_parameters()
    return again


def warn_of_hidden_modules(own: Mapping[str, nn.Module]) -> None:
    """Warn if a user's module keeps another module in a list, dict or function, where torch does not register it."""
    for place, module in own.items():
        known = set(module.modules())
        for part in known:
            for name, value in vars(part).items():
                hidden = [one for one in _modules_in(value) if one not in known]
                if hidden and not name.startswith("_"):
                    kind = type(hidden[0]).__name__
                    warnings.warn(
                        f"{place} ({type(part).__name__}) keeps a {kind} in its attribute {name!r}, where torch does "
                        "not register it: its weights are neither trained, saved, moved nor part of the checksum. Make "
                        "it a separate attribute, or use torch.nn.ModuleList or ModuleDict",
                        stacklevel=3,
                    )


def _modules_in(value: object) -> list[nn.Module]:
    """List the modules in a list, tuple, dict or set, in the closure of a function, or in a partial."""
    if isinstance(value, nn.Module):
        return [value]
    if isinstance(value, partial):
        inner: list[object] = [value.func, *value.args, *value.keywords.values()]
    elif isinstance(value, Mapping):
        inner = list(value.values())
    elif isinstance(value, list | tuple | set):
        inner = list(value)
    else:
        inner = [cell.cell_contents for cell in getattr(value, "__closure__", None) or ()]
    return [module for one in inner for module in _modules_in(one)]
