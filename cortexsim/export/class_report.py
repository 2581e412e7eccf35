"""The report on a class: the saved answers of all students on one page, question by question."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from cortexsim import explore
from cortexsim._support.checks import shown, truth, unknown
from cortexsim._support.documents import read_json
from cortexsim._support.files import as_path
from cortexsim._support.percentages import percent
from cortexsim.explore.panel.asking import NEVER, Guess
from cortexsim.explore.panel.reopening import SHOWS, STUDIES
from cortexsim.explore.panel.settings import MEASURED, SHOWN, check_answers

COLUMNS = ("student", "panel", "question", "answer", "truth", "right")
MOST_BARS = 12
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ClassAnswers:
    """The answers of a class.

    Attributes
    ----------
    table : DataFrame
        One row for each answer: `student` (the name of the file without its ending), `panel`, `question`, `answer`,
        `truth` and `right`.
    students : tuple of str
        Those of all files that could be read, also without an answer.
    unreadable : dict of str to str
        Files that are not saved answers, by name, with the reason.
    """

    table: pd.DataFrame
    students: tuple[str, ...]
    unreadable: Mapping[str, str]


def read_answers(folder: str | Path) -> ClassAnswers:
    """Read what `panel.save` wrote, for a whole class.

    Parameters
    ----------
    folder : path
        Contains one .json file for each student and panel. A damaged file, or one of another kind, is listed; the
        others are still read.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    FileNotFoundError
        If it contains no .json file.
    """
    folder = as_path(folder, "folder")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder: give the folder with the files that panel.save wrote")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json" and path.is_file())
    if not files:
        raise FileNotFoundError(f"{folder} contains no .json file: collect what panel.save wrote there")
    rows: list[dict[str, Any]] = []
    students: set[str] = set()
    unreadable: dict[str, str] = {}
    for path in files:
        try:
            rows += _answers_in(path)
            students.add(path.stem)
        except (OSError, TypeError, ValueError, RecursionError) as error:
            unreadable[path.name] = " ".join(str(error).split())
    return ClassAnswers(pd.DataFrame(rows, columns=list(COLUMNS)), tuple(sorted(students)), unreadable)


def _answers_in(path: Path) -> list[dict[str, Any]]:
    settings = read_json(path)
    name = settings.get("panel") if isinstance(settings, dict) else None
    if not isinstance(name, str):
        raise ValueError("no settings of a panel: the key 'panel' is missing")
    if name not in (*STUDIES, *SHOWS):
        raise ValueError(unknown("panel", name, (*STUDIES, *SHOWS)))
    answered = (MEASURED if name in STUDIES else SHOWN).read(settings)["answered"]
    questions = _questions_of(name)
    check_answers(answered, questions)
    return [
        {"student": path.stem, "panel": name, **one, "right": _is_right(questions[one["question"]], one)}
        for one in answered
    ]


def _questions_of(panel: str) -> dict[str, Guess]:
    """Return the questions and the exercises of a panel, by name."""
    from cortexsim.explore.anatomy import arrival
    from cortexsim.explore.tour import questions as tour
    from cortexsim.explore.training import questions as training

    kind = getattr(explore, panel)
    questions: Mapping[str, Guess]
    if panel == "Tour":
        questions = tour.QUESTIONS
    elif panel == "Anatomy":
        questions = arrival.ANATOMY
    elif panel == "Training":
        questions = training.QUESTIONS
    else:
        questions = kind.QUESTIONS
    return {**questions, **kind.EXERCISES}


def _is_right(question: Guess, one: Mapping[str, Any]) -> bool:
    answer, truth = one["answer"], one["truth"]
    exact = isinstance(answer, str | bool) or (question.never is not None and NEVER in (answer, truth))
    return bool(answer == truth if exact else abs(answer - truth) <= question.within)


def report(answers: ClassAnswers, *, hide_names: bool = False) -> str:
    """Write one HTML page: for each question the predictions of the class, the truth, and who is missing.

    Parameters
    ----------
    answers : ClassAnswers
        As `read_answers` returns them.
    hide_names : bool
        Call students by numbers, in the page and in the table that can be downloaded from it.

    Raises
    ------
    TypeError
        If these are not the answers of a class.
    ValueError
        If no file could be read, or `hide_names` is neither True nor False.
    """
    table, hide_names = getattr(answers, "table", None), truth(hide_names, "hide_names")
    if not isinstance(answers, ClassAnswers) or not isinstance(table, pd.DataFrame) or {*COLUMNS} - {*table}:
        raise TypeError(f"a report needs the answers of a class, as read_answers returns them, got {shown(answers)}")
    if table.empty:
        why = "".join(f"\n{name}: {reason}" for name, reason in answers.unreadable.items())
        raise ValueError(f"no answer was found in these files{why}")
    everybody = answers.students
    called = {name: f"student {number}" if hide_names else name for number, name in enumerate(everybody, 1)}
    table = table.assign(student=table["student"].map(called))
    sections = [
        _section(str(panel), str(question), group, [called[name] for name in everybody])
        for (panel, question), group in table.groupby(["panel", "question"], sort=False)
    ]
    parts = {
        "styles": (_FOLDER / "page.css").read_text(encoding="utf-8")
        + (_FOLDER / "class_report.css").read_text(encoding="utf-8"),
        "summary": _summary(table, len(everybody)),
        "download": base64.b64encode(table.to_csv(index=False).encode()).decode("ascii"),
        "sections": "\n".join(sections),
        "unreadable": _list_unreadable(answers.unreadable, hide_names),
    }
    page = (_FOLDER / "class_report.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        page = page.replace(f"{{{name}}}", part, 1)
    return page


def _summary(table: pd.DataFrame, n_students: int) -> str:
    n_questions = len(table[["panel", "question"]].drop_duplicates())
    shares = table.groupby(["panel", "question"])["right"].mean()
    panel, question = shares.idxmin()
    hardest = _questions_of(panel)[question].title
    return (
        f"{_count(n_students, 'file')}, {_count(n_questions, 'question')}. Most often wrong: "
        f"<em>{escape(hardest)}</em> ({escape(panel)}), right in {percent(shares.min())} of the answers."
    )


def _section(panel: str, name: str, group: pd.DataFrame, everybody: Sequence[str]) -> str:
    question = _questions_of(panel)[name]
    text = "" if callable(question.text) else f"<p>{escape(question.text)}</p>"
    missing = sorted(set(everybody) - set(group["student"]))
    return (
        f"<section><h2>{escape(question.title)} <small>{escape(panel)}</small></h2>{text}"
        f"<p><strong>{group['right'].sum()} of {_count(len(group), 'answer')} right.</strong> "
        f"{_wrong(question, group)}</p>{_histogram(question, group)}"
        + (f"<p class='missing'>No answer from {escape(', '.join(missing))}.</p>" if missing else "")
        + "</section>"
    )


def _wrong(question: Guess, group: pd.DataFrame) -> str:
    wrong = group.loc[~group["right"], "answer"]
    if wrong.empty:
        return ""
    counts = wrong.value_counts()
    return f"Most frequent wrong answer: {escape(question.formatted(counts.index[0]))} ({counts.iloc[0]})."


def _histogram(question: Guess, group: pd.DataFrame) -> str:
    """Draw a bar for each answer that was given, in colour where it is right; the truth is the marked row."""
    counts = group["answer"].value_counts()
    truths = group["truth"].unique()
    values = sorted({*counts.index, *truths}, key=lambda value: (isinstance(value, str), value))
    if len(values) > MOST_BARS:
        # students measured slightly different truths: the bars are those of answers only
        values = sorted(counts.index)
    most = int(counts.max())
    rows = []
    for value in values:
        n = int(counts.get(value, 0))
        right = bool(group.loc[group["answer"] == value, "right"].any())
        mark = " class='truth'" if value in truths else " class='right'" if right else ""
        rows.append(
            f"<tr{mark}><th>{escape(question.formatted(value))}</th>"
            f"<td><div class='bar' style='width: {100 * n / most:.0f}%'></div><span>{n}</span></td></tr>"
        )
    span = _truths(question, truths)
    return f"<table class='histogram'>{''.join(rows)}</table><p class='truth-text'>{escape(span)}</p>"


def _truths(question: Guess, truths: Any) -> str:
    if len(truths) == 1:
        return f"Measured: {question.formatted(truths[0])}."
    if any(isinstance(one, str) for one in truths):
        return f"Measured: {', '.join(sorted(map(str, truths)))}, by what each student ran."
    low, high = question.formatted(min(truths)), question.formatted(max(truths))
    return f"Measured: {low} to {high}, by what each student ran."


def _list_unreadable(unreadable: Mapping[str, str], hide_names: bool) -> str:
    if not unreadable:
        return ""
    if hide_names:
        return f"<p class='missing'>{_count(len(unreadable), 'file')} could not be read.</p>"
    rows = "".join(f"<li><code>{escape(name)}</code>: {escape(why)}</li>" for name, why in unreadable.items())
    return f"<section><h2>Files that could not be read</h2><ul>{rows}</ul></section>"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
