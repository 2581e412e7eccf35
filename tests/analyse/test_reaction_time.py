"""A decision is made when confidence passes the threshold; stimuli that never pass are undecided."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.analyse.interval import wilson
from tests.analyse.nodes import readout_of

# chance of class 0 at times 1 to 3: sure at 2 and right, sure at 3 and wrong, never sure, sure at once and right
CHANCE = np.array([[0.5, 0.9, 0.99], [0.4, 0.3, 0.02], [0.5, 0.4, 0.6], [0.05, 0.05, 0.05]])


@pytest.fixture
def readout():
    logits = np.log(np.stack([CHANCE, 1 - CHANCE], 2))
    return readout_of(np.pad(logits, ((0, 0), (1, 0), (0, 0))), np.arange(4) > 0, label=[0, 0, 0, 1])


def test_margin_is_the_difference_of_the_two_most_probable(readout):
    found = cs.analyse.reaction_time(readout, 0.75, "margin")
    assert found["confidence"].values[:, 1:] == pytest.approx(np.abs(2 * CHANCE - 1))
    assert np.array_equal(found["reaction_time"].values, [2, 3, np.nan, 1], equal_nan=True)
    assert found["decided"].values.tolist() == [True, True, False, True]
    assert np.array_equal(found["correct"].values, [1, 0, np.nan, 1], equal_nan=True)
    assert np.array_equal(found["choice"].values, [0, 1, np.nan, 1], equal_nan=True)


def test_confidence_by_entropy_is_0_where_all_classes_are_equally_probable(readout):
    found = cs.analyse.reaction_time(readout, 0.5)
    bits = -(CHANCE * np.log2(CHANCE) + (1 - CHANCE) * np.log2(1 - CHANCE))
    assert found["confidence"].values[:, 1:] == pytest.approx(1 - bits)
    assert np.isnan(found["confidence"].values[:, 0]).all()
    assert np.array_equal(found["reaction_time"].values, [2, 3, np.nan, 1], equal_nan=True)


def test_right_and_wrong_decisions_have_separate_means(readout):
    found = cs.analyse.reaction_time(readout, 0.75, "margin")
    assert found["mean_time"].sel(outcome="right") == 1.5
    assert found["mean_time"].sel(outcome="wrong") == 3
    assert found["count"].values.tolist() == [2, 1]
    assert found["mean_time_high"].sel(outcome="right") == pytest.approx(
        1.5 + 12.7062 * 0.5
    )  # t of 1 degree of freedom
    assert np.isnan(found["mean_time_high"].sel(outcome="wrong"))
    assert (float(found["fraction_decided_low"]), float(found["fraction_decided_high"])) == wilson(3, 4)
    assert (float(found["accuracy_low"]), float(found["accuracy_high"])) == wilson(2, 3)


def test_without_decisions_there_is_no_accuracy(readout):
    found = cs.analyse.reaction_time(readout, 1.0)
    assert found.attrs["n_decided"] == 0
    assert np.isnan([float(found["accuracy"]), float(found["accuracy_low"])]).all()
    assert float(found["fraction_decided"]) == 0


def test_speed_and_accuracy_trade_off_as_the_threshold_moves(readout):
    found = cs.analyse.speed_accuracy(readout, [0.01, 0.75, 0.95], "margin")
    assert found["fraction_decided"].values == pytest.approx([1, 0.75, 0.5])
    assert found["mean_time"].values == pytest.approx([(2 + 1 + 2 + 1) / 4, 2, 3])
    assert found["accuracy"].values == pytest.approx([0.5, 2 / 3, 0.5])
    # the third answers at the last time, and is right there
    assert found["forced_accuracy"].values == pytest.approx([0.5, 0.75, 0.75])
    assert found["forced_time"].values == pytest.approx([1.5, 2.25, 3])
    assert (found["accuracy_low"].values[1], found["accuracy_high"].values[1]) == wilson(2, 3)


def test_an_extreme_logit_is_certainty_and_no_warning(readout):
    readout["logits"][0, 1] = [5000.0, -5000.0]
    assert cs.analyse.reaction_time(readout, 1.0)["reaction_time"].values[0] == 1


def test_stimuli_of_a_mixture_decide_at_their_own_times(readout):
    populated = np.ones((4, 4), bool)
    populated[:, 0] = populated[3, 1] = False
    found = cs.analyse.reaction_time(readout.assign(populated=(("stimulus", "time"), populated)), 0.75, "margin")
    assert found["reaction_time"].values[3] == 2


@pytest.mark.parametrize("threshold", [0, 1.5])
def test_a_threshold_is_a_confidence(readout, threshold):
    with pytest.raises(ValueError, match=f"threshold must be a confidence above 0 and at most 1, got {threshold}"):
        cs.analyse.reaction_time(readout, threshold)
    with pytest.raises(ValueError, match="thresholds must be confidences above 0 and at most 1"):
        cs.analyse.speed_accuracy(readout, [0.5, threshold])


def test_an_unknown_confidence_is_named(readout):
    with pytest.raises(ValueError, match=r"unknown confidence 'entropi': .*did you mean 'entropy'"):
        cs.analyse.reaction_time(readout, 0.5, "entropi")


def test_missing_labels_are_named(readout):
    with pytest.raises(ValueError, match="no coordinate 'label'"):
        cs.analyse.reaction_time(readout.drop_vars("label"), 0.5)


def test_a_readout_that_is_always_empty_cannot_be_forced(readout):
    populated = np.ones((4, 4), bool)
    populated[2] = False
    with pytest.raises(ValueError, match="the readout of 1 of 4 stimuli is empty at all times"):
        cs.analyse.speed_accuracy(readout.assign(populated=(("stimulus", "time"), populated)))


def test_one_class_leaves_nothing_to_be_sure_of(readout):
    with pytest.raises(ValueError, match="confidence needs at least 2 classes, got 1"):
        cs.analyse.reaction_time(readout.isel({"class": [0]}), 0.5, labels=[0, 0, 0, 0])


def test_a_state_is_no_readout(noisy):
    with pytest.raises(ValueError, match="reads logits"):
        cs.analyse.reaction_time(noisy, 0.5)


def test_a_choice_among_named_classes_is_a_name():
    logits = np.array([[[5.0, 0.0]], [[0.0, 0.1]]])
    coordinates = {"label": ("stimulus", ["cat", "dog"]), "class": ["cat", "dog"]}
    found = cs.analyse.reaction_time(xr.Dataset({"logits": (("stimulus", "time", "class"), logits)}, coordinates), 0.5)
    assert found["choice"].values.tolist() == ["cat", ""]
    assert found["correct"].values[0] == 1
