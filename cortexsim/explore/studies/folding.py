"""Fold a residual network into a recurrent one and unfold it again: the same numbers, another number of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
import xarray as xr

from cortexsim.datasets import digits
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.study import Study, Told
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import schedule
from cortexsim.graph.builders import resnet
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.equivalence import Unfolded
from cortexsim.plot._agreement import agreement
from cortexsim.plot._parameters_by_steps import parameters_by_steps
from cortexsim.stimuli.images import as_float, as_images

MOST_STEPS = 12
FEATURES, SIDE, N_IMAGES, N_CLASSES = 8, 16, 20, 10
SHARED, OWN = "shared by all steps", "of its own at each step"
EACH, ONE = "of each step", "one set for all steps"
FOLDED, UNFOLDED = "folded in time", "unfolded in space"
MEASURED = ("steps", "weights", "moments")
SAME, ROUNDING, PART, WHOLE = "none, to the last bit", "rounding", "a small part of it", "of the same size"
SIZES = (SAME, ROUNDING, PART, WHOLE)
_BLUE = "#0072B2"  # Okabe & Ito (2008)


def _apart(result: xr.Dataset) -> tuple[float, float]:
    """Return the largest difference between the two forms, and the largest readout."""
    loop, stack = result["logits"].values
    return float(np.abs(loop - stack).max()), float(np.abs(loop).max())


def _amount(difference: float) -> str:
    return "0" if difference == 0 else f"{difference:.1e}" if difference < 0.01 else f"{difference:.2f}"


def _size(result: xr.Dataset) -> str:
    difference, largest = _apart(result)
    if difference == 0:
        return SAME
    share = difference / largest
    return ROUNDING if share < 1e-6 else PART if share < 0.3 else WHOLE


def _told(result: xr.Dataset) -> str:
    difference, largest = _apart(result)
    loop, stack = result["logits"].argmax("class").values
    return (
        f"The largest difference is {_amount(difference)}, the largest readout {largest:.2f}, in float64; the two "
        f"forms name {int((loop != stack).sum())} of {len(loop)} digits differently."
    )


def _count(result: xr.Dataset, steps: int) -> int:
    return int(result["n_parameters"].sel(steps=steps))


class Folding(Study):
    """A residual network of one state, drawn as a loop in time or as a stack in space, and run as both.

    The two forms begin with the same random weights and read out the same digits. Once they were compared, whatever is
    chosen is compared at once.

    Parameters
    ----------
    steps : int
        Times that the state runs, or blocks of the stack.
    question : str
        A key of `QUESTIONS`, or "" to just look.

    Raises
    ------
    ValueError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("form",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "difference": Guess(
            "how far apart the two forms are",
            f"Loop and stack have the same weights and see the same {N_IMAGES} digits. How large is the largest "
            "difference between what they read out, beside the largest readout?",
            SIZES,
            _size,
            _told,
            needs={"moments": EACH},
        ),
        "parameters": Guess(
            "what weights for each step cost",
            "Set 8 steps, and give each step weights of its own. How many times as many parameters does the network "
            "have as with one set for all steps?",
            (1, 2, 4, 6, 8, 10, 16),
            # one step has the same weights either way
            lambda result: round(_count(result, 8) / _count(result, 1), 1),
            lambda result: (
                f"{_count(result, 8):,} in place of {_count(result, 1):,}. Only the two convolutions of a step are "
                "there eight times; the first convolution and the final layer stay one."
            ),
            unit="times",
            needs={"steps": 8, "weights": OWN},
            within=1,
        ),
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "one-block": Guess(
            "what one more block costs",
            "Set 5 steps with weights of its own at each step. How many parameters does a sixth block add? A block is "
            f"two 3x3 convolutions from {FEATURES} channels to {FEATURES}, without bias.",
            (72, 144, 576, 1152, 5760),
            lambda result: _count(result, 6) - _count(result, 5),
            lambda result: (
                f"Two kernels of {FEATURES} x {FEATURES} x 3 x 3: {_count(result, 5):,} at 5 steps, "
                f"{_count(result, 6):,} at 6."
            ),
            unit="parameters",
            needs={"steps": 5, "weights": OWN},
        ),
        "one-set": Guess(
            "one set of moments",
            "A residual network normalizes in each block by the mean and variance of that block. Give the loop one set "
            "for all steps instead (the stack keeps its own). How large is the largest difference now, beside the "
            "largest readout?",
            SIZES,
            _size,
            lambda result: (
                f"{_told(result)} The weights are the same: to be one, loop and stack need the same moments, and so "
                "the loop needs moments for each step."
            ),
            needs={"moments": ONE},
        ),
    }
    ACTION: ClassVar[str] = "run both forms"

    def __init__(self, *, steps: int = 4, question: str = "") -> None:
        if not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"steps must be 1 to {MOST_STEPS}, got {steps!r}")
        self._images: torch.Tensor | None = None
        self.picture = widgets.HTML()
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}
        controls = {
            "steps": widgets.IntSlider(steps, 1, MOST_STEPS, description="steps", continuous_update=False, **wide),
            "weights": widgets.Dropdown(options=[SHARED, OWN], description="weights", **wide),
            "moments": widgets.Dropdown(options=[EACH, ONE], description="the loop's moments", **wide),
            "form": widgets.ToggleButtons(options=[FOLDED, UNFOLDED]),
        }
        super().__init__(None, controls, question)
        asked, chosen, *rest = self.children  # type: ignore[has-type]
        self.children = (asked, chosen, controls["form"], self.picture, *rest)

    def measure(self, choices: Mapping[str, Any], told: Told) -> xr.Dataset:
        """Make both forms with the same weights, and run them on the same images; count parameters at every step."""
        steps, shared = choices["steps"], choices["weights"] == SHARED
        if self._images is None:
            self._images = as_float(as_images(digits(N_IMAGES, size=SIDE))).double()
        told(0.1, "running the loop and the stack")
        folded = Cortex(
            _network(steps),
            N_CLASSES,
            steps,
            sharing="time" if shared else "none",
            normalization="shared" if choices["moments"] == ONE else "time-specific",
        )
        _draw_weights(folded)
        folded.double()
        unfolded = Unfolded(folded).train()
        if choices["moments"] == ONE:
            calibrate(folded, self._images, until=steps)
        # moments of these images: those of the batch, or those that were just pooled over the steps
        folded.train(choices["moments"] == EACH)
        with torch.no_grad():
            logits = torch.stack([folded(self._images), unfolded(self._images)]).numpy()
        counted = [
            schedule(_network(one), one).n_parameters(N_CLASSES, shared=shared) for one in range(1, MOST_STEPS + 1)
        ]
        return xr.Dataset(
            {
                "logits": (("form", "stimulus", "class"), logits, {"long_name": "readout", "units": "1"}),
                "n_parameters": ("steps", counted, {"long_name": "parameters", "units": "1"}),
            },
            coords={
                "form": ["loop", "stack"],
                "steps": ("steps", np.arange(1, MOST_STEPS + 1), {"long_name": "steps", "units": "1"}),
            },
            attrs={name: choices[name] for name in MEASURED},
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw what the two forms read out against each other, and the parameters by steps."""
        return {
            "agreement": agreement(result["logits"]),
            "parameters": parameters_by_steps(
                result["n_parameters"], at=result.attrs["steps"], title=f"weights {result.attrs['weights']}"
            ),
        }

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the figures side by side where there is room."""
        beside = widgets.Layout(flex="1 1 380px", min_width="0")
        row = [widgets.Box([Live(figure)], layout=beside) for figure in figures.values()]
        return [widgets.Box(row, layout=widgets.Layout(flex_flow="row wrap", width="100%"))]

    def say(self, result: xr.Dataset) -> str:
        """Say how far the two forms are apart, and how many weights there are to learn."""
        difference, largest = _apart(result)
        same = "the same to the last bit" if difference == 0 else f"the largest readout is {largest:.2f}"
        steps, weights, moments = (result.attrs[name] for name in MEASURED)
        return (
            f"{steps} {'step' if steps == 1 else 'steps'}, weights {weights}, the loop's moments {moments}: "
            f"{_count(result, steps):,} parameters; over the readouts of {result.sizes['stimulus']} digits loop and "
            f"stack differ by {_amount(difference)} at most ({same}; float64)."
        )

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        return cls(question=settings["question"])

    def _follow(self) -> None:
        """Draw the form that is chosen; compare at once what is chosen, once something was compared."""
        super()._follow()
        chosen = self.choices
        self.picture.value = _drawn(
            chosen["steps"], shared=chosen["weights"] == SHARED, folded=chosen["form"] == FOLDED
        )
        if self.result is not None and any(self.result.attrs[name] != chosen[name] for name in MEASURED):
            self.run()


def _network(steps: int) -> Any:
    return resnet({"h1": FEATURES}, size=SIDE, steps=steps)


def _draw_weights(model: Cortex) -> None:
    """Draw weights by a generator of their own: this may run in a thread, and the global one is everybody's."""
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    torch.nn.init.zeros_(model.post.linear.bias)


def _drawn(steps: int, *, shared: bool, folded: bool) -> str:
    """Draw the loop or the stack; a colour is a set of weights."""
    colours = [_BLUE if shared else f"hsl({(200 + 360 * k // MOST_STEPS) % 360} 65% 40%)" for k in range(steps)]
    side, top = 40, 26
    if folded:
        times = "w" if shared else f"w(1) … w({steps})"
        body = (
            _box(90, top, side, colours[0], "h")
            + f'<path d="M104 {top} C 90 0, 136 0, 122 {top - 3}" fill="none" stroke="currentColor"/>'
            f'<text x="146" y="{top + 6}" fill="currentColor" font-size="12">'
            f"K with {times}, and +1: {steps} times</text>" + _arrow(56, 88, top + side // 2)
        )
        width, said = 420, f"one state that feeds itself {steps} times"
    else:
        gap = 18
        body = _arrow(56, 88, top + side // 2)
        for k, colour in enumerate(colours):
            x = 90 + k * (side + gap)
            body += _box(x, top, side, colour, "K + 1")
            body += _arrow(x + side, x + side + gap - 2, top + side // 2)
        width, said = 90 + steps * (side + gap) + 10, f"a stack of {steps} residual blocks"
    body += f'<text x="0" y="{top + side // 2 + 4}" fill="currentColor" font-size="12">image</text>'
    return f'<svg role="img" aria-label="{said}" width="{width}" height="{top + side + 8}">{body}</svg>'


def _box(x: int, y: int, side: int, colour: str, text: str) -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{side}" height="{side}" rx="4" fill="{colour}" stroke="currentColor"/>'
        f'<text x="{x + side // 2}" y="{y + side // 2 + 4}" text-anchor="middle" fill="white" font-size="11">'
        f"{text}</text>"
    )


def _arrow(start: int, end: int, y: int) -> str:
    return f'<path d="M{start} {y} H{end} m-4 -3 l4 3 l-4 3" fill="none" stroke="currentColor"/>'
