"""Run random calls and open damaged files: `python -m benchmarks fuzz [--cases N] [--seed S] [--kind KIND ...]`."""

from __future__ import annotations

import argparse
import linecache
import os
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import torch
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

import cortexsim as cs
from benchmarks.fuzz import files
from benchmarks.fuzz.calls import CALLS, Draw, WrongResultError

SLOW = 20.0  # seconds of processor time of one call
FILES = "files"
KINDS = (*CALLS, FILES)
OUTCOMES = ("right", "refused", "raw", "wrong", "slow")
OWN = (*files.OWN, OSError, MemoryError, RuntimeError)
HOME = str(Path(cs.__file__).parent)


@dataclass
class Counts:
    """The outcomes of one kind of call, and an example of each place at which the rule is broken."""

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: str, place: str = "", text: str = "") -> None:
        """Count a case; keep the text of the first at each place."""
        self.outcomes[outcome] += 1
        if outcome in OUTCOMES[2:]:
            self.broken.setdefault(f"{outcome} {place}", text)


def worded(error: BaseException) -> tuple[bool, str]:
    """Return whether an error is in the project's own words, and where it was raised.

    It is if a `raise` within cortexsim made it, as one line of text.
    """
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename.removeprefix(HOME + os.sep)}:{last.lineno}"
    raises = linecache.getline(last.filename, last.lineno or 0).lstrip().startswith("raise")
    text = str(error)
    sentence = bool(text.strip()) and "\n" not in text and isinstance(error, OWN)
    return last.filename.startswith(HOME) and raises and sentence, place


def calls(kind: str, n: int, seed: int) -> Counts:
    """Make `n` random calls of one kind, and count their outcomes."""
    counts = Counts()

    def one(data: Any) -> None:
        drawn: list[Any] = []

        def draw(strategy: Any) -> Any:
            value = data.draw(strategy)
            drawn.append(value)
            return value

        _count(counts, CALLS[kind], draw, drawn)

    settings = hypothesis.settings(
        max_examples=n,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    hypothesis.seed(seed)(settings(hypothesis.given(st.data())(one)))()
    return counts


def _count(counts: Counts, call: Callable[[Draw], None], draw: Draw, drawn: list[Any]) -> None:
    begun = time.process_time()
    try:
        with files.ended_after(SLOW * 9), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(draw)
    except (hypothesis.errors.HypothesisException, KeyboardInterrupt):
        raise
    except WrongResultError as error:
        counts.add("wrong", str(error)[:60], f"{error}; drawn: {_shown(drawn)}")
    except TimeoutError as error:
        counts.add("slow", str(error), f"drawn: {_shown(drawn)}")
    except Exception as error:
        own, place = worded(error)
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}; drawn: {_shown(drawn)}"
        counts.add("refused" if own else "raw", place, text)
    else:
        slow = time.process_time() - begun > SLOW
        counts.add("slow" if slow else "right", "call", f"drawn: {_shown(drawn)}")


def _shown(drawn: Sequence[Any]) -> str:
    texts = [repr(value) for value in drawn if not isinstance(value, float) or value != value]
    return ", ".join(text if len(text) < 60 and "\n" not in text else f"<{text[:20].strip()}…>" for text in texts)


def damaged(n: int, seed: int) -> Counts:
    """Damage and open about `n` files, shared by the kinds of files."""
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder:
        found, broken = files.count(max(1, n // len(files.KINDS)), Path(folder), seed)
    for kind, outcomes in found.items():
        for outcome, many in outcomes.items():
            unnoticed = outcome == "different" and kind not in files.UNCHECKED
            counts.outcomes[
                "wrong" if unnoticed else {"same": "right", "different": "right"}.get(outcome, outcome)
            ] += many
    counts.broken = {f"file {place}": text for place, text in enumerate(broken)}
    return counts


def run(n: int, seed: int, kinds: Sequence[str] = KINDS) -> dict[str, Counts]:
    """Run about `n` cases, shared by the kinds, and print the outcomes.

    Returns
    -------
    dict of str to Counts
        By kind.
    """
    each, found = max(1, n // len(kinds)), {}
    print(f"{'kind':<16}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES), flush=True)
    for kind in kinds:
        found[kind] = damaged(each, seed) if kind == FILES else calls(kind, each, seed)
        outcomes = found[kind].outcomes
        print(f"{kind:<16}" + "".join(f"{outcomes[outcome]:>10,}" for outcome in OUTCOMES), flush=True)
        for place, text in found[kind].broken.items():
            print(f"  {place}: {text}", flush=True)
    total = sum((counts.outcomes for counts in found.values()), Counter())
    print(
        f"{sum(total.values()):,} cases: {total['raw']:,} raw errors, {total['slow']:,} that hang, "
        f"{total['wrong']:,} wrong without an error"
    )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases; the exit status is 1 if one breaks the rule."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, metavar="N", help="by default %(default)s")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="draws the cases")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may be repeated")
    options = parser.parse_args(arguments)
    if options.cases < 1:
        parser.error(f"--cases must be at least 1, got {options.cases}")
    torch.set_num_threads(1)
    found = run(options.cases, options.seed, options.kind or KINDS)
    return int(any(counts.broken for counts in found.values()))
