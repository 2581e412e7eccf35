"""A figure that is redrawn keeps what a person did to it, for as long as it is the same figure."""

import re

import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FIGURE = """import plotly.graph_objects as go
from cortexsim.explore.widgets.figure import Live
live = Live(go.Figure([go.Scatter(y=[1, 2, 3], name="one"), go.Scatter(y=[3, 2, 1], name="other")]))
live"""
AGAIN = "live.figure.data[0].y = [4, 5, 6]\nlive.redraw()"
ANOTHER = "live.take(go.Figure([go.Scatter(y=[7, 8, 9], name='before'), *live.figure.data]))"
STATE = """() => {
  const plot = document.querySelector('.js-plotly-plot');
  return {
    first: Array.from(plot._fullData[0].y),
    range: plot._fullLayout.xaxis.range,
    hidden: plot._fullData.filter(trace => trace.visible === 'legendonly').map(trace => trace.name),
  };
}"""


def shows(page, first):
    page.wait_for_function(f"first => String(({STATE})().first) === String(first)", arg=first, timeout=60_000)
    return page.evaluate(STATE)


def test_zoom_and_hidden_lines_outlive_a_redraw_and_not_another_figure(lab_address, page, lab_folder):
    write_notebook(lab_folder / "notebooks" / "live.ipynb", FIGURE)
    open_notebook(page, lab_address, "live.ipynb")
    assert [output for output in run_all(page) if output["output_type"] == "error"] == []
    page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached", timeout=120_000)
    whole = shows(page, [1, 2, 3])["range"]
    plot = page.locator(".nsewdrag").first.bounding_box()
    x, y = plot["x"], plot["y"] + plot["height"] / 2
    page.mouse.move(x + plot["width"] * 0.3, y)
    page.mouse.down()
    page.mouse.move(x + plot["width"] * 0.6, y, steps=6)
    page.mouse.up()
    page.locator(".legendtoggle").nth(1).click()
    page.wait_for_function(f"() => ({STATE})().hidden.length === 1", timeout=60_000)
    zoomed = page.evaluate(STATE)["range"]
    assert zoomed[1] - zoomed[0] < 0.5 * (whole[1] - whole[0])

    page.evaluate(EXECUTE, AGAIN)
    after = shows(page, [4, 5, 6])
    assert after["range"] == zoomed
    assert after["hidden"] == ["other"]

    page.evaluate(EXECUTE, ANOTHER)
    after = shows(page, [7, 8, 9])
    assert after["range"] == pytest.approx(whole, abs=0.1)
    assert after["hidden"] == []


HEATMAP = """import plotly.graph_objects as go
from cortexsim.explore.widgets.figure import Live
Live(go.Figure(go.Heatmap(z=[[0, 1]], colorscale="Cividis", texttemplate="%{z}")))"""
INKS = """() => [...document.querySelectorAll('.heatmap-label text')].map(text => getComputedStyle(text).fill)"""


def test_a_number_in_a_cell_of_a_heatmap_stands_out_against_its_cell(lab_address, page, lab_folder):
    write_notebook(lab_folder / "notebooks" / "heatmap.ipynb", HEATMAP)
    open_notebook(page, lab_address, "heatmap.ipynb")
    assert [output for output in run_all(page) if output["output_type"] == "error"] == []
    page.locator(".heatmap-label text").nth(1).wait_for(state="attached", timeout=120_000)
    on_dark, on_light = page.evaluate(INKS)
    assert on_dark == "rgb(255, 255, 255)"
    assert on_light == "rgb(68, 68, 68)"


def test_a_hover_text_stands_out_against_its_box(lab_address, page, lab_folder):
    cells = page.locator(".nsewdrag").first.bounding_box()
    page.mouse.move(cells["x"] + cells["width"] / 4, cells["y"] + cells["height"] / 2, steps=3)
    page.locator(".hoverlayer .hovertext text").first.wait_for(timeout=60_000)
    box, text = page.evaluate(
        """() => ['path', 'text'].map(part => getComputedStyle(document.querySelector(`.hovertext ${part}`)).fill)"""
    )
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (box, text)]
    assert abs(light[0] - light[1]) > 300, (box, text)
