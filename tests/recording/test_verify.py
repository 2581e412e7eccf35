"""Damage in a recording is found, with its place, and can be mended."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.cli import main

CALL = {"until": 4, "batch_size": 2, "record": {"V1": "all", "IT": "spatial_mean"}}


@pytest.fixture
def path(small_model, shown_images, tmp_path):
    """A recording of five stimuli, in chunks of two at one time."""
    path = tmp_path / "a.zarr"
    cs.simulate(small_model, shown_images, cs.sustained(), **CALL, to=path).close()
    return path


@pytest.fixture
def small_model(small_model):
    return cs.Cortex(small_model.graph, 3, readout_time=6, normalization="none")


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def chunk(path):
    return path / "V1" / "activation" / "c" / "1" / "3" / "0" / "0" / "0"


def flip(file):
    """Change a single bit in the middle of a file."""
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    file.write_bytes(bytes(held))


def test_all_of_an_undamaged_recording_is_read(path):
    n = 5 * 5
    assert cs.verify(path) == n * (4 * 8 * 8 + 4 + 3) * 4


@pytest.mark.parametrize("damage", [flip, lambda file: file.write_bytes(file.read_bytes()[:20])])
def test_a_damaged_chunk_is_reported_with_its_place(path, damage):
    damage(chunk(path))
    with pytest.raises(ValueError, match=r"a\.zarr is damaged: V1 at time 3, stimuli 2 to 3 \(.*mend=True"):
        cs.verify(path)


def test_a_missing_chunk_does_not_pass_as_emptiness(path):
    chunk(path).unlink()
    with pytest.raises(ValueError, match=r"V1 at time 3, stimuli 2 to 3 \(populated, but missing\)"):
        cs.verify(path)


def test_an_analysis_does_not_compute_with_a_damaged_chunk(path):
    flip(chunk(path))
    with (
        cs.open_recording(path) as recording,
        pytest.raises(
            ValueError, match=r"activation of V1 cannot be read at time 3: .* cortexsim\.verify\(path\) finds"
        ),
    ):
        cs.analyse.rdm(recording["V1"])


def test_a_mended_recording_resumes_to_the_same_bytes(small_model, shown_images, path):
    before = contents(path)
    flip(chunk(path))
    (path / "IT" / "activation" / "c" / "2" / "0" / "0").unlink()
    with pytest.raises(ValueError, match=r"IT at time 0-4, stimuli 4 to 4 .*; 3 stimuli are marked as not written"):
        cs.verify(path, mend=True)
    with pytest.raises(ValueError, match="is incomplete: only 2 of 5 stimuli"):
        cs.open_recording(path)
    cs.simulate(small_model, shown_images, cs.sustained(), **CALL, to=path, resume=True).close()
    assert contents(path) == before
    cs.verify(path)


def test_netCDF_is_read_too_and_cannot_be_mended(small_model, shown_images, tmp_path):
    path = tmp_path / "a.nc"
    recording = cs.simulate(small_model, shown_images, cs.sustained(), **CALL)
    cs.save_recording(recording, path)
    cs.verify(path)
    recording["V1"]["activation"][3, 2, 0, 0, 0] = np.nan
    cs.save_recording(recording, tmp_path / "b.nc")
    with pytest.raises(ValueError, match=r"b\.nc is damaged: V1 at time"):
        cs.verify(tmp_path / "b.nc")
    with pytest.raises(ValueError, match=r"only a \.zarr that simulate streamed to disk can be mended"):
        cs.verify(tmp_path / "b.nc", mend=True)


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_distinguishes_undamaged_from_damaged_recordings(path, capsys):
    assert main(["verify", str(path)]) == 0
    assert "a.zarr is complete: 26,300 bytes of activity were read" in capsys.readouterr().out
    flip(chunk(path))
    assert main(["verify", str(path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith("cortexsim verify: ")
    assert "a.zarr is damaged: V1 at time 3, stimuli 2 to 3" in told
    assert "cortexsim verify --mend" in told


def test_the_command_mends_so_that_resume_makes_the_same_bytes(path, small_model, shown_images, capsys):
    whole = contents(path)
    chunk(path).unlink()
    assert main(["verify", str(path), "--mend"]) == 1
    assert "stimuli are marked as not written now" in capsys.readouterr().err
    cs.simulate(small_model, shown_images, cs.sustained(), **CALL, to=path, resume=True).close()
    assert main(["verify", str(path)]) == 0
    assert contents(path) == whole


def test_the_command_says_what_is_no_recording(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "none.zarr")]) == 1
    assert "there is no recording at" in capsys.readouterr().err
