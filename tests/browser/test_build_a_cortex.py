"""The anatomy notebook as a person meets it: predict, reveal, and edit the matrix by pointer and by keys alone."""

import pytest

from tests.support.jupyter import open_notebook, run_all

pytestmark = pytest.mark.browser

# what is drawn: lines that the readout needs and others, boxes that hold something, and all text next to them
DRAWN = """k => {
  const editor = document.querySelectorAll('.cs-editor')[k];
  const count = selector => editor.querySelectorAll(selector).length;
  return {needed: count('.cs-unrolled .cs-edge:not(.cs-idle)'), idle: count('.cs-unrolled .cs-edge.cs-idle'),
          populated: count('.cs-unrolled .cs-populated'), lit: count('.cs-unrolled .cs-lit'),
          facts: editor.querySelector('.cs-facts').textContent,
          focused: document.activeElement.dataset.pair ?? document.activeElement.dataset.time};
}"""
N_DRAWN = "k => Number(document.querySelectorAll('.cs-editor')[k].dataset.pictures)"
FIRST, READABLE, SHORT_CUT, EVEN = range(4)


@pytest.fixture(scope="module")
def notebook(lab_address, page):
    """Run all cells of the notebook."""
    open_notebook(page, lab_address, "01_build_a_cortex.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    page.wait_for_function("() => document.querySelectorAll('.cs-editor[data-time]').length === 6", timeout=120_000)
    return page


def test_what_follows_from_the_matrix_is_covered_until_it_is_predicted(notebook, left_this_machine):
    page = notebook
    covered = page.evaluate(DRAWN, FIRST)
    assert (covered["needed"], covered["populated"], covered["facts"]) == (0, 1, "")
    page.locator("fieldset", has_text="t (steps)").first.get_by_role("radio", name="3", exact=True).check()
    page.get_by_role("button", name="reveal").first.click()
    page.wait_for_function("() => document.body.textContent.includes('You said t = 3, it is t = 3')", timeout=120_000)
    # the signal travels by itself, and lights one box after the other
    page.wait_for_function(f"k => ({DRAWN})(k).lit === 30", arg=FIRST, timeout=120_000)
    assert "IT can be read att = 3, 4, 5, 6, 7, 8" in page.evaluate(DRAWN, FIRST)["facts"]
    assert left_this_machine() == []


def test_the_matrix_is_edited_by_keys_alone_and_the_picture_follows(notebook):
    page = notebook
    editor = page.locator(".cs-editor").nth(SHORT_CUT)
    before = page.evaluate(DRAWN, SHORT_CUT)
    assert "t = 3, 4, 5, 6, 7, 8" in before["facts"]
    editor.locator('[data-pair="V1->IT"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('t = 1, 2, 3')", arg=SHORT_CUT, timeout=120_000)
    linked = page.evaluate(DRAWN, SHORT_CUT)
    assert linked["needed"] > before["needed"]
    assert linked["focused"] == "V1->IT", "an edit loses the focus"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(DRAWN, SHORT_CUT)["focused"] == "V1->V4"
    page.keyboard.press("ArrowRight")

    # its open times, with the next stops of the tab key: kinds, always, times
    strip = editor.get_by_role("checkbox", name="t = 1", exact=True)
    strip.focus()
    page.keyboard.press("Space")
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('att = 2, 3')", arg=SHORT_CUT, timeout=120_000)
    assert page.evaluate(DRAWN, SHORT_CUT)["focused"] == "1"
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('att = 3, 4')", arg=SHORT_CUT, timeout=120_000)
    for _ in range(3):
        drawn = page.evaluate(N_DRAWN, SHORT_CUT)
        page.keyboard.press("Control+z")
        page.wait_for_function(f"([k, n]) => ({N_DRAWN})(k) > n", arg=[SHORT_CUT, drawn], timeout=120_000)
    assert page.evaluate(DRAWN, SHORT_CUT) == {**before, "focused": page.evaluate(DRAWN, SHORT_CUT)["focused"]}


def test_a_drag_from_box_to_box_links_two_areas_in_one_change(notebook):
    page = notebook
    editor = page.locator(".cs-editor").nth(SHORT_CUT)
    before, drawn = page.evaluate(DRAWN, SHORT_CUT), page.evaluate(N_DRAWN, SHORT_CUT)
    boxes = [editor.locator(f'[data-state="{state}"][data-time="{time}"]') for state, time in (("V1", 0), ("IT", 1))]
    boxes[0].scroll_into_view_if_needed()
    begin, end = (box.bounding_box() for box in boxes)
    page.mouse.move(begin["x"] + 5, begin["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 5, steps=5)
    assert editor.locator(".cs-pull").count() == 1
    page.mouse.up()
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('t = 1, 2, 3')", arg=SHORT_CUT, timeout=120_000)
    assert editor.locator(".cs-pull").count() == 0
    assert editor.locator('[data-pair="V1->IT"]').get_attribute("aria-selected") == "true"
    page.get_by_role("button", name="undo").nth(SHORT_CUT).click()
    page.wait_for_function(f"([k, n]) => ({N_DRAWN})(k) > n + 1", arg=[SHORT_CUT, drawn], timeout=120_000)
    assert page.evaluate(DRAWN, SHORT_CUT)["facts"] == before["facts"]


def test_a_drag_closes_a_transition_for_a_while_in_one_change(notebook):
    page = notebook
    editor = page.locator(".cs-editor").nth(SHORT_CUT)
    editor.locator('[data-pair="V4->IT"]').click()
    times = editor.locator(".cs-strip button")
    times.nth(0).scroll_into_view_if_needed()
    begin, end = times.nth(2).bounding_box(), times.nth(4).bounding_box()
    page.mouse.move(begin["x"] + 5, begin["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 5, steps=8)
    page.mouse.up()
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('att = 6, 7, 8')", arg=SHORT_CUT, timeout=120_000)
    assert "BRCx2, open at t = 1, 2, 6, 7, 8" in editor.locator('[data-pair="V4->IT"]').get_attribute("aria-label")
    alert = editor.get_by_role("alert")
    assert "nothing to read at time 5: IT is empty then" in alert.inner_text()
    assert "populated at t = 6, 7, 8" in alert.inner_text()


def test_another_start_draws_another_matrix(notebook, left_this_machine, looks):
    page = notebook
    page.get_by_label("start from").nth(EVEN).select_option(label="3-state ResNet of the paper")
    page.wait_for_function(f"k => ({DRAWN})(k).facts.includes('120,890 if shared over')", arg=EVEN, timeout=120_000)
    assert page.locator(".cs-editor").nth(EVEN).locator(".cs-matrix td").count() == 9
    assert page.evaluate(DRAWN, EVEN)["needed"] == 11
    assert left_this_machine() == []
    looks("built")
