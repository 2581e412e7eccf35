"""The panel of an experiment: what ships is drawn, a run replaces it, errors stay in the panel."""

import pytest

from cortexsim import experiments
from cortexsim.explore import Experiment
from cortexsim.explore.live import Live


def drawn(panel):
    return [child for child in panel.place.children if isinstance(child, Live)]


def test_a_result_that_ships_is_drawn_at_once():
    panel = Experiment("equivalence")
    assert panel.source == "ships"
    assert len(drawn(panel)) == 1
    assert panel.result.attrs["experiment"] == "equivalence"


def test_a_run_replaces_what_is_drawn(monkeypatch):
    shipped, lines = experiments.shipped("equivalence"), []

    def run(name, report):
        lines.append(name)
        report("1/4: step 0")
        return shipped

    panel = Experiment("equivalence")
    monkeypatch.setattr(experiments, "run", run)
    panel.button.click()
    assert lines == ["equivalence"]
    assert panel.source == "run here"
    assert not panel.button.disabled


def test_what_goes_wrong_in_a_run_is_shown_in_the_panel(monkeypatch):
    panel = Experiment("equivalence")

    def run(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(experiments, "run", run)
    panel.run()
    assert "no space left" in panel.notice.value
    assert not panel.button.disabled


def test_unknown_experiments_and_figures_are_refused():
    with pytest.raises(ValueError, match=r"unknown experiment 'equivalense'.*did you mean 'equivalence'"):
        Experiment("equivalense")
    with pytest.raises(ValueError, match=r"unknown figure of equivalence 'epoch'.*\['difference'\]"):
        Experiment("equivalence", figures=["epoch"])
