"""The folder of a run resumes, grows where it may, and refuses what is not its own."""

import errno
import json
import operator
from pathlib import Path
from typing import ClassVar

import pytest
import xarray as xr

from cortexsim._support.run_folder import RunFolder

SETTINGS = {"recipe": {"epochs": 2}, "seeds": 2, "sizes": (3, 4)}


class Growing(RunFolder):
    KIND = "a test"
    GROWS: ClassVar = {"seeds": operator.le}


@pytest.fixture
def begun(tmp_path):
    """A folder in which one part is finished."""
    with Growing(tmp_path / "run", SETTINGS, resume=False) as folder:
        folder.keep("first", xr.Dataset({"error": 0.25}))
    return tmp_path / "run"


def test_a_resumed_run_finds_its_finished_parts(begun):
    with Growing(begun, SETTINGS, resume=True) as folder:
        assert float(folder.part("first")["error"]) == 0.25
        assert folder.part("second") is None


def test_an_existing_folder_is_refused_without_resume(begun):
    with pytest.raises(FileExistsError, match="exists already; continue it with resume=True"):
        Growing(begun, SETTINGS, resume=False)


def test_a_setting_that_may_grow_grows_and_does_not_shrink(begun):
    with Growing(begun, SETTINGS | {"seeds": 3}, resume=True):
        assert json.loads((begun / "settings.json").read_text())["seeds"] == 3
    with pytest.raises(ValueError, match=r"another run: seeds was 3 and is now 2; .*\(seeds may grow\)"):
        Growing(begun, SETTINGS, resume=True)


def test_other_settings_are_refused_and_leave_the_folder_as_it_was(begun):
    before = (begun / "settings.json").read_bytes()
    with pytest.raises(ValueError, match="another run: recipe changed; give the same settings again"):
        Growing(begun, SETTINGS | {"recipe": {"epochs": 3}}, resume=True)
    assert (begun / "settings.json").read_bytes() == before


def test_a_second_process_is_refused_until_the_first_is_done(begun):
    with Growing(begun, SETTINGS, resume=True), pytest.raises(BlockingIOError, match="by another process"):
        Growing(begun, SETTINGS, resume=True)
    Growing(begun, SETTINGS, resume=True).close()


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "holiday.txt").write_text("sun")
    with pytest.raises(ValueError, match=r"is not the folder of a test: it has no settings\.json"):
        Growing(tmp_path, SETTINGS, resume=True)


@pytest.mark.parametrize("text", ["{ cut", "[1, 2]", '{"seeds": "two"}'])
def test_damaged_settings_are_reported_with_a_remedy(begun, text):
    (begun / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings\.json is damaged .*; choose another folder, or remove this one"):
        Growing(begun, SETTINGS, resume=True)


def test_a_damaged_part_is_reported_with_a_remedy(begun):
    (begun / "parts" / "first.nc").write_bytes(b"cut")
    with (
        Growing(begun, SETTINGS, resume=True) as folder,
        pytest.raises(ValueError, match=r"first\.nc is damaged .*; remove it to run this part again"),
    ):
        folder.part("first")


def test_a_full_disk_leaves_no_folder_and_an_empty_folder_can_be_begun(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            Growing(tmp_path / "run", SETTINGS, resume=False)
    assert not (tmp_path / "run").exists()
    # as a kill between two system calls leaves it
    (tmp_path / "run").mkdir()
    Growing(tmp_path / "run", SETTINGS, resume=True).close()
