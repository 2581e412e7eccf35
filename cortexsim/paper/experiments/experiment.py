"""Experiments: a name, a question, and a plan of parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.part import Part
from cortexsim.paper.experiments.scale import Scale

NOT_KNOWN = "The paper shows curves whose values are not known here, so none is drawn (certainty U)."


@dataclass(frozen=True)
class Experiment:
    """An experiment of Liao & Poggio (2016), or one that continues it.

    Parameters
    ----------
    name : str
    title : str
    question : str
        The question that it answers.
    plan : callable
        `(scale, seed) -> parts`, in the order of the legend.
    paper : str
        The paper's own result, as far as it is known, with its certainty.
    figures : tuple of str
        The figures of its result; see `plot.experiment`.
    seeds : int
        Number of seeds, unless the scale is too small or another number is given.
    paper_error : float or None
        The paper's error (fraction), if it is known.
    paper_error_of : str
        The model and data of that error, with its certainty.
    own_data : str
        The only data that it can be run on, if it makes its own.
    own_name : str
        The name of its own data in the result.
    own_material : callable, optional
        `(scale) -> material`: what identifies its data, if its parts draw the images that they need.
    about_data : str
        Description of its data for the result, if they are not one set of images.
    validated_on : str
        Description, for the result, of how settings were chosen, if it has recipes of its own.
    most_stimuli : int, optional
        Largest number of stimuli of a part, at any scale.
    not_drawn : str
        The reason why its figure of errors over time has no point at some times.
    chance_error : float, optional
        The error of guessing (fraction), if its figure of errors over time needs it to be read.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.experiments.EXPERIMENTS["weight-sharing"].question
    'How much accuracy is lost when a network uses the same weights at every time?'
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
    own_material: Callable[[Scale], Material] | None = None
    about_data: str = ""
    validated_on: str = ""
    most_stimuli: int | None = None
    not_drawn: str = "No point: the last state is empty then, nothing can be read."
    chance_error: float | None = None

    def parts(self, scale: Scale, seed: int) -> tuple[Part, ...]:
        """List the parts at a scale, in the order of the legend.

        Raises
        ------
        ValueError
            If the experiment cannot be run at this scale.
        """
        if scale.models is None:
            return self.plan(scale, seed)
        if self.name not in scale.models:
            raise ValueError(
                f"{self.name} cannot be run at {scale.name} scale, which is for {list(scale.models)}; choose another "
                "scale"
            )
        runnable = scale.models[self.name]
        return tuple(part for part in self.plan(scale, seed) if getattr(part, "model", None) in runnable)
