"""What a student sees before each answer: each notebook is walked, and no number on screen is the answer."""

import ast
import re

import ipywidgets as widgets
import nbformat
import numpy as np
import pytest

from cortexsim._support.resources import notebooks_folder
from cortexsim.explore.anatomy.panel import Anatomy
from cortexsim.explore.panel.asking import Asking, Exercise
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.study import Study
from cortexsim.explore.tour.panel import Tour
from cortexsim.explore.training.panel import Training
from cortexsim.explore.widgets.figure import Live

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# notebooks with panels that measure; the tracer and a person's trials are walked in the browser, by mouse and keys
WALKED = ("02_residual_is_recurrent", "04_how_long_to_think", "05_masking")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
LONG_S = 300


def panels_of(name):
    """Run the cells of a notebook, and return the panels that they show."""
    cells = nbformat.read(notebooks_folder() / f"{name}.ipynb", as_version=4).cells
    namespace, shown = {}, []
    for cell in cells:
        if cell.cell_type == "code":
            *before, last = ast.parse(cell.source).body
            exec(compile(ast.Module(before, []), cell.id, "exec"), namespace)
            if isinstance(last, ast.Expr):
                shown.append(eval(compile(ast.Expression(last.value), cell.id, "eval"), namespace))
            else:
                exec(compile(ast.Module([last], []), cell.id, "exec"), namespace)
    return [one for one in shown if isinstance(one, Panel) and not isinstance(one, Exercise)]


def visible(widget):
    """Yield the widgets that are seen, without the question itself and its verdict."""
    if isinstance(widget, Asking) or widget.layout.display == "none":
        return
    yield widget
    for child in getattr(widget, "children", ()):
        yield from visible(child)


def numbers_on_screen(panel):
    """Return the numbers in texts, and the values of lines, as such and as percentages."""
    seen = set()
    for one in visible(panel):
        if isinstance(one, widgets.HTML):
            # without intervals: their ends may be anything
            text = re.sub(r"<[^>]*>|\([^)]*\)", " ", one.value)
            seen |= {float(number.replace(",", "")) for number in NUMBER.findall(text)}
        if isinstance(one, Live):
            for trace in one.figure.select_traces(lambda trace: not str(trace.name).endswith("interval")):
                values = np.asarray([] if trace.y is None else trace.y, float) if trace.type == "scatter" else []
                seen |= {round(float(part * value), 1) for value in values for part in (1, 100) if np.isfinite(value)}
    return seen


def drawn(panel):
    """Return what the figures of a panel show: the names and values of lines, and the texts in them."""
    figures = [one.figure for one in visible(panel) if isinstance(one, Live)]
    return [
        (
            [(trace.name, str(trace.x), str(trace.y)) for trace in figure.data],
            [text.text for text in figure.layout.annotations],
        )
        for figure in figures
    ]


def answered(panel, name):
    """Answer a question, run what it needs, and return the answer that is true."""
    ask = panel.ask
    ask.answer = ask.asked.offered(ask.about)[0]
    panel.choose(**ask.asked.needs)
    panel.run()
    panel.wait(LONG_S)
    assert ask.answered, (name, panel.notice.value)
    return ask.answered[-1]["truth"]


@pytest.mark.parametrize("name", WALKED)
def test_no_number_on_screen_is_the_answer_that_is_asked_for(name):
    for panel in panels_of(name):
        known = set()
        for question in panel.ask.questions if isinstance(panel, Study) else ():
            panel.ask.question = question
            seen, before = numbers_on_screen(panel) - known, drawn(panel)
            truth = answered(panel, question)
            # a line that belongs to the answer has no number, but it is new
            assert drawn(panel) != before, f"{type(panel).__name__}: all of {question} is drawn before it is asked"
            if isinstance(truth, int | float):
                # two questions may have the same answer
                known.add(round(truth, 1))
                assert round(truth, 1) not in seen, f"{type(panel).__name__}: {question} is shown before it is asked"


def test_in_the_tour_of_the_first_notebook_every_chart_is_covered_before_its_question():
    (tour,) = (panel for panel in panels_of("00_start_here") if isinstance(panel, Tour))
    tour.wait(LONG_S)
    for question, still in (("arrival", 3), ("settled", 2), ("batch", 1), ("control", 0)):
        tour.ask.question = question
        assert tour.stage.cover
        tour.ask.answer = tour.ask.asked.offered(tour.ask.about)[0]
        tour.ask.reveal()
        assert len(tour.stage.covers) == still


def test_in_the_second_notebook_the_consequences_are_covered_before_each_question():
    asking = [one for one in panels_of("01_build_a_cortex") if isinstance(one, Anatomy) and one.ask.question]
    assert len(asking) == 2
    for panel in asking:
        assert panel.editor.cover == "time"
        panel.ask.answer = panel.ask.asked.offered(panel.ask.about)[0]
        panel.ask.reveal()
        assert panel.editor.cover == ""


def test_in_the_fourth_notebook_no_curve_is_drawn_before_the_start():
    (panel,) = (one for one in panels_of("03_train_it") if isinstance(one, Training))
    drawn = [value for trace in panel.views.figure("curves").data for value in trace.y or () if value is not None]
    assert drawn == []
    panel.start()
    assert "Predict first" in panel.ask.result.value
    assert panel.phase == "idle"
    panel.close()
