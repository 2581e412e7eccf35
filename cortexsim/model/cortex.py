"""The recurrent model of visual cortex: weights and readout. The equation is in `dynamics.py`."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cortexsim._support.checks import is_number, one_of, shown, unknown, whole
from cortexsim._support.transforms import outside_of_graphs
from cortexsim.graph._schedule import Schedule, populate, schedule
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.reach import MOST_STEPS
from cortexsim.graph.states import asked_by
from cortexsim.model.dynamics import Dynamics
from cortexsim.model.kernels import INITIALIZATIONS, Affine, Kernels, Pair, Sharing, refuse_too_large
from cortexsim.model.modes import set_by_owner
from cortexsim.model.moments import NORMALIZATIONS, Normalize, Statistics, not_at_all
from cortexsim.model.nets import (
    POST_NETS,
    PRE_NETS,
    DeepPreNet,
    OwnPostNet,
    count_parameters,
    draw_convolutions,
    keep_frozen,
    module_of,
    net_name,
    usable,
    warn_of_hidden_modules,
)
from cortexsim.model.plan import Images, needed, plan_readouts, readout_times, resolve
from cortexsim.stimuli.frames import Frames
from cortexsim.stimuli.images import as_float, check_images
from cortexsim.stimuli.presentation import AnyPresentation, flash, sustained

# why tools that convert a model to a graph without values are refused
READS_VALUES = (
    "which checks the values of its images and weights in Python: use torch.compile to make it faster, torch.jit.trace "
    "or torch.onnx.export(..., dynamo=False) for a fixed size and presentation, or cortexsim.save to keep it"
)


def _refuse_export() -> None:
    if torch.compiler.is_exporting():
        raise TypeError(f"torch.export cannot export a model, {READS_VALUES}")


# torch.compile and torch.export(strict=True) then call it while they trace: traced, it would raise an error of torch's
# own, and is_exporting is True in torch 2.11 also where nothing is exported. This is what
# torch.compiler.assume_constant_result sets, after an import of the compiler, which takes seconds
_refuse_export._dynamo_marked_constant = True  # type: ignore[attr-defined]


class Cortex(Dynamics):
    """A recurrent model of the ventral stream.

    Parameters
    ----------
    graph : CortexGraph
    n_classes : int
    readout_time : int
        Time at which the post-net reads the last state. The model has the weights that contribute to readouts up to
        this time.
    pre_net : "conv", "deep", "dilated", "u-shaped" or Module
        One 3x3 convolution; three with BN-ReLU between them; for control models, a feedforward net of dilated
        convolutions or a U-shaped net, with layer norm over channels; or a module from images to the first state
        (stimulus, channel, y, x), which does its own normalization. If the images are larger than the first state, its
        attribute `image_stride` gives the image px for one px of the state. Its frozen parts (no parameter requires a
        gradient) stay in evaluation mode during training.
    input_gain : float
        A fixed factor on the output of the pre-net; 1 in the paper.
    sharing : "time", "none", "all", mapping or callable
        Maps (transition name, time, which convolution: 0 or 1) to the key of a kernel; convolutions with the same key
        share weights (the paper's set S). "time" shares over all times, "none" shares nothing, "all" shares everything.
    normalization : "time-specific", "shared", "channel" or "none"
        Batch normalization with moments for each place and time (the paper), or for each place; layer norm over the
        channels of each pixel, with a scale and shift for each place, which needs no statistics; or nothing.
    post_net : "pool", "map" or Module
        BN, ReLU, average over positions and a fully connected layer: logits (stimulus, class). Or the same layer at
        each position instead of the average: logits (stimulus, class, y, x). Or a module from the last state to logits
        of either shape, which does its own normalization.
    generator : torch.Generator, optional
        Generator of the initial weights, except in the user's own modules; None means torch's global generator.
    initialization : "he" or "torch"
        Initial distribution of convolutions: that of He et al. (2015), or torch's default, uniform from -1/√fan-in to
        1/√fan-in.

    Raises
    ------
    ValueError
        If an argument is not allowed, or tied convolutions differ in shape; the message says why.
    EmptyStateError
        If nothing can reach the last state at the readout time.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import torch
    >>> graph = cs.adjacent({"V1": 4, "V2": 8}, size=16)
    >>> model = cs.Cortex(graph, n_classes=3, readout_time=3, generator=torch.manual_seed(0))
    >>> images = torch.rand(5, 3, 16, 16)
    >>> _ = cs.calibrate(model, images, cs.flash(1), until=3)
    >>> model.eval()(images).shape
    torch.Size([5, 3])
    """

    # weights created in the caller's inference mode could never be trained
    @torch.inference_mode(False)
    def __init__(
        self,
        graph: CortexGraph,
        n_classes: int = 10,
        readout_time: int = 5,
        pre_net: str | nn.Module = "conv",
        input_gain: float = 1.0,
        sharing: Sharing = "time",
        normalization: str = "time-specific",
        *,
        post_net: str | nn.Module = "pool",
        generator: torch.Generator | None = None,
        initialization: str = "he",
    ) -> None:
        super().__init__()
        n_classes = whole(n_classes, "n_classes", 1)
        readout_time = whole(readout_time, "readout_time", 1, unit="steps", limit=MOST_STEPS)
        normalization = one_of(normalization, "normalization", NORMALIZATIONS)
        for value, name, known in ((pre_net, "pre_net", PRE_NETS), (post_net, "post_net", POST_NETS)):
            if isinstance(value, nn.Module):
                usable(value, name, "images" if name == "pre_net" else "h")
            elif not (isinstance(value, str) and value in known):
                raise ValueError(unknown(name, value, (*known, "or a torch.nn.Module")))
        initialization = one_of(initialization, "initialization", INITIALIZATIONS)
        if not is_number(input_gain) or not 0 < input_gain <= sys.float_info.max:
            raise ValueError(f"input_gain must be a positive number, got {shown(input_gain)}")
        self.graph, self.n_classes, self.readout_time = graph, n_classes, readout_time
        self.input_gain, self.normalization = float(input_gain), normalization
        self.initialization = initialization
        self.classes: list[str] | None = None
        self.about: dict[str, Any] = {}

        refuse_too_large(graph, n_classes)
        first, last = graph.states[0], graph.states[-1]
        self.has_own_pre_net, self.pre_net_name = isinstance(pre_net, nn.Module), net_name(pre_net)
        self.pre = pre_net if isinstance(pre_net, nn.Module) else PRE_NETS[pre_net](first.features, generator)
        self.has_own_post_net, self.post_net_name = isinstance(post_net, nn.Module), net_name(post_net)
        self.post = (
            OwnPostNet(post_net, n_classes)
            if isinstance(post_net, nn.Module)
            else POST_NETS[post_net](last.features, n_classes, generator)
        )
        # a sustained image populates everything that any presentation can, so these are all pairs that can contribute
        front = populate(graph, sustained(), readout_time)
        read_at = [time for time, states in enumerate(front) if graph.last in states and time < readout_time]
        own = schedule(graph, [*read_at, readout_time], sustained())
        self.weights = Kernels(own, sharing, generator, initialization)
        self.affine = Affine(own, self.weights)
        if normalization == "none" and self.affine.scale:
            names = [transition.name for transition in graph.transitions if transition.affine]
            raise ValueError(
                f"{', '.join(names)}: affine=True is the gain and bias of a normalization, and this model has none; "
                "choose another normalization, or leave affine out"
            )
        self.functions, self.updates = nn.ModuleDict(), nn.ModuleDict()
        for t in graph.transitions:
            if not isinstance(t.kind, str):
                ends = graph.state(t.source), graph.state(t.target)
                self.functions[t.name] = usable(module_of(t.kind, *ends), f"the kind of {t.name}", "h", "time")
        for s in graph.states:
            if s.update is not None:
                update = module_of(s.update, s)
                self.updates[s.name] = usable(update, f"the update of {s.name}", "h", named=asked_by(update))
        # pre-nets are created with torch's default initialization
        if not self.has_own_pre_net and initialization == "he":
            draw_convolutions(self.pre, generator)
        make = NORMALIZATIONS[normalization].module
        self.norm = None if make is None else make(self._normalized_places())
        self._read_graph()
        warn_of_hidden_modules(self.own_modules())
        self.to(memory_format=torch.channels_last)

    def at_size(self, size: int | tuple[int, int]) -> Cortex:
        """Return a copy with the same weights for larger or smaller images.

        Parameters
        ----------
        size : int or (int, int)
            Side of the image in px, or height and width. Every state grows or shrinks in proportion.

        Returns
        -------
        Cortex
            Without statistics, because they were measured on images of the other size. Measure new ones with
            `calibrate`; a model with normalization "channel" or "none" needs none.

        Raises
        ------
        ValueError
            If the size of a state would not be a whole number of pixels.
        """
        stride = self._image_stride
        if stride == 1:
            return self._with_graph(self.graph.at_size(size))
        pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
        if len(pair) != 2:
            raise ValueError(f"size must be a whole number of px, or height and width, got {shown(size)}")
        height, width = (whole(side, "size", 1, unit="px") for side in pair)
        if height % stride or width % stride:
            raise ValueError(f"size must be a multiple of {stride} px, the stride of the pre-net, got {shown(size)}")
        return self._with_graph(self.graph.at_size((height // stride, width // stride)))

    def with_shortcut(self, weight: float) -> Cortex:
        """Return a copy whose identity shortcuts have a different weight λ, with the same convolutions.

        With λ = 0 a state does not retain its activity; with λ = 1 (the paper) it sums its inputs. The kernels were
        trained with the λ of this model: the copy is an intervention on a trained model, and differs from a model
        trained with the new λ.

        Parameters
        ----------
        weight : float
            λ, from 0 to 1.

        Returns
        -------
        Cortex
            Without statistics, because its activity differs: measure them with `calibrate`.

        Raises
        ------
        ValueError
            If the weight is not between 0 and 1, or the graph has no transition that can carry a shortcut.

        References
        ----------
        Liao & Poggio (2016), section 2 (λ = 1) and appendix (λ = 0).
        """
        return self._with_graph(self.graph.with_shortcut(weight))

    @torch.inference_mode(False)
    def _with_graph(self, graph: CortexGraph) -> Cortex:
        """Return a copy with the same weights and a different graph, without statistics, which would not fit it."""
        changed = copy.copy(self)
        changed.statistics = {}
        changed = copy.deepcopy(changed)
        changed.graph = graph
        changed._read_graph()
        return changed

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the input images, px."""
        height, width = self.graph.states[0].size
        return height * self._image_stride, width * self._image_stride

    @property
    def _image_stride(self) -> int:
        return int(getattr(self.pre, "image_stride", 1))

    # --- weights -------------------------------------------------------------------------------------------------

    @property
    def sharing(self) -> str | dict[Pair, str]:
        """The rule for sharing weights, or the table from (transition, time, which convolution) to a key."""
        return self.weights.sharing

    def kernels(self, name: str, time: int) -> tuple[Tensor, ...]:
        """Return the kernels that a transition uses at a time, in order.

        Raises
        ------
        KeyError
            If it uses none at that time; the message says why.
        ValueError
            If the graph has no such transition.
        """
        transition, time = self.graph.transition(name), whole(time, "time")
        if not self._convolutions[name]:
            raise KeyError(f"{name} ({transition.kind_name}) has no convolutions with kernels of the model")
        if time not in transition.times:
            raise KeyError(f"{name} is closed at time {time}: it delivers {transition.times}")
        if not self.weights.has(name, time):
            raise KeyError(
                f"{name} has no weights at time {time}: it does not contribute to any readout up to time "
                f"{self.readout_time}, for which this model was made"
            )
        return tuple(self.weights.of(name, time))

    def n_parameters(self, readout_time: int | None = None, presentation: AnyPresentation | None = None) -> int:
        """Count the weights that contribute to a readout: convolutions, affine transitions and the final layer.

        Of normalizations, only the gains and biases of transitions with affine=True count: BN has none in the paper,
        and those of other normalizations are not counted.

        Parameters
        ----------
        readout_time : int, optional
            By default the model's own.
        presentation : Presentation, optional
            By default `flash(1)`.
        """
        time = self.readout_time if readout_time is None else whole(readout_time, "readout_time", 0, limit=MOST_STEPS)
        planned = needed(self.graph, flash(1) if presentation is None else presentation, (time,))[0]
        self.check_weights(planned)
        keys = {key for name, when in planned for key in self.weights.used_by(name, when)}
        modules = [module for name, module in self.functions.items() if name in {name for name, _ in planned}]
        reached = set().union(*planned.states_at)
        modules += [module for name, module in self.updates.items() if name in reached]
        modules.append(self.pre)
        kernels = sum(self.weights[key].numel() for key in keys)
        kernels += self.affine.n_weights(keys)
        return kernels + count_parameters(*modules) + self.post.n_weights()

    def settings_in_checksum(self) -> list[str]:
        """Return the settings other than weights and buffers that change the output: input gain and user modules."""
        return [repr(self.input_gain), *(f"{place}: {part!r}" for place, part in self.own_modules().items())]

    def own_modules(self) -> dict[str, nn.Module]:
        """Return the user's own modules by place: pre-net, post-net, transition functions, state updates."""
        nets = {"pre_net": self.pre} if self.has_own_pre_net else {}
        if isinstance(self.post, OwnPostNet):
            nets["post_net"] = self.post.module
        return nets | dict(self.functions.items()) | dict(self.updates.items())

    def train(self, mode: bool = True) -> Cortex:
        """Set training mode; frozen parts of the user's own modules stay in evaluation mode.

        The mode is kept also if another thread evaluates the model at this moment and restores its mode afterwards.
        """
        with set_by_owner(self):
            super().train(mode)
            for module in self.own_modules().values():
                keep_frozen(module)
        return self

    # --- reading out --------------------------------------------------------------------------------------------------

    def forward(self, images: Images, presentation: AnyPresentation | None = None) -> Tensor:
        """Return the logits at the readout time, shape (stimulus, class[, y, x]); see `readouts`."""
        return self.readouts(images, [self.readout_time], presentation)[0]

    def readouts(
        self,
        images: Images,
        times: int | Sequence[int] | Tensor | np.ndarray,
        presentation: AnyPresentation | None = None,
        *,
        statistics: Statistics | AnyPresentation | None = None,
        seed: int = 0,
        index: Tensor | None = None,
        others: Tensor | None = None,
        recompute: bool = False,
        checkpointed: bool = False,
    ) -> Tensor:
        """Run one trajectory and read it out at several times.

        Training mode normalizes with the moments of the batch, evaluation mode with stored statistics.

        Parameters
        ----------
        images : Tensor, array, DataArray or Dataset
            As for `simulate`: shape (stimulus, 3, height, width), or (stimulus, frame, 3, height, width) for a
            sequence; RGB, float in [0, 1] or uint8.
        times : int, or sequence or 1-d array of int
            Readout times.
        presentation : Presentation or Mixture, optional
            By default `flash(1)`.
        statistics : Statistics or Presentation, optional
            Stored statistics to use instead of those of the presentation.
        seed, index, others
            For the random draws of masks and mixtures; see `Presentation.frames`.
        recompute : bool
            For gradients, store only the states and recompute the rest of each step: less memory, more time.
        checkpointed : bool
            The older name of `recompute`.

        Returns
        -------
        Tensor, shape (time, stimulus, class), or (time, stimulus, class, y, x) of a map
            Logits, in the order of `times`.

        Raises
        ------
        EmptyStateError
            If the last state is empty at one of the times.
        MissingStatisticsError
            If no stored statistics fit.
        ValueError
            If the images or times are not allowed.
        """
        _refuse_export()
        frames, planned, read_at, normalize = self._prepared(
            images, times, presentation, statistics=statistics, seed=seed, index=index, others=others
        )
        return self.read(frames, planned, read_at, normalize, recompute=recompute or checkpointed)

    @outside_of_graphs
    def _prepared(
        self,
        images: Images,
        times: int | Sequence[int] | Tensor | np.ndarray,
        presentation: AnyPresentation | None,
        *,
        statistics: Statistics | AnyPresentation | None,
        seed: int,
        index: Tensor | None,
        others: Tensor | None,
    ) -> tuple[Frames, Schedule, list[int], Normalize]:
        """Check the arguments of a readout, and prepare frames, schedule, times and normalization for `read`."""
        times = readout_times(times)
        images, presentation = resolve(self, images, presentation)
        plan = plan_readouts(self, images if others is None else others, presentation, times, seed=seed)
        plan = plan.normalized_by(self._statistics_for(presentation, statistics))
        return plan.lay_out(images, index), plan.schedule, times, plan.chosen

    def pre_net(self, images: Tensor, *, statistics: Statistics | AnyPresentation | None = None) -> Tensor:
        """Return the input to the first state, shape (stimulus, channel, y, x)."""
        self.check_images(images)
        normalize = self.normalizer(None, statistics) if isinstance(self.pre, DeepPreNet) else not_at_all
        return self._enter(as_float(images), normalize)

    def post_net(self, h: Tensor, time: int, *, statistics: Statistics | AnyPresentation | None = None) -> Tensor:
        """Return the logits that the post-net reads from the last state at a time.

        Parameters
        ----------
        h : Tensor, shape (stimulus, channel, y, x)
        time : int
            Determines the moments of the normalization.
        """
        return self.post(h, self.graph.last, time, self.normalizer(None, statistics))

    # --- checks --------------------------------------------------------------------------------------------------

    def check_images(self, images: Tensor) -> None:
        """Raise an error if the model does not accept these images.

        Raises
        ------
        TypeError
            If they are not a Tensor, or have a dtype other than floating point or uint8.
        ValueError
            If the shape, range or size is wrong, there are no images, or pixels are not finite.
        """
        if not isinstance(images, Tensor):
            raise TypeError(f"images must be a torch.Tensor, got {type(images).__name__}")
        check_images(images, None if self.has_own_pre_net else self.graph.states[0].size)

    def __prepare_scriptable__(self) -> None:
        raise TypeError(f"torch.jit.script cannot compile a model, {READS_VALUES}")

    def __repr__(self) -> str:
        n = self.n_parameters() if self.graph.last in populate(self.graph, None, self.readout_time)[-1] else None
        sharing = self.sharing if isinstance(self.sharing, str) else "by a table"
        return (
            f"Cortex({' → '.join(self.graph.state_names)}, readout time {self.readout_time}, {self.n_classes} classes, "
            f"pre-net {self.pre_net_name}, sharing {sharing}, {self.normalization} normalization"
            + (f", {n:,} parameters)" if n else ")")
        )


def the_cortex(model: object, purpose: str) -> Cortex:
    """Return a Cortex, or the Cortex inside a compiled model.

    Parameters
    ----------
    model : object
    purpose : str
        The function that needs it, for the message.

    Raises
    ------
    TypeError
        If it is not a Cortex; the message says where to find one, such as in `.module`.
    ValueError
        If it is on the device "meta", and so has no weights.
    """
    within = getattr(model, "_orig_mod", model)
    if not isinstance(within, Cortex):
        names = within.named_modules() if isinstance(within, nn.Module) else []
        inner = next((name for name, module in names if isinstance(module, Cortex)), None)
        hint = "" if inner is None else f"; pass the Cortex inside it: model.get_submodule({inner!r})"
        hint = "; pass the Cortex inside it: model.module" if inner == "module" else hint
        kind = f"the class {within.__name__}" if isinstance(within, type) else type(within).__name__
        raise TypeError(f"{purpose} needs a Cortex, got {kind}{hint}")
    if any(weights.is_meta for weights in within.parameters()):
        raise ValueError(
            f"{purpose} needs a model with weights, but this one is on the device 'meta', which stores none: create or "
            "load it outside torch.device('meta')"
        )
    return within
