"""What is read of a node: patterns, what is empty, labels."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.analyse.node import activity_of, labels_of, patterns
from cortexsim.analyse.same_stimuli import refuse_other_stimuli
from tests.analyse.nodes import node_of


def test_a_node_of_a_recording_and_its_dataset_and_its_array_are_read_alike(flashed):
    tree, data, array = flashed["V2"], flashed["V2"].to_dataset(), flashed["V2"]["activation"]
    for activity in (activity_of(tree), activity_of(data), activity_of(array)):
        assert activity["populated"].values.all(0).tolist() == [False, True, False, False, False]
        assert np.array_equal(patterns(activity, 1), array.values[:, 1].reshape(5, -1))
        assert np.isnan(patterns(activity, 0)).all()


def test_populated_is_the_authority_on_what_is_empty(noisy):
    noisy["activation"][:, 0] = 5.0
    assert np.isnan(patterns(activity_of(noisy), 0)).all()


def test_float16_is_read_as_float32(noisy):
    assert patterns(activity_of(noisy["activation"].astype("float16")), 1).dtype == np.float32


def test_only_the_time_that_is_asked_for_is_read_from_disk(flashed, tmp_path, monkeypatch):
    cs.save_recording(flashed, tmp_path / "flash.nc")
    with cs.open_recording(tmp_path / "flash.nc") as opened:
        activity = activity_of(opened["V1"])
        responses = []
        kind = type(activity.variable._data)
        monkeypatch.setattr(kind, "get_duck_array", _noting(kind.get_duck_array, responses))
        patterns(activity, 0)
        assert not activity.variable._in_memory
        assert responses
        assert all(size == 5 * 4 * 8 * 8 for size in responses)


def _noting(original, responses):
    def noting(self):
        values = original(self)
        responses.append(values.size)
        return values

    return noting


def test_anything_but_a_node_is_refused():
    with pytest.raises(TypeError, match=r"takes a node such as recording\['V4'\], or a DataArray, got ndarray"):
        activity_of(np.zeros((3, 2)))


def test_a_whole_recording_is_no_node(flashed):
    with pytest.raises(ValueError, match=r"takes one node of a recording, such as recording\['V1'\]"):
        activity_of(flashed)


def test_a_dataset_without_activity_is_refused():
    with pytest.raises(ValueError, match=r"needs the variable activation or logits, but this one has only \['image'\]"):
        activity_of(xr.Dataset({"image": ("stimulus", [1])}))


def test_a_node_of_one_time_is_refused(noisy):
    with pytest.raises(ValueError, match="needs the dimensions stimulus and time, both longer than 0"):
        activity_of(noisy.isel(time=1))


def test_a_populated_pattern_that_is_not_finite_is_refused(noisy):
    noisy["activation"][3, 2, 0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="activation of V4 is populated at time 2, but is not finite there"):
        patterns(activity_of(noisy), 2)


def test_missing_labels_are_named(noisy):
    with pytest.raises(ValueError, match=r"no coordinate 'label', only \['size'\]; pass labels=, one for each"):
        labels_of(activity_of(noisy.drop_vars("label")))


def test_labels_are_one_for_each_stimulus(noisy):
    with pytest.raises(ValueError, match=r"one for each of the 30 stimuli, got shape \(2,\)"):
        labels_of(activity_of(noisy), [0, 1])


def test_labels_are_finite(noisy):
    with pytest.raises(ValueError, match=r"labels is missing \(NaN\) for 1 of 30 stimuli, at the positions \[0\]"):
        labels_of(activity_of(noisy), [np.nan, *range(29)])


def test_one_class_only_is_refused(noisy):
    with pytest.raises(ValueError, match="label is 0 for all 10 stimuli, but this analysis compares at least 2"):
        labels_of(activity_of(noisy.isel(stimulus=noisy["label"].values == 0)))


def test_two_nodes_of_other_stimuli_are_refused(noisy):
    activity = activity_of(noisy)
    with pytest.raises(ValueError, match="the nodes must have the same stimuli, got 30 and 10 of them"):
        refuse_other_stimuli(activity, activity_of(noisy.isel(stimulus=slice(10))), "the nodes")
    with pytest.raises(ValueError, match="but 30 of 30 differ in 'stimulus', the first at position 0: 0 and 29"):
        refuse_other_stimuli(activity, activity_of(noisy.isel(stimulus=slice(None, None, -1))), "the nodes")


def test_a_node_without_its_own_word_on_emptiness_is_empty_where_all_is_nan():
    activity = activity_of(node_of(np.ones((2, 3, 2)), [False, True, True])["activation"])
    assert activity["populated"].values.tolist() == [[False, True, True]] * 2


def test_times_are_read_in_rising_order_and_each_once(noisy):
    turned = activity_of(noisy.isel(time=[3, 0, 2, 1]))
    assert turned["time"].values.tolist() == [0, 1, 2, 3]
    assert turned["populated"].values[0].tolist() == [False, True, True, True]
    assert np.array_equal(patterns(turned, 3), patterns(activity_of(noisy), 3))
    with pytest.raises(ValueError, match=r"a node needs each time once, got \[0, 1, 1\]"):
        activity_of(noisy.isel(time=[0, 1, 1]))


def test_units_are_read_in_one_order_whatever_the_order_of_the_dimensions(noisy):
    turned = noisy.transpose("x", "channel", "y", "time", "stimulus")
    assert np.array_equal(patterns(activity_of(turned), 2), patterns(activity_of(noisy), 2))


def test_a_decision_is_kept_in_the_order_of_time_whatever_the_order_of_the_recording(flashed):
    readout = flashed["readout"].to_dataset()
    kept = cs.analyse.latched(readout.isel(time=slice(None, None, -1)), threshold=0.01)
    assert kept["logits"].sortby("time").equals(cs.analyse.latched(readout, threshold=0.01)["logits"])


@pytest.mark.parametrize(
    ("coordinate", "values"),
    [("file_name", ["a.png", "b.png", "c.png"]), ("stimulus_name", ["a", "b", "c"]), ("source", [4, 5, 6])],
)
def test_recordings_of_images_in_another_order_are_other_stimuli(coordinate, values):
    one, other = (
        activity_of(node_of(np.ones((3, 1, 2)), **{coordinate: order}))
        for order in (values, [values[k] for k in (1, 0, 2)])
    )
    with pytest.raises(ValueError, match="same order, but 2 of 3 differ in"):
        refuse_other_stimuli(one, other, "two nodes")
    refuse_other_stimuli(one, one.copy(), "two nodes")


def test_the_same_name_with_another_ending_is_the_same_stimulus():
    one = activity_of(node_of(np.ones((2, 1, 2)), file_name=["face.png", "house.png"]))
    refuse_other_stimuli(
        one, activity_of(node_of(np.ones((2, 1, 2)), stimulus_name=["face", "house.jpg"])), "two nodes"
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda node: node.assign(activation=node["activation"] * 1j),
            TypeError,
            "must be real numbers, got the dtype c",
        ),
        (lambda node: node.assign(activation=node["activation"].astype(str)), TypeError, "must be real numbers, got"),
        (lambda node: node.assign(populated=node["populated"].astype(str)), ValueError, "'populated' must be True or"),
        (
            lambda node: node.assign(populated=node["populated"].expand_dims(unit=2)),
            ValueError,
            r"'populated' must be True or False .* the dimensions \(unit, time\)",
        ),
        (lambda node: node.assign_coords(time=list("abcd")), ValueError, "a node needs a time in numbers, got"),
    ],
)
def test_a_node_that_is_no_activity_over_time_is_refused(noisy, change, error, message):
    with pytest.raises(error, match=message):
        cs.analyse.spread(change(noisy))


@pytest.mark.parametrize("wrong", [1, "yes", None, np.array([True, False])])
def test_progress_is_true_or_false(noisy, wrong):
    with pytest.raises(ValueError, match="progress must be True or False, got"):
        cs.analyse.cka(noisy.isel(time=[2, 3]), progress=wrong)
