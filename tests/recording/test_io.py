"""A recording on disk is complete or absent, is opened lazily, and describes what it contains."""

import json
import signal
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.recording import io
from cortexsim.recording.description import settings

SUFFIXES = [".zarr", ".nc"]
either = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture
def path(tmp_path, suffix):
    return tmp_path / f"recording{suffix}"


def is_in_memory(array: xr.DataArray) -> bool:
    return isinstance(array.variable._data, np.ndarray)


# --- written and read ----------------------------------------------------------------------------------------------


@either
def test_a_recording_comes_back_as_it_was(masked, path):
    cs.save_recording(masked, path)
    with cs.open_recording(path) as opened:
        xr.testing.assert_equal(opened.load(), masked)
        assert settings(opened) == settings(masked)
        assert list(opened.children) == ["V1", "V2", "IT", "readout"]
        for name, node in masked.children.items():
            assert set(opened[name].coords) == set(node.coords)
            assert opened[name]["populated"].dtype == bool
            assert opened[name]["shown"].attrs["flag_meanings"] == "nothing image mask"
            assert opened[name]["time"].attrs["units"] == "steps"


@either
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_dtype_and_the_mixtures_populated_come_back(small_model, shown_images, path, dtype):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))
    recording = cs.simulate(small_model, shown_images, mixed, until=4, dtype=dtype, seed=1)
    cs.save_recording(recording, path)
    with cs.open_recording(path) as opened:
        assert opened["IT"]["activation"].dtype == dtype
        xr.testing.assert_equal(opened.load(), recording)


@either
def test_simulating_to_disk_returns_the_recording_opened_lazily(small_model, shown_images, path):
    in_memory = cs.simulate(small_model, shown_images, until=4)
    with cs.simulate(small_model, shown_images, until=4, to=path) as opened:
        assert not is_in_memory(opened["V1"]["activation"])
        xr.testing.assert_equal(opened.load(), in_memory)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@either
def test_texts_along_the_stimuli_come_back(small_model, shown_images, path):
    condition = np.array(["easy", "hard", "easy", "medium", "hard"])
    images = shown_images.assign_coords(condition=("stimulus", condition))
    with cs.simulate(small_model, images, until=3, to=path) as opened:
        assert opened["IT"]["condition"].values.tolist() == condition.tolist()


def test_zarr_has_a_chunk_for_50_stimuli_at_one_time(small_model, tmp_path):
    import torch
    import zarr

    cs.save_recording(cs.simulate(small_model, torch.rand(60, 3, 8, 8), until=2), tmp_path / "a.zarr")
    assert zarr.open(tmp_path / "a.zarr", mode="r")["V1/activation"].chunks == (50, 1, 4, 8, 8)


# --- resumed -------------------------------------------------------------------------------------------------------


@either
def test_resume_opens_the_finished_recording_of_the_same_call(small_model, shown_images, path, monkeypatch):
    cs.simulate(small_model, shown_images, until=4, seed=2, silence={"V1->V2": [1]}, to=path).close()
    monkeypatch.setattr(cs.Cortex, "unroll", None)  # nothing is run again
    again = cs.simulate(small_model, shown_images, until=4, seed=2, silence={"V1->V2": [1]}, to=path, resume=True)
    assert settings(again)["seed"] == 2
    again.close()


def test_resume_where_there_is_nothing_runs(small_model, shown_images, tmp_path):
    cs.simulate(small_model, shown_images, until=4, to=tmp_path / "a.nc", resume=True).close()
    assert (tmp_path / "a.nc").is_file()


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"seed": 3}, "seed"),
        ({"until": 3}, "until"),
        ({"silence": {"V1->V2": [1]}}, "silence"),
        ({"record": ["V1"]}, "record"),
        ({"presentation": cs.flash(2)}, "presentation"),
        ({"labels": [2, 2, 2, 2, 2]}, "coordinates"),
        ({"dtype": "float64"}, "dtype"),
    ],
)
def test_resume_of_a_different_call_is_refused(small_model, shown_images, tmp_path, changes, differs):
    call = {"until": 4, "seed": 2, "to": tmp_path / "a.nc"}
    cs.simulate(small_model, shown_images, **call).close()
    with pytest.raises(FileExistsError, match=rf"the recording at .* differs in \[.*'{differs}'"):
        cs.simulate(small_model, shown_images, **{**call, **changes}, resume=True)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_recording_with_the_presentation_in_the_words_of_an_earlier_version_resumes(
    small_model, shown_images, tmp_path, monkeypatch, stopped
):
    def report(fraction, message):
        if stopped:
            raise KeyboardInterrupt

    call = {"presentation": cs.sustained(), "until": 4, "batch_size": 2, "to": tmp_path / "a.zarr"}
    with monkeypatch.context() as earlier:
        earlier.setattr(type(cs.sustained()), "__str__", lambda _: "sustained: the image stays")
        with pytest.raises(KeyboardInterrupt) if stopped else nullcontext():
            cs.simulate(small_model, shown_images, **call, report=report).close()
    with cs.simulate(small_model, shown_images, **call, resume=True) as again:
        assert settings(again)["presentation_text"] == "sustained"


def test_resume_with_different_images_or_a_different_model_is_refused(small_model, shown_images, tmp_path):
    cs.simulate(small_model, shown_images, until=4, to=tmp_path / "a.nc").close()
    brighter = shown_images.assign(image=shown_images["image"] ** 0.9)
    with pytest.raises(FileExistsError, match=r"differs in \['images'\]"):
        cs.simulate(small_model, brighter, until=4, to=tmp_path / "a.nc", resume=True)
    other = cs.Cortex(small_model.graph, 3, 2, normalization="none", input_gain=2.0)
    other.load_state_dict(small_model.state_dict())
    with pytest.raises(FileExistsError, match=r"differs in \['input_gain', 'model'\]"):
        cs.simulate(other, shown_images, until=4, to=tmp_path / "a.nc", resume=True)


# --- refused -------------------------------------------------------------------------------------------------------


@either
def test_a_path_that_exists_is_refused_before_anything_runs(small_model, shown_images, path, monkeypatch):
    path.mkdir()
    monkeypatch.setattr(cs.Cortex, "unroll", None)
    with pytest.raises(FileExistsError, match="exists already; choose another path or remove it first"):
        cs.simulate(small_model, shown_images, until=4, to=path)


@either
def test_a_missing_folder_is_refused_before_anything_runs(small_model, shown_images, tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(cs.Cortex, "unroll", None)
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing does not exist"):
        cs.simulate(small_model, shown_images, until=4, to=tmp_path / "missing" / f"a{suffix}")


@pytest.mark.parametrize("name", ["a", "a.h5", "a.zip"])
def test_an_unknown_suffix_is_refused(small_model, shown_images, tmp_path, name):
    with pytest.raises(ValueError, match=r"a recording's path must end in \.zarr or \.nc, got"):
        cs.simulate(small_model, shown_images, until=4, to=tmp_path / name)


@either
def test_opening_nothing_is_refused(path):
    with pytest.raises(FileNotFoundError, match="there is no recording at"):
        cs.open_recording(path)


@either
def test_what_is_no_recording_at_all_is_refused(path):
    path.write_text("hello")
    with pytest.raises(ValueError, match="cannot be read as a recording"):
        cs.open_recording(path)


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(ValueError, match="cannot be read as a recording"):
        cs.open_recording(tmp_path / "a.zarr")


@either
def test_a_foreign_file_is_refused(path):
    foreign = xr.DataTree.from_dict({"/": xr.Dataset({"a": ("x", [1.0])})})
    foreign.to_zarr(path, consolidated=False) if path.suffix == ".zarr" else foreign.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match="is not a recording of cortexsim: the root lacks the attribute 'cortexsim'"):
        cs.open_recording(path)


def test_a_cut_file_is_refused(flashed, tmp_path):
    path = tmp_path / "a.nc"
    cs.save_recording(flashed, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="cannot be read as a recording"):
        cs.open_recording(path)


# --- an interrupt ---


@pytest.mark.parametrize("at", [1, 10])
def test_an_interrupt_while_hdf5_writes_is_raised_afterwards_and_leaves_no_file(masked, tmp_path, monkeypatch, at):
    """h5py would ignore it, or end the process."""
    whole, writes = io._PatientFile.write, []
    # a shell in the background ignores Ctrl-C, and so would its children
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupted(self, data):
        writes.append(1)
        if len(writes) == at:
            signal.raise_signal(signal.SIGINT)
        return whole(self, data)

    try:
        with monkeypatch.context() as patched:
            patched.setattr(io._PatientFile, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                cs.save_recording(masked, tmp_path / "a.nc")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(writes) > at
    assert list(tmp_path.iterdir()) == []
    cs.save_recording(masked, tmp_path / "a.nc")


# --- a full disk ---------------------------------------------------------------------------------------------------

FULL_DISK = """
import gc, json, pathlib, resource, signal, sys
import torch
import cortexsim as cs

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
graph = cs.adjacent({"V1": 16, "IT": 16}, size=16)
model = cs.Cortex(graph, n_classes=3, readout_time=3, normalization="none")
old, new = folder / "old.safetensors", folder / "new.safetensors"
cs.save(model, old)
before = old.read_bytes()
recording = cs.simulate(model, torch.rand(40, 3, 16, 16), until=3)
(folder / "warm").mkdir()
for suffix in (".nc", ".zarr"):  # imports and threads before the limit
    cs.save_recording(cs.simulate(model, torch.rand(1, 3, 16, 16), until=2), folder / "warm" / f"a{suffix}")
told = {}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
for name, write in {
    "zarr": lambda: cs.save_recording(recording, folder / "a.zarr"),
    "nc": lambda: cs.save_recording(recording, folder / "a.nc"),
    "safetensors": lambda: cs.save(model, new),
    "overwrite": lambda: cs.save(model, old, overwrite=True),
}.items():
    try:
        write()
    except Exception as error:
        told[name] = [type(error).__name__, str(error)]
    gc.collect()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
left = sorted(path.name for path in folder.iterdir())
print(json.dumps({"told": told, "left": left, "whole": old.read_bytes() == before}))
"""


@pytest.fixture(scope="module")
def full_disk(tmp_path_factory):
    """Save in a separate process in which no file may exceed 20 kB; return what is reported and what is left."""
    pytest.importorskip("resource")
    folder = tmp_path_factory.mktemp("full")
    command = [sys.executable, "-W", "error", "-c", FULL_DISK, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("kind", "file"),
    [("zarr", "a.zarr"), ("nc", "a.nc"), ("safetensors", "new.safetensors"), ("overwrite", "old.safetensors")],
)
def test_a_disk_that_fills_during_saving_is_reported(full_disk, kind, file):
    name, text = full_disk["told"][kind]
    assert name == "OSError"
    assert text.count("could not write") == 1
    assert file in text
    assert "no partial file remains" in text
    assert "File too large" in text


def test_a_full_disk_leaves_no_partial_file_and_older_files_intact(full_disk):
    assert full_disk["left"] == ["old.safetensors", "warm"]
    assert full_disk["whole"]


# --- described -----------------------------------------------------------------------------------------------------


def test_the_summary_says_what_is_there_and_why_something_is_NaN(flashed):
    assert cs.summary(flashed) == (
        "5 stimuli at times 0 to 4: flash: image for 1 step, then nothing. "
        "Recorded: h of V1, V2, IT, and the readout's logits. "
        "NaN because empty (no signal has arrived): V1 at times 1-4, V2 at times 0, 2-4, IT at times 0-1, 3-4, "
        "readout at times 0-1, 3-4."
    )


def test_the_summary_names_statistics_and_silence(calibrated, pictures):
    told = cs.summary(
        cs.simulate(calibrated, pictures, until=6, silence={"V1->V2": None}, quantity="rate", record=["IT"])
    )
    assert "Recorded: relu(BN(h)) of IT" in told
    assert "Normalized with the moments of 6 images, shown in the same way." in told
    assert "V1->V2 was silenced: always." in told
    assert "(no signal has arrived): IT throughout, readout throughout." in told


def test_the_summary_says_that_a_mixtures_stimuli_differ(small_model, shown_images):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))
    told = cs.summary(cs.simulate(small_model, shown_images, mixed, until=4, seed=1, record=[]))
    assert "Recorded: the logits." in told
    assert "readout is populated at different times for different stimuli; see `populated`." in told


def test_printing_a_recording_names_its_states(flashed):
    printed = str(flashed)
    for name in ("/V1", "/IT", "/readout", "activation", "logits", "populated"):
        assert name in printed
