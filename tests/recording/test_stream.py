"""A streamed recording is recognised as incomplete until it is complete, and can be resumed."""

import errno
import inspect
import subprocess
import sys

import dask.array
import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.recording.build import label
from cortexsim.recording.plan import plan_recording
from cortexsim.recording.stream import Stream, lazy, unfinished_settings

BATCH = 2
DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(cs.simulate).parameters.items()
    if name in inspect.signature(plan_recording).parameters and parameter.default is not parameter.empty
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recording.zarr"


@pytest.fixture
def skeleton(flashed):
    """The layout of a recording of five stimuli, with nothing in it."""

    def emptied(node):
        lazy = {
            name: (array.dims, dask.array.full(array.shape, np.nan, dtype=array.dtype), array.attrs)
            for name, array in node.data_vars.items()
            if array.dtype.kind == "f"
        }
        return node.assign(lazy)

    return flashed.map_over_datasets(emptied)


def write(stream, recording, batches):
    for batch in batches:
        arrays = stream.room(batch)
        for name, array in arrays.items():
            variable = "logits" if name == "readout" else "activation"
            array[:] = recording[name][variable].values[batch.start : batch.stop]
        stream.write(batch, arrays)


def write_to_the_end(stream, recording, batches):
    write(stream, recording, batches)
    stream.finish()


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_what_was_streamed_comes_back(flashed, skeleton, path):
    with Stream.create(path, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH))
        stream.finish()
    with cs.open_recording(path) as opened:
        xr.testing.assert_identical(opened.load(), flashed)


def test_an_incomplete_recording_is_refused_with_how_much_of_it_is_there(flashed, skeleton, path):
    with Stream.create(path, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH)[:1])
    with pytest.raises(ValueError, match=r"is incomplete: only 2 of 5 stimuli were written; .* resume=True"):
        cs.open_recording(path)


def test_a_stream_that_ends_without_all_batches_is_not_marked_as_complete(flashed, skeleton, path):
    with Stream.create(path, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH)[1:])
        stream.finish()
    with pytest.raises(ValueError, match="3 of 5 stimuli"):
        cs.open_recording(path)


def test_a_resumed_recording_has_the_same_bytes_as_an_uninterrupted_one(flashed, skeleton, path, tmp_path):
    other = tmp_path / "other.zarr"
    with Stream.create(other, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH))
        stream.finish()
    with Stream.create(path, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH)[1:2])
    with Stream(path) as stream:
        assert stream.missing(BATCH) == [range(0, 2), range(4, 5)]
        write(stream, flashed, stream.missing(BATCH))
        stream.finish()
    assert contents(path) == contents(other)


def test_a_second_writer_is_refused(skeleton, path):
    with Stream.create(path, skeleton, BATCH), pytest.raises(BlockingIOError, match="is being written by another"):
        Stream(path)
    Stream(path).__exit__()  # and let in when the first has gone


def test_where_something_is_already_nothing_is_laid_out(skeleton, path):
    path.mkdir()
    with pytest.raises(FileExistsError, match="it is unchanged"):
        Stream.create(path, skeleton, BATCH)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_disk_that_fills_is_reported_and_what_was_written_stays(flashed, skeleton, path, monkeypatch):
    from zarr.storage import LocalStore

    kept = LocalStore.set
    stream = Stream.create(path, skeleton, BATCH)

    async def full(self, key, value):
        if "/c/1/" in key:
            raise OSError(errno.ENOSPC, "No space left on device")
        await kept(self, key, value)

    monkeypatch.setattr(LocalStore, "set", full)
    with stream:
        first, *others = stream.missing(BATCH)
        write(stream, flashed, [first])
        with pytest.raises(OSError, match=r"No space left on device; 2 of 5 stimuli are written and stay; .*resume="):
            write_to_the_end(stream, flashed, others)
    monkeypatch.undo()
    with Stream(path) as stream:
        write(stream, flashed, stream.missing(BATCH))
        stream.finish()
    with cs.open_recording(path) as opened:
        xr.testing.assert_identical(opened.load(), flashed)


def test_chunks_never_belong_to_two_batches(skeleton, path):
    import zarr

    with Stream.create(path, skeleton, BATCH):
        assert zarr.open_group(path, mode="r")["V1/activation"].chunks == (2, 1, 4, 8, 8)


def test_the_settings_of_what_is_incomplete_can_be_read(skeleton, path):
    with Stream.create(path, skeleton, BATCH):
        assert unfinished_settings(path)["until"] == 4


def test_nothing_and_a_finished_recording_are_not_unfinished(flashed, tmp_path):
    assert unfinished_settings(tmp_path / "nothing.zarr") is None
    cs.save_recording(flashed, tmp_path / "whole.zarr")
    assert unfinished_settings(tmp_path / "whole.zarr") is None


# --- through simulate ----------------------------------------------------------------------------------------------

MASK = cs.masked(1, soa=2, mask_duration=1)


def stopped_after(n, monkeypatch):
    """Let a run end by itself after n batches."""
    whole, run = Stream.write, []

    def stopping(self, batch, arrays):
        if len(run) == n:
            raise KeyboardInterrupt
        run.append(batch)
        whole(self, batch, arrays)

    monkeypatch.setattr(Stream, "write", stopping)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_stopped_run_resumes_to_the_same_bytes(small_model, shown_images, path, tmp_path, monkeypatch, n):
    call = {"until": 4, "seed": 3, "batch_size": BATCH}
    cs.simulate(small_model, shown_images, MASK, **call, to=tmp_path / "whole.zarr").close()
    stopped_after(n, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(small_model, shown_images, MASK, **call, to=path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=f"is incomplete: only {n * BATCH} of 5"):
        cs.open_recording(path)
    # the batch size need not be known any more
    cs.simulate(small_model, shown_images, MASK, until=4, seed=3, to=path, resume=True).close()
    assert contents(path) == contents(tmp_path / "whole.zarr")


def test_a_recording_may_be_larger_than_what_dask_takes_for_a_piece(tmp_path):
    graph = cs.adjacent({"V1": 16, "IT": 16}, size=32)
    model = cs.Cortex(graph, n_classes=3, readout_time=3, normalization="none")
    images = torch.zeros(1, 3, 32, 32, dtype=torch.uint8).expand(10_050, -1, -1, -1)
    plan = plan_recording(model, images, until=19, **DEFAULTS | {"record": ["V1"]})
    # 13 GB of which nothing is computed
    with Stream.create(tmp_path / "a.zarr", label(plan, lazy(plan.shapes, "float32")), 50) as stream:
        assert len(stream.missing(50)) == 201


def test_only_what_is_missing_is_run(small_model, shown_images, path, monkeypatch):
    call = {"until": 4, "batch_size": BATCH, "to": path}
    stopped_after(2, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(small_model, shown_images, **call)
    monkeypatch.undo()
    unroll, sizes = cs.Cortex.unroll, []
    monkeypatch.setattr(cs.Cortex, "unroll", lambda *given: sizes.append(len(given[1].images)) or unroll(*given))
    cs.simulate(small_model, shown_images, **call, resume=True).close()
    assert sizes == [1]


def test_resuming_with_a_different_call_is_refused(small_model, shown_images, path, monkeypatch):
    stopped_after(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(small_model, shown_images, until=4, batch_size=BATCH, to=path)
    monkeypatch.undo()
    before = contents(path)
    with pytest.raises(FileExistsError, match=r"the recording at .* differs in \['seed'\]"):
        cs.simulate(small_model, shown_images, until=4, seed=1, to=path, resume=True)
    assert contents(path) == before


def test_without_resume_an_unfinished_recording_is_unchanged(small_model, shown_images, path, monkeypatch):
    stopped_after(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(small_model, shown_images, until=4, batch_size=BATCH, to=path)
    with pytest.raises(FileExistsError, match="exists already"):
        cs.simulate(small_model, shown_images, until=4, to=path)


def test_a_streamed_recording_may_be_larger_than_memory(small_model, shown_images, path, monkeypatch):
    import psutil

    tiny = type("Memory", (), {"available": 3000})()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: tiny)
    with pytest.raises(MemoryError):
        cs.simulate(small_model, shown_images, until=4)
    cs.simulate(small_model, shown_images, until=4, to=path).close()


KILLED = """
import os, pathlib, sys, torch, xarray as xr, zarr
import cortexsim as cs
from cortexsim.recording.stream import Stream

torch.set_num_threads(1)
def kill(*_):
    os.kill(os.getpid(), 9)
# four arrays and the mark make a batch: killed during the second one
write, left, write_all = zarr.Array.__setitem__, [7], Stream._write_all
def counted(array, *given):
    if not left[0] and sys.argv[4] == "between two arrays":
        kill()
    if not left[0]:
        # a chunk is there under a temporary name, and does not get its own any more
        pathlib.Path.replace = kill
    left[0] -= 1
    write(array, *given)
def begin(stream):
    zarr.Array.__setitem__ = counted
    write_all(stream)
Stream._write_all = begin
model, images = cs.load(sys.argv[1]), xr.open_dataset(sys.argv[2], engine="h5netcdf").load()
cs.simulate(model, images, until=4, batch_size=2, to=sys.argv[3])
"""


@pytest.mark.parametrize("killed", [pytest.param("between two arrays", marks=pytest.mark.slow), "within a chunk"])
def test_a_run_killed_during_writing_resumes_to_the_same_bytes(small_model, shown_images, path, tmp_path, killed):
    cs.save(small_model, tmp_path / "model.safetensors")
    shown_images.to_netcdf(tmp_path / "images.nc", engine="h5netcdf")
    given = [tmp_path / "model.safetensors", tmp_path / "images.nc", path, killed]
    assert subprocess.run([sys.executable, "-c", KILLED, *map(str, given)], timeout=250).returncode == -9
    assert any(path.rglob("*.partial")) == (killed == "within a chunk")
    with pytest.raises(ValueError, match="is incomplete: only 2 of 5"):
        cs.open_recording(path)
    model = cs.load(tmp_path / "model.safetensors")
    cs.simulate(model, shown_images, until=4, to=path, resume=True).close()
    cs.simulate(model, shown_images, until=4, batch_size=2, to=tmp_path / "whole.zarr").close()
    assert contents(path) == contents(tmp_path / "whole.zarr")


def test_a_batch_that_is_too_large_for_the_device_is_run_in_parts(small_model, shown_images, monkeypatch):
    import torch

    expected = cs.simulate(small_model, shown_images, MASK, until=4)
    unroll = cs.Cortex.unroll

    def small(model, frames, *given):
        if frames.lookup.shape[1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        yield from unroll(model, frames, *given)

    monkeypatch.setattr(cs.Cortex, "unroll", small)
    with pytest.warns(UserWarning, match="too small for a batch of") as told:
        parts = cs.simulate(small_model, shown_images, MASK, until=4)
    assert [str(warning.message).split(":")[1].split(";")[0] for warning in told] == [
        " continuing with 3 at once",
        " continuing with 2 at once",
    ]
    for name in expected.children:
        xr.testing.assert_allclose(parts[name].to_dataset(), expected[name].to_dataset(), atol=1e-6)


def test_a_single_stimulus_that_is_too_large_for_the_device_is_an_error(small_model, shown_images, monkeypatch):
    import torch

    def never(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    monkeypatch.setattr(cs.Cortex, "unroll", never)
    with pytest.warns(UserWarning, match="too small"), pytest.raises(torch.OutOfMemoryError):
        cs.simulate(small_model, shown_images, until=4)
