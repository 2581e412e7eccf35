"""A residual network and its recurrent form, trained next to each other. Liao & Poggio (2016), section 2."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim import zoo
from cortexsim._support.progress import part
from cortexsim.graph._schedule import schedule
from cortexsim.model.classes import labels_for
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import EPSILON
from cortexsim.model.nets import PostNet
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.part import Bench, Part, built
from cortexsim.paper.experiments.scale import Scale
from cortexsim.stimuli.images import as_float, as_images

MODELS = {
    "resnet-1-state": "1-state, shared",
    "resnet-1-state-unshared": "1-state, not shared",
    "resnet-3-state": "3-state, shared",
    "resnet-3-state-unshared": "3-state, not shared",
}
PRECISIONS = {"float64": torch.float64, "float32": torch.float32}
# steps of training, by scale
STEPS = {"smoke": 2, "laptop": 20, "paper": 1_000}


class Block(nn.Module):
    """h + conv(ReLU(BN(conv(ReLU(BN(h)))))), as a residual network is usually written."""

    def __init__(self, first: nn.Conv2d, second: nn.Conv2d) -> None:
        super().__init__()
        self.first, self.second = first, second
        # separate statistics, even if the convolutions are shared
        self.before = nn.BatchNorm2d(first.in_channels, eps=EPSILON, affine=False)
        self.between = nn.BatchNorm2d(second.in_channels, eps=EPSILON, affine=False)

    def forward(self, h: Tensor) -> Tensor:
        """Return the block's output."""
        return h + self.second(F.relu(self.between(self.first(F.relu(self.before(h))))))


class Unfolded(nn.Module):
    """The residual network of a recurrent one, as a stack of layers without time.

    Parameters
    ----------
    folded : Cortex
        The initial weights are copies of its weights. A kernel that it uses at several times is one layer used several
        times.
    """

    def __init__(self, folded: Cortex) -> None:
        super().__init__()
        self.pre = _convolution(folded.pre.weight, 1)  # type: ignore[arg-type]
        known: dict[int, nn.Conv2d] = {}

        def layers(name: str, time: int) -> list[nn.Conv2d]:
            strides = [convolution.stride for convolution in folded.graph.convolutions(name)]
            kernels = folded.kernels(name, time)
            return [
                known.setdefault(id(kernel), _convolution(kernel, stride))
                for kernel, stride in zip(kernels, strides, strict=True)
            ]

        stack: list[nn.Module] = []
        for name, time in schedule(folded.graph, folded.readout_time):
            found = layers(name, time)
            stack.append(Block(*found) if len(found) == 2 else found[0])
        self.layers = nn.Sequential(*stack)
        features = folded.graph.states[-1].features
        self.norm = nn.BatchNorm2d(features, eps=EPSILON)
        self.linear = nn.Linear(features, folded.n_classes)
        assert isinstance(folded.post, PostNet)
        self.norm.load_state_dict({"weight": folded.post.scale, "bias": folded.post.shift}, strict=False)
        self.linear.load_state_dict(folded.post.linear.state_dict())
        self.to(folded.post.scale.dtype)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (stimulus, class)."""
        return self.linear(F.relu(self.norm(self.layers(self.pre(images)))).mean((2, 3)))


def _convolution(kernel: Tensor, stride: int) -> nn.Conv2d:
    layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, stride=stride, padding=1, bias=False)
    layer.weight = nn.Parameter(kernel.detach().clone())
    return layer


@dataclass(frozen=True)
class Comparison:
    """The two forms of one residual network: the same initial weights, each trained alone on the same images.

    Parameters
    ----------
    label : str
    model : str
        A ResNet of `zoo.PAPER`.
    steps : int
        Steps of training.
    seed : int
    """

    label: str
    model: str
    steps: int
    seed: int = 0

    @property
    def paper_confidence(self) -> str:
        """Certainty of the paper's number of parameters."""
        return zoo.PAPER[self.model].count_confidence

    def recipe(self, scale: Scale, material: Material) -> None:
        """Return None: both are trained by a separate loop, not by `cs.train`."""

    def do(self, bench: Bench) -> xr.Dataset:
        """Train both, and measure the difference between them before each step."""
        runs = {}
        for k, (name, dtype) in enumerate(PRECISIONS.items()):
            report = part(bench.report, k / len(PRECISIONS), (k + 1) / len(PRECISIONS))
            runs[name] = self._run(replace(bench, report=report), name, dtype)
        steps = np.arange(self.steps + 1)
        differences = np.stack([difference for difference, _ in runs.values()])
        losses = np.stack([loss for _, loss in runs.values()])
        return xr.Dataset(
            {
                "difference": (
                    ("precision", "quantity", "step"),
                    differences,
                    {"long_name": "largest absolute difference", "units": "1"},
                ),
                "loss": (("precision", "step"), losses, {"long_name": "cross-entropy", "units": "nats"}),
                "n_parameters": built(self.model, bench.scale, bench.material.n_classes).n_parameters(),
                "paper_parameters": zoo.PAPER[self.model].n_parameters,
            },
            coords={
                "precision": list(runs),
                "quantity": ["logits", "gradient of the first kernel"],
                "step": ("step", steps, {"long_name": "training steps done", "units": "1"}),
            },
        )

    def _run(self, bench: Bench, precision: str, dtype: torch.dtype) -> tuple[np.ndarray, np.ndarray]:
        recipe, data = bench.scale.recipe, bench.material.train
        folded = built(self.model, bench.scale, bench.material.n_classes, seed=self.seed).to(bench.device, dtype)
        images, labels = as_images(data), labels_for(folded, data)
        unfolded = Unfolded(folded).to(bench.device)
        both = (folded.train(), unfolded.train())
        optimizers = [torch.optim.SGD(one.parameters(), lr=recipe.learning_rate, momentum=0.9) for one in both]
        steps = self.steps
        differences, losses = np.zeros((2, steps + 1)), np.zeros(steps + 1)
        n, size = len(images), recipe.batch_size
        generator = torch.Generator().manual_seed(self.seed)
        for step in range(steps + 1):
            drawn = torch.randint(n, (size,), generator=generator)
            x, y = as_float(images[drawn]).to(bench.device, dtype), labels[drawn].to(bench.device)
            logits = [one(x) for one in both]
            for optimizer, found in zip(optimizers, logits, strict=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(found, y)
                loss.backward()
                optimizer.step()
            gradients = [_gradient(one.pre.weight) for one in both]
            differences[:, step] = [float((a - b).detach().abs().max()) for a, b in (logits, gradients)]
            losses[step] = loss.item()
            if step % 20 == 0 or step == steps:
                bench.report(
                    step / steps,
                    f"{precision}, step {step}/{steps}: loss {losses[step]:.3f}, largest difference of the logits so "
                    f"far {differences[0, : step + 1].max():.1e}",
                )
        return differences, losses


def _gradient(weight: Tensor | nn.Module) -> Tensor:
    assert isinstance(weight, Tensor)
    assert weight.grad is not None
    return weight.grad


def _plan(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(Comparison(label, name, STEPS[scale.name], seed) for name, label in MODELS.items())


EQUIVALENCE = Experiment(
    "equivalence",
    "A residual network is a recurrent network",
    "Do a residual network, unfolded in space, and its recurrent form, folded in time, compute and learn the same?",
    _plan,
    paper="In the paper they are the same by definition (S). Here only rounding differs; 0 means equal to the last "
    "bit.",
    figures=("difference",),
)
