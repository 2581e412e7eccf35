"""The tracer panel in JupyterLab: it covers what it asks, solves what is drawn, and a drawing arrives in Python."""

import json

import numpy as np
import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser

DRAWN = """import json
drawing = panel.drawing
print(json.dumps({name: drawing[name].values[0].tolist() for name in ("line", "distance")}))"""
VISIBLE = """() => {
  const tracer = document.querySelector('.cs-tracer');
  const board = tracer.querySelector('[data-part=board]');
  const pixels = board.getContext('2d').getImageData(0, 0, board.width, board.height).data;
  let tagged = 0; // orange that is not the dot's
  for (let at = 0; at < pixels.length; at += 4) {
    tagged += pixels[at] > 200 && pixels[at + 1] > 120 && pixels[at + 2] < 60;
  }
  return {
    tagged, lines: tracer.querySelectorAll('.accuracy').length, known: tracer.querySelectorAll('.known').length,
    dots: tracer.querySelectorAll('.drawn').length, control: tracer.querySelectorAll('path.control').length,
    controls: tracer.querySelector('[data-part=says-deep]').textContent, text: tracer.innerText,
  };
}"""
SMALL_TEXT = """() => [...document.querySelectorAll('.cs-tracer *')].filter(one => one.getClientRects().length
    && [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())
    && parseFloat(getComputedStyle(one).fontSize) < 14).map(one => one.outerHTML.slice(0, 80))"""
# the window of the notebook, and what must lie in it; a text is cut where it sticks out of the panel
BOXES = """() => {
  const box = one => one.getBoundingClientRect();
  const outer = box([...document.querySelectorAll('.jp-WindowedPanel-outer')].find(one => one.clientHeight));
  const panel = box(document.querySelector('.cs-tracer'));
  const texts = [...document.querySelectorAll('.cs-tracer svg text')].map(box);
  return {
    top: box(document.querySelector('.cs-tracer .ask')).top - outer.top,
    below: ['.stage', '.compare'].map(name => box(document.querySelector('.cs-tracer ' + name)).bottom - outer.bottom),
    board: box(document.querySelector('.cs-tracer [data-part=board]')).width,
    cut: texts.filter(text => text.right > panel.right + 1 || text.left < panel.left).length,
  };
}"""
# milliseconds from the end of a stroke to the frame that shows the model's first answer to it
LATENCY = """() => new Promise(resolve => {
  const verdict = document.querySelector('.cs-tracer .verdict');
  const board = document.querySelector('.cs-tracer [data-part=board]');
  board.addEventListener('pointerup', () => {
    const start = performance.now();
    const look = () => verdict.textContent.includes('px tagged')
      ? requestAnimationFrame(() => resolve(performance.now() - start)) : setTimeout(look, 1);
    setTimeout(look, 0);
  }, {once: true});
})"""


@pytest.fixture(scope="module")
def board(lab_address, page, lab_folder):
    """Open the panel and give its drawing board."""
    write_notebook(
        lab_folder / "notebooks" / "tracer.ipynb", "import cortexsim as cs", "panel = cs.explore.Tracer()\npanel"
    )
    open_notebook(page, lab_address, "tracer.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    board = page.locator(".cs-tracer [data-part=board]")
    board.wait_for(timeout=120_000)
    return board


def part(page, name):
    return page.locator(f".cs-tracer [data-part={name}]")


def drag(page, chart, across, down):
    """Drag the ring of a chart to a height, as a share of the chart from its top."""
    part(page, chart).scroll_into_view_if_needed()
    box = part(page, chart).bounding_box()
    x = box["x"] + across * box["width"]
    page.mouse.move(x, box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(x, box["y"] + down * box["height"], steps=3)
    page.mouse.up()


def wait_for_verdict(page, beginning):
    page.wait_for_function(
        "beginning => document.querySelector('.cs-tracer .verdict').textContent.startsWith(beginning)",
        arg=beginning,
        timeout=120_000,
    )


def answered(page):
    return json.loads(page.evaluate(EXECUTE, "import json; print(json.dumps(panel.ask.answered))"))


def test_nothing_is_told_before_it_is_asked_and_answered(board, page, looks, left_this_machine):
    page.wait_for_timeout(1500)
    seen = page.evaluate(VISIBLE)
    assert (seen["tagged"], seen["lines"], seen["known"], seen["dots"], seen["control"]) == (0, 0, 0, 0, 0)
    assert "Solved" not in seen["text"]
    assert part(page, "answer").is_disabled()
    assert part(page, "time").is_disabled()
    looks("tracer-asks")

    drag(page, "chart", 0.2, 0.1)
    part(page, "answer").click()
    wait_for_verdict(page, "Solved after")
    seen = page.evaluate(VISIBLE)
    assert (seen["lines"], seen["known"], seen["dots"], seen["control"], seen["controls"]) == (1, 0, 1, 0, "covered")
    part(page, "next").click()
    page.wait_for_timeout(1500)
    seen = page.evaluate(VISIBLE)
    assert (seen["tagged"], seen["lines"], seen["known"], seen["dots"]) == (0, 1, 0, 1)

    drag(page, "chart", 0.5, 0.5)
    part(page, "answer").click()
    wait_for_verdict(page, "Solved after")
    seen = page.evaluate(VISIBLE)
    assert (seen["lines"], seen["known"], seen["dots"], seen["control"], seen["controls"]) == (4, 1, 2, 0, "covered")
    part(page, "next").click()
    drag(page, "accuracy", 0.9, 0.3)
    part(page, "answer").click()
    seen = page.evaluate(VISIBLE)
    assert seen["control"] == 1
    assert "line px wrong" in seen["controls"]
    looks("tracer-answered")
    given = answered(page)
    assert [one["question"] for one in given] == ["nine-pixels", "forty-pixels", "deep-control"]
    # the recording says the same: one step per pixel, a little less than the length of the curve
    assert 5 <= given[0]["truth"] <= 10
    assert 32 <= given[1]["truth"] <= 42
    assert part(page, "title").inner_text() == f"Not right: 50 %; you said {given[2]['answer']}."
    assert left_this_machine() == []


def test_everything_is_on_one_screen_and_no_text_is_small(board, page):
    page.evaluate("() => window.jupyterapp.commands.execute('filebrowser:hide-main')")
    page.evaluate("() => document.querySelector('.cs-tracer').scrollIntoView({block: 'start'})")
    boxes = page.evaluate(BOXES)
    assert boxes["top"] >= -1
    assert max(boxes["below"]) <= 0
    assert boxes["board"] >= 360
    assert boxes["cut"] == 0
    assert page.evaluate(SMALL_TEXT) == []


def test_what_a_mouse_draws_arrives_in_python_pixel_by_pixel(board, page):
    if part(page, "next").is_visible():
        part(page, "next").click()
    part(page, "clear").click()
    board.scroll_into_view_if_needed()
    box = board.bounding_box()

    def place(x, y):
        return box["x"] + (x + 0.5) * box["width"] / 48, box["y"] + (y + 0.5) * box["height"] / 48

    page.mouse.move(*place(5, 10))
    page.mouse.down()
    page.mouse.move(*place(20, 10))
    page.mouse.move(*place(20, 18))
    page.mouse.up()
    wait_for_verdict(page, "Solved after")
    drawn = json.loads(page.evaluate(EXECUTE, DRAWN))
    expected = np.zeros((48, 48), bool)
    expected[10, 5:21] = expected[10:19, 20] = True
    np.testing.assert_array_equal(np.array(drawn["line"]), expected)
    assert np.array(drawn["distance"])[18, 20] == 23
    # the browser and torch need equally many steps
    steps = "print(cs.analyse.steps_needed(panel.record(), panel.drawing).item())"
    assert float(page.evaluate(EXECUTE, steps)) == int(part(page, "verdict").inner_text().split()[2])


def test_the_answer_begins_within_150_ms_of_the_end_of_a_stroke(board, page):
    box = board.bounding_box()
    taken = []
    for row in range(5):
        part(page, "clear").click()
        page.evaluate(f"() => {{ window.taken = ({LATENCY})(); }}")
        y = box["y"] + (0.2 + 0.1 * row) * box["height"]
        page.mouse.move(box["x"] + 0.2 * box["width"], y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], y, steps=5)
        page.mouse.up()
        taken.append(page.evaluate("() => window.taken"))
    print("ms from stroke to first frame:", [round(one) for one in taken])
    # other work on the machine slows some of them
    assert min(taken) < 150


def test_channels_and_masks_are_shown_at_once(board, page, looks):
    part(page, "see-channels").click()
    page.wait_for_function("() => document.querySelector('.cs-tracer [data-part=channels]').width === 4 * 49 - 1")
    looks("tracer-channels")
    part(page, "see-channels").click()
    part(page, "maze").click()
    for kind in ("noise", "lines", "same", "blank"):
        # a step by hand pauses
        part(page, "next-step").click()
        part(page, "start").click()
        part(page, "mask-kind").select_option(kind)
        part(page, "mask").click()
        part(page, "next-step").click()
        page.wait_for_function(
            "() => document.querySelector('.cs-tracer .verdict').textContent.endsWith('mask since t = 1')",
            timeout=60_000,
        )
        part(page, "mask").click()
    looks("tracer-maze")
