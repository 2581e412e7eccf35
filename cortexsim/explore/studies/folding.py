"""A panel that folds a residual network into a recurrent one: the same numbers, a different number of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim._support.progress import Report
from cortexsim.datasets import digits
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Buttons, Chosen, Control, Menu, Slider
from cortexsim.explore.panel.study import Study
from cortexsim.explore.studies import folding_questions
from cortexsim.explore.studies.folding_drawing import MOST_STEPS, drawing
from cortexsim.explore.studies.folding_questions import (
    EACH,
    FEATURES,
    N_IMAGES,
    ONE,
    OWN,
    SHARED,
    as_text,
    largest_difference,
    n_parameters,
)
from cortexsim.explore.widgets.figure import Live
from cortexsim.graph._schedule import schedule
from cortexsim.graph.builders import resnet
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.equivalence import Unfolded
from cortexsim.plot._agreement import agreement
from cortexsim.plot._parameters_by_steps import parameters_by_steps
from cortexsim.stimuli.images import as_float, as_images

SIDE, N_CLASSES = 16, 10
FOLDED, UNFOLDED = "folded in time", "unfolded in space"
MEASURED = ("steps", "weights", "moments")


class Folding(Study):
    """A residual network of one state, drawn as a loop in time or as a stack in space, and run as both.

    Both forms start from the same random weights and read out the same digits. After the first comparison, every change
    of a control runs the next one at once.

    Parameters
    ----------
    steps : int
        Number of time steps of the loop, or of blocks of the stack.
    question : str
        A key of `QUESTIONS`, or "" for none.

    Raises
    ------
    ValueError
        If an argument is not allowed. Later errors are shown in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Folding(question="")
    >>> sorted(panel.choices)
    ['form', 'moments', 'steps', 'weights']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("form",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = folding_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = folding_questions.EXERCISES
    ACTION: ClassVar[str] = "run both forms"

    def __init__(self, *, steps: int = 4, question: str = "") -> None:
        steps = whole(steps, "steps", 1, MOST_STEPS)
        self._images: torch.Tensor | None = None
        self.picture = widgets.HTML()
        controls: dict[str, Control] = {
            "steps": Slider("steps", 1, MOST_STEPS, steps, width_px=300, continuous=False),
            "weights": Menu("weights", [SHARED, OWN], width_px=300),
            "moments": Menu("the loop's moments", [EACH, ONE], width_px=300),
            "form": Buttons([FOLDED, UNFOLDED]),
        }
        super().__init__(None, controls, question)
        asked, chosen, *rest = self.children  # type: ignore[has-type]
        self.children = (asked, chosen, self._controls["form"], self.picture, *rest)

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Run both forms with the same weights on the same images, and count the parameters by number of steps."""
        steps, shared = choices["steps"], choices["weights"] == SHARED
        if self._images is None:
            self._images = as_float(as_images(digits(N_IMAGES, size=SIDE))).double()
        report(0.1, "running the loop and the stack")
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
        # moments of these images: of the batch, or pooled over the steps by `calibrate`
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
        """Draw the logits of the two forms against each other, and the parameters by number of steps."""
        return {
            "agreement": agreement(result["logits"]),
            "parameters": parameters_by_steps(
                result["n_parameters"], at=result.attrs["steps"], title=f"weights {result.attrs['weights']}"
            ),
        }

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the figures side by side where there is room."""
        column = widgets.Layout(flex="1 1 380px", min_width="0")
        row = [widgets.Box([Live(figure)], layout=column) for figure in figures.values()]
        return [widgets.Box(row, layout=widgets.Layout(flex_flow="row wrap", width="100%"))]

    def say(self, result: xr.Dataset) -> str:
        """Report the difference between the two forms, and the number of parameters."""
        difference, largest = largest_difference(result)
        scale = "equal to the last bit" if difference == 0 else f"the largest logit is {largest:.2f}"
        steps, weights, moments = (result.attrs[name] for name in MEASURED)
        return (
            f"{steps} {'step' if steps == 1 else 'steps'}, weights {weights}, the loop's moments {moments}: "
            f"{n_parameters(result, steps):,} parameters; the logits of loop and stack for {result.sizes['stimulus']} "
            f"digits differ by {as_text(difference)} at most ({scale}; float64)."
        )

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        return cls(question=settings["question"])

    def _follow(self) -> None:
        """Draw the chosen form; after the first comparison, run the next one at once."""
        super()._follow()
        chosen = self.choices
        self.picture.value = drawing(
            chosen["steps"], shared=chosen["weights"] == SHARED, folded=chosen["form"] == FOLDED
        )
        if self.result is not None and any(self.result.attrs[name] != chosen[name] for name in MEASURED):
            self.run()


def _network(steps: int) -> CortexGraph:
    return resnet({"h1": FEATURES}, size=SIDE, steps=steps)


def _draw_weights(model: Cortex) -> None:
    """Draw all weights, also those of the readout, from a separate generator, in the order of earlier versions."""
    generator = torch.Generator().manual_seed(0)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    torch.nn.init.zeros_(model.get_parameter("post.linear.bias"))
