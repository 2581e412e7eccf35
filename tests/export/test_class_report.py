"""The report on a class: what is counted, what is shown, what is refused."""

import base64
import io
import json
import re

import pandas as pd
import pytest

from cortexsim.cli import main
from cortexsim.export.class_report import ClassAnswers, _questions_of, read_answers, report


def answered(question, answer, truth, panel="Masking"):
    return {
        "schema": 1,
        "version": "0.1.0",
        "panel": panel,
        "subject": None,
        "choices": {},
        "question": question,
        "answered": [{"question": question, "answer": answer, "truth": truth}],
    }


@pytest.fixture
def folder(tmp_path):
    """Four students: two right within 2.5 percentage points, one far off, one who answered something else."""
    folder = tmp_path / "answers"
    folder.mkdir()
    given = {
        "ada": answered("earliest", 0, 2.2),
        "ben": answered("earliest", 5, 2.6),
        "cem": answered("earliest", 40, 2.2),
        "dee": answered("itself", 0, 0.0),
    }
    for name, settings in given.items():
        (folder / f"{name}.json").write_text(json.dumps(settings))
    return folder


def test_an_answer_within_the_tolerance_of_its_question_is_right(folder):
    table = read_answers(folder).table.set_index("student")["right"]
    assert table.to_dict() == {"ada": True, "ben": True, "cem": False, "dee": True}


def test_the_page_says_how_many_were_right_what_was_wrong_and_who_is_missing(folder):
    page = report(read_answers(folder))
    section = page[page.index(_questions_of("Masking")["earliest"].title) :]
    assert "2 of 3 answers right" in section
    assert "Most frequent wrong answer: 40" in section
    assert "No answer from dee." in section


def test_who_handed_in_a_file_without_an_answer_is_missing_in_every_question(folder):
    silent = {**answered("earliest", 0, 0.0), "answered": []}
    (folder / "eve.json").write_text(json.dumps(silent))
    page = report(read_answers(folder))
    assert page.count("eve") == 2
    assert "No answer from dee, eve." in page
    assert "5 files, 2 questions" in page


def test_bars_of_right_answers_are_in_colour_next_to_what_was_measured(folder):
    page = report(read_answers(folder))
    assert re.findall(r"<tr class='(\w+)'><th>([\d.]+)", page)[:4] == [
        ("right", "0"),
        ("truth", "2.2"),
        ("truth", "2.6"),
        ("right", "5"),
    ]


def test_a_bar_is_as_long_as_the_number_of_answers(tmp_path):
    for number, answer in enumerate((0, 0, 0, 0, 5)):
        (tmp_path / f"{number}.json").write_text(json.dumps(answered("itself", answer, 0.0)))
    page = report(read_answers(tmp_path))
    assert re.findall(r"width: (\d+)%'></div><span>(\d)", page) == [("100", "4"), ("25", "1")]


def test_names_can_be_hidden_in_the_page_and_in_its_table(folder):
    page = report(read_answers(folder), hide_names=True)
    table = base64.b64decode(re.search(r"base64,([\w+/=]+)", page)[1]).decode()
    for name in ("ada", "ben", "cem", "dee"):
        assert name not in page
        assert name not in table
    assert set(pd.read_csv(io.StringIO(table))["student"]) == {f"student {k}" for k in range(1, 5)}


def test_damaged_and_foreign_files_are_listed_and_stop_nothing(folder):
    (folder / "cut.json").write_text('{"panel": "Mask')
    (folder / "other.json").write_text('{"panel": "Elsewhere"}')
    (folder / "list.json").write_text("[1]")
    found = read_answers(folder)
    assert set(found.unreadable) == {"cut.json", "other.json", "list.json"}
    assert len(found.table) == 4
    page = report(found)
    assert "Elsewhere" in page


def test_a_name_that_looks_like_code_is_shown_as_text(folder):
    (folder / "<img src=x onerror=alert(1)>.json").write_text(json.dumps(answered("itself", 0, 0.0)))
    assert "<img" not in report(read_answers(folder))


def test_a_folder_without_answers_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"contains no \.json file"):
        read_answers(tmp_path)
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        read_answers(tmp_path / "none")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(ValueError, match="no answer was found"):
        report(read_answers(tmp_path))


def test_the_command_writes_the_page(folder, tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["class", str(folder), "--to", str(page)]) == 0
    assert "4 files with answers" in capsys.readouterr().out
    assert main(["class", str(folder), "--to", str(page)]) == 1
    assert "exists already" in capsys.readouterr().err


def test_what_is_no_answers_of_a_class_is_refused(folder):
    answers = read_answers(folder)
    for other in (None, str(folder), ClassAnswers(pd.DataFrame({"student": ["ada"]}), ("ada",), {})):
        with pytest.raises(TypeError, match="needs the answers of a class, as read_answers returns them, got"):
            report(other)
    with pytest.raises(ValueError, match="hide_names must be True or False, got 'no'"):
        report(answers, hide_names="no")
