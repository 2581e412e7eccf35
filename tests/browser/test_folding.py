"""The folding panel in JupyterLab: one time bar moves the stack and the loop, and what is read is what was measured."""

import json

import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

CELLS = ("import cortexsim as cs", "panel = cs.explore.Folding(question='')\npanel")
# what is lit, and pixels of the loop's map and of the layer's, at the present time
SEEN = """() => {
  const root = document.querySelector('.cs-forms');
  const map = name => {
    const canvas = root.querySelector(`.${name} canvas`);
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
  };
  const loop = map('cs-folded'), layer = map('cs-unfolded');
  return {
    time: root.dataset.time, lit: [...root.querySelectorAll('.cs-layer')].map(one => one.classList.contains('cs-lit')),
    verdict: root.querySelector('.cs-verdict').textContent, sign: root.querySelector('.cs-sign').textContent,
    same: loop.every((value, at) => value === layer[at]), values: new Set(loop).size,
    titles: ['cs-folded', 'cs-unfolded'].map(name => root.querySelector(`.${name} .cs-name`).textContent),
  };
}"""
RAN = "n => document.querySelector('.cs-forms').querySelectorAll('.cs-layer canvas:not([hidden])').length === n"
SMALL = """() => [...document.querySelectorAll('.cs-forms *, .cortexsim-panel label')]
    .filter(one => one.getClientRects().length)
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
        && parseFloat(getComputedStyle(one).fontSize) < 14).map(one => one.outerHTML.slice(0, 90))"""
# what sticks out of the window of the notebook or of the panel
OUT = """() => {
  const box = one => one.getBoundingClientRect();
  const window = box([...document.querySelectorAll('.jp-WindowedPanel-outer')].find(one => one.clientHeight));
  const panel = document.querySelector('.cortexsim-panel');
  panel.scrollIntoView({block: 'start'});
  return {
    below: box(document.querySelector('.cs-forms')).bottom - window.bottom,
    cut: [...document.querySelectorAll('.cs-forms text')].filter(one => box(one).right > box(panel).right + 1
        || box(one).left < box(panel).left - 1).map(one => one.textContent),
  };
}"""


@pytest.fixture(scope="module")
def panel(lab_address, page, lab_folder):
    """Open the panel and run both forms."""
    write_notebook(lab_folder / "notebooks" / "folding.ipynb", *CELLS)
    open_notebook(page, lab_address, "folding.ipynb")
    assert [output for output in run_all(page) if output["output_type"] == "error"] == []
    page.locator(".cs-forms").wait_for(timeout=60_000)
    assert page.locator(".cs-forms input[type=range]").is_disabled()
    page.locator("button.mod-primary").first.click()
    page.wait_for_function(RAN, arg=5, timeout=120_000)
    return page


def scrub(page, key, time):
    page.locator(".cs-forms input[type=range]").focus()
    page.keyboard.press(key)
    page.wait_for_function("t => document.querySelector('.cs-forms').dataset.time === t", arg=str(time), timeout=10_000)
    return page.evaluate(SEEN)


def test_one_time_bar_lights_a_layer_and_the_same_step_of_the_loop(panel, looks, left_this_machine):
    scrub(panel, "Home", 0)
    for time in (1, 2, 3, 4):
        seen = scrub(panel, "ArrowRight", time)
        assert seen["lit"] == [k == time for k in range(5)]
        assert seen["titles"] == [f"folded: step {time}", f"stack: layer {time}"]
        assert seen["same"]
        assert seen["values"] > 50
        assert seen["sign"] == "="
        said = json.loads(panel.evaluate(EXECUTE, "import json; print(json.dumps(panel.film.scene['verdicts']))"))
        assert seen["verdict"] == said[time]
    assert panel.evaluate(EXECUTE, "print(panel.film.time)").strip() == "4"
    assert left_this_machine() == []
    looks("folding", panel.locator(".jp-Cell").nth(1))


def test_play_runs_to_the_last_step_and_stops(panel):
    scrub(panel, "Home", 0)
    panel.locator(".cs-forms button[aria-label=play]").click()
    panel.locator(".cs-forms button[aria-label=pause]").wait_for(timeout=5_000)
    panel.wait_for_function("() => document.querySelector('.cs-forms').dataset.time === '4'", timeout=20_000)
    panel.locator(".cs-forms button[aria-label=play]").wait_for(timeout=5_000)


def test_the_panel_fits_the_window_and_its_text_is_large(panel):
    assert panel.evaluate(SMALL) == []
    out = panel.evaluate(OUT)
    assert out["below"] <= 0
    assert out["cut"] == []


def test_weights_of_each_layer_cannot_be_folded_and_the_panel_says_so(panel, looks):
    panel.locator("select").filter(has_text="of its own at each step").select_option(index=1)
    panel.wait_for_function(
        "() => document.querySelector('.cs-forms .cs-verdict').textContent.startsWith('Cannot be folded')",
        timeout=120_000,
    )
    scrub(panel, "Home", 0)
    assert scrub(panel, "ArrowRight", 1)["sign"] == "="
    seen = scrub(panel, "End", 4)
    assert seen["sign"] == "≠"
    assert not seen["same"]
    assert "layer 4 has weights of its own" in seen["verdict"]
    assert panel.evaluate(OUT)["below"] <= 0
    looks("folding-unshared", panel.locator(".jp-Cell").nth(1))
