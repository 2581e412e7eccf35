"""Widgets whose code a busy browser loads later than anywidget waits for it."""

import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# the 2 s for which anywidget waits are over at once
HURRIED = """const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = ms => timeout(ms === 2000 ? 0 : ms);"""
GIVEN_UP = "[anywidget] Failed to initialize model."
ANSWER_AND_RUN = "panel.ask.answer = 60; panel.run(); panel.wait(); print(panel.error or '')"
NAMES = "panel => [...panel.querySelectorAll('.js-plotly-plot')].flatMap(plot => plot.data.map(trace => trace.name))"


def test_a_widget_whose_code_comes_late_shows_what_the_kernel_says_from_then_on(page, lab_address, lab_folder):
    errors = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.add_init_script(HURRIED)
    cells = ["import cortexsim as cs", "panel = cs.explore.Interruption(question='too-early')\npanel"]
    write_notebook(lab_folder / "notebooks" / "late.ipynb", *cells)
    open_notebook(page, lab_address, "late.ipynb")
    run_all(page)
    panel = page.locator(".jp-Cell").nth(1).locator(".cortexsim-panel")
    panel.locator(".cs-choice input").first.wait_for()
    assert GIVEN_UP in errors, "no code was late"

    assert page.evaluate(EXECUTE, ANSWER_AND_RUN).strip() == ""
    panel.locator(".cs-choice input:checked").wait_for()
    panel.locator(".cortexsim-live .js-plotly-plot .trace").first.wait_for()
    both = panel.evaluate(NAMES)
    assert page.evaluate(EXECUTE, "panel.choose(mask='noise')").strip() == ""
    page.wait_for_function(f"([panel, n]) => ({NAMES})(panel).length < n", arg=[panel.element_handle(), len(both)])
