"""Every notebook runs from a fresh kernel; it is committed without outputs, and its cells are thin."""

import ast
import itertools

import nbformat
import pytest
from nbclient import NotebookClient

from cortexsim._support.resources import notebooks_folder
from cortexsim.lab.start import environment

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
LONGEST_CELL_LINES = 9


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


@pytest.fixture
def kernel_of_this_python(tmp_path, monkeypatch):
    for name, value in environment(tmp_path / "own", {}).items():
        monkeypatch.setenv(name, value)
    # the kernel is a process of its own: what it does not find here it must find by itself
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))


@pytest.mark.slow
@every_notebook
def test_a_notebook_runs_from_a_fresh_kernel_without_a_word_on_stderr(path, kernel_of_this_python, tmp_path):
    notebook = read(path)
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert [output for output in outputs if "application/vnd.jupyter.widget-view+json" in output.get("data", {})]


@every_notebook
def test_a_notebook_is_valid_and_committed_without_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []


@every_notebook
def test_a_notebook_runs_in_the_environment_that_opens_it(path):
    assert read(path).metadata.kernelspec.name == "python3"


@every_notebook
def test_cells_are_thin(path):
    for cell in code_cells(path):
        assert len(cell.source.splitlines()) <= LONGEST_CELL_LINES, cell.id
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.For | ast.While), cell.id
            assert not (isinstance(node, ast.Attribute) and node.attr in {"plot", "show"}), cell.id


@every_notebook
def test_every_code_cell_is_introduced_by_text(path):
    kinds = [cell.cell_type for cell in read(path).cells]
    assert kinds[0] == "markdown"
    assert ("code", "code") not in set(itertools.pairwise(kinds))
