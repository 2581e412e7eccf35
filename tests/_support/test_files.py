"""What is written appears whole or not at all."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cortexsim._support.files import PathLock, as_path, refuse_existing, written_aside


def test_a_finished_file_is_there_alone(tmp_path):
    with written_aside(tmp_path / "a.nc") as aside:
        assert aside.parent == tmp_path
        assert aside.suffix == ".nc"
        aside.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


def test_a_finished_folder_is_there_alone(tmp_path):
    with written_aside(tmp_path / "a.zarr") as aside:
        (aside / "inner").mkdir(parents=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["a.zarr", "inner"]


NO_SPACE = OSError(errno.ENOSPC, "No space left on device", "a temporary name")


def fail(path, error, *, folder=False, replacing=False):
    """Begin to write, and fail in the middle."""
    with written_aside(path, replacing=replacing) as aside:
        if folder:
            aside.mkdir()
            (aside / "part").write_text("half")
        else:
            aside.write_text("half")
        raise error


@pytest.mark.parametrize("error", [NO_SPACE, RuntimeError("no"), KeyboardInterrupt()])
@pytest.mark.parametrize("folder", [False, True])
def test_no_partial_file_remains_when_writing_fails(tmp_path, error, folder):
    with pytest.raises(type(error)):
        fail(tmp_path / "a.zarr", error, folder=folder)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_stays_complete_when_its_replacement_fails(tmp_path):
    path = tmp_path / "a.nc"
    path.write_text("old")
    with pytest.raises(OSError, match="No space"):
        fail(path, NO_SPACE, replacing=True)
    assert path.read_text() == "old"


def test_a_full_disk_is_reported_with_the_path_that_was_asked_for(tmp_path):
    with pytest.raises(OSError, match=r"could not write .*a\.nc: No space left on device; no partial file") as caught:
        fail(tmp_path / "a.nc", NO_SPACE)
    assert caught.value.errno == errno.ENOSPC
    assert "temporary" not in str(caught.value)


def test_an_error_without_a_number_is_reported_without_one(tmp_path):
    with pytest.raises(OSError, match=r"^could not write .*a\.nc: it is broken; no partial file remains$"):
        fail(tmp_path / "a.nc", OSError("it is broken"))


def test_a_file_created_in_the_meantime_is_unchanged(tmp_path):
    path = tmp_path / "a.nc"

    def be_late():
        with written_aside(path) as aside:
            aside.write_text("mine")
            path.write_text("another's")

    with pytest.raises(FileExistsError, match="was created in the meantime"):
        be_late()
    assert path.read_text() == "another's"
    assert len(list(tmp_path.iterdir())) == 1


def test_an_existing_path_is_refused(tmp_path):
    with pytest.raises(FileExistsError, match="exists already; choose another path or remove it first"):
        refuse_existing(tmp_path)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder .*missing does not exist"):
        refuse_existing(tmp_path / "missing" / "a.nc")


def test_a_free_path_is_given_back(tmp_path):
    assert refuse_existing(str(tmp_path / "a.nc")) == tmp_path / "a.nc"


AS_NOBODY = """
import os, sys
from cortexsim._support.files import refuse_existing
if os.getuid() == 0:
    os.setuid(65534)
try:
    refuse_existing(sys.argv[1])
except PermissionError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users and their rights are those of POSIX")
def test_an_unwritable_folder_is_refused():
    # in a process of its own, because root may write everywhere until it is root no more
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        told = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, f"{folder}/a.nc"], capture_output=True, text=True, check=True
        )
    assert told.stdout == f"the folder {folder} is not writable\n"


WRITING = """
import os, sys, time
from cortexsim._support.files import written_aside
with written_aside(sys.argv[1], replacing=True) as aside:
    if sys.argv[2] == "folder":
        aside.mkdir()
        (aside / "part").write_text("half")
    else:
        aside.write_text("half")
    print("begun", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def writing():
    """Start writing in a separate process, which continues until it is killed."""
    processes = []

    def begin(path, kind="file"):
        command = [sys.executable, "-c", WRITING, str(path), kind]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert processes[-1].stdout.readline() == "begun\n"
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_files_of_a_killed_process_are_removed_by_the_next_write_to_the_same_path(tmp_path, writing, kind):
    path = tmp_path / "a.nc"
    process = writing(path, kind)
    process.kill()
    process.wait()
    assert len(list(tmp_path.iterdir())) == 1
    with written_aside(tmp_path / "b.nc") as aside:
        aside.write_text("another")
    assert len(list(tmp_path.iterdir())) == 2
    with written_aside(path) as aside:
        aside.write_text("whole")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.nc", "b.nc"]


def test_files_of_a_running_process_are_not_removed(tmp_path, writing):
    path = tmp_path / "a.nc"
    process = writing(path)
    with written_aside(path, replacing=True) as mine, written_aside(path, replacing=True) as again:
        mine.write_text("first")
        again.write_text("last")
        assert len(list(tmp_path.iterdir())) == 3
    left = [one.name for one in tmp_path.iterdir() if one != path]
    assert len(left) == 1
    assert f"-{process.pid}-" in left[0]


def test_files_of_another_machine_or_a_person_are_not_removed(tmp_path, writing):
    path = tmp_path / "a.nc"
    process = writing(path)
    process.kill()
    process.wait()
    mine = next(tmp_path.iterdir())
    _, _, pid, rest = mine.name.split("-")
    for name in (f".a-00000000-{pid}-{rest}", f".a-{rest}", ".a-mine.nc", f"a{mine.name[2:]}"):
        (tmp_path / name).write_text("not mine")
    with written_aside(path) as aside:
        aside.write_text("whole")
    assert not mine.exists()
    assert len(list(tmp_path.iterdir())) == 5


def test_a_folder_is_locked_for_one_writer_at_a_time(tmp_path):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    lock = PathLock(folder)
    with pytest.raises(BlockingIOError, match="is being written by another process"):
        PathLock(folder)
    lock.release()
    assert sorted(tmp_path.iterdir()) == [folder]  # nothing is left of the lock
    PathLock(folder).release()


def test_a_folder_is_locked_where_folders_cannot_be_opened(tmp_path, monkeypatch):
    """Windows gives no descriptor of a folder."""
    really = os.open

    def windows(path, *arguments, **named):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, *arguments, **named)

    monkeypatch.setattr(os, "open", windows)
    PathLock(tmp_path).release()


def test_a_lock_ends_with_the_process_that_was_killed(tmp_path):
    held = (
        "import sys, time, pathlib; from cortexsim._support.files import PathLock\n"
        "lock = PathLock(pathlib.Path(sys.argv[1])); print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", held, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"locked\n"
    with pytest.raises(BlockingIOError, match="another process"):
        PathLock(tmp_path)
    process.kill()
    process.wait()
    process.stdout.close()
    PathLock(tmp_path).release()


def test_a_name_that_is_too_long_is_refused_wherever_it_is_in_a_path(tmp_path):
    for path in (tmp_path / ("x" * 300), tmp_path / ("x" * 300) / "inner"):
        with pytest.raises(OSError, match=r"the name x{20}…x{20} in folder has 300 bytes; at most 255"):
            as_path(path, "folder")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(OSError, match=r"data .*one' cannot be reached: Too many levels of symbolic links"):
        as_path(tmp_path / "one", "data")


def test_a_folder_that_may_not_be_entered_is_named(tmp_path, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # permissions do not bind the superuser
    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(PermissionError, match=r"path .*secret' cannot be reached: Permission denied"):
        as_path(tmp_path / "secret")
