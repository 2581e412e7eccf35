"""Values that belong to stimuli: in the stimuli's order, whatever they come as, and never without those missing."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from cortexsim._support.labelled import array_of, one_for_each, places_of, refuse_missing, stems

NUMBERS = {"stimulus": np.arange(4)}


@pytest.mark.parametrize(
    "values",
    [
        [3, 1, 2, 0],
        (3, 1, 2, 0),
        torch.tensor([3, 1, 2, 0], dtype=torch.int32),
        np.array([3, 1, 2, 0], ">i8"),
        pd.Index([3, 1, 2, 0]),
        pd.Categorical([3, 1, 2, 0]),
        pd.Series([3, 1, 2, 0], dtype="Int64").array,
        xr.DataArray([3, 1, 2, 0]),
        [torch.tensor(3), np.int16(1), 2, np.array(0)],
    ],
)
def test_arrays_of_every_kind_are_one_thing(values):
    found = array_of(values, "labels")
    assert found.tolist() == [3, 1, 2, 0]
    assert found.dtype.isnative
    assert found.dtype.kind == "i"


@pytest.mark.parametrize(
    "texts",
    [
        ["b", "a"],
        pd.Categorical(["b", "a"]),
        np.array([b"b", b"a"]),
        np.array(["b", "a"], object),
        np.array([b"b", b"a"], object),
    ],
)
def test_texts_are_texts(texts):
    assert array_of(texts, "labels").tolist() == ["b", "a"]
    assert array_of(texts, "labels").dtype.kind == "U"


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ("ab", TypeError, "labels must be an array, a list or a Series, got 'ab'"),
        ({1, 2}, TypeError, "got {1, 2}"),
        (7, TypeError, "got 7"),
        (pd.DataFrame({"a": [1]}), TypeError, "got a DataFrame; choose one of its columns"),
        (xr.Dataset(), TypeError, "got a Dataset; choose"),
        ([[1, 2], [3]], ValueError, "lists of different lengths"),
        (np.ma.masked_array([1, 2, 3], [0, 1, 1]), ValueError, "masked at 2 of 3 places"),
    ],
)
def test_anything_but_an_array_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        array_of(values, "labels")


def test_an_index_in_another_order_puts_values_in_order():
    series = pd.Series(list("dbca"), index=[3, 1, 2, 0])
    array = xr.DataArray(list("dbca"), {"stimulus": [3.0, 1.0, 2.0, 0.0]}, ("stimulus",))
    for values in (series, array):
        assert one_for_each(values, "labels", NUMBERS, 4).tolist() == ["a", "b", "c", "d"]


def test_a_Series_may_be_indexed_by_another_coordinate_or_by_file_names():
    stimuli = {**NUMBERS, "trial": np.array([7, 5, 9, 1]), "file_name": np.array(["x", "y", "z", "w"])}
    by_trial = pd.Series([1, 5, 7, 9], pd.Index([1, 5, 7, 9], name="trial"))
    by_file = pd.Series([0, 1, 2, 3], ["w", "x", "y", "z"])
    assert one_for_each(by_trial, "labels", stimuli, 4).tolist() == [7, 5, 9, 1]
    assert one_for_each(by_file, "labels", stimuli, 4).tolist() == [1, 2, 3, 0]


def test_one_label_serves_all_repeats_of_a_stimulus():
    stimuli = {"stimulus": np.array([0, 0, 1, 1])}
    assert one_for_each(pd.Series([8, 9], [1, 0]), "labels", stimuli, 4).tolist() == [9, 9, 8, 8]


def test_without_an_index_on_both_sides_the_order_counts():
    assert one_for_each(pd.Series([5, 6], [40, 12]), "labels", {}, 2).tolist() == [5, 6]
    assert one_for_each(
        xr.DataArray([5, 6], dims="stimulus"), "labels", {"stimulus": np.array([1, 0])}, 2
    ).tolist() == [5, 6]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            pd.Series([0] * 4, [0, 1, 2, 9]),
            r"same stimuli as the stimuli's stimulus, got .* without \['3'\] and with \['9'\] as well",
        ),
        (pd.Series([0] * 3, [0, 1, 2]), r"without \['3'\]; give the same stimuli"),
        (pd.Series([0] * 5), r"with \['4'\] as well"),
        (pd.Series([0] * 5, [0, 1, 2, 3, 3]), r"more than once, such as \['3'\]"),
        ([0, 1], r"one for each of the 4 stimuli, got shape \(2,\)"),
        (np.int64(3), "one for each of the 4 stimuli, got one value"),
        (xr.DataArray([0] * 4, dims="time"), r"has the dimension 'stimulus', got \('time',\)"),
    ],
)
def test_values_of_other_stimuli_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        one_for_each(values, "labels", NUMBERS, 4)


@pytest.mark.parametrize(
    "values",
    [[1.0, np.nan, 2.0], [None, "a", "b"], pd.Series([1, pd.NA, 3], dtype="Int64"), pd.Categorical(["a", None, "b"])],
)
def test_missing_values_are_counted_and_named(values):
    with pytest.raises(
        ValueError, match=r"size is missing \(NaN\) for 1 of 3 stimuli, at the positions \[[01]\]; leave"
    ):
        refuse_missing(array_of(values, "size"), "size")


def test_names_are_the_same_whatever_files_make_of_them():
    assert places_of(np.array([2.0, 1.0]), np.array(["1", "2"], object), "labels").tolist() == [1, 0]


def test_stems_leave_out_folders_and_the_endings_of_images_only():
    names = np.array(["a/s1.PNG", "b\\s2.jpeg", "face.v2", "s3"])
    assert stems(names).tolist() == ["s1", "s2", "face.v2", "s3"]


def test_values_that_name_their_stimuli_are_put_in_order():
    names = np.array(["cat/1.png", "cat/2.png", "dog/3.png"])
    values = xr.DataArray([0, 1, 2], {"file_name": ("stimulus", names)}, "stimulus")[[2, 0, 1]]
    assert one_for_each(values, "labels", {"file_name": names}, 3).tolist() == [0, 1, 2]
    of_another_name = values.rename(file_name="stimulus_name")
    assert one_for_each(of_another_name, "labels", {"file_name": names}, 3).tolist() == [0, 1, 2]
    with pytest.raises(
        ValueError, match=r"labels must be of the same stimuli as the stimuli's file_name, got labels without"
    ):
        one_for_each(values, "labels", {"file_name": np.array(["a", "b", "c"])}, 3)


def test_an_index_that_the_names_contradict_is_refused():
    values = xr.DataArray([0, 1], {"stimulus": [0, 1], "stimulus_name": ("stimulus", ["a", "b"])}, "stimulus")
    known = {"stimulus": np.arange(2), "stimulus_name": np.array(["b", "a"])}
    with pytest.raises(
        ValueError, match=r"same index in different orders: 2 of 2 differ in stimulus_name, such as 'a'"
    ):
        one_for_each(values, "labels", known, 2)


def test_names_of_bytes_are_names():
    names = np.array(["f1", "f2", "f3"])
    by_bytes = pd.Series([2, 0, 1], index=[b"f3", b"f1", b"f2"])
    assert one_for_each(by_bytes, "labels", {"file_name": names}, 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("values", [[0, "owl", 2], ("cat", np.int64(1)), [True, "dog"]])
def test_numbers_among_strings_are_not_turned_into_strings(values):
    with pytest.raises(ValueError, match="labels must be numbers or strings, all of one type, got both"):
        array_of(values, "labels")


@pytest.mark.parametrize(
    "values",
    [pd.Series([7, 8, 9], index=[2, 0, 1]), xr.DataArray([7, 8, 9], {"stimulus": [0, 2, 1]}, "stimulus")],
)
def test_shuffled_numbers_are_refused_if_nothing_says_what_they_number(values):
    with pytest.raises(ValueError, match="numbers 0 to 2 in another order, but the images have no index"):
        one_for_each(values, "labels", {}, 3)


@pytest.mark.parametrize("index", [[0, 1, 2], [10, 12, 11], [0, 1, 1]])
def test_an_index_that_is_no_order_of_the_images_is_ignored_without_theirs(index):
    assert one_for_each(pd.Series([7, 8, 9], index=index), "labels", {}, 3).tolist() == [7, 8, 9]
