"""Which convolutions have the same weights: the paper's set S, as a rule or as a table. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from cortexsim.schedule import Schedule
from cortexsim.suggest import unknown

Pair = tuple[str, int, int]
Table = dict[Pair, str]
RULES = ("time", "none", "all")


def settle(sharing: str | Mapping[Pair, Hashable] | Callable[[str, int, int], Hashable], own: Schedule) -> str | Table:
    """Read `sharing`: a rule by its name as it is, anything else as a table over the model's own schedule.

    Parameters
    ----------
    sharing : str, mapping or callable
        From (transition name, time, which convolution: 0 or 1) to a key; pairs of one key are tied.
    own : Schedule
        All that contributes to the model's readouts.

    Raises
    ------
    ValueError
        If the rule is unknown, a pair has no key, or two keys are the same as text.
    """
    if isinstance(sharing, str):
        if sharing not in RULES:
            raise ValueError(unknown("sharing", sharing, (*RULES, "a mapping")))
        return sharing
    table: Table = {}
    named: dict[str, Hashable] = {}
    for name, time in own:
        for which in range(len(own.graph.convolutions(name))):
            pair = (name, time, which)
            try:
                key = sharing[pair] if isinstance(sharing, Mapping) else sharing(*pair)
            except KeyError:
                raise ValueError(f"sharing has no key for {pair}: (transition, time, which convolution)") from None
            text = str(key)
            # the key becomes a parameter's name in files, where a dot would split it
            if not text or "." in text or named.setdefault(text, key) != key:
                raise ValueError(
                    f"the sharing key {key!r} of {pair} must be different from others as text, without '.'"
                )
            table[pair] = text
    return table


def key(sharing: str | Table, name: str, time: int, which: int) -> str | None:
    """Return the key of a convolution's kernel; None where a table has none."""
    if not isinstance(sharing, str):
        return sharing.get((name, time, which))
    return {"time": f"{name}:{which}", "none": f"{name}:{which}@{time}", "all": "all"}[sharing]
