"""Consequences of an anatomy: when each area is populated, when the last one can be read, and the costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cortexsim.explore.anatomy.draft import Draft, allowed
from cortexsim.explore.panel.asking import BUILT, NEVER, Guess
from cortexsim.explore.tour.questions import QUESTIONS, Facts, Question
from cortexsim.graph._schedule import Schedule, schedule
from cortexsim.graph.transitions import KINDS, kind_names
from cortexsim.stimuli.presentation import Presentation


@dataclass(frozen=True)
class Reach:
    """The consequences of a draft and a presentation; made by `reach`.

    Parameters
    ----------
    draft : Draft
    presentation : Presentation
    readout_time : int
    everything : Schedule
        The populated states up to the last time.
    planned : Schedule or None
        The transitions that run for the readout; None if nothing can be read then.
    refused : str
        The reason why nothing can be read at the readout time; "" if something can.
    """

    draft: Draft
    presentation: Presentation
    readout_time: int
    everything: Schedule
    planned: Schedule | None
    refused: str

    @property
    def until(self) -> int:
        """The last time."""
        return self.everything.until

    @property
    def last(self) -> str:
        """Name of the state that is read out."""
        return self.draft.states[-1].name

    def populated(self, name: str) -> list[bool]:
        """Return for each time from 0 whether a state is populated."""
        return [name in states for states in self.everything.states_at]

    def first(self, name: str) -> int | None:
        """Return the time at which a state is first populated; None if it never is."""
        return next((time for time, there in enumerate(self.populated(name)) if there), None)

    @property
    def readable(self) -> list[int]:
        """The times at which the last state can be read."""
        return [time for time, there in enumerate(self.populated(self.last)) if there]

    @property
    def moves(self) -> list[tuple[str, str, int, bool]]:
        """Source, target and time of every delivery, and True if the readout needs it."""
        needed = set(self.planned.pairs) if self.planned else set()
        return [
            (t.source, t.target, time, (t.name, time) in needed)
            for time in range(1, self.until + 1)
            for t in self.draft.transitions
            if time in t.times and t.source in self.everything.states_at[time - 1]
        ]


def reach(draft: Draft, presentation: Presentation, readout_time: int, until: int) -> Reach:
    """Return the consequences of a draft; for an impossible graph, they contain the reason.

    Parameters
    ----------
    draft : Draft
    presentation : Presentation
    readout_time, until : int
        The time at which the last state is read, and the last time that is shown.
    """
    everything = schedule(draft.reachable, presentation=presentation, until=until)
    try:
        planned, refused = schedule(draft.graph, readout_time, presentation, until=until), ""
    except ValueError as error:
        planned, refused = None, str(error)
    return Reach(draft, presentation, readout_time, everything, planned, refused)


def picture(reached: Reach, n_classes: int) -> dict[str, Any]:
    """Return the consequences as plain values, for the browser."""
    states = reached.draft.states
    return {
        "states": [
            {
                "name": state.name,
                "size": f"{state.height}×{state.width}×{state.features}",
                "populated": reached.populated(state.name),
                "first": reached.first(state.name),
            }
            for state in states
        ],
        "allowed": {f"{a.name}->{b.name}": list(allowed(a, b)) for a in states for b in states},
        "kinds": {kind: in_words(kind) for kind in [*kind_names(), *(t.kind_name for t in reached.draft.transitions)]},
        "shown": [reached.presentation.shown(time) for time in range(reached.until + 1)],
        "moves": [list(move) for move in reached.moves],
        "until": reached.until,
        "refused": reached.refused,
        "heading": "Choose another readout time" if reached.readable else "Impossible",
        "then": _then(reached),
        "facts": [list(fact) for fact in _facts(reached, n_classes)],
    }


def in_words(kind: str) -> str:
    """Describe a kind of transition, such as "BRCx2+I"."""
    name, plus, shortcut = kind.partition("+")
    times_weight = f"{weight} times " if (weight := shortcut.removesuffix("I")) else ""
    return KINDS[name].description + (f"; plus {times_weight}the source itself" if plus else "")


def _facts(reached: Reach, n_classes: int) -> list[tuple[str, str]]:
    time, planned = reached.readout_time, reached.planned
    facts = [(f"{reached.last} can be read at", times(reached.readable))]
    if planned is None:
        return facts
    shared, own = (planned.n_parameters(n_classes, shared=shared) for shared in (True, False))
    idle = sum(not needed and when <= time for *_, when, needed in reached.moves)
    return [
        *facts,
        (f"to read at T = {time}", f"{len(planned)} signals are computed; {idle} more cannot reach it in time"),
        ("parameters", f"{shared:,} if shared over time, {own:,} if not"),
        ("multiply-adds", f"{planned.multiply_adds / 1e6:,.2f} million in the transitions, for one image"),
    ]


def _then(reached: Reach) -> str:
    """Return advice for a graph from which nothing can be read."""
    if not reached.refused:
        return ""
    if not reached.readable:
        return "Connect the first area with the last one: press an empty cell of the matrix."
    return "Set the readout time to one of these, or give an area a transition to itself: then it stays populated."


def times(listed: Sequence[int]) -> str:
    """Return times as text."""
    return f"t = {', '.join(map(str, listed))}" if listed else "no time"


def facts_for(reached: Reach) -> Facts:
    """Return the facts that questions need."""
    populated = reached.populated(reached.last)
    first = reached.first(reached.last)
    return Facts(reached.last, NEVER if first is None else first, populated, [None] * len(populated))


def _soonest(facts: Facts) -> str:
    if not facts.readable:
        return f"Nothing reaches {facts.last} by t = {facts.until}."
    return "Each transition takes one step, and no open path is shorter, whatever was trained: true by construction."


ANATOMY: dict[str, Question] = {
    "arrival": replace(QUESTIONS["arrival"], because=_soonest),
    "readable": Question(
        title="when it can be read",
        text=lambda facts: f"At how many of the times 0 to {facts.until} can {facts.last} be read?",
        choices=lambda facts: [*range(facts.until + 2)],
        truth=lambda facts: len(facts.readable),
        because=lambda facts: f"{facts.last} is populated at {times(facts.readable)}: true by construction.",
        unit="times",
        label="number of times",
        cover="time",
    ),
}


def _by_a_short_cut(reached: Reach) -> str:
    first = reached.first(reached.last)
    if first is None:
        return f"Nothing reaches {reached.last} by t = {reached.until}."
    there = f"{reached.last} is first reached at t = {first}"
    if first != 1:
        return f"{there}; it should be t = 1."
    direct = next(
        t for t in reached.draft.transitions if t.source == reached.draft.states[0].name and t.target == reached.last
    )
    return f"{there}, by {direct.name} ({direct.description}): one step skips all areas between."


def _odd(reached: Reach) -> list[int]:
    return [time for time in reached.readable if time % 2]


def _evenly(reached: Reach) -> str:
    there, odd = f"{reached.last} can be read at {times(reached.readable)}", _odd(reached)
    if odd:
        return f"{there}; {', '.join(map(str, odd))} {'is' if len(odd) == 1 else 'are'} odd."
    if len(reached.readable) < 2:
        return f"{there}; the exercise asks for at least two even times."
    return f"{there}, and at no odd time."


def _at_one_time(reached: Reach) -> str:
    there = f"{reached.last} can be read at {times(reached.readable)}"
    return f"{there} and at no other time." if len(reached.readable) == 1 else f"{there}; it should be one time only."


def _returns(reached: Reach) -> list[int]:
    """Return the times after the image at which the first area is populated."""
    populated = reached.populated(reached.draft.states[0].name)
    return [time for time, there in enumerate(populated) if there and time]


def _on_a_long_way(reached: Reach) -> str:
    first, back = reached.draft.states[0].name, _returns(reached)
    if not back:
        return f"Nothing returns to {first} by t = {reached.until}."
    wrong = "" if back[0] == LONG_WAY else f"; it should be t = {LONG_WAY}"
    return f"After the image {first} is populated again at t = {back[0]}{wrong}."


LONG_WAY = 4  # steps
TO_BUILD: dict[str, Guess] = {
    "one-step": Guess(
        "a short cut",
        "Change the graph so that its last area is first reached at t = 1.",
        BUILT,
        lambda reached: reached.first(reached.last) == 1,
        _by_a_short_cut,
    ),
    "even-times": Guess(
        "even times only",
        "Change the graph so that its last area can be read at even times only, at two or more of them.",
        BUILT,
        lambda reached: len(reached.readable) > 1 and not _odd(reached),
        _evenly,
    ),
    "one-time": Guess(
        "one time only",
        "Change the graph so that its last area can be read at one time only.",
        BUILT,
        lambda reached: len(reached.readable) == 1,
        _at_one_time,
    ),
    "long-way": Guess(
        "a long way back",
        f"Change the graph so that its first area is empty after the image, and populated again at t = {LONG_WAY}.",
        BUILT,
        lambda reached: _returns(reached)[:1] == [LONG_WAY],
        _on_a_long_way,
    ),
}
