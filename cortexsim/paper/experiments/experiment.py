"""What an experiment is: a name, a question, and a plan of parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cortexsim.paper.experiments.part import Part
from cortexsim.paper.experiments.scale import Scale

NOT_KNOWN = "The paper shows curves whose values are not known here, so none is drawn (certainty U)."


@dataclass(frozen=True)
class Experiment:
    """An experiment of Liao & Poggio (2016), or one that goes on from it.

    Parameters
    ----------
    name : str
    title : str
    question : str
        What it answers.
    plan : callable
        `(scale, seed) -> parts`, in the order of the legend.
    paper : str
        What is known of the paper's own result, and with which certainty; or that nothing is.
    figures : tuple of str
        What is drawn of its result; see `plot.experiment`.
    seeds : int
        How many, unless the scale is too small or another number is given.
    paper_error : float or None
        The paper's error (fraction), where it is known.
    paper_error_of : str
        Of what, with its certainty.
    own_data : str
        The only data that it can be run on, where it makes its own.
    own_name : str
        What those are called in the result, where it changes them.
    most : int, optional
        Stimuli of a part, where it makes no more of them than so many at any scale.
    not_drawn : str
        Why its figure of errors by time has no point at some times.
    """

    name: str
    title: str
    question: str
    plan: Callable[[Scale, int], tuple[Part, ...]]
    paper: str = NOT_KNOWN
    figures: tuple[str, ...] = ("epoch", "parameters")
    seeds: int = 1
    paper_error: float | None = None
    paper_error_of: str = ""
    own_data: str = ""
    own_name: str = ""
    most: int | None = None
    not_drawn: str = "No point: the last state is empty then, nothing can be read."
