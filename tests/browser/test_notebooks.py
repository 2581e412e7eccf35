"""Every notebook in a browser: no error, nothing leaves the machine, and no answer can be read before its question."""

import html
import json
import math
import re

import pytest

from cortexsim._support.resources import notebooks_folder
from cortexsim.paper import experiments
from tests.support.jupyter import EXECUTE, WIDGETS, open_notebook, run_all

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

NOTEBOOKS = sorted(path.stem for path in notebooks_folder().glob("*.ipynb"))
# what a widget that could not be made leaves behind
BROKEN = "() => [...document.querySelectorAll('.jupyter-widgets-error, .jp-mod-error')].map(one => one.textContent)"
SHUT_ALL = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
# the panels that ask; those of the notebooks before are walked in tests/notebooks, and by mouse and keys
PANELS = {
    "06_what_changes": ["panel"],
    "07_feedback_and_lesions": ["returning", "panel", "each"],
    "08_sequences": ["panel"],
    "09_your_images_and_brains": ["panel"],
    "10_beyond_this_machine": ["panel", "sweep"],
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
        # the clock of a tracer that plays, and digits in the random name of a temporary folder, are no answer
        still = re.sub(r"\bt = \d+", "", text)
        return [f"{truth} {one}" for one in given if re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", still)]
    written = {f"{truth:g}", f"{truth:.0f}"} if unit == "percent" else {f"{truth:g}"}
    found = [match for one in written for match in re.findall(NUMBER.format(re.escape(one)), text)]
    if unit == "percent" and truth:
        found += [f"drawn: {value}" for value in seen["drawn"] if math.isclose(100 * value, truth, abs_tol=0.05)]
    return found


def readable_too_early(page, panels):
    """Answer all questions of these panels, and list the answers that could be read before."""
    found = []
    for panel in panels:
        for question in json.loads(page.evaluate(EXECUTE, f"import json; print(json.dumps(list({panel}.QUESTIONS)))")):
            text = page.evaluate(EXECUTE, ASK.format(panel, question)).strip()
            page.wait_for_timeout(1500)
            seen = page.evaluate(SEEN)
            assert text[:40] in seen["text"], f"the question «{text}» cannot be seen"
            truth, unit, error, verdict = json.loads(page.evaluate(EXECUTE, ANSWER.format(panel)))
            assert error == ""
            found += [f"{panel}, {question}: {one}" for one in revealed(seen, truth, unit, text, verdict)]
    return found


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_cells_run_and_no_answer_can_be_read_before_its_question(name, lab_address, page, left_this_machine, looks):
    open_notebook(page, lab_address, f"{name}.ipynb")
    outputs = run_all(page)
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    shown = sum("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    page.wait_for_function(WIDGETS, arg=shown, timeout=120_000)
    assert page.evaluate(BROKEN) == []
    assert page.locator("[role=alert]").count() == 0
    looks(name)
    found = readable_too_early(page, PANELS.get(name, ()))
    assert left_this_machine() == []
    page.evaluate(SHUT_ALL)
    assert found == [], "\n".join(found)


def test_no_error_of_the_papers_experiments_can_be_read_before_their_cells_are_run(lab_address, page):
    open_notebook(page, lab_address, f"{UNASKED}.ipynb")
    seen = page.evaluate(SEEN)
    page.evaluate(SHUT_ALL)
    assert "What does sharing weights over time cost?" in seen["text"]
    assert seen["drawn"] == []
    results = [experiments.shipped(name) for name in experiments.shipped_names()]
    errors = {
        f"{100 * value:.0f}" for one in results if "test_error" in one for value in one["test_error"].values.ravel()
    }
    # chance is given
    given = [number for number in re.findall(NUMBER.format(r"(\d+)"), seen["text"]) if number != "90"]
    assert not errors & set(given)
