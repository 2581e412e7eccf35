"""Notebooks are committed without outputs, and their cells are thin; tests/browser runs them."""

import ast
import itertools
import re

import nbformat
import pytest

from cortexsim._support.resources import notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
LONGEST_CELL_LINES = 9
# cells whose name ends like those that explain a result, and which do not
NOT_ANSWERS = {"fold-end", "record-end", "call-end"}


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def notebooks():
    """All notebooks by name, as they are committed."""
    assert NOTEBOOKS
    return {path.stem: read(path) for path in NOTEBOOKS}


def code_cells(notebooks):
    return [
        (f"{name}, cell {cell.id}", cell.source)
        for name, notebook in notebooks.items()
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_notebooks_are_valid_and_committed_without_outputs(notebooks):
    for name, notebook in notebooks.items():
        nbformat.validate(notebook)
        with_output = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
        assert with_output == [], name


def test_notebooks_run_in_the_environment_that_opens_them(notebooks):
    kernels = {name: notebook.metadata.kernelspec.name for name, notebook in notebooks.items()}
    assert kernels == dict.fromkeys(notebooks, "python3")


def test_cells_are_thin(notebooks):
    for cell, source in code_cells(notebooks):
        assert len(source.splitlines()) <= LONGEST_CELL_LINES, cell
        for node in ast.walk(ast.parse(source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.For | ast.While), cell
            assert not (isinstance(node, ast.Attribute) and node.attr in {"plot", "show"}), cell


FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
# a measured number: a percentage with a decimal, or a difference in points; 50 % and 75 % belong to questions
MEASURED = re.compile(r"\d+\.\d+ ?(?:%|percent|points|MB)|\d+(?:\.\d+)? (?:percentage )?points|\d+(?:\.\d+)?-fold")


def test_no_text_tells_a_measured_number_before_it_is_asked_for(notebooks):
    """What the lessons measure comes from their panels; what explains it is folded up."""
    for name, notebook in notebooks.items():
        for cell in notebook.cells:
            if cell.cell_type == "markdown" and cell.id != "reading":
                assert MEASURED.findall(FOLDED.sub("", cell.source)) == [], f"{name}, cell {cell.id}"


def test_findings_are_folded_up(notebooks):
    for name, notebook in notebooks.items():
        for cell in notebook.cells:
            if cell.id in ("finding", "found") or (cell.id.endswith("-end") and cell.id not in NOT_ANSWERS):
                assert cell.source.startswith("<details>"), f"{name}, cell {cell.id}"


def test_one_panel_of_each_lesson_opens_by_itself_and_its_code_is_folded_up(notebooks):
    for name, notebook in notebooks.items():
        cells = [cell for cell in notebook.cells if cell.metadata.get("cortexsim", {}).get("opens")]
        if name != "11_the_papers_experiments":
            assert len(cells) == 1, name
            assert cells[0].metadata["jupyter"]["source_hidden"], name


def test_every_code_cell_is_introduced_by_text(notebooks):
    for name, notebook in notebooks.items():
        kinds = [cell.cell_type for cell in notebook.cells]
        assert kinds[0] == "markdown", name
        assert ("code", "code") not in set(itertools.pairwise(kinds)), name
