"""A recording that is written while it runs is told apart until it is whole, and can be gone on with."""

import errno

import dask.array
import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.streaming import Stream, settings_of

BATCH = 2


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
        stream.keep(batch, arrays)


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
    with pytest.raises(ValueError, match=r"is incomplete: 2 of 5 stimuli are there; .* resume=True"):
        cs.open_recording(path)


def test_a_stream_that_ends_without_all_batches_is_not_marked_as_complete(flashed, skeleton, path):
    with Stream.create(path, skeleton, BATCH) as stream:
        write(stream, flashed, stream.missing(BATCH)[1:])
        stream.finish()
    with pytest.raises(ValueError, match="3 of 5 stimuli"):
        cs.open_recording(path)


def test_gone_on_with_it_has_the_same_bytes_as_at_one_go(flashed, skeleton, path, tmp_path):
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
    with pytest.raises(FileExistsError, match="it was left as it is"):
        Stream.create(path, skeleton, BATCH)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_disk_that_fills_is_told_and_what_was_written_stays(flashed, skeleton, path, monkeypatch):
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
        assert settings_of(path)["until"] == 4


def test_the_settings_of_something_else_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read as a recording"):
        settings_of(tmp_path / "nothing.zarr")
