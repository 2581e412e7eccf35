"""The cost of an intervention for stimuli that are decided at once, later and never."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.analyse._effect import paired_difference
from cortexsim.analyse.interval import wilson
from tests.analyse.nodes import readout_of

# chance of class 0 at times 1 to 3: sure at once, at 2, at 3, never
CHANCE = np.array([[0.99, 0.9, 0.9], [0.6, 0.95, 0.9], [0.5, 0.6, 0.95], [0.5, 0.4, 0.4]])
CUT = np.array([[0.99, 0.9, 0.9], [0.6, 0.5, 0.1], [0.5, 0.6, 0.2], [0.5, 0.4, 0.6]])


def node(chance):
    logits = np.log(np.stack([chance, 1 - chance], 2))
    return readout_of(np.pad(logits, ((0, 0), (1, 0), (0, 0))), np.arange(4) > 0, label=[0, 0, 0, 0])


def test_only_the_intact_model_determines_when_a_stimulus_is_decided():
    found = cs.analyse.early_late(node(CUT), node(CHANCE), 0.75, "margin")
    assert found["decision"].values.tolist() == ["at arrival", "later", "never"]
    assert found["n"].values.tolist() == [1, 2, 1]
    assert found["accuracy_intact"].values.tolist() == [1, 1, 0]
    assert found["accuracy"].values.tolist() == [1, 0, 1]
    assert found["accuracy_difference"].values.tolist() == [0, -1, 1]
    assert (float(found["accuracy_low"][1]), float(found["accuracy_high"][1])) == wilson(0, 2)
    assert float(found["accuracy_difference_low"][1]) == paired_difference(np.array([-1.0, -1.0]))[1]
    assert found.attrs["at"] == 3


def test_both_are_read_out_at_the_time_asked_for():
    found = cs.analyse.early_late(node(CUT), node(CHANCE), 0.75, "margin", at=1)
    assert found["accuracy"].values.tolist() == found["accuracy_intact"].values.tolist()


def test_a_group_without_stimuli_and_a_readout_that_is_empty_have_no_accuracy():
    found = cs.analyse.early_late(node(CUT), node(CHANCE), 0.1, "margin")
    assert found["n"].values.tolist() == [2, 2, 0]
    assert np.isnan(found["accuracy"].values[2])
    emptied = node(CUT)
    emptied["populated"][3] = False
    found = cs.analyse.early_late(emptied, node(CHANCE), 0.75, "margin")
    assert np.isnan(found["accuracy"].values).all()
    assert np.isnan(found["accuracy_difference"].values).all()
    assert found["accuracy_intact"].values.tolist() == [1, 1, 0]


def test_other_stimuli_other_times_and_a_time_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match="two readouts must have the same stimuli"):
        cs.analyse.early_late(node(CUT).isel(stimulus=[0, 1]), node(CHANCE), 0.5)
    with pytest.raises(ValueError, match=r"two readouts must have the same times, got \[0, 1, 2, 3\] and \[0, 1, 2\]"):
        cs.analyse.early_late(node(CUT).isel(time=slice(0, 3)), node(CHANCE), 0.5)
    with pytest.raises(ValueError, match="threshold must be a confidence above 0 and at most 1, got 2"):
        cs.analyse.early_late(node(CUT), node(CHANCE), 2)
    with pytest.raises(ValueError, match="there is no time 9: the times are 0 to 3"):
        cs.analyse.early_late(node(CUT), node(CHANCE), 0.5, at=9)


def test_readouts_of_images_in_another_order_are_refused():
    shuffled = node(CUT).assign_coords(label=("stimulus", [0, 1, 0, 0]))
    with pytest.raises(ValueError, match="1 of 4 differ in 'label', the first at position 1: 0 and 1"):
        cs.analyse.early_late(shuffled, node(CHANCE), 0.75, "margin")
