"""Notebooks are copied into a user's folder, never over a file of theirs."""

import pytest

from cortexsim._support.resources import copy_notebooks, data_folder, notebooks_folder

FIRST = "00_start_here.ipynb"


def test_notebooks_and_data_are_found_in_a_checkout():
    assert (notebooks_folder() / FIRST).is_file()
    assert data_folder().is_dir()


def test_notebooks_are_copied_into_a_new_folder(tmp_path):
    copied = copy_notebooks(tmp_path / "a" / "b")
    assert {outcome for _, outcome in copied} == {"new"}
    assert (tmp_path / "a" / "b" / FIRST).read_bytes() == (notebooks_folder() / FIRST).read_bytes()


def test_copying_again_changes_nothing(tmp_path):
    copy_notebooks(tmp_path)
    before = (tmp_path / FIRST).stat().st_mtime_ns
    assert {outcome for _, outcome in copy_notebooks(tmp_path)} == {"same"}
    assert (tmp_path / FIRST).stat().st_mtime_ns == before


def test_a_notebook_of_the_users_is_kept(tmp_path):
    (tmp_path / FIRST).write_text("mine", encoding="utf-8")
    outcomes = {path.name: outcome for path, outcome in copy_notebooks(tmp_path)}
    assert outcomes[FIRST] == "kept"
    assert (tmp_path / FIRST).read_text(encoding="utf-8") == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="it is a file, a folder is needed"):
        copy_notebooks(tmp_path / "file")


def test_an_incomplete_installation_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("cortexsim._support.resources._PACKAGE", tmp_path / "cortexsim")
    with pytest.raises(FileNotFoundError, match="the notebooks that come with cortexsim are missing"):
        notebooks_folder()
