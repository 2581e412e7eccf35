"""The paper's predictions, each with a criterion, judged on the bundled runs.

for verdict in cortexsim.predictions.check():
    print(verdict.name, verdict.verdict, verdict.why)

Nothing is simulated: the accuracies are those of the cards (`cortexsim.zoo.cards`), over the seeds that were
trained. The criteria are in `PREDICTIONS`, apart from the measurements.
"""

from __future__ import annotations

from textwrap import wrap

from cortexsim.paper.experiments.result import shipped, shipped_names
from cortexsim.paper.predictions.criteria import PREDICTIONS as OF_THE_PAPER
from cortexsim.paper.predictions.tracing import TRACING
from cortexsim.paper.predictions.verdict import (
    DOES_NOT_HOLD,
    HOLDS,
    UNDECIDED,
    Finding,
    Measured,
    NoRecordError,
    Prediction,
    Records,
    Verdict,
)
from cortexsim.zoo import cards

PREDICTIONS = tuple(sorted((*OF_THE_PAPER, *TRACING), key=lambda one: one.number))

__all__ = [
    "DOES_NOT_HOLD",
    "HOLDS",
    "PREDICTIONS",
    "UNDECIDED",
    "Measured",
    "Prediction",
    "Records",
    "Verdict",
    "as_text",
    "check",
]


def check(records: Records | None = None) -> list[Verdict]:
    """Judge the predictions.

    Parameters
    ----------
    records : Records, optional
        By default, the bundled ones.

    Returns
    -------
    list of Verdict
        In the order of `PREDICTIONS`; "cannot be decided from what ships" where a number is missing.

    Examples
    --------
    >>> import cortexsim as cs
    >>> verdicts = cs.predictions.check()
    >>> len(verdicts) > 0
    True
    """
    if records is None:
        records = Records(
            {name: cards.card(name) for name in cards.names()}, {name: shipped(name) for name in shipped_names()}
        )
    return [_judged(prediction, records) for prediction in PREDICTIONS]


def _judged(prediction: Prediction, records: Records) -> Verdict:
    try:
        found = prediction.decide(records)
    except NoRecordError as missing:
        found = Finding(UNDECIDED, str(missing))
    return Verdict(
        prediction.number,
        prediction.name,
        prediction.statement,
        prediction.criterion,
        found.verdict,
        found.why,
        found.numbers,
        found.controls,
        prediction.faked_by,
    )


def as_text(verdicts: list[Verdict], width: int = 110) -> str:
    """Write verdicts for a terminal.

    Parameters
    ----------
    verdicts : list of Verdict
        As `check` returns them.
    width : int
        Of a line, in characters.

    Examples
    --------
    >>> import cortexsim as cs
    >>> verdicts = cs.predictions.check(cs.predictions.Records(cards={}, results={}))
    >>> text = cs.predictions.as_text(verdicts, width=80)
    >>> max(map(len, text.splitlines())) <= 80
    True
    """
    lines = [
        "The predictions of Liao & Poggio (2016) on the models that ship. Nothing is simulated: accuracies on test "
        "stimuli from data/models/runs and data/results, mean (lowest to highest) over seeds. The criteria were "
        "written when the records of seeds 0 to 3 existed; seed 4 of the contour model, and seeds 1 to 4 of its "
        "control model of twice the convolutions, were trained afterwards. That networks must reach a given accuracy "
        "to be compared was written after the results at laptop scale existed, and before any at workstation scale. "
        "The criteria of running longer were written before these models were trained; that of masks on tracing when "
        "one seed had been masked."
    ]
    for one in verdicts:
        lines += ["", f"{one.number}. {one.name.upper()}: {one.verdict}"]
        lines += [f"   predicted  {one.statement}", f"   criterion  {one.criterion}"]
        lines += [f"   measured   {number}" for number in one.numbers]
        lines += [f"   control    {number}" for number in one.controls]
        lines += [f"   why        {one.why}", f"   beware     {one.faked_by}"]
    return "\n".join(part for line in lines for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    return wrap(line, width, subsequent_indent=" " * 14 if line.startswith("   ") else "") or [""]
