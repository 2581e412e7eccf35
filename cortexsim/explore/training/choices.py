"""The user's choices before a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from cortexsim._support.checks import unknown, whole

LONGEST_READOUT = 24  # with later readout times, an unrolled training needs more memory than a laptop has


@dataclass(frozen=True)
class Choices:
    """The choices of a run.

    Parameters
    ----------
    learning_rate : float
        The peak of its schedule.
    readout_time : int
        The last one.
    loss_at : "all" or "readout"
        Train all readout times, or only the last.
    lateral, feedback : bool
        Include the connections of states with themselves, and those to earlier states.
    short_first : bool
        Follow the recipe's curriculum: easy images and short paths first.
    progressive : bool
        Of recipes that have it: let some batches first run without gradients; see `Recipe`.
    seed : int
        Draws the initial weights and the order of the images.
    threads : int
        Of torch, in the thread that trains.

    Raises
    ------
    ValueError
        If a number or name is not allowed.
    """

    learning_rate: float
    readout_time: int
    loss_at: str = "all"
    lateral: bool = True
    feedback: bool = True
    short_first: bool = True
    progressive: bool = True
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        for name, lowest, highest in (("readout_time", 1, LONGEST_READOUT), ("seed", 0, 2**31 - 1), ("threads", 1, 64)):
            object.__setattr__(self, name, whole(getattr(self, name), name, lowest, highest))

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Choices:
        """Read the form of `to_dict`.

        Raises
        ------
        ValueError
            If a choice is unknown, missing or not allowed.
        """
        known = [one.name for one in fields(cls)]
        for name in described:
            if name not in known:
                raise ValueError(unknown("choice", name, known))
        missing = [name for name in ("learning_rate", "readout_time") if name not in described]
        if missing:
            raise ValueError(f"the settings lack {missing}; the choices are {known}")
        return cls(**described)
