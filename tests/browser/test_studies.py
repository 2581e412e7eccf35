"""The panels that measure, in the browser: predict, press, see a figure; a control that cannot be says why."""

import pytest

from tests.support.jupyter import open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

PANELS = {
    "masking": "cs.explore.Masking('contours', n=4)",
    "how_long": "cs.explore.HowLong('contours', n=4)",
    "changes": "cs.explore.Changes('digits', n=60)",
    "lesions": "cs.explore.Lesions('contours', n=8)",
    "sequences": "cs.explore.Sequences('digits', n=8)",
    "brains": "cs.explore.Brains()",
    "recorder": "cs.explore.Recorder('contours')",
}
# where the points at the threshold are circled
CIRCLES = """cell => JSON.stringify([...cell.querySelectorAll('.js-plotly-plot')].at(-1).layout.shapes
    .map(shape => [shape.xanchor, shape.yanchor]))"""
FIGURES = """() => [...document.querySelectorAll('.js-plotly-plot')]
    .filter(plot => (plot.data ?? []).some(trace => (trace.x ?? trace.z ?? []).length)).length"""


@pytest.fixture(scope="module")
def studies(lab_address, page, lab_folder):
    """Open all panels in one notebook."""
    cells = ["import cortexsim as cs", *(f"{name} = {made}\n{name}" for name, made in PANELS.items())]
    write_notebook(lab_folder / "notebooks" / "studies.ipynb", *cells)
    open_notebook(page, lab_address, "studies.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    return page


@pytest.mark.parametrize("name", PANELS)
def test_the_button_makes_a_figure_and_nothing_leaves_the_machine(name, studies, left_this_machine, looks):
    cell = studies.locator(".jp-Cell").nth(1 + list(PANELS).index(name))
    cell.scroll_into_view_if_needed()
    before = studies.evaluate(FIGURES)
    button = cell.locator("button.mod-primary").first
    button.focus()
    studies.keyboard.press("Enter")
    studies.wait_for_function(f"before => ({FIGURES})() > before", arg=before, timeout=240_000)
    assert cell.locator("[role=alert]").count() == 0
    said = cell.locator("[role=status]").evaluate_all("all => all.map(one => one.textContent.trim()).join('')")
    assert said, "the finding is not said"
    assert left_this_machine() == []
    looks(f"measured-{name}", cell)


def test_a_figure_out_of_view_follows_once_it_is_seen(studies):
    cell = studies.locator(".jp-Cell").nth(1 + list(PANELS).index("lesions"))
    cell.get_by_text("more figures").click()
    slider = cell.locator(".widget-slider", has_text="decision at a confidence of").get_by_role("slider")
    slider.scroll_into_view_if_needed()
    slider.focus()
    last = cell.locator(".js-plotly-plot").last
    before = cell.evaluate(CIRCLES)
    studies.keyboard.press("Home")
    studies.wait_for_timeout(2000)
    assert cell.evaluate(CIRCLES) == before
    last.scroll_into_view_if_needed()
    studies.wait_for_function(f"([cell, before]) => ({CIRCLES})(cell) !== before", arg=[cell.element_handle(), before])
