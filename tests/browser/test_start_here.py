"""The first notebook as a person meets it: `cortexsim lab`, run all cells, predict, reveal, move the slider."""

import pytest

from tests.support.jupyter import open_notebook, run_all

pytestmark = pytest.mark.browser

TIMES = "() => [...document.querySelectorAll('.cs-stage')].map(stage => Number(stage.dataset.time))"


def test_the_first_notebook_asks_before_it_shows_and_then_lets_time_move(lab_address, page, left_this_machine):
    errors = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    open_notebook(page, lab_address)
    assert page.locator("dialog, .jp-Dialog").count() == 0
    # the first panel runs by itself
    page.locator(".cs-tracer [data-part=answer]").wait_for(timeout=120_000)
    assert page.locator("#jp-left-stack:visible").count() == 0
    outputs = run_all(page)
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    page.wait_for_function("() => document.querySelectorAll('.cs-stage[data-scene]').length === 1", timeout=120_000)
    assert page.locator(".cs-cover:visible").count() == 2

    slider = page.locator(".cs-stage").get_by_role("slider", name="time (steps)").first
    assert slider.is_disabled(), "time moves before the arrival was predicted"
    page.locator("fieldset", has_text="t (steps)").first.get_by_role("radio", name="3", exact=True).check()
    page.get_by_role("button", name="reveal").first.click()
    page.wait_for_function("() => document.body.textContent.includes('You said t = 3, it is t = 3')", timeout=120_000)
    assert "true by construction" in page.locator(".cortexsim-panel [role=status]", has_text="You said").inner_text()

    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"() => ({TIMES})()[0] === 1", timeout=30_000)
    assert page.evaluate(TIMES) == [1]
    assert page.locator("[role=alert]").count() == 0
    assert left_this_machine() == []
    assert [error for error in errors if "NaN" in error] == [], "a chart is drawn before it is in the page"
