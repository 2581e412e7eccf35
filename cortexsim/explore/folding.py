"""Fold a residual network into a recurrent one and unfold it again: the same numbers, another number of weights."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import torch
import traitlets

from cortexsim.builders import resnet
from cortexsim.datasets import digits
from cortexsim.experiments.equivalence import Unfolded
from cortexsim.explore.notice import alert
from cortexsim.images import as_float, as_images
from cortexsim.model import Cortex

MOST_STEPS = 12
FEATURES, SIDE, N_IMAGES = 8, 16, 20
_BLUE = "#0072B2"  # Okabe & Ito (2008)


class Folding(widgets.VBox):
    """A residual network of one state, drawn as a loop in time or as a stack in space.

    Both forms are run on the same digits whenever something changes, and the largest difference of what they read out
    is shown: measured, not asserted.

    Parameters
    ----------
    steps : int
        Times that the state runs, or blocks of the stack.
    shared : bool
        Whether every time (every block) uses the same weights.
    folded : bool
        Whether the recurrent form is drawn, or the stack.

    Attributes
    ----------
    steps, shared, folded
        The controls follow, and lead.
    difference : float
        The largest difference of the logits of the two forms.
    n_parameters : int
        What the network has to learn: convolutions and the final layer.

    Raises
    ------
    TraitError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    steps = traitlets.Int(4, min=1, max=MOST_STEPS)
    shared = traitlets.Bool(True)
    folded = traitlets.Bool(True)
    difference = traitlets.Float(float("nan"))
    n_parameters = traitlets.Int(0)

    def __init__(self, *, steps: int = 4, shared: bool = True, folded: bool = True) -> None:
        self._images: torch.Tensor | None = None
        self.slider = widgets.IntSlider(steps, 1, MOST_STEPS, description="steps", continuous_update=False)
        self.form = widgets.ToggleButtons(
            options=[("folded in time", True), ("unfolded in space", False)], value=folded
        )
        self.tie = widgets.Checkbox(shared, description="the same weights at every time", indent=False)
        self.picture, self.numbers, self.notice = widgets.HTML(), widgets.HTML(), widgets.HTML()
        super().__init__(
            [widgets.HBox([self.form, self.slider, self.tie]), self.notice, self.picture, self.numbers],
            layout=widgets.Layout(width="100%"),
        )
        self.steps, self.shared, self.folded = steps, shared, folded
        for name, control in (("steps", self.slider), ("shared", self.tie), ("folded", self.form)):
            traitlets.link((self, name), (control, "value"))
        self.observe(self._changed, names=["steps", "shared", "folded"])
        self._changed()

    def _changed(self, change: Any = None) -> None:
        try:
            if change is None or change["name"] != "folded":
                self._measure()
            self.notice.value = ""
        except Exception as error:
            self.notice.value = alert("The two forms could not be compared", error)
            return
        self.picture.value = _drawn(self.steps, shared=self.shared, folded=self.folded)
        self.numbers.value = (
            f'<div style="line-height:1.6"><b>{self.n_parameters:,}</b> parameters · largest difference between '
            f"the two forms, over the readouts of {N_IMAGES} digits: <b>{self.difference:.1e}</b> (in float64"
            f"{', the same to the last bit' if self.difference == 0 else ''})</div>"
        )

    def _measure(self) -> None:
        """Make both forms, with the same weights, and run them on the same images."""
        if self._images is None:
            self._images = as_float(as_images(digits(N_IMAGES, size=SIDE))).double()
        graph = resnet({"h1": FEATURES}, size=SIDE, steps=self.steps)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(0)
            folded = Cortex(graph, 10, self.steps, sharing="time" if self.shared else "none").double().train()
            unfolded = Unfolded(folded).train()
            self.difference = float((folded(self._images) - unfolded(self._images)).abs().max())
        self.n_parameters = folded.n_parameters()


def _drawn(steps: int, *, shared: bool, folded: bool) -> str:
    """Draw the loop or the stack; a colour is a set of weights."""
    colours = [_BLUE if shared else f"hsl({(200 + 360 * k // MOST_STEPS) % 360} 65% 50%)" for k in range(steps)]
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
