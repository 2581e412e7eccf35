"""Datasets with target maps: what they contain, and that nothing but the line itself gives the answer away."""

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from scipy import ndimage

from cortexsim import datasets
from cortexsim.datasets import pixel_paths

MAKERS = {
    "paths": lambda n, **settings: datasets.paths(n, **settings),
    "mazes": lambda n, **settings: datasets.mazes(n, **settings),
    "solutions": lambda n, **settings: datasets.mazes(n, goal="solution", **settings),
    "contours": lambda n, **settings: datasets.contours(n, size=16, length=(4.0, 12.0), targets=True, **settings),
}
TOUCHING = np.ones((3, 3))


@pytest.fixture(scope="module")
def made():
    return {name: make(120) for name, make in MAKERS.items()}


def at(variable, y, x):
    return variable.values[np.arange(len(y)), y.values, x.values]


def away(data, place):
    """Return the straight distance from the cue to the far point or the foil, px."""
    return np.hypot(data[f"{place}_y"] - data["cue_y"], data[f"{place}_x"] - data["cue_x"]).values


def ahead(data, place):
    """Return the cosine between the direction in which the line leaves the cue and the direction of a place."""
    leaving = np.stack([np.argwhere(one == 1)[0] for one in data["distance"].values])
    cue = np.stack((data["cue_y"], data["cue_x"]), 1)
    seen = np.stack((data[f"{place}_y"], data[f"{place}_x"]), 1) - cue
    return ((leaving - cue) * seen).sum(1) / np.hypot(*seen.T)


def best_threshold(yes, no):
    """Return the accuracy of the best threshold on a number that is known of far points and foils."""
    edges = np.unique(np.concatenate((yes, no)))
    right = [((yes >= edge).mean() + (no < edge).mean()) / 2 for edge in edges]
    return max(max(right), 1 - min(right))


def test_target_maps_are_plain_xarray_with_the_named_variables(made):
    for name, data in made.items():
        assert type(data) is xr.Dataset, name
        assert data["image"].dims == ("stimulus", "channel", "y", "x"), name
        assert data["image"].dtype == np.uint8, name
        for variable in ("target", "line", "distance"):
            assert data[variable].dims == ("stimulus", "y", "x"), name
        places = {f"{what}_{axis}" for what in ("cue", "end", "foil") for axis in "yx"}
        assert {"length", *places} <= set(data.coords), name
        assert all(type(value) in (str, int, float) for value in data.attrs.values()), name
        assert len(datasets.classes(data)) == 2, name


def test_the_target_is_where_the_line_has_a_distance_from_the_cue(made):
    for name, data in made.items():
        target, line, distance = (data[what].values for what in ("target", "line", "distance"))
        assert ((distance >= 0) == (target == 1)).all(), name
        assert (line[target == 1]).all(), name
        # smooth contours begin anywhere within the pixel of their dot
        assert (at(data["distance"], data["cue_y"], data["cue_x"]) <= (name == "contours")).all(), name
        assert ((target == 0) & line).any((1, 2)).all(), name


def test_the_far_point_belongs_to_the_cue_and_the_foil_does_not(made):
    for name, data in made.items():
        assert (at(data["target"], data["end_y"], data["end_x"]) == 1).all(), name
        assert (at(data["target"], data["foil_y"], data["foil_x"]) == 0).all(), name
        assert at(data["line"], data["foil_y"], data["foil_x"]).all(), name


def test_each_target_pixel_of_paths_and_mazes_has_a_neighbour_one_step_nearer(made):
    for name in ("paths", "mazes", "solutions"):
        distance = np.pad(made[name]["distance"].values, ((0, 0), (1, 1), (1, 1)), constant_values=-1)
        around = [np.roll(distance, shift, axis) for axis in (1, 2) for shift in (1, -1)]
        nearer = np.any([there == distance - 1 for there in around], axis=0)
        assert nearer[distance > 0].all(), name


def test_the_far_point_of_paths_and_mazes_is_the_end(made):
    for name in ("paths", "mazes"):
        data = made[name]
        steps = at(data["distance"], data["end_y"], data["end_x"])
        assert (steps == data["length"].values - 1).all(), name
        assert (steps == data["distance"].values.max((1, 2))).all(), name


def test_curves_of_single_pixels_never_touch():
    data = datasets.paths(60, size=24, length=(5, 14), n_curves=5)
    for line, target, length in zip(data["line"].values, data["target"].values, data["length"].values, strict=True):
        found, n_found = ndimage.label(line, structure=TOUCHING)
        assert n_found == 5
        assert (np.bincount(found[line])[1:] == length).all()
        assert len(np.unique(found[target == 1])) == 1


def test_no_pixel_of_a_curve_touches_another_than_its_neighbours_along_it():
    data = datasets.paths(100, size=32, length=(20, 20), n_curves=2)
    for distance in data["distance"].values:
        along = np.argsort(np.where(distance < 0, 10**6, distance).ravel(), kind="stable")[:20]
        place = np.stack((along // 32, along % 32), 1)
        near = np.abs(place[:, None] - place).max(-1) <= 1
        apart = np.abs(np.arange(20)[:, None] - np.arange(20))
        assert (apart[near] <= 2).all()  # two apart only around a corner


def test_a_split_maze_is_two_trees_of_which_one_has_the_cue(made):
    for line, target in zip(made["mazes"]["line"].values, made["mazes"]["target"].values, strict=True):
        found, n_found = ndimage.label(line)
        passages = (line[1:] & line[:-1]).sum() + (line[:, 1:] & line[:, :-1]).sum()
        assert n_found == 2
        assert passages == line.sum() - 2
        assert len(np.unique(found[target == 1])) == 1
        assert 0.2 < target.sum() / line.sum() < 0.8


def test_the_solution_is_the_path_from_one_dot_to_the_other(made):
    data = made["solutions"]
    for image, target, length in zip(data["image"].values, data["target"].values, data["length"].values, strict=True):
        dots = np.argwhere((image[0] == 255) & (image[2] == 0))
        neighbours = ndimage.convolve(target.astype(int), np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), mode="constant")
        ends = np.argwhere((target == 1) & (neighbours == 1))
        assert len(dots) == 2
        assert {tuple(dot) for dot in dots} == {tuple(end) for end in ends}
        assert target.sum() == length


def test_the_foil_of_paths_is_exactly_as_far_from_the_cue_as_the_far_point():
    data = datasets.paths(500, size=32, length=(3, 20))
    assert (away(data, "end") == away(data, "foil")).all()


def test_the_foils_of_contours_and_mazes_are_as_far_on_average(made):
    for name, largest in (("contours", 0.5), ("mazes", 0.5), ("solutions", 0.3)):
        mismatch = away(made[name], "end") - away(made[name], "foil")
        assert np.abs(mismatch).mean() < largest, name
        assert abs(mismatch.mean()) < 3 * mismatch.std() / np.sqrt(len(mismatch)) + 0.1, name


def test_neither_distance_nor_direction_nor_place_distinguishes_the_far_point_of_a_path_from_the_foil():
    data = datasets.paths(1500, size=32, length=(20, 20))
    noise = 0.5 + 3 * 0.5 / np.sqrt(len(data["length"]))
    middle = (32 - 1) / 2
    assert best_threshold(away(data, "end"), away(data, "foil")) == 0.5
    assert best_threshold(ahead(data, "end"), ahead(data, "foil")) < 0.6
    for axis in "yx":
        yes, no = (data[f"{place}_{axis}"].values for place in ("end", "foil"))
        assert best_threshold(yes, no) < noise
        assert best_threshold(np.abs(yes - middle), np.abs(no - middle)) < noise


def test_all_curves_of_an_image_are_equally_long_so_that_line_length_reveals_nothing():
    data = datasets.paths(200, n_curves=3)
    assert (data["line"].sum(("y", "x")) == 3 * data["length"]).all()
    assert (data["target"].sum(("y", "x")) == data["length"]).all()


def test_far_point_and_foil_of_a_path_are_both_ends_of_curves():
    data = datasets.paths(200)
    neighbours = np.stack(
        [ndimage.convolve(line.astype(int), TOUCHING, mode="constant") for line in data["line"].values]
    )
    # an end has one neighbour along the curve, and a second pixel near it only around a corner
    for place in ("end", "foil"):
        count = neighbours[np.arange(200), data[f"{place}_y"], data[f"{place}_x"]]
        assert (count <= 3).all()


def test_stimuli_depend_on_seed_part_and_index_alone():
    for name, make in MAKERS.items():
        small, large = make(5), make(20)
        xr.testing.assert_equal(small, large.isel(stimulus=slice(0, 5)))
        for other in (make(5, seed=1), make(5, part="test")):
            assert not np.array_equal(small["image"], other["image"]), name


def test_targets_do_not_change_the_curves_of_contours():
    plain = datasets.contours(30, size=32)
    mapped = datasets.contours(30, size=32, targets=True)
    # away from the orange dots, which have no blue
    white = (plain["image"][:, 2] == plain["image"][:, 0]) & (mapped["image"][:, 2] == mapped["image"][:, 0])
    assert (plain["image"].where(white) == mapped["image"].where(white)).where(white, True).all()
    np.testing.assert_allclose(plain["curve_length"], mapped["length"])


def test_target_maps_survive_netcdf(tmp_path, made):
    for name, data in made.items():
        data.to_netcdf(tmp_path / f"{name}.nc", engine="h5netcdf")
        xr.testing.assert_identical(xr.load_dataset(tmp_path / f"{name}.nc", engine="h5netcdf"), data)


def test_curves_that_do_not_fit_are_refused_before_drawing_starts(monkeypatch):
    monkeypatch.setattr(pixel_paths, "_draw", lambda *arguments: pytest.fail("drawing has started"))
    with pytest.raises(
        ValueError, match=r"3 curves of 60 px .* do not fit on 16 x 16 px: allowed is a length of up to"
    ):
        datasets.paths(10, length=(3, 60))


def test_curves_that_an_error_says_would_fit_do_fit():
    with pytest.raises(ValueError, match="allowed is") as refused:
        datasets.paths(10, size=16, length=(3, 60))
    words = str(refused.value).split()
    fitting, size = int(words[words.index("to") + 1]), int(words[-2])
    datasets.paths(10, size=16, length=(3, fitting))
    datasets.paths(10, size=size, length=(3, 60))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 4}, "size must be a whole number of px from 8 to 256, got 4"),
        ({"length": (2, 5)}, "length must be a pair .*, both from 3 to 200, got \\(2, 5\\)"),
        ({"length": (3.5, 5)}, "length must be a pair of whole numbers of px"),
        ({"n_curves": 1}, "n_curves must be a whole number from 2 to 6, got 1"),
        ({"straight": 0}, "straight must be a number, at least 0.01, got 0"),
        ({"part": "val"}, "unknown part 'val'"),
    ],
)
def test_wrong_settings_of_paths_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        datasets.paths(4, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cells": 2}, "cells must be a whole number from 3 to 60, got 2"),
        ({"goal": "exit"}, "unknown goal 'exit': the allowed values are \\['component', 'solution'\\]"),
    ],
)
def test_wrong_settings_of_mazes_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        datasets.mazes(4, **settings)


# --- by name, and from files -----------------------------------------------------------------------------------------


def test_paths_and_mazes_are_drawn_by_name_at_a_size():
    assert datasets.get("paths", 2, size=(24, 24))["target"].shape == (2, 24, 24)
    assert datasets.get("mazes", 2, size=(11, 11)).attrs["cells"] == 5
    assert datasets.get({"name": "mazes", "cells": 4, "goal": "solution"}, 2).attrs["goal"] == "solution"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 32}, "odd numbers from 7 to 121, got 32"),
        ({"size": 11, "cells": 5}, "either cells or size"),
        ({"size": 5}, "size"),
    ],
)
def test_a_maze_of_an_impossible_size_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        datasets.mazes(2, **settings)


@pytest.fixture
def files(tmp_path):
    """Write three images and their masks, as a user would."""
    data = datasets.paths(3, size=12, length=(4, 4))
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for k in range(3):
        grey = np.where(data["line"][k], np.where(data["target"][k] == 1, 255, 128), 0).astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / "masks" / f"{k}.png")
        Image.fromarray(data["image"].values[k].transpose(1, 2, 0)).save(tmp_path / "images" / f"{k}.png")
    return tmp_path, data


def read(folder, **settings):
    return datasets.folder(folder / "images", targets=folder / "masks", **settings)


def test_a_folder_of_images_and_one_of_masks_is_a_dataset_with_target_maps(files):
    folder, data = files
    made = read(folder)
    for name in ("image", "target", "line"):
        np.testing.assert_array_equal(made[name], data[name])
    assert (made["distance"] == -1).all()
    assert made["target"].dtype == data["target"].dtype


def test_masks_are_enlarged_without_new_values(files):
    made = read(files[0], size=24)
    np.testing.assert_array_equal(made["target"].values[:, ::2, ::2], files[1]["target"])


def test_a_map_is_measured_on_files_of_the_user_but_not_at_a_far_point(files):
    import cortexsim as cs

    made = read(files[0])
    recording = cs.simulate(cs.zoo.load("tracer").at_size(12), made, cs.sustained(), until=8, record=[])
    assert float(cs.analyse.map_accuracy(recording, made, "pixels")[-1]) > 0.9
    with pytest.raises(ValueError, match="no coordinates end_y and end_x"):
        cs.analyse.map_accuracy(recording, made)


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda f: (f / "masks/1.png").unlink(), ValueError, r"image '1.png' has no mask \(1 of 3 images"),
        (lambda f: (f / "images/1.png").unlink(), ValueError, "mask '1.png' has no image"),
        (lambda f: Image.new("L", (12, 13)).save(f / "masks/2.png"), ValueError, "13 x 12 px .*12 x 12"),
        (lambda f: Image.new("L", (12, 12), 200).save(f / "masks/0.png"), ValueError, r"grey value 200: .*255 \(on"),
        (lambda f: (f / "masks/0.png").write_bytes(b"no"), ValueError, "cannot read the mask"),
        (lambda f: (f / "masks").rename(f / "other"), FileNotFoundError, "masks, one for each image"),
    ],
)
def test_masks_that_do_not_fit_their_images_are_refused(files, spoil, error, message):
    spoil(files[0])
    with pytest.raises(error, match=message):
        read(files[0])
