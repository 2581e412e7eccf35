"""Datasets: what they hold, that nothing gives the answer away, and every error a person can meet."""

import json
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
import xarray as xr
from PIL import Image

from cortexsim import datasets
from cortexsim.datasets import contour_tracing, labels

MAKERS = [datasets.digits, datasets.contours]


@pytest.fixture(scope="module")
def digits():
    return datasets.digits(600)


@pytest.fixture(scope="module")
def contours():
    return datasets.contours(3000)


@pytest.fixture
def photos(tmp_path):
    """Two classes, of two and of one image, 4 px high and 6 wide."""
    for name, grey in (("cat/a.png", 10), ("cat/b.png", 20), ("dog/c.png", 30)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (6, 4), (grey, grey, grey)).save(tmp_path / name)
    return tmp_path


def separability(features, label):
    """Accuracy of a logistic regression with squares and products, fitted to one half and tested on the other."""
    x = torch.as_tensor(features, dtype=torch.float64)
    first, second = torch.triu_indices(x.shape[1], x.shape[1])
    x = torch.cat([x, x[:, first] * x[:, second]], 1)
    x = torch.cat([(x - x.mean(0)) / x.std(0).clamp(min=1e-9), torch.ones(len(x), 1)], 1)
    y = torch.as_tensor(label, dtype=torch.float64)
    half = len(y) // 2
    w = torch.zeros(x.shape[1], dtype=torch.float64)
    for _ in range(8):  # Newton's method, slightly damped by a ridge
        p = torch.sigmoid(x[:half] @ w)
        curvature = x[:half].T @ (x[:half] * (p * (1 - p))[:, None]) + torch.eye(len(w))
        w -= torch.linalg.solve(curvature, x[:half].T @ (p - y[:half]) + w)
    return ((x[half:] @ w > 0) == (y[half:] == 1)).double().mean().item()


def three_standard_errors(n):
    return 3 * 0.5 / np.sqrt(n)


# --- what every dataset is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS)
def test_a_dataset_is_plain_xarray_with_rgb_images_and_described_factors(make):
    made = make(20)
    assert type(made) is xr.Dataset
    assert made["image"].dims == ("stimulus", "channel", "y", "x")
    assert made["image"].shape == (20, 3, 32, 32)
    assert made["image"].dtype == np.uint8
    assert made["label"].dtype == np.int64
    for name, factor in made.coords.items():
        assert factor.dims == ("stimulus",), name
        assert factor.attrs["long_name"], name
        assert factor.attrs["units"] in ("px", "degree", "1"), name
        assert np.isfinite(factor.values).all(), name
    assert {"name", "part", "classes", "seed"} <= set(made.attrs)
    assert all(type(value) in (str, int, float) for value in made.attrs.values())


def test_a_dataset_survives_netcdf(tmp_path):
    made = datasets.digits(4)
    made.to_netcdf(tmp_path / "digits.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "digits.nc", engine="h5netcdf") as opened:
        assert datasets.classes(opened) == [str(digit) for digit in range(10)]
        np.testing.assert_array_equal(opened["image"], made["image"])


@pytest.mark.parametrize("make", MAKERS)
def test_a_stimulus_depends_on_its_index_alone(make, monkeypatch):
    whole = make(60)
    monkeypatch.setitem(labels.CHUNK_PIXELS, "cpu", 7 * 32**2)
    xr.testing.assert_identical(make(60), whole)
    xr.testing.assert_identical(make(11), whole.isel(stimulus=slice(11)))


@pytest.mark.parametrize("make", MAKERS)
def test_seed_and_part_each_change_every_stimulus(make):
    image = make(30)["image"].values
    for other in (make(30, seed=1), make(30, part="test")):
        assert (other["image"].values != image).any((1, 2, 3)).all()


@pytest.mark.parametrize("make", MAKERS)
def test_classes_are_balanced(make):
    label = make(100, seed=5)["label"].values
    count = np.bincount(label)
    assert (count == 100 // len(count)).all()
    assert (np.diff(label) != 1).any()  # and not in one fixed order


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("size", [16, 20, 48])
def test_images_have_the_size_asked_for(make, size):
    assert make(6, size=size)["image"].shape == (6, 3, size, size)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("make", MAKERS)
def test_a_gpu_draws_the_same_images_to_a_grey_level(make):
    difference = make(300, device="cuda")["image"].astype(int) - make(300)["image"].astype(int)
    assert (abs(difference) <= 1).mean() > 0.999


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n": 0}, "n must be a whole number, at least 1, got 0"),
        ({"n": 2.5}, "n must be a whole number, at least 1, got 2.5"),
        ({"part": "tset"}, r"unknown part 'tset': the allowed values are \['train', 'test'\]; did you mean 'test'"),
        ({"size": 8}, "size must be a whole number from 16 to"),
        ({"size": (32, 32)}, r"size must be a whole number from 16 to"),
        ({"device": "gpu"}, "cannot compute on device 'gpu' here: allowed is 'cpu'"),
    ],
)
def test_impossible_settings_are_refused(make, setting, message):
    with pytest.raises(ValueError, match=message):
        make(**{"n": 4, **setting})


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_is_refused_where_there_is_none():
    with pytest.raises(ValueError, match=r"device 'cuda' here: allowed is 'cpu' \(torch finds no CUDA device\)"):
        datasets.digits(1, device="cuda")


# --- digits in debris ------------------------------------------------------------------------------------------------


def test_the_visible_fraction_keeps_to_the_occlusion_asked_for():
    visible = datasets.digits(300, occlusion=(0.3, 0.4))["visible_fraction"]
    assert visible.min() > 0.6 - 2e-3
    assert visible.max() < 0.7 + 2e-3
    assert visible.std() > 0.02  # the range is filled


def test_an_unoccluded_target_is_wholly_visible_over_its_debris():
    plain = datasets.digits(200, debris="none", occlusion="none")
    littered = datasets.digits(200, debris=(12, 12), occlusion="none")
    assert (littered["visible_fraction"] == 1).all()
    assert (littered["n_occluders"] == 0).all()
    # the pixels that the target fills: those of the colour farthest from the ground's
    image, ground = plain["image"].values.astype(int), plain["image"].values.astype(int)[:, :, :1, :1]
    distance = abs(image - ground).sum(1)
    inside = distance == distance.max((1, 2), keepdims=True)
    same = (littered["image"].values == plain["image"].values).all(1)
    # a stroke of less than two pixels fills no pixel to the last grey level, so debris may shine through by one
    assert same[inside].mean() > 0.998
    assert same[~inside].mean() < 0.9


def test_occluders_lie_over_the_target():
    free = datasets.digits(100, debris="none", occlusion="none")["image"].values
    covered = datasets.digits(100, debris="none", occlusion=(0.5, 0.5))
    assert ((covered["image"].values != free).any(1).mean((1, 2)) > 0.02).all()
    np.testing.assert_allclose(covered["visible_fraction"], 0.5, atol=2e-3)


@pytest.mark.parametrize(("debris", "low", "high"), [("none", 0, 0), ("light", 1, 4), ("heavy", 6, 12), ((3, 5), 3, 5)])
def test_the_number_of_fragments_spans_the_range_asked_for(debris, low, high):
    count = datasets.digits(200, debris=debris)["n_debris"]
    assert (int(count.min()), int(count.max())) == (low, high)


def test_test_digits_have_sizes_and_tilts_that_training_never_showed(digits):
    held_out = datasets.digits(600, part="test")
    for factor, apart in (("scale", 0.3), ("rotation", 0.9)):
        shown, new = np.sort(abs(digits[factor].values)), abs(held_out[factor].values)
        nearest = abs(shown[:, None] - new).min(0)
        assert nearest.min() > apart, factor
        # interpolation: training showed smaller and larger ones
        assert shown[0] < new.min(), factor
        assert new.max() < shown[-1], factor


def test_every_digit_is_drawn_within_the_image(digits):
    plain = datasets.digits(300, debris="none", occlusion="none")["image"].values.astype(int)
    edge = np.concatenate([plain[:, :, 0], plain[:, :, -1], plain[:, :, :, 0], plain[:, :, :, -1]], 2)
    touched = (abs(edge - plain[:, :, :1, 0]).sum(1) > 30).sum(1)
    assert (touched <= 6).mean() > 0.98


def test_colour_and_position_do_not_reveal_the_digit(digits):
    means = digits["image"].mean(("y", "x")).values / 255
    for digit in range(10):
        chosen = digits["label"].values == digit
        # a z score over ten classes and five numbers
        for value in (*means.T, digits["x_offset"].values, digits["y_offset"].values):
            z = (value[chosen].mean() - value.mean()) / (value.std() / np.sqrt(chosen.sum()))
            assert abs(z) < 4


def test_digits_of_a_class_are_more_alike_than_others():
    made = datasets.digits(2000, debris="none", occlusion="none")
    ink = abs(made["image"].values.astype(float) - made["image"].values[:, :, :1, :1]).sum(1)
    ink = torch.tensor(ink / ink.max((1, 2), keepdims=True)).flatten(1)
    # the image's own factors put every digit back in the middle before templates are averaged
    grid = np.stack([made["x_offset"], made["y_offset"]], 1).round().astype(int)
    upright = torch.stack(
        [torch.roll(i.reshape(32, 32), (-y, -x), (0, 1)).flatten() for i, (x, y) in zip(ink, grid, strict=True)]
    )
    label = torch.tensor(made["label"].values)
    template = torch.stack([upright[:1000][label[:1000] == digit].mean(0) for digit in range(10)])
    nearest = torch.cdist(upright[1000:], template).argmin(1)
    assert (nearest == label[1000:]).double().mean() > 0.5


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"debris": "hevy"}, r"unknown debris 'hevy': the allowed values are .*did you mean 'heavy'"),
        ({"debris": (5, 2)}, r"debris must be a pair \(lowest, highest\), both from 0 to 64, got \(5, 2\)"),
        ({"debris": (0.5, 2)}, r"debris must be a pair of whole numbers"),
        ({"debris": 3}, "debris must be a pair .* got 3"),
        ({"occlusion": "some"}, "unknown occlusion 'some': the allowed values are"),
        ({"occlusion": (0.2, 1.0)}, r"occlusion must be a pair .* both from 0 to 0.9, got \(0.2, 1.0\)"),
        ({"occlusion": (-0.1, 0.5)}, "both from 0 to 0.9"),
    ],
)
def test_impossible_debris_and_occlusion_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        datasets.digits(4, **setting)


# --- contour tracing -------------------------------------------------------------------------------------------------


def orange(dataset):
    """Pixels of the dots, which are the only ones that have colour."""
    image = dataset["image"].values.astype(float)
    return (image[:, 0] - image[:, 2]) / 255


def dot_positions(dataset):
    """Mean and covariance of the dots' pixels: five numbers that locate the two dots but for their order."""
    weight = orange(dataset)
    weight = weight / weight.sum((1, 2), keepdims=True)
    y, x = np.mgrid[:32, :32] / 32
    mean_x, mean_y = (weight * x).sum((1, 2)), (weight * y).sum((1, 2))
    products = [(weight * a).sum((1, 2)) for a in (x * x, x * y, y * y)]
    return np.stack([mean_x, mean_y, *products], 1)


@pytest.mark.parametrize("length", [None, (20, 28)], ids=["default", "long"])
def test_dot_distance_does_not_reveal_the_answer(contours, length):
    made = contours if length is None else datasets.contours(3000, length=length, seed=1)
    label, distance = made["label"].values, made["dot_distance"].values
    tolerance = three_standard_errors(len(label) / 2)
    assert abs(separability(distance[:, None], label) - 0.5) < tolerance
    # nor does any threshold: the two distributions agree (Kolmogorov and Smirnov, p = 0.001)
    at = np.sort(distance)
    below = [
        np.searchsorted(np.sort(distance[label == answer]), at, "right") / (label == answer).sum() for answer in (0, 1)
    ]
    assert abs(below[0] - below[1]).max() < 1.95 * np.sqrt(4 / len(label))


def test_neither_ink_nor_brightness_reveals_the_answer(contours):
    image = contours["image"].values / 255
    ink = np.stack([image.mean((1, 2, 3)), (image > 0.5).mean((1, 2, 3)), orange(contours).sum((1, 2))], 1)
    assert abs(separability(ink, contours["label"].values) - 0.5) < three_standard_errors(len(ink) / 2)


def test_dot_positions_do_not_reveal_the_answer(contours):
    positions = dot_positions(contours)
    assert abs(separability(positions, contours["label"].values) - 0.5) < three_standard_errors(len(positions) / 2)


def test_length_and_gap_do_not_reveal_the_answer(contours):
    factors = np.stack([contours["curve_length"], contours["curve_gap"]], 1)
    assert abs(separability(factors, contours["label"].values) - 0.5) < three_standard_errors(len(factors) / 2)


def test_no_linear_readout_of_the_pixels_reveals_the_answer(contours):
    x = torch.tensor(contours["image"].values / 255).flatten(1)
    x = x - x.mean(0)
    y = 2 * torch.tensor(contours["label"].values, dtype=x.dtype) - 1
    half = len(y) // 2
    dual = torch.linalg.solve(x[:half] @ x[:half].T + 30 * torch.eye(half), y[:half])
    right = (x[half:] @ (x[:half].T @ dual)).sign() == y[half:]
    assert abs(right.double().mean() - 0.5) < three_standard_errors(half)


def components(image):
    """Number of pieces of the drawing, and whether the dots lie on one, by flooding."""
    lit = image.max(0) > 90
    piece = np.zeros(lit.shape, dtype=int)
    for n, start in enumerate(zip(*np.nonzero(lit), strict=True), 1):
        frontier = [] if piece[start] else [start]
        while frontier:
            y, x = frontier.pop()
            if 0 <= y < 32 and 0 <= x < 32 and lit[y, x] and not piece[y, x]:
                piece[y, x] = n
                frontier += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    dots = (image[0].astype(int) - image[2]) > 120
    return len(set(piece[lit])), len(set(piece[dots]))


def test_tracing_gives_the_answer(contours):
    for stimulus in range(150):
        pieces, pieces_with_dots = components(contours["image"].values[stimulus])
        assert pieces == 2
        assert (pieces_with_dots == 1) == bool(contours["label"][stimulus])


def test_curves_have_exactly_the_length_and_gap_they_are_said_to_have(contours):
    assert contours["curve_gap"].min() >= contour_tracing.GAP_PX
    assert contours["curve_length"].min() >= 8
    assert contours["curve_length"].max() <= 28
    assert (contours["dot_distance"] <= contours["curve_length"]).all()
    fixed = datasets.contours(20, length=(18, 18))
    np.testing.assert_allclose(fixed["curve_length"], 18)
    index = torch.arange(20)
    length = torch.full((20,), 18.0, dtype=torch.float64)
    points = contour_tracing._draw_pairs(0, "contours/train", index, length, 32).points
    np.testing.assert_allclose(np.linalg.norm(np.diff(points, axis=2), axis=3).sum(2), 18)
    a0, a1, b0, b1 = points[:, 0, 0], points[:, 0, -1], points[:, 1, 0], points[:, 1, -1]
    torch.testing.assert_close((a0 - b0).norm(dim=1), (a0 - a1).norm(dim=1))
    torch.testing.assert_close((a1 - b1).norm(dim=1), (b0 - b1).norm(dim=1))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"length": (2, 10)}, r"length must be a pair \(lowest, highest\), both from 4 to 32, got \(2, 10\)"),
        ({"length": (4, 33)}, "both from 4 to 32"),
        ({"length": 10}, "length must be a pair .* got 10"),
        ({"length": (10, 6)}, r"length must be a pair .* got \(10, 6\)"),
    ],
)
def test_impossible_curve_lengths_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        datasets.contours(4, **setting)


def test_curves_that_do_not_fit_are_refused_with_advice(monkeypatch):
    monkeypatch.setattr(contour_tracing, "CANDIDATES", [1])
    with pytest.raises(
        ValueError, match=r"no two curves of 16.0 px .* on 16 x 16 px .*shorter curves or a larger image"
    ):
        datasets.contours(4, size=16, length=(16, 16))


# --- folders of images -----------------------------------------------------------------------------------------------


def test_a_folder_gives_its_subfolders_as_classes(photos):
    (photos / ".hidden").mkdir()
    (photos / "cat" / ".a.png").write_bytes(b"hidden")
    (photos / "cat" / "notes.txt").write_text("no image")
    read = datasets.folder(photos)
    assert datasets.classes(read) == ["cat", "dog"]
    assert read["image"].shape == (3, 3, 4, 6)
    assert read["label"].values.tolist() == [0, 0, 1]
    assert read["source"].values.tolist() == [0, 1, 2]
    assert read["image"].values[:, 0, 0, 0].tolist() == [10, 20, 30]


def test_a_part_is_read_from_its_subfolder(photos, tmp_path_factory):
    whole = tmp_path_factory.mktemp("set")
    photos.rename(whole / "train")
    (whole / "test").mkdir()
    assert datasets.folder(whole, part="train").attrs["part"] == "train"
    with pytest.raises(
        ValueError, match=r"contains parts, not classes: choose one by part=, one of \['test', 'train'\]"
    ):
        datasets.folder(whole)
    with pytest.raises(ValueError, match=r"unknown part 'tran'.*did you mean 'train'"):
        datasets.folder(whole, part="tran")
    with pytest.raises(ValueError, match="test' has no subfolders"):
        datasets.folder(whole, part="test")


@pytest.mark.parametrize("progress", [False, True])
@pytest.mark.parametrize("small_file_bytes", [0, 10**6], ids=["threads", "sequence"])
def test_threads_and_progress_change_nothing(photos, monkeypatch, progress, small_file_bytes, capsys):
    monkeypatch.setattr("cortexsim.datasets.image_files.SMALL_FILE_BYTES", small_file_bytes)
    read = datasets.folder(photos, progress=progress)
    assert read["image"].values[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert ("reading images" in capsys.readouterr().err) == progress


def saved(tmp_path, image, name="image.png", **settings):
    """The one image of a folder, read back as (y, x, channel)."""
    (tmp_path / "class").mkdir()
    image.save(tmp_path / "class" / name, **settings)
    return datasets.folder(tmp_path)["image"].values[0].transpose(1, 2, 0)


def test_a_grey_image_becomes_rgb(tmp_path):
    assert (saved(tmp_path, Image.new("L", (5, 3), 77)) == 77).all()


def test_a_palette_image_shows_its_colours(tmp_path):
    image = Image.new("RGB", (5, 3), (255, 0, 0)).quantize(4)
    assert image.mode == "P"
    assert (saved(tmp_path, image) == (255, 0, 0)).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_show_mid_grey(tmp_path, mode):
    image = Image.new(mode, (5, 3), (255, 255, 255, 0) if mode == "RGBA" else (255, 0))
    assert (saved(tmp_path, image) == 127).all()


def test_a_palette_image_may_be_transparent(tmp_path):
    image = Image.new("P", (5, 3), 0)
    image.putpalette([255, 0, 0] * 256)
    assert (saved(tmp_path, image, transparency=0) == 127).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    image = Image.fromarray(np.full((3, 5), 32896, dtype=np.uint16))
    assert (saved(tmp_path, image) == 128).all()


def test_a_cmyk_image_becomes_rgb(tmp_path):
    colour = saved(tmp_path, Image.new("CMYK", (5, 3), (0, 255, 255, 0)), "image.tif")
    assert (colour == (255, 0, 0)).all()


def test_a_bilevel_image_becomes_black_and_white(tmp_path):
    assert (saved(tmp_path, Image.new("1", (5, 3), 1)) == 255).all()


UPRIGHT = np.arange(0, 240, 16, dtype=np.uint8).reshape(3, 5)


@pytest.mark.parametrize(
    ("orientation", "as_stored"),
    [
        (1, lambda upright: upright),
        (2, np.fliplr),
        (3, lambda upright: np.rot90(upright, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, np.rot90),
        (7, lambda upright: np.rot90(upright, 2).T),
        (8, lambda upright: np.rot90(upright, 3)),
    ],
)
def test_the_orientation_of_the_camera_is_applied(tmp_path, orientation, as_stored):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(as_stored(UPRIGHT)))
    assert (saved(tmp_path, stored, exif=exif) == UPRIGHT[..., None]).all()


def test_floating_point_images_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"image.tif' \(it contains floating-point values of unknown range"):
        saved(tmp_path, Image.new("F", (5, 3)), "image.tif")


def test_resizing_averages_over_the_dropped_pixels(tmp_path):
    (tmp_path / "class").mkdir()
    stripes = np.zeros((64, 64), dtype=np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "class" / "stripes.png")
    read = datasets.folder(tmp_path, size=(8, 16))["image"]
    assert read.shape == (1, 3, 8, 16)
    assert abs(read.astype(int)[..., 1:-1] - 127).max() < 4
    assert datasets.folder(tmp_path, size=8)["image"].shape == (1, 3, 8, 8)


def test_the_first_image_of_another_size_is_named(photos):
    Image.new("RGB", (7, 4)).save(photos / "cat" / "b.png")
    Image.new("RGB", (8, 4)).save(photos / "dog" / "c.png")
    with pytest.raises(ValueError, match=r"b.png' has 4 x 7 px .*a.png' has 4 x 6: give size=\(height, width\)"):
        datasets.folder(photos)
    assert datasets.folder(photos, size=(4, 6)).sizes["stimulus"] == 3


@pytest.mark.parametrize("content", [b"", b"no image at all", "cut"])
def test_a_corrupt_file_is_named(photos, content):
    file = photos / "dog" / "c.png"
    if content == "cut":
        noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(file)
        content = file.read_bytes()[:2000]
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read the image .*c.png' \(.*\): repair or remove it"):
        datasets.folder(photos)


def with_damage(photos, n):
    for k in range(n):
        (photos / "cat" / f"damaged{k}.png").write_bytes(b"")
    return photos


@pytest.mark.parametrize("small_file_bytes", [0, 10**6], ids=["threads", "sequence"])
def test_several_corrupt_files_are_named_at_once(photos, monkeypatch, small_file_bytes):
    monkeypatch.setattr("cortexsim.datasets.image_files.SMALL_FILE_BYTES", small_file_bytes)
    one = r"'\S*damaged{}.png' \(.*?\)"
    message = f"cannot read the images {one.format(0)}, {one.format(1)}: repair or remove them$"
    with pytest.raises(ValueError, match=message):
        datasets.folder(with_damage(photos, 2))


def test_of_many_corrupt_files_five_are_named(photos):
    with pytest.raises(ValueError, match=r"damaged4.png' \(.*\), and more: repair or remove them") as refused:
        datasets.folder(with_damage(photos, 7))
    assert "damaged5" not in str(refused.value)


def test_a_corrupt_first_file_hides_no_other(photos):
    for name in ("cat/a.png", "dog/c.png"):
        (photos / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"cannot read the images .*a.png' .*c.png' "):
        datasets.folder(photos)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"there is no folder .*nowhere': give a folder with one subfolder per class"
    ):
        datasets.folder(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "images.zip").write_bytes(b"")
    with pytest.raises(ValueError, match=r"images.zip' is a file: give a folder"):
        datasets.folder(tmp_path / "images.zip")


def test_a_folder_without_subfolders_is_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="has no subfolders: each class needs one"):
        datasets.folder(tmp_path)


def test_a_class_without_images_is_named(photos):
    (photos / "empty").mkdir()
    with pytest.raises(ValueError, match=r"no image found in .*empty'"):
        datasets.folder(photos)


@pytest.mark.parametrize("size", [0, (4, 4, 3), (4.5, 4), (-1, 4)])
def test_an_impossible_size_is_refused(photos, size):
    with pytest.raises(ValueError, match=r"size must be a (whole number of px, at least 1|side in px, a pair)"):
        datasets.folder(photos, size=size)


# --- CIFAR-10 --------------------------------------------------------------------------------------------------------


class FakeCIFAR10:
    """What torchvision delivers, in small."""

    def __init__(self, root, train, download):
        self.data = np.arange(2 * 32 * 32 * 3).reshape(2, 32, 32, 3).astype(np.uint8)
        self.targets = [3, 5] if train else [0, 1]
        self.classes = ["airplane", "automobile"]


def test_cifar10_comes_as_every_other_dataset(monkeypatch):
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", FakeCIFAR10)
    read = datasets.cifar10("anywhere", part="test")
    assert read["image"].dims == ("stimulus", "channel", "y", "x")
    assert read["image"].shape == (2, 3, 32, 32)
    assert read["label"].values.tolist() == [0, 1]
    assert datasets.classes(read) == ["airplane", "automobile"]
    assert read["image"].values[0, 2, 0, 1] == 5  # channel-first: pixel (0, 1), blue


def test_cifar10_offline_is_refused_with_a_remedy(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", offline)
    with pytest.raises(
        FileNotFoundError, match=r"could not be downloaded .*no route.*connect to the internet once.*folder"
    ):
        datasets.cifar10(tmp_path)


@pytest.mark.parametrize("download", [True, False])
def test_a_failed_download_leaves_no_empty_folder(tmp_path, monkeypatch, download):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(torchvision.datasets.utils, "_urlretrieve", offline)
    with pytest.raises(FileNotFoundError, match="CIFAR-10 is not in"):
        datasets.cifar10(tmp_path / "own", download=download)
    assert not (tmp_path / "own").exists()


def test_a_failed_download_leaves_a_folder_of_the_users(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(torchvision.datasets.utils, "_urlretrieve", offline)
    with pytest.raises(FileNotFoundError, match="CIFAR-10 is not in"):
        datasets.cifar10(tmp_path)
    assert tmp_path.is_dir()


def test_cifar10_absent_and_not_to_be_downloaded_is_refused_with_a_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"CIFAR-10 is not in .*download=False.*'cifar-10-batches-py'"):
        datasets.cifar10(tmp_path, download=False)


def test_cifar10_has_two_parts(tmp_path):
    with pytest.raises(ValueError, match="unknown part 'valid'"):
        datasets.cifar10(tmp_path, part="valid")


# --- splitting -------------------------------------------------------------------------------------------------------


def test_a_split_holds_out_the_same_fraction_of_every_class(digits):
    rest, held_out = datasets.split(digits, 0.2)
    assert (np.bincount(held_out["label"]) == 12).all()
    assert (np.bincount(rest["label"]) == 48).all()
    assert held_out.attrs["part"] == "validation"
    assert digits.attrs["part"] == rest.attrs["part"] == "train"


def test_a_split_is_a_partition_and_repeats_itself(digits):
    numbered = digits.assign_coords(number=("stimulus", np.arange(600)))
    rest, held_out = datasets.split(numbered, 0.25, seed=3)
    assert sorted([*rest["number"].values, *held_out["number"].values]) == list(range(600))
    assert (np.diff(held_out["number"]) > 0).all()
    xr.testing.assert_identical(datasets.split(numbered, 0.25, seed=3)[1], held_out)
    assert set(datasets.split(numbered, 0.25, seed=4)[1]["number"].values) != set(held_out["number"].values)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_an_impossible_fraction_is_refused(digits, fraction):
    with pytest.raises(ValueError, match=f"cannot hold out the fraction {fraction}: allowed is a number above 0"):
        datasets.split(digits, fraction)


def test_a_split_that_leaves_one_side_empty_is_refused():
    with pytest.raises(ValueError, match="takes 0 of 4 stimuli: each side needs at least one"):
        datasets.split(datasets.digits(4), 0.1)


@pytest.mark.parametrize(
    ("n", "which"), [(1, [0]), (3, [0, 3, 6]), (4, [0, 2, 5, 7]), (10, range(10)), (99, range(10))]
)
def test_stimuli_are_taken_from_all_over_a_dataset(n, which):
    ten = xr.Dataset(coords={"label": ("stimulus", np.arange(10))})
    assert datasets.spread(ten, n)["label"].values.tolist() == list(which)


def test_a_split_needs_labels(digits):
    with pytest.raises(ValueError, match=r"cannot split by class: the coordinates are .*needed is 'label'"):
        datasets.split(digits.drop_vars("label"), 0.1)


def test_classes_of_a_foreign_dataset_are_asked_for(digits):
    assert datasets.classes(digits) == json.loads(digits.attrs["classes"])
    with pytest.raises(ValueError, match="has no attribute 'classes': allowed is a JSON list of names"):
        datasets.classes(xr.Dataset())


def test_matched_contours_have_both_answers_at_every_length():
    found = datasets.contours(60, part="test", matched=True)
    length, label = found["curve_length"].values, found["label"].values
    np.testing.assert_array_equal(length[::2], length[1::2])
    assert (label[::2] + label[1::2] == 1).all()
    # which answer comes first is a draw, too
    assert 5 < label[::2].sum() < 25
    assert len(np.unique(length)) == 30
    assert not np.array_equal(found["image"][0], found["image"][1])
    # in any bin of lengths a guess is right half of the time
    for low, high in ((8, 15), (15, 21), (21, 28)):
        assert label[(length >= low) & (length < high)].mean() == 0.5


def test_matched_contours_begin_as_a_larger_set_does():
    few, many = (datasets.contours(n, part="test", matched=True) for n in (4, 6))
    np.testing.assert_array_equal(few["image"], many["image"][:4])


def test_contours_that_are_not_matched_are_unchanged():
    plain = datasets.contours(3, part="test")
    assert "matched" not in plain.attrs
    assert plain["curve_length"].values.tolist() == pytest.approx([17.285130, 22.795815, 20.559832], abs=1e-5)


def test_targets_have_no_answers_to_match():
    with pytest.raises(ValueError, match="with targets=True there are no answers"):
        datasets.contours(3, matched=True, targets=True)


@pytest.mark.parametrize("draw", [datasets.digits, datasets.contours, datasets.paths, datasets.mazes])
def test_more_images_than_fit_in_memory_are_refused_before_any_is_drawn(draw):
    with pytest.raises(MemoryError, match=r"100,000,000,000,000 images of \d+ x \d+ px take .* GB of memory is free"):
        draw(10**14)


@pytest.mark.parametrize("draw", [datasets.digits, datasets.contours, datasets.paths, datasets.mazes])
@pytest.mark.parametrize("seed", [np.int16(5), np.array(5), torch.tensor(5), xr.DataArray(5)])
def test_a_seed_of_any_kind_is_saved_as_a_plain_number(draw, seed):
    found = draw(2, seed=seed)
    assert type(found.attrs["seed"]) is int
    xr.testing.assert_identical(found, draw(2, seed=5))


@pytest.mark.parametrize("n", [-1, 0, True, 2.0, "2", None, float("nan")])
@pytest.mark.parametrize("choose", [datasets.spread, datasets.sample])
def test_stimuli_are_chosen_by_a_whole_number_of_them(choose, n):
    with pytest.raises(ValueError, match="n must be a whole number, at least 1, got"):
        choose(datasets.paths(4, size=16), n)


def test_stimuli_are_chosen_by_numbers_of_any_kind():
    data = datasets.paths(6, size=16)
    for choose in (datasets.spread, datasets.sample):
        xr.testing.assert_identical(choose(data, torch.tensor(3)), choose(data, 3))
    xr.testing.assert_identical(datasets.sample(data, 3, seed=np.uint8(9)), datasets.sample(data, 3, seed=9))
    with pytest.raises(ValueError, match=r"seed must be a whole number from .* got 9.5"):
        datasets.sample(data, 3, seed=9.5)


@pytest.mark.parametrize("fraction", ["0.2", None, float("nan"), [0.2]])
def test_a_fraction_that_is_no_number_is_refused(fraction):
    with pytest.raises(ValueError, match="fraction must be a finite number, got"):
        datasets.split(datasets.contours(8), fraction)


def test_an_empty_length_is_not_the_default():
    with pytest.raises(ValueError, match=r"length must be a pair \(lowest, highest\), .* got \(\)"):
        datasets.contours(2, length=())


@pytest.mark.parametrize("draw", [datasets.digits, datasets.contours, datasets.paths, datasets.mazes])
def test_images_do_not_depend_on_the_callers_modes(draw):
    wanted = draw(4)
    with torch.device("meta"), torch.inference_mode():
        found = draw(4)
        xr.testing.assert_identical(datasets.sample(found, 2), datasets.sample(wanted, 2))
    xr.testing.assert_identical(found, wanted)
