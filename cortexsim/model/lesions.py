"""What an intervention means for the rest of the model: an acute, a recalibrated or a mean-replaced lesion."""

from __future__ import annotations

from typing import Any

from cortexsim._support.checks import unknown
from cortexsim._support.hashing import checksum
from cortexsim.graph.interventions import Changes
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.model.moments import Statistics
from cortexsim.stimuli.images import as_images

LESIONS = ("acute", "recalibrated", "mean-replaced")


def check_lesion(lesion: str, done: Changes, calibrate_on: Any, statistics: Any) -> None:
    """Refuse a lesion that is unknown, in which nothing is done, or that has no images to be taken on.

    Raises
    ------
    ValueError
        The message says what is allowed.
    """
    if lesion not in LESIONS:
        raise ValueError(unknown("lesion", lesion, LESIONS))
    if lesion == "acute" and calibrate_on is not None:
        raise ValueError(
            "an acute lesion uses the intact model's statistics, so calibrate_on is of no use; say "
            "lesion='recalibrated' or lesion='mean-replaced'"
        )
    if lesion == "acute":
        return
    if not done:
        raise ValueError(
            f"lesion={lesion!r} says what an intervention means, but nothing is silenced, scaled or noisy; give "
            "silence=..., gain=... or transition_noise=..."
        )
    own = lesion == "recalibrated" and isinstance(statistics, Statistics) and statistics.lesion == str(done)
    if calibrate_on is None and not own:
        raise ValueError(f"a {lesion} lesion needs images to take its statistics on; give calibrate_on=...")


def intact(model: Cortex, used: Statistics) -> Statistics:
    """Return the statistics of the intact model that belong to those of a lesion; of an intact one the same.

    Raises
    ------
    MissingStatisticsError
        If the model holds none for this presentation.
    """
    return model.find_statistics(used.presentation) if used.lesion else used


def recalibrated(model: Cortex, used: Statistics | None, done: Changes, calibrate_on: Any, until: int) -> Statistics:
    """Take the statistics anew, with the lesion in place and shown as the intact model's were."""
    if used is None:
        raise ValueError("this model has no normalization, so there is nothing to recalibrate; use lesion='acute'")
    if used.lesion == str(done):
        return used
    return calibrate(
        model,
        calibrate_on,
        until,
        used.presentation,
        seed=used.seed,
        silence=done.closed,
        gain=done.scaled,
        transition_noise=done.noisy,
        intact=used if done.noisy else None,
    )


def describe_lesion(lesion: str, done: Changes, used: Statistics | None, calibrate_on: Any) -> dict[str, Any] | None:
    """Say which lesion it is, and on which images its statistics or means were taken."""
    if not done:
        return None
    if lesion == "recalibrated" and used is not None:
        return {"kind": lesion, "images": used.images, "n_images": used.n_images}
    if lesion == "mean-replaced":
        pixels = as_images(calibrate_on)
        return {"kind": lesion, "images": checksum(pixels), "n_images": len(pixels)}
    return {"kind": lesion, "images": None, "n_images": 0}
