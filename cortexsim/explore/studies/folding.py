"""A panel that folds a residual network into a recurrent one: the same numbers, a different number of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.checks import whole
from cortexsim._support.progress import Report
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Buttons, Chosen, Control, Menu, Slider
from cortexsim.explore.panel.study import Study
from cortexsim.explore.studies import folding_questions
from cortexsim.explore.studies.folding_forms import (
    MOST_STEPS,
    N_CLASSES,
    N_IMAGES,
    RANDOM,
    TRAINED,
    as_tensor,
    both_activities,
    both_logits,
    images_for,
    loop_of,
    network,
)
from cortexsim.explore.studies.folding_questions import (
    EACH,
    ONE,
    OWN,
    SHARED,
    as_text,
    largest_difference,
    n_parameters,
    verdict,
)
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.forms import Forms
from cortexsim.graph._schedule import schedule
from cortexsim.plot._agreement import agreement
from cortexsim.plot._parameters_by_steps import parameters_by_steps

BOTH, FOLDED, UNFOLDED = "both", "folded in time", "unfolded in space"
MEASURED = ("steps", "weights", "moments")
_BLUE = "#0072B2"  # Okabe & Ito (2008)


class Folding(Study):
    """A residual network of one state as a loop in time and as a stack in space; one digit runs through both.

    The same time bar moves both: layer t of the stack and step t of the loop are lit together, with the largest
    difference between their numbers. After the first comparison, every change of a control runs the next one at once.

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
    ['digit', 'form', 'moments', 'network', 'steps', 'weights']
    """

    VIEWS: ClassVar[tuple[str, ...]] = ("form",)
    QUESTIONS: ClassVar[Mapping[str, Guess]] = folding_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = folding_questions.EXERCISES
    ACTION: ClassVar[str] = "run both forms"
    MORE: ClassVar[tuple[str, ...]] = ("digit", "moments", "network")

    def __init__(self, *, steps: int = 4, question: str = "") -> None:
        steps = whole(steps, "steps", 1, MOST_STEPS)
        self.film = Forms()
        controls: dict[str, Control] = {
            "steps": Slider("steps", 1, MOST_STEPS, steps, width_px=260, continuous=False),
            "weights": Menu("weights", [SHARED, OWN], width_px=250),
            "moments": Menu("the loop's moments", [EACH, ONE], width_px=310),
            "network": Menu("network", [TRAINED, RANDOM], width_px=220),
            "digit": Slider("digit", 0, N_IMAGES - 1, 3, width_px=220, continuous=False),
            "form": Buttons({"both": BOTH, "folded": FOLDED, "unfolded": UNFOLDED}),
        }
        super().__init__(None, controls, question)
        asked, action, more, progress, notice, *rest = self.children  # type: ignore[has-type]
        self._controls["form"].style.button_width = "auto"
        first = [self._controls[name] for name in ("steps", "weights")]
        action.children = [*first, self.button, self._controls["form"], self.more_settings.button]
        self.children = (asked, action, more, progress, notice, self.film, *rest)

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Run both forms with the same weights on the same images, and count the parameters by number of steps."""
        steps, shared = choices["steps"], choices["weights"] == SHARED
        drawn = images_for(choices["network"])
        images = as_tensor(drawn)
        report(0.1, "running the loop and the stack")
        loop = loop_of(
            steps,
            shared=shared,
            weights=choices["network"],
            normalization="shared" if choices["moments"] == ONE else "time-specific",
        )
        logits = both_logits(loop, images)
        activity = both_activities(loop, images, choices["digit"])
        counted = [
            schedule(network(one), one).n_parameters(N_CLASSES, shared=shared) for one in range(1, MOST_STEPS + 1)
        ]
        forms, place = "form", ("channel", "y", "x")
        return xr.Dataset(
            {
                "logits": ((forms, "stimulus", "class"), logits, {"long_name": "readout", "units": "1"}),
                "activity": ((forms, "time", *place), activity, {"long_name": "activity", "units": "a.u."}),
                "picture": (("colour", "y", "x"), images[choices["digit"]].numpy()),
                "n_parameters": ("steps", counted, {"long_name": "parameters", "units": "1"}),
            },
            coords={
                "form": ["loop", "stack"],
                "steps": ("steps", np.arange(1, MOST_STEPS + 1), {"long_name": "steps", "units": "1"}),
                "time": ("time", np.arange(steps + 1), {"long_name": "layer or step", "units": "1"}),
                "label": ("stimulus", drawn["label"].values),
            },
            attrs={name: choices[name] for name in (*MEASURED, "network", "digit")},
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
        loop = "loop" if weights == SHARED else "loop that changes its weights at each step"
        return (
            f"{steps} {'step' if steps == 1 else 'steps'}, weights {weights}, the loop's moments {moments}: "
            f"{n_parameters(result, steps):,} parameters; the logits of {loop} and stack for "
            f"{result.sizes['stimulus']} digits differ by {as_text(difference)} at most ({scale}; float64)."
        )

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        panel = cls(question=settings["question"])
        if "network" not in settings["choices"]:
            # settings of a version that had no other network
            panel.choose(network=RANDOM)
        return panel

    def _present(self, chosen: Chosen, result: Any) -> None:
        super()._present(chosen, result)
        verdicts = [verdict(result, time) for time in result["time"].values.tolist()]
        words = {"verdicts": verdicts, "label": str(result["label"].values[result.attrs["digit"]])}
        self.film.show(result, _colours(chosen), words)

    def _follow(self) -> None:
        """Draw the network of the present choices; after the first comparison, run the next one at once."""
        super()._follow()
        chosen = self.choices
        self.film.shown = {BOTH: "both", FOLDED: "loop", UNFOLDED: "stack"}[chosen["form"]]
        if self.result is None:
            self.film.sketch(chosen["steps"], _colours(chosen))
        elif self._key_of(chosen) != self._drawn_key:
            self.film.stale = True
            self.run()


def _colours(chosen: Chosen) -> list[str]:
    """Return the colour of the weights of each layer."""
    steps = range(chosen["steps"])
    if chosen["weights"] == SHARED:
        return [_BLUE for _ in steps]
    return [f"hsl({(200 + 360 * step // MOST_STEPS) % 360} 65% 45%)" for step in steps]
