"""The training of the models that ship, on a task of a few small images."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import cortexsim as cs


@pytest.fixture
def tool(monkeypatch):
    """Load the command, which is no module of the package."""
    spec = importlib.util.spec_from_file_location("train_zoo", Path(__file__).parents[2] / "tools" / "train_zoo.py")
    tool = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "train_zoo", tool)  # its dataclasses look their module up
    spec.loader.exec_module(tool)
    return tool


@pytest.fixture
def task(tool):
    """Two stages of contours, at 16 and at 32 pixels."""
    shown = cs.mixture(cs.sustained(), cs.flash(1))
    recipe = cs.Recipe(
        epochs=1, batch_size=8, learning_rate=1e-3, presentation=shown, validation=0.25, calibration_images=16
    )
    return replace(
        tool.TASKS["contours"],
        features={"recurrent": (2, 2, 2, 3), "feedforward": (2, 2, 2, 3)},
        stages=(tool.Stage(16, 24, recipe, 2), tool.Stage(32, 24, recipe, 1)),
        readout_time=3,
        shown="sustained+flash:1",
        n_test=20,
    )


def test_a_later_stage_starts_with_the_weights_of_the_earlier_one(tool, task):
    torch.manual_seed(0)
    smaller, larger = (tool.built(task, "recurrent", size, 2) for size in (16, 32))
    tool.copy_weights(smaller, larger)
    for name, value in larger.named_parameters():
        torch.testing.assert_close(value, dict(smaller.named_parameters())[name], rtol=0, atol=0)


def test_a_model_is_trained_tested_and_recorded(tool, task):
    done = tool.trained(task, "feedforward", seed=0, precision="float32")
    record = tool.record_of(task, done, "trial-feedforward", 0, 1, 0.5, "a command")
    assert record["test"]["data"] == "contours"
    assert [stage["recipe"]["epochs"] for stage in record["stages"]] == [2, 1]
    assert {entry["stage"] for entry in record["training"]} == {1, 2}
    assert record["beginnings"] == 1
    # a feedforward model is calibrated for a sustained image, too
    assert record["test"]["presentations"]["sustained"]["times"][-1] == 9
    assert cs.sustained() in done.model.statistics


def test_a_model_that_stays_at_chance_is_trained_again_from_other_weights(tool, task, monkeypatch):
    models, build = [], tool.built

    def built(*arguments):
        models.append(build(*arguments))
        return models[-1]

    monkeypatch.setattr(tool, "built", built)
    monkeypatch.setattr(tool, "stays_at_chance", lambda *_: len(models) == 1)
    done = tool.trained(task, "recurrent", seed=0, precision="float32")
    assert done.attempts == 2
    # the two stages of the second attempt
    assert len(models) == 3
    monkeypatch.setattr(tool, "stays_at_chance", lambda *_: True)
    with pytest.raises(RuntimeError, match="recurrent seed 0 stayed at chance in 5 attempts"):
        tool.trained(task, "recurrent", seed=0, precision="float32")
