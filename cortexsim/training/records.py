"""Progress records of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cortexsim._support.percentages import percent


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a finite number.

    Examples
    --------
    >>> import cortexsim as cs
    >>> issubclass(cs.TrainingDivergedError, RuntimeError)
    True
    """


@dataclass(frozen=True)
class Progress:
    """Progress of a training.

    Parameters
    ----------
    step, steps : int
        Steps done, and in all.
    epoch : int
        Epochs done.
    loss : float
        Mean over the steps since the last record (cross-entropy in nats).
    accuracy : dict of int to float
        Training accuracy (fraction) of these steps at each trained readout time; with label and crop as trained.
    validation : dict of int to float or None
        Accuracy on the held-out images at each readout time, at the end of an epoch, once images are trained at full
        size; the last record's reach as far as the calibration.
    learning_rate : float
    seconds, seconds_left : float
        Wall-clock time spent (over all runs of a resumed training), and estimated time left; NaN at step 0.
    done : bool
        Whether the training is over and the model calibrated.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.Progress(20, 100, 0, 1.2, {3: 0.61}, None, 0.1, 8.0, 32.0).accuracy[3]
    0.61
    >>> print(cs.Progress(20, 100, 0, 1.2, {3: 0.61}, None, 0.1, 8.0, 32.0))
    step 20/100: loss 1.200, training accuracy t=3 61.0 %; 32 s left
    """

    step: int
    steps: int
    epoch: int
    loss: float
    accuracy: dict[int, float]
    validation: dict[int, float] | None
    learning_rate: float
    seconds: float
    seconds_left: float
    done: bool = False

    def __str__(self) -> str:
        accuracies = self.validation or self.accuracy
        shown = ", ".join(f"t={t} {percent(value, 1)}" for t, value in accuracies.items())
        kind = "validation" if self.validation else "training"
        left = f"{self.seconds_left:.0f} s left" if math.isfinite(self.seconds_left) else "not trained yet"
        left = "done" if self.done else left
        return f"step {self.step}/{self.steps}: loss {self.loss:.3f}, {kind} accuracy {shown}; {left}"
