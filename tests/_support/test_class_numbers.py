"""Labels that can be class numbers, and classes that are matched by their names."""

import numpy as np
import pytest

from cortexsim._support.class_numbers import (
    DifferentClassesError,
    class_names,
    class_numbers,
    refuse_one_hot,
    renumbered,
)


@pytest.mark.parametrize("value", ['["ant", "bee"]', ["ant", "bee"], ("ant", "bee"), np.array(["ant", "bee"])])
def test_classes_are_a_JSON_list_or_a_list(value):
    assert class_names(value) == ["ant", "bee"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("ant, bee", "must be a JSON list"),
        ("{}", "must be a list"),
        ([], "must be a list"),
        (["a", "a"], r"\['a'\] occur twice"),
    ],
)
def test_anything_but_a_list_of_names_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        class_names(value)


@pytest.mark.parametrize("labels", [np.array([1, 0, 2], "u1"), np.array([1.0, 0, 2]), np.array(["bee", "ant", "cow"])])
def test_whole_numbers_and_names_are_class_numbers(labels):
    found = class_numbers(labels, 3, ["ant", "bee", "cow"])
    assert found.tolist() == [1, 0, 2]
    assert found.dtype == np.int64


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, 0.5], "0 to 2 for a model of 3 classes, got numbers such as 0.5"),
        ([0.0, np.nan], r"missing \(NaN\) for 1 of 2"),
        ([0.0, np.inf], "got numbers such as infinity"),
        ([True, False], "got booleans"),
        ([0, 3], "got 0 to 3"),
        ([-1, 0], "got -1 to 0"),
        (["ant", "bea"], "unknown class in labels 'bea'.*did you mean 'bee'"),
        ([1 + 2j], "values of the kind complex128"),
    ],
)
def test_anything_but_a_class_is_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        class_numbers(np.array(labels), 3, ["ant", "bee", "cow"])


def test_texts_need_the_names_of_the_classes():
    with pytest.raises(ValueError, match="got text such as 'ant', and no class names"):
        class_numbers(np.array(["ant"]), 3)


def test_one_hot_rows_and_times_that_are_never_read_are_refused():
    with pytest.raises(ValueError, match=r"one-hot rows of 4 classes: pass class numbers, labels.argmax\(1\)"):
        refuse_one_hot(np.eye(4)[[3, 0, 1]], 4, 9)
    with pytest.raises(ValueError, match=r"ask for something at time 7, but .* read out at times 0 to 6"):
        refuse_one_hot(np.full((3, 8), 2), 3, 6)
    refuse_one_hot(np.where(np.arange(8) < 5, 1, -1)[None], 3, 6)  # nothing is asked at times 5 to 7


def test_classes_are_matched_by_name():
    labels = np.array([0, 1, 1])
    assert renumbered(labels, ["cow", "ant"], ["ant", "bee", "cow"]).tolist() == [2, 0, 0]
    assert renumbered(labels, None, ["ant", "bee"]).tolist() == [0, 1, 1]
    # a class that no image is of may be unknown
    assert renumbered(labels, ["cow", "ant", "yak"], ["ant", "cow"]).tolist() == [1, 0, 0]
    with pytest.raises(
        DifferentClassesError, match=r"trained on the classes \['ant'\].* have \['cow', 'ant'\]: \['cow'\] is none"
    ):
        renumbered(labels, ["cow", "ant"], ["ant"])


@pytest.mark.parametrize("rows", [np.eye(3, dtype=int), 2 * np.eye(3, dtype=int) - 1, np.eye(3, dtype=bool)])
def test_one_hot_rows_of_the_classes_that_occur_are_refused(rows):
    with pytest.raises(ValueError, match="one-hot rows of 3 classes"):
        refuse_one_hot(rows[[2, 0, 1, 0]], 10, 9)


def test_a_question_at_one_time_of_each_row_is_no_one_hot_row():
    refuse_one_hot(np.array([[-1, 1, -1], [-1, -1, 1]]), 10, 9)


def test_labels_by_time_are_renumbered_and_times_without_a_question_stay():
    labels = np.array([[-1, 0], [1, -1]])
    assert renumbered(labels, ["cow", "ant"], ["ant", "cow"], unasked=True).tolist() == [[-1, 1], [0, -1]]


def test_names_of_classes_may_be_bytes():
    assert class_names([b"ant", b"bee"]) == class_names(np.array([b"ant", b"bee"])) == ["ant", "bee"]
