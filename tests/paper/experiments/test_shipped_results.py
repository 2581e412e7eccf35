"""Every result that ships says what it is of, and is drawn from its file alone."""

import re

import pytest

from cortexsim import plot
from cortexsim._support.resources import data_folder
from cortexsim.paper.experiments import EXPERIMENTS, SCALES, shipped, shipped_names
from cortexsim.paper.experiments.result import NAMED


def test_a_result_of_every_experiment_ships():
    assert set(shipped_names()) == set(EXPERIMENTS)


def test_a_shipped_result_names_data_scale_hardware_time_and_commit():
    for name in shipped_names():
        check_attributes(name)


def check_attributes(name):
    result = shipped(name)
    assert all(str(result.attrs[what]) for what in NAMED)
    assert result.attrs["experiment"] == name
    # its legends are those that a run of today would have
    scale = SCALES[result.attrs["scale"].split(",")[0]]
    plan = EXPERIMENTS[name].parts(scale, 0)
    assert result["model"].values.tolist() == [one.label for one in plan]
    assert result["paper_confidence"].values.tolist() == [getattr(one, "paper_confidence", "U") for one in plan]
    assert re.match(r"CIFAR-10 \(JPEG\)|digits (in debris|without debris)|curves of 3 to 10 px", result.attrs["data"])
    assert result.attrs["seconds"] > 0
    # parts of a run that was stopped may be of different commits
    assert re.fullmatch(r"[0-9a-f]{12}(; [0-9a-f]{12})*", result.attrs["commit"])
    # no path of the machine that ran it
    assert not re.search(r"/(home|root|tmp|work)\b", str(result.attrs))


def test_a_shipped_result_is_described_and_drawn():
    described = (data_folder() / "results" / "README.md").read_text(encoding="utf-8")
    for name in shipped_names():
        assert list(plot.experiment(shipped(name))) == list(EXPERIMENTS[name].figures)
        assert f"`{name}.nc`" in described


def test_a_result_that_does_not_ship_says_how_to_make_it():
    with pytest.raises(ValueError, match=r"unknown result 'equivalense'.*did you mean 'equivalence'.*run it"):
        shipped("equivalense")
