"""What is chosen or dropped in the browser arrives as a copy, whose path the panel reads."""

from pathlib import Path

import ipywidgets as widgets
import pytest

from cortexsim.explore.widgets.chooser import Chooser, PathBox


def arrives(chooser, *pieces):
    chooser._receive(chooser, {"kind": "begin"}, [])
    for path, content in pieces:
        chooser._receive(chooser, {"kind": "piece", "path": path}, [content])
    chooser._receive(chooser, {"kind": "end"}, [])


def test_a_folder_arrives_with_its_subfolders():
    chooser = Chooser("choose a folder", folder=True)
    arrives(chooser, ("images/cat/1.png", b"1"), ("images/dog/2.png", b"2"))
    root = Path(chooser.path)
    assert root.name == "images"
    assert {str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*.png")} == {
        "cat/1.png": b"1",
        "dog/2.png": b"2",
    }


def test_a_file_arrives_in_pieces_and_loose_files_as_a_folder():
    chooser = Chooser("choose a file")
    arrives(chooser, ("brain.mat", b"first "), ("brain.mat", b"second"))
    assert Path(chooser.path).read_bytes() == b"first second"
    arrives(chooser, ("1.png", b"1"), ("2.png", b"2"))
    assert sorted(one.name for one in Path(chooser.path).iterdir()) == ["1.png", "2.png"]


@pytest.mark.parametrize(("name", "is_folder"), [("one.png", True), ("all.mat", False)])
def test_a_single_image_is_a_folder_of_one_and_a_file_of_images_is_itself(name, is_folder):
    chooser = Chooser("choose a folder", folder=True)
    arrives(chooser, (name, b"1"))
    assert Path(chooser.path).is_dir() == is_folder


def test_no_file_is_written_outside_of_the_copy():
    chooser = Chooser("choose a file")
    arrives(chooser, ("../../escaped.txt", b"1"), ("/etc/other.txt", b"2"))
    root = Path(chooser.path)
    assert sorted(str(one.relative_to(root)) for one in root.rglob("*.txt")) == ["escaped.txt", "etc/other.txt"]


def test_a_path_is_typed_or_chosen():
    text, chooser = widgets.Text(description="images"), Chooser("choose a folder", folder=True)
    box = PathBox(text, chooser)
    text.value = "/typed"
    assert box.value == "/typed"
    arrives(chooser, ("images/1.png", b"1"))
    assert box.value == text.value == chooser.path
    box.value = ""
    assert text.value == ""
