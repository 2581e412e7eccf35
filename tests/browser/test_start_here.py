"""The first notebook as a person meets it: `cortexsim lab`, run all cells, move the slider."""

from urllib.parse import urlparse

import pytest

pytestmark = pytest.mark.browser

# the maps that the panel shows, as plotly holds them in the browser
MAPS = """() => JSON.stringify(
    [...document.querySelectorAll('.cortexsim-live')]
        .flatMap(figure => figure.data ?? figure.querySelector('.js-plotly-plot')?.data ?? [])
        .filter(trace => trace.type === 'heatmap')
        .map(trace => trace.z))"""
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON()
    .cells.flatMap(cell => cell.outputs ?? [])"""


def test_the_first_notebook_runs_and_its_slider_moves_the_picture(lab_address, page, asked, called):
    page.goto(lab_address)
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.context?.sessionContext.session?.kernel", timeout=90_000
    )
    assert page.locator("dialog, .jp-Dialog").count() == 0
    assert page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    outputs = page.evaluate(OUTPUTS)
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

    hosts = {urlparse(address).hostname for address in asked if not address.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
    assert called.read_text(encoding="utf-8") == ""
