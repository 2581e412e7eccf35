"""The images that a brain was shown."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

import cortexsim as cs
from cortexsim._support.class_numbers import DifferentClassesWarning


@pytest.fixture
def images_file(tmp_path):
    """Three images of one colour each; 12 x 10 px."""
    array = np.zeros((1, 3), dtype=[("category", object), ("human", object), ("image", object)])
    for place, (category, colour) in enumerate([("hand", (255, 0, 0)), ("car", (0, 255, 0)), ("hand", (0, 0, 255))]):
        array[0, place] = (category, int(category == "hand"), np.full((12, 10, 3), colour, dtype=np.uint8))
    savemat(tmp_path / "images.mat", {"stimuli": array})
    return tmp_path / "images.mat"


def test_images_are_resized_and_keep_their_order_and_colours(images_file):
    shown = cs.brains.images(images_file, size=(8, 6))
    assert shown["image"].shape == (3, 3, 8, 6)
    assert shown["image"].dtype == np.uint8
    np.testing.assert_array_equal(shown["image"].values.mean((2, 3)), np.eye(3) * 255)


def test_images_of_classes_are_named_unless_two_have_one_name(tmp_path):
    for name in ("cat/2.png", "cat/10.png", "dog/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    assert cs.brains.images(tmp_path, size=8)["file_name"].values.tolist() == ["cat/2.png", "cat/10.png", "dog/3.png"]
    Image.new("RGB", (8, 8)).save(tmp_path / "dog" / "2.jpg")
    assert "file_name" not in cs.brains.images(tmp_path, size=8).coords


def test_categories_become_labels_and_numbers_factors(images_file):
    shown = cs.brains.images(images_file, size=8)
    assert json.loads(shown.attrs["classes"]) == ["car", "hand"]
    assert shown["label"].values.tolist() == [1, 0, 1]
    assert shown["human"].values.tolist() == [1, 0, 1]


def test_a_model_takes_them_as_they_are(small_model, images_file):
    with pytest.warns(DifferentClassesWarning, match=r"2 classes, \['car', 'hand'\], but the model reads out 3"):
        recording = cs.simulate(small_model, cs.brains.images(images_file, size=8), until=2)
    assert recording["IT"]["label"].values.tolist() == [1, 0, 1]


def test_an_error_lists_the_fields_of_a_file_without_images(tmp_path):
    savemat(tmp_path / "rdms.mat", {"RDMs": {"RDM": np.zeros((3, 3))}})
    with pytest.raises(ValueError, match=r"no struct has the field 'image'.*'RDMs': \['RDM'\]"):
        cs.brains.images(tmp_path / "rdms.mat", size=8)


@pytest.mark.parametrize("size", [None, (), (8, 8, 8), 10**12, (8, 0)])
def test_a_size_that_no_image_can_have_is_refused(images_file, size):
    with pytest.raises(ValueError, match=r"size must be (a whole number|a side in px|at most)|need a size"):
        cs.brains.images(images_file, size=size)


def test_what_is_no_image_is_refused(tmp_path):
    savemat(tmp_path / "odd.mat", {"stimuli": {"image": np.zeros((4, 4))}})
    with pytest.raises(ValueError, match=r"image 0 must be height x width x 3 or grey, uint8, got shape \(4, 4\)"):
        cs.brains.images(tmp_path / "odd.mat", size=8)


def test_a_folder_is_read_with_its_classes_or_in_the_order_of_names(tmp_path):
    for name, level in (("b/2.png", 50), ("a/1.png", 100), ("a/0.png", 150)):
        (tmp_path / "classes" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (level, 0, 0)).save(tmp_path / "classes" / name)
    shown = cs.brains.images(tmp_path / "classes", size=2)
    assert shown["image"].values[:, 0, 0, 0].tolist() == [150, 100, 50]
    assert shown["label"].values.tolist() == [0, 0, 1]
    flat = cs.brains.images(tmp_path / "classes" / "a", size=2)
    assert flat["file_name"].values.tolist() == ["0.png", "1.png"]
    assert flat["image"].values[:, 0, 0, 0].tolist() == [150, 100]


def test_numbers_in_names_are_sorted_by_their_value(tmp_path):
    for name in ("10.png", "2.png", "1.png", "face-11.png", "face-9.png", "02.png"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    names = cs.brains.images(tmp_path, size=2)["file_name"].values.tolist()
    assert names == ["1.png", "02.png", "2.png", "10.png", "face-9.png", "face-11.png"]


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"no image found in .*give a folder with images"):
        cs.brains.images(tmp_path, size=8)
    with pytest.raises(ValueError, match=r"variable= is for \.mat, not for the folder"):
        cs.brains.images(tmp_path, size=8, variable="x")


def test_a_single_image_is_no_set_of_them(tmp_path):
    (tmp_path / "hand.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"pass a folder of images, or a \.mat file"):
        cs.brains.images(tmp_path / "hand.png", size=8)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        cs.brains.images(tmp_path / "nothing.mat", size=8)
