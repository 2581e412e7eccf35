"""The image as initial condition only, or as input at every time. Liao & Poggio (2016), appendix."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn
from torch.nn import functional as F

from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Transition
from cortexsim.model.cortex import Cortex
from cortexsim.model.plan import plan_run
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.part import SHOWN, TIME, Bench, Part, Training
from cortexsim.paper.experiments.scale import Scale

UNTIL = 10


class LinearStep(nn.Module):
    """(I + K) h, with a convolution K."""

    def __init__(self, source: State, target: State, generator: torch.Generator) -> None:
        super().__init__()
        kernel = torch.randn((target.features, source.features, 3, 3), generator=generator)
        self.kernel = nn.Parameter(kernel / (9 * source.features))

    def forward(self, h: Tensor, time: int) -> Tensor:
        """Return h plus its convolution."""
        return h + F.conv2d(h, self.kernel, padding=1)


@dataclass(frozen=True)
class LinearCheck:
    """The linear case against its closed form, in float64.

    With the image at every time h(n) = Σ_{k=0..n} (I+K)^k x; with the image at time 0 only h(n) = (I+K)^n x, where x is
    the output of the pre-net.
    """

    label: str
    shown: str
    seed: int = 0

    def recipe(self, scale: Scale, material: Material) -> None:
        """Return None: nothing is trained."""

    def do(self, bench: Bench) -> xr.Dataset:
        """Run the model, and take the largest difference from the closed form at each time."""
        side, features = 8, 4
        generator = torch.Generator().manual_seed(self.seed)
        step = partial(LinearStep, generator=generator)
        graph = CortexGraph((State("h1", features, side, side),), (Transition("h1", "h1", step),))
        model = Cortex(graph, readout_time=UNTIL, normalization="none", generator=generator).double()
        images = torch.rand((4, 3, side, side), generator=generator, dtype=torch.float64)
        presentation = SHOWN[self.shown]
        plan = plan_run(model, images, presentation, until=UNTIL, record={"h1": range(UNTIL + 1)}).normalized_by(None)
        with torch.no_grad():
            ran = [h["h1"].values for h in plan.run(plan.frames(torch.arange(len(images))))]
            entered = F.conv2d(images, model.pre.weight, padding=1)  # type: ignore[arg-type]
            kernel = model.functions["h1->h1"].kernel
            powers = [entered]
            for _ in range(UNTIL):
                powers.append(powers[-1] + F.conv2d(powers[-1], kernel, padding=1))  # type: ignore[arg-type]
        closed: list[Any] = [sum(powers[: n + 1]) if self.shown == "sustained" else powers[n] for n in range(UNTIL + 1)]
        largest = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(ran, closed, strict=True)]
        bench.report(1.0, f"largest relative difference from the closed form {max(largest):.1e}")
        return xr.Dataset(
            {
                "closed_form_difference": (
                    "time",
                    largest,
                    {"long_name": "largest difference, relative to the largest value", "units": "1"},
                )
            },
            coords={"time": ("time", np.arange(UNTIL + 1), TIME)},
        )


def _plan(scale: Scale, seed: int) -> tuple[Part, ...]:
    once, always = "image at t = 0 only", "image at every t"
    return (
        Training(once, "resnet-1-state", seed, until=scale.until),
        Training(always, "resnet-1-state", seed, shown="sustained", until=scale.until),
        LinearCheck(f"linear, {once}", "flash", seed),
        LinearCheck(f"linear, {always}", "sustained", seed),
    )


INHOMOGENEOUS = Experiment(
    "inhomogeneous",
    "The image at time 0 only, or at every time",
    "Does a network that shares its weights over time do better when the image is sustained?",
    _plan,
    paper="The appendix compares the two; its values are not known, so none is drawn (certainty U). That the linear "
    "system with the image at every time is h(n) = Σ (I+K)^k x is inferred (I), and checked here.",
    figures=("epoch", "time", "closed-form"),
)
