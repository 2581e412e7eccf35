"""What a part measures from the records of its training."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.paper.experiments.part import _by_epoch

RECIPE = cs.Recipe(epochs=2)


def record(step, accuracy, validation=None, done=False):
    # as JSON has them, with texts as keys
    by_time = {"2": accuracy, "3": 0.1}
    epoch = step // 30
    held_out = None if validation is None else {"2": validation}
    return {
        "step": step,
        "steps": 60,
        "epoch": epoch,
        "accuracy": by_time,
        "validation": held_out,
        "seconds": float(step),
        "done": done,
    }


def test_the_error_of_an_epoch_weighs_each_record_by_its_steps():
    # 20 steps half right, then 10 steps 80 % right; the last record repeats the one before
    records = [record(0, 0.1), record(20, 0.5), record(30, 0.8, 0.7), record(50, 0.9), record(60, 0.6, 0.75)]
    found = _by_epoch([*records, record(60, 0.6, 0.9, done=True)], RECIPE, 2, diverged=False)
    assert found["training_error"].values == pytest.approx([1 - 18 / 30, 1 - 24 / 30])
    assert found["validation_error"].values == pytest.approx([0.3, 0.25])
    assert float(found["training_seconds"]) == 60.0


def test_epochs_after_a_divergence_have_no_error():
    found = _by_epoch([record(0, 0.1), record(30, 0.8, 0.7)], RECIPE, 2, diverged=True)
    np.testing.assert_array_equal(np.isnan(found["training_error"]), [False, True])
    assert int(found["diverged"]) == 1
