"""The panels that measure, in the browser: predict, press, see a figure; a control that cannot be says why."""

import pytest

from benchmarks.jupyter import open_notebook, run_all, write_notebook

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
