"""What can be read in a notebook before each of its questions is answered: never the answer."""

import html
import json
import math
import re

import nbformat
import pytest

from cortexsim._support.resources import notebooks_folder
from cortexsim.paper import experiments
from tests.support.jupyter import EXECUTE, open_notebook, run_all

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

# the panels of each notebook that ask
PANELS = {
    "06_what_changes": ["panel"],
    "07_feedback_and_lesions": ["returning", "panel", "each"],
    "08_sequences": ["panel"],
    "09_your_images_and_brains": ["panel"],
    "10_beyond_this_machine": ["panel"],
}
UNASKED = "11_the_papers_experiments"
# every text that is seen, without the answers that are offered and the numbers along axes; the values that figures draw
SEEN = """() => {
  const notebook = [...document.querySelectorAll('.jp-Notebook')].find(one => one.clientHeight), texts = [];
  const walker = document.createTreeWalker(notebook, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (one.closest('style, script, option, .cs-choice, .xtick, .ytick, .jp-InputArea-editor, .cs-outcome')) continue;
    if (one.closest('details:not([open])') && !one.closest('summary')) continue;
    if (one.checkVisibility({visibilityProperty: true})) texts.push(walker.currentNode.textContent);
  }
  const plain = values => Array.from(values?._inputArray ?? values ?? []).flatMap(v => v?.length ? plain(v) : [v]);
  const drawn = [...notebook.querySelectorAll('.js-plotly-plot')].filter(plot => plot.clientHeight)
    .flatMap(plot => plot.data.filter(trace => trace.visible !== false && trace.visible !== 'legendonly'))
    .flatMap(trace => plain(trace.z ?? trace.y)).filter(value => typeof value === 'number');
  return {text: texts.join(' '), drawn};
}"""
ASK = "{0}.ask.question = {1!r}; print({0}.ask.asked.asked({0}.ask.about))"
ANSWER = """import json
one = {0}.ask
one.answer = one.asked.offered(one.about)[1]
{0}.choose(**one.asked.needs)
{0}.run(); {0}.wait(600)
print(json.dumps([one.answered[-1]['truth'], one.asked.unit, str({0}.error or ''), one.result.value]))"""
NUMBER = r"(?<![\d.]){0}(?:\.0)? ?(?:%|percentage points|times|connections|MB)"


def revealed(seen, truth, unit, question, verdict):
    """List where the answer can be read: a number with a unit in the texts, or a value of a figure.

    For an answer in words, the number that the verdict gives next to these words.
    """
    text = seen["text"].replace(question, "")
    if isinstance(truth, str):
        given = re.findall(rf"{re.escape(truth)} ([−-]?\d+(?:\.\d+)?)", html.unescape(verdict))
        assert given, f"the verdict gives no number for {truth}"
        return [f"{truth} {one}" for one in given if re.search(rf"(?<![\d.]){re.escape(one)}(?![\d.])", text)]
    written = {f"{truth:g}", f"{truth:.0f}"} if unit == "percent" else {f"{truth:g}"}
    found = [match for one in written for match in re.findall(NUMBER.format(re.escape(one)), text)]
    if unit == "percent" and truth:
        found += [f"drawn: {value}" for value in seen["drawn"] if math.isclose(100 * value, truth, abs_tol=0.05)]
    return found


def walked(folder, name):
    """Write a copy of a notebook with all its texts, and only the code of the panels that ask; return its name."""
    notebook = nbformat.read(notebooks_folder() / f"{name}.ipynb", as_version=4)
    of_panels = re.compile(rf"^(?:{'|'.join(PANELS[name])})\b", re.MULTILINE)
    notebook.cells = [one for one in notebook.cells if one.cell_type != "code" or of_panels.search(one.source)]
    nbformat.write(notebook, folder / "notebooks" / f"{name}-walked.ipynb")
    return f"{name}-walked.ipynb"


@pytest.mark.parametrize("name", PANELS)
def test_no_answer_can_be_read_before_its_question_is_answered(name, lab_address, page, lab_folder):
    open_notebook(page, lab_address, walked(lab_folder, name))
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error"] == []
    found, count = [], 0
    for panel in PANELS[name]:
        for question in json.loads(page.evaluate(EXECUTE, f"import json; print(json.dumps(list({panel}.QUESTIONS)))")):
            text = page.evaluate(EXECUTE, ASK.format(panel, question)).strip()
            page.wait_for_timeout(1500)
            seen = page.evaluate(SEEN)
            assert text[:40] in seen["text"], f"the question «{text}» cannot be seen"
            truth, unit, error, verdict = json.loads(page.evaluate(EXECUTE, ANSWER.format(panel)))
            assert error == ""
            found += [f"{panel}, {question}: {one}" for one in revealed(seen, truth, unit, text, verdict)]
            count += 1
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    assert count
    assert found == [], "\n".join(found)


def test_no_error_of_the_papers_experiments_can_be_read_before_their_cells_are_run(lab_address, page):
    open_notebook(page, lab_address, f"{UNASKED}.ipynb")
    seen = page.evaluate(SEEN)
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
    assert "What does sharing weights over time cost?" in seen["text"]
    assert seen["drawn"] == []
    results = [experiments.shipped(name) for name in experiments.shipped_names()]
    errors = {
        f"{100 * value:.0f}" for one in results if "test_error" in one for value in one["test_error"].values.ravel()
    }
    # chance is given
    given = [number for number in re.findall(NUMBER.format(r"(\d+)"), seen["text"]) if number != "90"]
    assert not errors & set(given)
