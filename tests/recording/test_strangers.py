"""Recordings of strangers and damaged ones: nothing outside of them is read, nothing that is gone passes as whole."""

import json
import os
import shutil
import warnings

import h5py
import numpy as np
import pytest

import cortexsim as cs

CALL = {"until": 4, "batch_size": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The same recording in both formats."""
    import torch

    folder = tmp_path_factory.mktemp("made")
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3, normalization="none")
    pictures = torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    for suffix in (".zarr", ".nc"):
        cs.simulate(model, pictures, cs.sustained(), **CALL, to=folder / f"a{suffix}").close()
    return folder, model, pictures


@pytest.fixture
def zarr(made, tmp_path):
    return shutil.copytree(made[0] / "a.zarr", tmp_path / "a.zarr")


@pytest.fixture
def nc(made, tmp_path):
    return shutil.copy(made[0] / "a.nc", tmp_path / "a.nc")


def change(file, **keys):
    found = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**found, **keys}), encoding="utf-8")


def refused(path, match):
    """Both ways to open a recording refuse it in words."""
    for opening in (cs.open_recording, cs.verify):
        with pytest.raises(ValueError, match=match):
            opening(path)


# --- what reaches beyond the recording


def test_zarr_2_is_refused_before_its_codecs_are_asked(tmp_path):
    (tmp_path / "b.zarr").mkdir()
    (tmp_path / "b.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    refused(tmp_path / "b.zarr", "it is of zarr 2, and only zarr 3 is read")


def test_an_array_of_zarr_2_inside_of_a_store_of_zarr_3_is_refused(zarr):
    (zarr / "IT" / "more").mkdir()
    (zarr / "IT" / "more" / ".zarray").write_text('{"zarr_format": 2}')
    refused(zarr, r"IT/more/\.zarray is of zarr 2")


def test_a_codec_that_is_never_written_is_refused(zarr, made):
    file = zarr / "IT" / "populated" / "zarr.json"
    change(file, codecs=[{"name": "numcodecs.pickle", "configuration": {}}])
    refused(zarr, r"uses \['numcodecs.pickle'\]; the allowed codecs are")
    change(zarr / "zarr.json", attributes={"cortexsim": "{}", "complete": 0})
    with pytest.raises(ValueError, match="the allowed codecs are"):
        cs.simulate(*made[1:], cs.sustained(), **CALL, to=zarr, resume=True)


def test_consolidated_metadata_cannot_name_other_codecs(zarr):
    change(zarr / "zarr.json", consolidated_metadata={"kind": "inline", "metadata": {}})
    refused(zarr, "has consolidated metadata")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("place", ["V1/activation/c/0/3/0/0/0", "V1/zarr.json", "IT"])
def test_links_that_leave_the_store_are_refused(zarr, tmp_path, place):
    outside = tmp_path / "outside"
    shutil.move(zarr / place, outside)
    (zarr / place).symlink_to(outside)
    refused(zarr, f"{place} is a link to")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_in_the_place_of_a_chunk_is_not_waited_for(zarr):
    chunk = zarr / "V1" / "activation" / "c" / "0" / "3" / "0" / "0" / "0"
    chunk.unlink()
    os.mkfifo(chunk)
    refused(zarr, "is not a regular file")


def replaced(path, **stored):
    with h5py.File(path, "a") as file:
        shape, kind = file["readout/populated"].shape, file["readout/populated"].dtype
        del file["readout/populated"]
        if "external" in stored:
            file["readout"].create_dataset("populated", shape, "i1", external=[(stored["external"], 0, shape[0])])
        elif "virtual" in stored:
            layout = h5py.VirtualLayout(shape, kind)
            layout[:] = h5py.VirtualSource(stored["virtual"], "secret", shape)
            file["readout"].create_virtual_dataset("populated", layout)
        else:
            file["readout/populated"] = h5py.ExternalLink(stored["link"], "secret")


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("external", "stored in a different file"),
        ("virtual", "virtual dataset"),
        ("link", "a link to a different file"),
    ],
)
def test_netCDF_that_reads_other_files_is_refused(nc, tmp_path, how, match):
    secret = tmp_path / "secret"
    with h5py.File(secret, "w") as file:
        file["secret"] = np.ones(5, np.int8)
    replaced(nc, **{how: str(secret)})
    refused(nc, match)


def test_a_group_that_contains_itself_is_refused(nc):
    with h5py.File(nc, "a") as file:
        file["V1/again"] = file["V1"]
    refused(nc, "V1/again is a link to a group that is elsewhere in the file")


# --- what is gone or damaged


@pytest.mark.parametrize("state", ["V1", "readout"])
def test_a_state_that_is_gone_is_noticed(zarr, nc, state):
    shutil.rmtree(zarr / state)
    refused(zarr, rf"but \['{state}'\] are missing")
    with h5py.File(nc, "a") as file:
        del file[state]
    refused(nc, rf"but \['{state}'\] are missing")


def test_a_missing_chunk_is_noticed_when_the_recording_is_opened(zarr):
    (zarr / "IT" / "activation" / "c" / "1" / "2" / "0" / "0" / "0").unlink()
    with pytest.raises(ValueError, match=r"1 of its chunks are missing, such as 1/2/0/0/0 of IT"):
        cs.open_recording(zarr)
    with pytest.raises(ValueError, match=r"IT at time 2, stimuli 2 to 3 \(populated, but missing\)"):
        cs.verify(zarr)


def test_an_exchanged_chunk_is_noticed_though_its_own_checksum_fits(zarr):
    chunks = zarr / "V1" / "activation" / "c"
    shutil.copy(chunks / "0" / "2" / "0" / "0" / "0", chunks / "1" / "2" / "0" / "0" / "0")
    with pytest.raises(ValueError, match=r"V1 at time 2, stimuli 2 to 3 \(not the chunk that was written\)"):
        cs.verify(zarr)


def test_a_changed_description_is_noticed(zarr, nc):
    found = json.loads((zarr / "zarr.json").read_text(encoding="utf-8"))["attributes"]
    found["cortexsim"] = found["cortexsim"].replace('"quantity": "state"', '"quantity": "rate"')
    change(zarr / "zarr.json", attributes=found)
    refused(zarr, "does not match the checksum of its description")
    with h5py.File(nc, "a") as file:
        file.attrs["cortexsim"] = file.attrs["cortexsim"].replace('"quantity": "state"', '"quantity": "rate"')
    refused(nc, "does not match the checksum of its description")


@pytest.mark.parametrize(
    ("written", "match"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "must be a mapping"),
        ('{"record": ["V1", "IT"]}', "lack"),
    ],
)
def test_a_senseless_description_is_refused_with_a_message(zarr, written, match):
    change(zarr / "zarr.json", attributes={"cortexsim": written, "complete": 1})
    refused(zarr, match)


def test_a_changed_populated_is_noticed(nc):
    with h5py.File(nc, "a") as file:
        file["V1/populated"][2] = 1 - file["V1/populated"][2]
    refused(nc, "does not match the checksum of its description")


def test_a_changed_number_in_netCDF_is_noticed_by_verify(nc):
    with h5py.File(nc, "r") as file:
        place = file["IT/activation"].id.get_chunk_info(3).byte_offset
    held = bytearray(nc.read_bytes())
    held[place + 7] ^= 64
    nc.write_bytes(held)
    with pytest.raises(ValueError, match=r"a\.nc is damaged: IT at time"):
        cs.verify(nc)


def test_verify_warns_of_parts_without_checksums(made, tmp_path):
    path = tmp_path / "old.nc"
    with cs.open_recording(made[0] / "a.nc") as recording:
        recording.load()
        for node in recording.children.values():
            for variable in node.to_dataset(inherit=False).variables.values():
                variable.encoding.clear()
        recording.map_over_datasets(lambda node: node.drop_encoding()).to_netcdf(path, engine="h5netcdf")
    with pytest.warns(
        UserWarning, match=r"no checksums for V1, IT, readout .* unknown whether the numbers have changed"
    ):
        cs.verify(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cs.verify(made[0] / "a.nc")


def test_a_part_of_a_recording_is_saved_and_opened(made, tmp_path):
    with cs.open_recording(made[0] / "a.nc") as recording:
        cs.save_recording(recording.drop_nodes("V1"), tmp_path / "part.zarr")
    with cs.open_recording(tmp_path / "part.zarr") as part:
        assert list(part.children) == ["IT", "readout"]
        assert part.cortex.settings["record"] == ["IT"]
