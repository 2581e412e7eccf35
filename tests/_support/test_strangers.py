"""Files of strangers are read in a child process, which may hang, crash or run out of memory in our place."""

import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

from cortexsim._support import strangers
from cortexsim._support.netcdf import open_dataset, save_dataset
from cortexsim._support.strangers import check_hdf5

OPENED_BEFORE = Path(__file__).parents[1] / "data" / "opened_before"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put another program in the place of the one that reads."""

    def put(text):
        (tmp_path / "program.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(strangers.rehearsal, "__file__", str(tmp_path / "program.py"))

    return put


def test_a_read_that_never_ends_is_stopped(tmp_path, program, monkeypatch):
    program("while True: pass")
    (tmp_path / "a.h5").write_bytes(b"x")
    monkeypatch.setattr(strangers, "SECONDS", 1)
    monkeypatch.setattr(strangers, "WAITED", 2)
    with pytest.raises(ValueError, match=r"a\.h5 cannot be read: reading it takes more than 1 s: it is damaged"):
        check_hdf5(tmp_path / "a.h5")


def test_a_crash_ends_only_the_child(tmp_path, program):
    program("import os; os.abort()")
    (tmp_path / "a.h5").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"it is damaged: the process that read it crashed"):
        check_hdf5(tmp_path / "a.h5")


def test_an_array_that_is_larger_than_memory_is_not_read(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("large", (10**7, 10**5), "f8", chunks=(1, 1))
    with pytest.raises(ValueError, match=r"/large would take 7,450\.6 GB of memory"):
        check_hdf5(tmp_path / "a.h5", whole=True)


def test_a_filter_that_HDF5_does_not_bring_is_not_looked_for(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        created.set_chunk((4,))
        created.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
        h5py.h5d.create(file.id, b"odd", h5py.h5t.NATIVE_INT8, h5py.h5s.create_simple((4,)), created)
    with pytest.raises(ValueError, match="/odd is stored with the filter 32015"):
        check_hdf5(tmp_path / "a.h5")


def test_a_result_is_read_back_and_any_damage_to_it_is_noticed(tmp_path):
    data = xr.Dataset({"error": ("seed", np.arange(4.0))}, {"name": ("seed", list("abcd"))}, {"title": "four"})
    path = tmp_path / "a.nc"
    save_dataset(data, path)
    assert open_dataset(path, "remove it").identical(data)
    written = path.read_bytes()
    for at in np.random.default_rng(0).integers(0, len(written) - 100, 50):
        damaged = bytearray(written)
        damaged[at] ^= 1 << int(at) % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.nc is damaged \(it does not match its checksum\); remove it"):
            open_dataset(path, "remove it")


def test_an_older_result_in_which_HDF5_never_ends_is_reported_in_time(tmp_path, monkeypatch):
    written = bytearray((OPENED_BEFORE / "readout-time.nc").read_bytes())
    written[3324] = 1  # was 0: HDF5 reads on for ever, and hears no signal
    (tmp_path / "x.nc").write_bytes(written)
    monkeypatch.setattr(strangers, "SECONDS", 2)
    begun = time.monotonic()
    with pytest.raises(ValueError, match=r"reading it takes more than 2 s"):
        open_dataset(tmp_path / "x.nc", "run it again")
    assert time.monotonic() - begun < 60
