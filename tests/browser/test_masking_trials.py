"""An observer's trials in JupyterLab: keys and mouse answer, Escape stops, times are measured, a round is drawn."""

import json

import numpy as np
import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook
from tests.support.layout import cut, small

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

TRIALS = "import json; print(json.dumps(panel.trials))"
ANSWER = """() => {
  const root = document.querySelector('.cs-trials');
  window.answering = setInterval(() => {
    if (root.classList.contains('asks')) root.dispatchEvent(new KeyboardEvent('keydown', {key: '7', bubbles: true}));
  }, 50);
}"""
# what sticks out of a window of 1280 x 800, in px, once the panel is at the top
BELOW = """cell => {
  const panel = cell.querySelector('.cortexsim-panel').getBoundingClientRect();
  const outer = [...document.querySelectorAll('.jp-WindowedPanel-outer')].find(one => one.clientHeight);
  return panel.height - outer.clientHeight;
}"""


def cell(page, place):
    return page.locator(".jp-Cell").nth(place)


def panel_of(page, place):
    return cell(page, place).locator(".cortexsim-panel").first


def part(page, name):
    return page.locator(f".cs-trials [data-part={name}]")


@pytest.fixture(scope="module")
def trials(lab_address, page, lab_folder):
    """Open the panel."""
    cells = [
        "import cortexsim as cs",
        "panel = cs.explore.MaskingTrials()\npanel",
        "curves = cs.explore.Interruption(question='')\ncurves",
    ]
    write_notebook(lab_folder / "notebooks" / "trials.ipynb", *cells)
    open_notebook(page, lab_address, "trials.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    part(page, "square").wait_for(timeout=120_000)
    return page


def test_nothing_flashes_before_the_prediction_and_the_warning_is_there(trials):
    assert part(trials, "start").is_disabled()
    assert "photosensitive epilepsy" in trials.locator(".cortexsim-panel").first.inner_text()
    assert small(panel_of(trials, 1)) == []
    assert cell(trials, 1).evaluate(BELOW) <= 0
    trials.get_by_role("radio", name="40").click()
    trials.locator(".cs-trials [data-part=start]:enabled").wait_for()


def test_escape_stops_and_keeps_what_was_answered(trials):
    part(trials, "start").click()
    trials.locator(".cs-trials.asks").wait_for(timeout=60_000)
    part(trials, "digits").get_by_role("button", name="3").click()
    trials.locator(".cs-trials:not(.asks)").wait_for()
    trials.keyboard.press("Escape")
    part(trials, "says").get_by_text("Stopped").wait_for()
    assert part(trials, "stop").is_disabled()
    (first, *_) = json.loads(trials.evaluate(EXECUTE, TRIALS))
    assert first["answer"] == 3
    assert part(trials, "start").inner_text() == "continue"


def test_a_round_measures_its_times_and_is_drawn(trials, left_this_machine, looks):
    trials.evaluate(ANSWER)
    part(trials, "start").click()
    part(trials, "says").get_by_text("Done").wait_for(timeout=300_000)
    shown = json.loads(trials.evaluate(EXECUTE, TRIALS))
    valid = [one for one in shown if not one["missed"]]
    assert len(valid) == 20
    for one in valid:
        assert one["flash_ms"] < 2 * one["frame_ms"]
        if one["condition"] != "no mask":
            assert abs(one["soa_ms"] - int(one["condition"].split()[0])) <= one["frame_ms"]
    right = np.mean([one["digit"] == one["answer"] for one in valid])
    found = trials.evaluate(EXECUTE, "print(float(panel.result['right'].mean()))")
    assert float(found) == pytest.approx(right)
    cell(trials, 1).locator(".js-plotly-plot text", has_text="the model").wait_for(timeout=240_000)
    assert cut(panel_of(trials, 1)) == []
    assert small(panel_of(trials, 1)) == []
    assert cell(trials, 1).evaluate(BELOW) <= 0
    assert left_this_machine() == []
    looks("masking-trials", cell(trials, 1))


def test_the_slider_moves_the_lines_at_once(trials, looks):
    shown = cell(trials, 2)
    shown.scroll_into_view_if_needed()
    shown.locator(".js-plotly-plot text", has_text="SOA: from picture to mask (steps)").wait_for(timeout=120_000)
    slider = shown.get_by_role("slider")
    slider.focus()
    for _ in range(9):
        trials.keyboard.press("ArrowRight")
    shown.locator(".js-plotly-plot text", has_text="0.9 × length").wait_for(timeout=60_000)
    assert cut(panel_of(trials, 2)) == []
    assert small(panel_of(trials, 2)) == []
    assert shown.evaluate(BELOW) <= 0
    looks("interruption", shown)
