"""Accuracy is the fraction of correct classifications, where there is a readout."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.analyse._accuracy import correct
from cortexsim.analyse.interval import wilson
from tests.analyse.nodes import readout_of


@pytest.fixture
def readout():
    """Six stimuli, two classes; at time 1 the first three are classified correctly, at time 2 all."""
    label = np.array([0, 1, 0, 1, 0, 1])
    named = np.stack([label, np.where(np.arange(6) < 3, label, 1 - label), label], 1)
    return readout_of(np.eye(2)[named], [False, True, True], label=label, size=[1.0, 1, 2, 2, 3, 3])


def test_accuracy_is_the_fraction_classified_correctly_with_wilsons_interval(readout):
    found = cs.analyse.accuracy(readout)
    assert np.array_equal(found.values, [np.nan, 0.5, 1], equal_nan=True)
    assert (found["low"].values[1], found["high"].values[1]) == wilson(3, 6)
    assert found.attrs["chance"] == 0.5
    assert found.attrs["interval"] == "95 % Wilson interval over 6 stimuli"
    assert found["time"].attrs["units"] == "steps"


def test_accuracy_of_a_real_recording_is_that_of_its_logits(flashed):
    found = cs.analyse.accuracy(flashed["readout"])
    named = flashed["readout"]["logits"].values[:, 2].argmax(1)
    assert found.values[2] == np.mean(named == flashed["readout"]["label"].values)
    assert np.isnan(found.values[[0, 1, 3, 4]]).all()


def test_accuracy_by_a_factor_is_computed_for_each_value(readout):
    found = cs.analyse.accuracy(readout, by="size")
    assert found.dims == ("time", "size")
    assert np.array_equal(found.values[1], [1, 0.5, 0])
    assert found["n"].values.tolist() == [2, 2, 2]
    assert (found["low"].values[1, 1], found["high"].values[1, 1]) == wilson(1, 2)


def test_accuracy_in_bins_holds_the_upper_edge(readout):
    found = cs.analyse.accuracy(readout, by="size", edges=(1, 2, 3))
    assert found["size"].values.tolist() == [1.5, 2.5]
    assert found["n"].values.tolist() == [2, 4]
    assert np.array_equal(found.values[1], [1, 0.25])
    assert found["bin_high"].values.tolist() == [2, 3]


def test_a_bin_without_stimuli_has_no_accuracy(readout):
    found = cs.analyse.accuracy(readout, by="size", edges=(0, 0.5, 3))
    assert np.isnan(found.values[:, 0]).all()
    assert np.isnan(found["low"].values[:, 0]).all()


def test_accuracy_of_a_mixture_is_nan_unless_all_stimuli_are_populated(readout):
    populated = np.ones((6, 3), bool)
    populated[:, 0] = populated[:3, 1] = False
    mixed = readout.assign(populated=(("stimulus", "time"), populated))
    mixed = mixed.assign_coords(component=("stimulus", [0, 0, 0, 1, 1, 1]))
    assert np.isnan(cs.analyse.accuracy(mixed).values[1])
    by_component = cs.analyse.accuracy(mixed, by="component")
    assert np.array_equal(by_component.values[1], [np.nan, 0], equal_nan=True)


def test_a_label_that_is_no_class_is_refused(readout):
    with pytest.raises(ValueError, match=r"the labels \[7\] are not among the classes of the readout: \[0, 1\]"):
        cs.analyse.accuracy(readout, labels=[7, 1, 0, 1, 0, 1])


def test_a_state_is_no_readout(noisy):
    with pytest.raises(ValueError, match=r"reads logits \(stimulus, time, class\): recording\['readout'\]"):
        cs.analyse.accuracy(noisy)


def test_a_stimulus_outside_of_all_bins_is_refused(readout):
    with pytest.raises(ValueError, match="2 of 6 stimuli have a size outside the edges 1 to 2: it runs from 1 to 3"):
        cs.analyse.accuracy(readout, by="size", edges=(1, 2))


def test_edges_rise(readout):
    with pytest.raises(ValueError, match=r"two numbers in rising order, got \[3, 1\]"):
        cs.analyse.accuracy(readout, by="size", edges=(3, 1))


def test_edges_need_a_factor(readout):
    with pytest.raises(ValueError, match="edges are bins of a factor; name it"):
        cs.analyse.accuracy(readout, edges=(1, 3))


def test_a_continuous_factor_needs_edges():
    many = readout_of(np.zeros((60, 1, 2)), label=[0] * 60, size=np.arange(60) / 7)
    with pytest.raises(ValueError, match="size has 60 values, more than 50; pass edges="):
        cs.analyse.accuracy(many, by="size")


def test_an_unknown_factor_is_named(readout):
    with pytest.raises(ValueError, match=r"no coordinate 'colour', only \['label', 'size'\]"):
        cs.analyse.accuracy(readout, by="colour")


def test_labels_that_are_names_are_the_classes_of_the_recording(flashed):
    names = np.array(["cat", "dog", "owl"])[flashed["readout"]["label"].values]
    found, wanted = (correct(flashed["readout"], labels) for labels in (names, None))
    np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match="unknown class in labels 'cow'"):
        cs.analyse.accuracy(flashed["readout"], ["cow", *names[1:]])


def test_without_names_of_classes_texts_are_no_labels(readout):
    with pytest.raises(ValueError, match=r"the labels \['a', 'b'\] are not among the classes of the readout: \[0, 1\]"):
        cs.analyse.accuracy(readout, list("ababab"))
