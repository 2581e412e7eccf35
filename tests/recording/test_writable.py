"""Coordinates and attributes that a file cannot contain are refused before the first batch."""

import json

import dask
import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.recording.writable import check_writable

N = np.arange(4)


@pytest.fixture(scope="module")
def model() -> cs.Cortex:
    torch.manual_seed(0)
    made = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3).eval()
    cs.calibrate(made, torch.rand(4, 3, 8, 8), until=3)
    return made


def _images(**coordinates: object) -> xr.Dataset:
    return xr.Dataset({"image": (("stimulus", "channel", "y", "x"), np.zeros((4, 3, 8, 8), "f4"))}, coordinates)


@pytest.mark.parametrize(
    ("suffix", "coordinate", "message"),
    [
        (".nc", ("stimulus", N, {"source": None}), "the attribute 'source' of the coordinate 'k' of the images"),
        (".nc", ("stimulus", N, {"seen": True}), "the attribute 'seen' of the coordinate 'k'"),
        (".nc", ("stimulus", N, {"meta": {"a": 1}}), "the attribute 'meta' of the coordinate 'k'"),
        (".nc", ("stimulus", ["a\0b"] * 4), "the coordinate 'k' of the images"),
        (".nc", ("stimulus", np.array([1, "a", 2.5, None], object)), "the coordinate 'k' of the images"),
        (".zarr", ("stimulus", np.array([1, "a", 2.5, None], object)), "the coordinate 'k' of the images"),
        (".zarr", ("stimulus", N, {"made by": print}), "the attribute 'made by' of the coordinate 'k'"),
        (".zarr", ("stimulus", ["x\udcff"] * 4), "surrogates not allowed"),
        (".nc", ("stimulus", ["x\udcff"] * 4), "surrogates not allowed"),
        (".nc", ("stimulus", N, {"_FillValue": 2}), "it would be read back differently"),
        (".zarr", ("stimulus", N, {"units": "days since 2000-01-01"}), "it would be read back differently"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_first_batch(suffix, coordinate, message, model, tmp_path):
    batches = []
    path = tmp_path / f"r{suffix}"
    with pytest.raises(ValueError, match=message):
        cs.simulate(
            model, _images(k=coordinate), until=3, to=path, batch_size=1, report=lambda *told: batches.append(told)
        )
    assert batches == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".nc", ".zarr", ".NC"])
def test_the_levels_of_an_index_are_written_as_coordinates(suffix, model, tmp_path):
    images = _images(kind=("stimulus", list("aabb")), view=("stimulus", [0, 1, 0, 1])).set_index(
        stimulus=["kind", "view"]
    )
    with cs.simulate(model, images, until=3, to=tmp_path / f"r{suffix}") as recording:
        assert list(recording["V2"]["kind"].values) == list("aabb")
        assert list(recording["V2"]["view"].values) == [0, 1, 0, 1]
        assert list(recording["V2"]["stimulus"].values) == [0, 1, 2, 3]


def test_a_name_with_a_slash_is_refused(model, tmp_path):
    with pytest.raises(
        ValueError, match=r"'a/b' of the images cannot be written to r\.zarr: its name must be a string"
    ):
        cs.simulate(model, _images(**{"a/b": ("stimulus", N)}), until=3, to=tmp_path / "r.zarr")


def test_what_a_recording_was_given_later_is_refused_by_name(model, tmp_path):
    recording = cs.simulate(model, _images(), until=3)
    recording["V1"] = recording["V1"].to_dataset().assign_coords(mine=("stimulus", N, {"note": None}))
    with pytest.raises(ValueError, match=r"attribute 'note' of the coordinate 'mine' of V1 cannot be written to r\.nc"):
        cs.save_recording(recording, tmp_path / "r.nc")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_recording_is_refused_before_it_is_written(model, tmp_path):
    recording = cs.simulate(model, _images(), until=3)
    for wrong, message in (
        (recording["V1"], "give the whole recording, not one of its nodes"),
        (recording["V1"].to_dataset(), "must be a DataTree, as simulate returns it, got Dataset"),
        (xr.DataTree(), "is not a recording of cortexsim"),
    ):
        with pytest.raises(TypeError, match=message):
            cs.save_recording(wrong, tmp_path / "r.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("no/r.nc", FileNotFoundError, "no does not exist"),
        ("r.txt", ValueError, "must end in"),
        ("a\0.zarr", ValueError, "to must not contain a null character"),
        ("x" * 252 + ".zarr", OSError, "has 257 bytes; at most 255"),
    ],
)
def test_a_destination_is_refused_before_anything_is_computed(name, error, message, model, tmp_path):
    # images that would be refused, too, but later
    with pytest.raises(error, match=message):
        cs.simulate(model, torch.rand(2, 3, 9, 9), until=3, to=f"{tmp_path}/{name}")


def test_a_name_of_another_encoding_is_escaped_and_written(model, tmp_path):
    import os

    from PIL import Image

    folder = tmp_path / "pictures"
    folder.mkdir()
    try:
        with open(os.fsencode(folder) + b"/na\xefve.png", "wb") as file:
            Image.new("RGB", (8, 8)).save(file, "PNG")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    with cs.simulate(model, cs.datasets.pictures(folder), until=3, to=tmp_path / "r.zarr") as recording:
        assert list(recording["V1"]["file_name"].values) == [r"na\xefve.png"]
        assert json.loads(recording.attrs["cortexsim"])["until"] == 3


def test_a_long_name_that_is_allowed_is_written(model, tmp_path):
    path = tmp_path / ("y" * 240 + ".zarr")
    cs.simulate(model, _images(), until=3, to=path).close()
    cs.verify(path)


def test_a_home_folder_is_meant_everywhere(model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    cs.save(model, "~/m.safetensors")
    assert cs.zoo.get("~/m.safetensors").graph == cs.load("~/m.safetensors").graph
    cs.simulate(model, _images(), until=3, to="~/r.zarr").close()
    cs.simulate(model, _images(), until=3, to="~/r.zarr", resume=True).close()
    cs.verify("~/r.zarr")
    cs.save_recording(cs.open_recording("~/r.zarr"), "~/again.nc")
    assert {file.name for file in tmp_path.iterdir()} == {"m.safetensors", "r.zarr", "again.nc"}


@pytest.mark.parametrize("engine", ["zarr", "h5netcdf"])
def test_the_check_never_asks_dask(engine, tmp_path):
    # in a point of a sweep dask would wait for the very worker that asks
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("dask was asked")

    with dask.config.set(scheduler=asked):
        check_writable(dict(_images(k=("stimulus", N)).coords), tmp_path / "r", engine, "of the images")
