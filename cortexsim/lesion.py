"""What silence means for the rest of the model: an acute, a recalibrated or a mean-replaced lesion."""

from __future__ import annotations

from typing import Any

from cortexsim.calibrate import calibrate
from cortexsim.images import as_images, checksum
from cortexsim.model import Cortex
from cortexsim.silence import told
from cortexsim.statistics import Statistics
from cortexsim.suggest import unknown
from cortexsim.transition import Times

LESIONS = ("acute", "recalibrated", "mean-replaced")


def check_lesion(lesion: str, closed: dict[str, Times], calibrate_on: Any, statistics: Any) -> None:
    """Refuse a lesion that is unknown, has nothing silenced, or has no images to be taken on.

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
    if not closed:
        raise ValueError(f"lesion={lesion!r} says what silence means, but nothing is silenced; give silence=...")
    own = lesion == "recalibrated" and isinstance(statistics, Statistics) and _of_this_lesion(statistics, closed)
    if calibrate_on is None and not own:
        raise ValueError(f"a {lesion} lesion needs images to take its statistics on; give calibrate_on=...")


def _of_this_lesion(statistics: Statistics, closed: dict[str, Times]) -> bool:
    return statistics.change.startswith(f"taken with {told(closed)}")


def recalibrated(
    model: Cortex, used: Statistics | None, closed: dict[str, Times], calibrate_on: Any, until: int
) -> Statistics:
    """Take the statistics anew, with the lesion in place and shown as the intact model's were."""
    if used is None:
        raise ValueError("this model has no normalization, so there is nothing to recalibrate; use lesion='acute'")
    if _of_this_lesion(used, closed):
        return used
    return calibrate(model, calibrate_on, until, used.presentation, seed=used.seed, silence=closed)


def describe_lesion(
    lesion: str, closed: dict[str, Times], used: Statistics | None, calibrate_on: Any
) -> dict[str, Any] | None:
    """Say which lesion it is, and on which images its statistics or means were taken."""
    if not closed:
        return None
    if lesion == "recalibrated" and used is not None:
        return {"kind": lesion, "images": used.images, "n_images": used.n_images}
    if lesion == "mean-replaced":
        pixels = as_images(calibrate_on)
        return {"kind": lesion, "images": checksum(pixels), "n_images": len(pixels)}
    return {"kind": lesion, "images": None, "n_images": 0}
