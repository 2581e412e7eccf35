"""Exercises of the panels: what is to be built, and whether it was."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

from cortexsim.explore.reach import Reach, times


@dataclass(frozen=True)
class Verdict:
    """Whether an exercise is solved, and what there is instead if it is not."""

    solved: bool
    text: str

    def __bool__(self) -> bool:
        return self.solved

    def _repr_html_(self) -> str:
        colour, word = ("#009e73", "✓ Solved.") if self.solved else ("#e69f00", "○ Not yet.")
        return (
            f'<div role="status" style="line-height:1.5;border-left:3px solid {colour};padding-left:8px">'
            f"<b>{word}</b> {html.escape(self.text)}</div>"
        )


def one_step(reached: Reach) -> Verdict:
    """Ask for a graph in which the last state is first reached at t = 1."""
    first = reached.first(reached.last)
    if first is None:
        return Verdict(False, f"Nothing reaches {reached.last} by t = {reached.until}.")
    there = f"{reached.last} is first reached at t = {first}"
    if first != 1:
        return Verdict(False, f"{there}; it should be t = 1.")
    direct = [
        t for t in reached.draft.transitions if t.source == reached.draft.states[0].name and t.target == reached.last
    ]
    return Verdict(True, f"{there}, by {direct[0].name} ({direct[0].kind}): one step skips all areas between.")


def even_times(reached: Reach) -> Verdict:
    """Ask for a graph whose last state can be read at several times, all of them even."""
    readable = reached.readable
    odd = [time for time in readable if time % 2]
    there = f"{reached.last} can be read at {times(readable)}"
    if odd:
        return Verdict(False, f"{there}; {', '.join(map(str, odd))} {'is' if len(odd) == 1 else 'are'} odd.")
    if len(readable) < 2:
        return Verdict(False, f"{there}; at least two even times are wanted.")
    return Verdict(True, f"{there}, and at no odd time.")


EXERCISES: dict[str, Callable[[Reach], Verdict]] = {"one-step": one_step, "even-times": even_times}
