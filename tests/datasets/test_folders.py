"""Folders of images as people have them: deep, mixed, from other systems, with values of all kinds."""

import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from cortexsim import brains, datasets, zoo


def write(root, *names, side=6):
    """Write grey images, each lighter than the one before."""
    for k, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (side, side), (10 * k,) * 3).save(root / name)
    return root


def greys(dataset):
    return dataset["image"].values[:, 0, 0, 0].tolist()


def test_images_of_deeper_folders_belong_to_the_class_above(tmp_path):
    read = datasets.folder(write(tmp_path, "b/z.png", "b/deep/er/1.JPEG", "b/deep/2.png", "c/only/3.png"))
    assert datasets.classes(read) == ["b", "c"]
    assert read["label"].values.tolist() == [0, 0, 0, 1]
    assert greys(read) == [0, 20, 10, 30]  # a folder's own images first


def test_files_of_systems_and_programs_are_neither_images_nor_classes(tmp_path):
    write(tmp_path, "cat/1.png", "dog/2.png")
    for name in (
        "__MACOSX/cat/._1.png",
        "cat/.DS_Store",
        "cat/Thumbs.db",
        "@eaDir/x.png",
        "#recycle/y.png",
        "cat/__MACOSX/._1.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for name in ("model.hdf", "paper.pdf", "film.mpeg", "field.grib", "boxes.txt", "labels.csv"):
        (tmp_path / "dog" / name).write_bytes(b"x")
    assert datasets.classes(datasets.folder(tmp_path)) == ["cat", "dog"]
    assert datasets.folder(tmp_path).sizes["stimulus"] == 2


def tiny_imagenet(root):
    write(root, "train/n01/images/n01_0.JPEG", "train/n02/images/n02_0.JPEG", "train/n03/images/n03_0.JPEG")
    write(root, "val/images/val_0.JPEG", "val/images/val_1.JPEG", "test/images/test_0.JPEG")
    (root / "train" / "n01" / "n01_boxes.txt").write_text("n01_0.JPEG\t0\t0\t5\t5\n")
    (root / "val" / "val_annotations.txt").write_text("val_0.JPEG\tn03\t0\t0\t5\t5\nval_1.JPEG\tn01\t0\t0\t5\t5\n")
    return root


def test_both_parts_of_tiny_imagenet_have_the_same_classes(tmp_path):
    tiny_imagenet(tmp_path)
    train, val = (datasets.folder(tmp_path, part=part) for part in ("train", "val"))
    assert datasets.classes(train) == datasets.classes(val) == ["n01", "n02", "n03"]
    assert val["label"].values.tolist() == [2, 0]
    with pytest.raises(ValueError, match=r"have no labels: .*the parts of .* are \['test', 'train', 'val'\]"):
        datasets.folder(tmp_path, part="test")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("val_0.JPEG\tn03\n", r"has no line for 'val_1.JPEG' \(1 images\)"),
        ("val_0.JPEG\tn03\nval_1.JPEG\tn03\nval_2.JPEG\tn03\n", "names, but lacks, 'val_2.JPEG'"),
        ("val_0.JPEG n03\n", "line 1 of .* must be a file's name, a tab and its class, got 'val_0.JPEG n03'"),
        ("val_0.JPEG\tn03\nval_1.JPEG\tn99\n", "the class 'n99', which is not a subfolder of train/"),
        ("val_0.JPEG\tn03\nval_0.JPEG\tn01\n", "gives 'val_0.JPEG' two classes"),
    ],
)
def test_a_list_of_classes_that_does_not_fit_is_refused(tmp_path, text, message):
    (tiny_imagenet(tmp_path) / "val" / "val_annotations.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        datasets.folder(tmp_path, part="val")


def test_parts_are_not_taken_for_classes(tmp_path):
    write(tmp_path, "Training/cat/1.png", "validation/cat/1.png")
    with pytest.raises(ValueError, match="contains parts, not classes"):
        datasets.folder(tmp_path)


def test_parts_without_classes_are_not_taken_for_classes(tmp_path):
    write(tmp_path, "Train/1.png", "test/2.png")
    with pytest.raises(ValueError, match=r"contains parts, not classes: .* such as part='Train'"):
        datasets.folder(tmp_path)


def test_a_class_may_be_called_train(tmp_path):
    write(tmp_path, "bus/1.png", "car/2.png", "train/3.png")
    assert datasets.classes(datasets.get(tmp_path, 3, part="train")) == ["bus", "car", "train"]


def test_blank_lines_in_a_list_of_classes_are_ignored(tmp_path):
    annotations = tiny_imagenet(tmp_path) / "val" / "val_annotations.txt"
    annotations.write_bytes(b"\xef\xbb\xbf" + annotations.read_bytes().replace(b"\n", b"\r\n") + b"\r\n \r\n")
    assert datasets.folder(tmp_path, part="val")["label"].values.tolist() == [2, 0]


def test_the_folder_that_an_archive_is_unpacked_into_is_not_taken_for_a_class(tmp_path):
    write(tmp_path, "photos/cat/1.png", "photos/dog/1.png")
    with pytest.raises(ValueError, match=r"has no images but subfolders, \['cat', 'dog'\].*give '.*photos'"):
        datasets.folder(tmp_path)


def test_images_that_are_left_out_are_reported(tmp_path):
    write(tmp_path, "cat/1.png", "stray.png")
    with pytest.warns(UserWarning, match="1 images next to the subfolders of .*'stray.png', are not read"):
        assert datasets.folder(tmp_path).sizes["stimulus"] == 1
    with pytest.warns(UserWarning, match="images in 1 subfolders of .*'cat', are not read: datasets.folder reads"):
        assert datasets.image_folder.pictures(tmp_path).sizes["stimulus"] == 1


def test_images_without_a_decoder_are_reported(tmp_path):
    write(tmp_path, "cat/1.png")
    (tmp_path / "cat" / "IMG_2.HEIC").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"1 images in .*'IMG_2.HEIC': their format cannot be read on this machine"):
        assert datasets.folder(tmp_path).sizes["stimulus"] == 1


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_but_not_in_a_circle(tmp_path):
    root = write(tmp_path / "set", "cat/1.png")
    write(tmp_path / "else", "d/2.png")
    (root / "dog").symlink_to(tmp_path / "else" / "d")
    (root / "cat" / "back").symlink_to(root / "cat")
    assert datasets.folder(root)["label"].values.tolist() == [0, 1]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_a_folder_above_does_not_bring_the_images_of_other_classes(tmp_path):
    root = write(tmp_path / "set", "cat/1.png", "dog/1.png", "dog/2.png")
    (root / "cat" / "all").symlink_to(root)
    (root / "dog" / "sets").symlink_to(tmp_path)
    assert datasets.folder(root)["label"].values.tolist() == [0, 1, 1]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize(("name", "message"), [("cat/3.png", "cannot read the image .*3.png"), ("cow", "broken link")])
def test_a_link_to_itself_is_named(tmp_path, name, message):
    write(tmp_path, "cat/1.png")
    (tmp_path / name).symlink_to(tmp_path / name)
    with pytest.raises(ValueError, match=message):
        datasets.folder(tmp_path)


def test_a_class_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    root, scandir = write(tmp_path, "cat/1.png", "dog/1.png"), os.scandir

    def refused(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    # permissions do not bind the superuser
    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(PermissionError, match=r"the folder .*dog' may not be read: change its permissions"):
        datasets.folder(root)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize(("name", "message"), [("cat/3.png", "cannot read the image .*3.png"), ("cow", "broken link")])
def test_a_link_to_nothing_is_named(tmp_path, name, message):
    write(tmp_path, "cat/1.png")
    (tmp_path / name).symlink_to(tmp_path / "gone")
    with pytest.raises(ValueError, match=message):
        datasets.folder(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_utf8_can_be_written(tmp_path):
    name = os.fsdecode(b"caf\xe9")
    root = write(tmp_path / name, f"{name}/1.png")
    read = datasets.folder(root)
    assert datasets.classes(read) == ["caf\\xe9"]
    assert read.attrs["name"] == "caf\\xe9"
    read.to_netcdf(tmp_path / "x.nc", engine="h5netcdf")
    assert datasets.image_folder.pictures(root / name).attrs["path"].endswith("caf\\xe9")


# --- values


def one(root, values, name="1.tif", **settings):
    (root / "a").mkdir(exist_ok=True)
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(root / "a" / name)
    return datasets.folder(root, **settings)["image"].values[0, 0]


RAMP = np.linspace(0, 1, 16).reshape(4, 4)


@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_values_of_unknown_range_are_refused_until_white_is_given(tmp_path, dtype):
    values = (RAMP * 1000).astype(dtype)
    with pytest.raises(ValueError, match=r"1.tif' \(it contains .* of unknown range\): save it .* or pass .*white="):
        one(tmp_path, values)
    np.testing.assert_allclose(one(tmp_path, values, white=1000), RAMP * 255, atol=1)
    with pytest.raises(ValueError, match=r"its values reach from 0 to 1000, but allowed is 0 to white, which is 500"):
        one(tmp_path, values, white=500)


@pytest.mark.parametrize("values", [RAMP - 0.1, np.where(RAMP == 1, np.nan, RAMP)], ids=["below zero", "NaN"])
def test_floating_point_values_below_zero_or_not_finite_are_refused(tmp_path, values):
    with pytest.raises(ValueError, match="but allowed is 0 to white, which is 1"):
        one(tmp_path, values.astype("float32"), white=1)


@pytest.mark.parametrize("name", ["1.tif", "1.png"])
def test_twelve_bits_in_sixteen_are_not_shown_as_black(tmp_path, name):
    values = (RAMP * 4095).astype("uint16")
    with pytest.raises(ValueError, match=r"reach only 4095 of 65535: if white is 4095 .* pass white=4095"):
        one(tmp_path, values, name)
    np.testing.assert_allclose(one(tmp_path, values, name, white=4095), RAMP * 255, atol=1)
    assert one(tmp_path, values, name, white=65535).max() == 15


def test_one_dark_image_among_others_of_sixteen_bits_is_read(tmp_path):
    write(tmp_path, "a/0.png", side=4)
    Image.fromarray((RAMP * 65535).astype("uint16")).save(tmp_path / "a" / "2.png")
    assert one(tmp_path, (RAMP * 4095).astype("uint16")).shape == (4, 4)


def test_a_range_that_the_file_states_is_taken(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.pgm").write_bytes(b"P5 2 1 4095\n" + bytes([0, 0, 15, 255]))
    assert datasets.folder(tmp_path)["image"].values[0, 0].tolist() == [[0, 255]]


def four_bits(values, transparent):
    """Return a PNG of one row of grey values from 0 to 15, one of which is transparent."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    row = bytes(16 * left + right for left, right in zip(values[::2], values[1::2], strict=True))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", len(values), 1, 4, 0, 0, 0, 0))
    image = chunk(b"tRNS", struct.pack(">H", transparent)) + chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + header + image + chunk(b"IEND", b"")


def test_a_transparent_value_of_four_or_sixteen_bits_shows_grey(tmp_path):
    (tmp_path / "a").mkdir()
    Image.fromarray(np.array([[2570, 65535]], "uint16")).save(tmp_path / "a" / "1.png", transparency=2570)
    (tmp_path / "a" / "2.png").write_bytes(four_bits([1, 15], transparent=1))
    assert datasets.folder(tmp_path)["image"].values[:, 0, 0].tolist() == [[127, 255], [127, 255]]


@pytest.mark.parametrize("white", [0, -1, "65535", float("nan")])
def test_an_impossible_white_is_refused(tmp_path, white):
    with pytest.raises(ValueError, match="white must be a number"):
        one(tmp_path, RAMP.astype("float32"), white=white)


def test_a_huge_scan_is_reported_as_too_large_with_a_remedy(tmp_path, monkeypatch):
    write(tmp_path, "a/slide.png", side=64)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(
        ValueError, match=r"slide.png' \(Image size \(4096 pixels\) .*: make it smaller; or set PIL.I"
    ) as e:
        datasets.folder(tmp_path)
    assert "repair" not in str(e.value)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert datasets.folder(tmp_path, size=8).sizes["y"] == 8


@pytest.mark.parametrize("name", ["2.tif", "2.gif", "2.webp", "2.png"])
def test_further_pages_and_frames_are_left_out_with_a_warning(tmp_path, name):
    write(tmp_path, "a/1.png", side=4)
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ("white", "black"))
    first.save(tmp_path / "a" / name, save_all=True, append_images=[second])
    with pytest.warns(UserWarning, match=rf"1 images have several frames or pages, such as '.*{name}': only the first"):
        read = datasets.folder(tmp_path)
    assert (read["image"].values[1] == 255).all()


def test_a_mask_is_turned_as_its_image_is(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    mask = np.full((4, 4), 128, dtype=np.uint8)
    mask[0] = 255
    for folder, image in (("images", Image.new("RGB", (4, 4))), ("masks", Image.fromarray(mask))):
        (tmp_path / folder).mkdir()
        image.save(tmp_path / folder / "1.png", exif=exif)
    read = datasets.folder(tmp_path / "images", targets=tmp_path / "masks")
    assert read["target"].values[0, :, -1].all()  # the first row is shown on the right
    assert read["target"].values.sum() == 4


def test_a_mask_of_sixteen_bits_is_not_clipped_to_on_the_target(tmp_path):
    for folder, values in (("images", np.zeros((4, 4), "uint8")), ("masks", np.full((4, 4), 128 * 257, "uint16"))):
        (tmp_path / folder).mkdir()
        Image.fromarray(values).save(tmp_path / folder / "1.png")
    with pytest.raises(ValueError, match="has the grey value 32896: allowed are 0 "):
        datasets.folder(tmp_path / "images", targets=tmp_path / "masks")


def test_two_masks_of_one_image_are_refused(tmp_path):
    write(tmp_path, "images/1.png", "masks/1.png", "masks/1.tif")
    with pytest.raises(ValueError, match=r"two masks for one image in .*, '1\.png' and '1\.tif': leave one"):
        datasets.folder(tmp_path / "images", targets=tmp_path / "masks")


# --- sizes and paths


def test_drawn_images_take_one_side_and_refuse_two(tmp_path):
    assert datasets.get("digits", 2, size=16)["image"].shape[2:] == (16, 16)
    with pytest.raises(ValueError, match=r"drawn images are square: size must be one side in px, got \(16, 32\)"):
        datasets.get("digits", 2, size=(16, 32))


def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write(tmp_path, "a/1.png", "b/2.png"))
    with pytest.raises(ValueError, match=r"path must not be empty: the current folder is '\.'"):
        datasets.folder("")
    assert datasets.classes(datasets.folder(".")) == ["a", "b"]


def test_an_image_that_may_not_be_read_is_named_with_what_helps(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    write(tmp_path, "a/1.png")
    monkeypatch.setattr(Image, "open", refuse)  # root may read everything
    with pytest.raises(ValueError, match=r"1\.png' \(Permission denied\): change its permissions, or leave it out"):
        datasets.folder(tmp_path)


# --- a name that is also a path


def test_a_folder_with_the_name_of_a_dataset_is_reported_and_can_be_given_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "contours/1/a.png", "contours/2/b.png", side=32)
    with pytest.warns(UserWarning, match=r"'contours' names a dataset of cortexsim; .* write ./contours to read it"):
        assert datasets.get("contours", 3, size=(32, 32)).sizes["stimulus"] == 3
    assert datasets.classes(datasets.get("./contours", 3)) == ["1", "2"]


def test_a_file_with_the_name_of_a_model_is_reported_and_can_be_given_as_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits-tiny").mkdir()
    with pytest.warns(
        UserWarning, match=r"'digits-tiny' names a model of cortexsim; .* write ./digits-tiny to read it"
    ):
        zoo.get("digits-tiny")
    with pytest.raises(FileNotFoundError, match="there is no model at digits-tiny"):
        zoo.get("./digits-tiny")


def test_images_of_a_brain_ignore_what_a_mac_adds(tmp_path):
    write(tmp_path, "2.png", "1.png")
    (tmp_path / "__MACOSX").mkdir()
    assert brains.images(tmp_path, size=6)["file_name"].values.tolist() == ["1.png", "2.png"]
