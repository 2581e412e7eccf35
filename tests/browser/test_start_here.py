"""The first notebook as a person meets it: `cortexsim lab`, run all cells, move the slider."""

import pytest

from benchmarks.jupyter import open_notebook, run_all

pytestmark = pytest.mark.browser

# the maps that the panel shows, as plotly holds them in the browser
MAPS = """() => JSON.stringify(
    [...document.querySelectorAll('.cortexsim-live')]
        .flatMap(figure => figure.data ?? figure.querySelector('.js-plotly-plot')?.data ?? [])
        .filter(trace => trace.type === 'heatmap')
        .map(trace => trace.z))"""


def test_the_first_notebook_runs_and_its_slider_moves_the_picture(lab_address, page, left_this_machine):
    open_notebook(page, lab_address)
    assert page.locator("dialog, .jp-Dialog").count() == 0
    outputs = run_all(page)
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    page.wait_for_function(f"({MAPS})() !== '[]'", timeout=60_000)

    before = page.evaluate(MAPS)
    slider = page.locator(".widget-slider", has_text="time").get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"before => ({MAPS})() !== before", arg=before, timeout=20_000)
    assert "t = 1" in page.locator(".jp-OutputArea").last.inner_text()
    assert page.locator("[role=alert]").count() == 0

    figures = page.locator(".js-plotly-plot")
    widths = figures.evaluate_all("all => all.map(one => [one._fullLayout.width, one.clientWidth])")
    assert widths
    assert all(abs(drawn - there) <= 1 for drawn, there in widths), "a figure does not fill its container"

    assert left_this_machine() == []
