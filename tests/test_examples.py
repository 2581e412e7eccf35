"""Every public name has an example in its docstring, and the example gives what it shows."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

import cortexsim as cs

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "index.md"
NAMES = re.findall(r"^   cortexsim\.([\w.]+)$", REFERENCE.read_text(encoding="utf-8"), re.M)
# they draw results that ship, train, write a film, or import rsatoolbox
SLOW = {
    "analyse.best_time",
    "paper.experiments.open_result",
    "paper.experiments.run",
    "paper.predictions.check",
    "plot.collapse",
    "plot.controls_by_length",
    "plot.difference",
    "plot.error_by_epoch",
    "plot.error_by_images",
    "plot.error_by_readout_time",
    "plot.error_by_time",
    "plot.experiment",
    "plot.over_time_by_length",
    "plot.over_time_by_maze",
    "plot.parameters",
    "plot.save",
    "plot.steps_by_length",
    "plot.trained_tested",
    "plot.verdicts",
}
FORMER = {"zoo.siblings"}  # it warns
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public(name):
    room, _, last = name.rpartition(".")
    return getattr(importlib.import_module(f"cortexsim.{room}") if room else cs, last)


def test_slow_examples_are_those_of_public_names():
    assert set(NAMES) >= SLOW


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in NAMES]
)
def test_the_example_of_a_public_name_gives_what_it_shows(name):
    text = public(name).__doc__
    if name in FORMER:
        assert "former name" in text
        return
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    assert example.examples, f"{name} has no example"
    printed = []
    doctest.DocTestRunner(optionflags=FLAGS).run(example, out=printed.append)
    assert not printed, "".join(printed)
