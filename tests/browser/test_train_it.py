"""A model learns in the browser: nothing moves before start, then the curve grows, and stop ends it."""

import pytest

from tests.support.jupyter import open_notebook, run_all

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

# how many points the loss has, of the first figure that has a loss
POINTS = """() => {
  for (const plot of document.querySelectorAll('.js-plotly-plot')) {
    const loss = (plot.data ?? []).find(trace => trace.name === 'loss');
    if (loss) return loss.x?.length ?? 0;
  }
  return -1;
}"""


def test_the_curve_grows_after_start_and_stop_ends_it(lab_address, page, left_this_machine, looks):
    open_notebook(page, lab_address, "03_train_it.ipynb")
    outputs = run_all(page)
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    page.wait_for_function(f"() => ({POINTS})() === 0", timeout=120_000)

    # without a prediction it does not start
    page.get_by_role("button", name="start", exact=True).click()
    page.get_by_text("Predict first: choose an answer").wait_for(timeout=120_000)

    page.get_by_role("radio", name="50", exact=True).first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="start", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({POINTS})() >= 3", timeout=300_000)
    page.get_by_role("button", name="pause", exact=True).click()
    page.get_by_role("button", name="resume").wait_for(timeout=120_000)
    page.get_by_role("button", name="stop", exact=True).click()
    page.wait_for_function("() => document.body.textContent.includes('run 1 stopped at step')", timeout=120_000)
    # the words may come a moment before the button
    page.locator("button:enabled", has_text="start").first.wait_for(timeout=120_000)
    assert page.locator("[role=alert]").count() == 0
    assert left_this_machine() == []
    looks("trained")
