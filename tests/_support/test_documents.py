"""Texts of files are read with a byte order mark, and what cannot be read is said with the file's name."""

import json

import pytest

from cortexsim._support.documents import read_json
from cortexsim._support.settings import read_settings
from cortexsim.export.class_report import read_answers
from cortexsim.sweeps.study import read_study

STUDY = 'models = ["ventral-stream"]\ndata = "contours"\nuntil = 4\nn = 4\n'


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(tmp_path / "a.json") == read_settings(tmp_path / "a.json") == {"a": 1}
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8-sig")
    assert read_study(tmp_path / "study.toml").until == 4


@pytest.mark.parametrize(("name", "read"), [("a.json", read_settings), ("a.json", read_json), ("a.toml", read_study)])
def test_utf_16_is_named(tmp_path, name, read):
    (tmp_path / name).write_text('a = "b"', encoding="utf-16")
    with pytest.raises(ValueError, match=rf"{name} is encoded in UTF-16 .*: save it as UTF-8"):
        read(tmp_path / name)


@pytest.mark.parametrize(("name", "read"), [("a.json", read_settings), ("a.json", read_json), ("a.toml", read_study)])
def test_bytes_that_are_no_text_are_named(tmp_path, name, read):
    (tmp_path / name).write_bytes(b"a = \xff")
    with pytest.raises(ValueError, match=rf"{name} is not UTF-8 text: byte 4 is 0xff"):
        read(tmp_path / name)


@pytest.mark.parametrize(("name", "read"), [("a.json", read_settings), ("a.json", read_json), ("a.toml", read_study)])
def test_brackets_nested_without_end_are_reported_with_the_name_of_the_file(tmp_path, name, read):
    (tmp_path / name).write_text("a = " * name.endswith("toml") + "[" * 200_000, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"{name} is .* nested too deeply"):
        read(tmp_path / name)


def test_a_class_gets_the_reason_why_a_file_could_not_be_read(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 200_000, encoding="utf-8")
    (tmp_path / "wide.json").write_text(json.dumps({}), encoding="utf-16")
    reasons = read_answers(tmp_path).unreadable
    assert "nested too deeply" in reasons["deep.json"]
    assert "UTF-16" in reasons["wide.json"]
