"""Requirements of a recipe: the readout times that it trains, and the weights and statistics that these need."""

from __future__ import annotations

from torch import Tensor

from cortexsim.graph._schedule import populate, schedule
from cortexsim.model.cortex import Cortex
from cortexsim.model.plan import needed
from cortexsim.stimuli.presentation import AnyPresentation
from cortexsim.training.recipe import Recipe


def check_fits(recipe: Recipe, model: Cortex, images: Tensor, labels: Tensor) -> None:
    """Raise an error if a recipe asks for something that this model, or its target maps, cannot give.

    Parameters
    ----------
    recipe : Recipe
    model : Cortex
    images, labels : Tensor
        As `examples.pairs` returns them.

    Raises
    ------
    ValueError
        The message says what to change.
    """
    height, width = images.shape[-2:]
    if "turn" in recipe.augmentation and height != width:
        raise ValueError(
            f"the augmentation {recipe.augmentation!r} turns images by quarters, which must be square, got "
            f"{height}x{width} px; set augmentation to 'flip' or 'none'"
        )
    if labels.ndim == 3:
        _check_maps(recipe, tuple(images.shape[-2:]), tuple(labels.shape[-2:]))
    until = calibrated_until(recipe, model)
    if model.needs_statistics and until < model.readout_time:
        raise ValueError(
            f"calibrate_until={until} ends before the model's readout time {model.readout_time}: without statistics "
            f"it could not be read out; set it to at least {model.readout_time}, or None"
        )
    if recipe.progressive is None:
        return
    last = model.readout_time + recipe.progressive[1]
    if model.needs_statistics and until < last:
        raise ValueError(
            f"progressive {recipe.progressive} trains up to time {last}, but statistics are taken up to time {until} "
            f"only: set calibrate_until={last} in the recipe"
        )
    missing = [
        name for name, time in schedule(model.graph, [last], recipe.presentation) if not model.weights.has(name, time)
    ]
    if missing:
        raise ValueError(
            f"progressive {recipe.progressive} runs up to time {last}, but {missing[0]} has weights up to the readout "
            f"time {model.readout_time} only: share them over time, or set progressive=None"
        )


def _check_maps(recipe: Recipe, image: tuple[int, ...], target: tuple[int, ...]) -> None:
    if len(recipe.growth) > 1:
        raise ValueError(f"growth {recipe.growth} shrinks the images, but not their target maps; set ((0.0, 1.0),)")
    if "crop" in recipe.augmentation and image != target:
        raise ValueError(
            f"the augmentation {recipe.augmentation!r} shifts images of {image[0]}x{image[1]} px and their target maps "
            f"of {target[0]}x{target[1]} px by the same number of pixels, which are not of one size; set augmentation "
            "to 'flip', 'turn-flip' or 'none'"
        )


def calibrated_until(recipe: Recipe, model: Cortex) -> int:
    """Return the last time for which statistics are taken when the training is over."""
    return 2 * model.readout_time if recipe.calibrate_until is None else recipe.calibrate_until


def trained_times(
    model: Cortex, presentation: AnyPresentation, recipe: Recipe, until: int | None, asked: list[int] | None
) -> list[int]:
    """Choose the readout times that are trained up to a time, for which the model must have weights."""
    last = model.readout_time if until is None else until
    readable = model.readable(presentation, last)
    if until is not None and (until > model.readout_time or not readable):
        first = min(model.readable(presentation, model.readout_time), default=last)
        raise ValueError(
            f"the recipe unfolds up to time {until}, but this model can be read out from time {first} to "
            f"{model.readout_time}: set unfolding=((0.0, None),) to train all times from the start"
        )
    times = [last] if recipe.loss_at == "readout" else sorted({*readable, last})
    if isinstance(recipe.loss_at, int):
        times = times[-recipe.loss_at :]
    if asked is not None:
        wanted, times = times, [time for time in times if time in asked]
        if not times:
            raise ValueError(f"the labels ask for nothing at the trained readout times {wanted}, only at {asked}")
    model.check_weights(needed(model.graph, presentation, tuple(times))[0])
    return times


def refuse_different_times(model: Cortex, presentation: AnyPresentation) -> None:
    """Refuse a mixture whose parts populate the states at different times: a process would wait for ever."""
    fronts = [populate(model.graph, part, model.readout_time) for part in presentation.components]
    if any(front != fronts[0] for front in fronts):
        raise ValueError(
            f"on several processes every stimulus must populate the same states at the same times, but the parts of "
            f"«{presentation}» do not; train on one process, or with one presentation"
        )
