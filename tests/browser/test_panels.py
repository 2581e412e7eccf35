"""The panels as a person meets them: one slider moves all that is linked, by keys alone, and nothing is asked for."""

import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser

# what each linked view shows: pixels of screen and maps, arrows, time cursors, words
VIEWS = """() => {
  const stage = document.querySelector('.cs-stage');
  const pixels = canvas => canvas.style.display === 'none' ? 'empty'
      : canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.join('');
  const views = {screen: pixels(stage.querySelector('.cs-screen canvas'))};
  for (const tile of stage.querySelectorAll('.cs-tile'))
    views[tile.dataset.state] = pixels(tile.querySelector('canvas'));
  views.arrows = stage.querySelectorAll('.cs-plane .cs-on').length;
  views.probability = stage.querySelector('.cs-probability .cs-cursor').getAttribute('x1');
  views.accuracy = stage.querySelector('.cs-accuracy .cs-cursor').getAttribute('x1');
  views.words = stage.querySelector('.cs-sentence').textContent;
  return views;
}"""
AT = "time => document.querySelector('.cs-stage').dataset.time === String(time)"
PANEL = "panel = cs.explore.Tour('digits-tiny', presentation=cs.masked(1, 4), question='settled')\npanel"
TIMELINE = """images = cs.datasets.digits(4, part='test')
cs.explore.Timeline(cs.simulate(cs.zoo.load('digits-tiny'), images, cs.flash(2), until=4, quantity='rate'), images)"""
# the maps of a timeline, as plotly holds them
MAPS = """() => JSON.stringify(
    [...document.querySelectorAll('.cortexsim-live')]
        .flatMap(figure => figure.data ?? figure.querySelector('.js-plotly-plot')?.data ?? [])
        .filter(trace => trace.type === 'heatmap')
        .map(trace => trace.z))"""
# where its second figure draws the present time
LINES = """() => [...document.querySelectorAll('.cortexsim-live')]
    .flatMap(figure => figure.layout?.shapes ?? figure.querySelector('.js-plotly-plot')?.layout.shapes ?? [])
    .filter(shape => shape.name === 'now').map(shape => shape.x0)"""


@pytest.fixture(scope="module")
def stage(lab_address, page, lab_folder):
    """Open a panel on a digit that is masked at t = 4."""
    write_notebook(lab_folder / "notebooks" / "tour.ipynb", "import cortexsim as cs", PANEL, TIMELINE)
    open_notebook(page, lab_address, "tour.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    page.wait_for_selector(".cs-stage[data-time]", timeout=120_000)
    return page.locator(".cs-stage")


def test_one_slider_moves_every_linked_view_and_nothing_leaves_the_machine(stage, page, left_this_machine):
    assert page.locator(".cs-chart svg").first.is_hidden(), "the readout shows before the prediction"
    page.get_by_role("radio", name="never").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="reveal").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.body.textContent.includes('You said never')", timeout=120_000)
    # the words may come a moment before the readout
    page.locator(".cs-chart svg").first.wait_for(state="visible", timeout=120_000)
    page.wait_for_function("() => document.querySelectorAll('.cs-accuracy .cs-band').length > 5", timeout=120_000)
    assert page.locator(".cs-accuracy svg").is_hidden(), "the accuracy shows before its own question"
    page.evaluate(EXECUTE, "panel.ask.question = ''")
    page.locator(".cs-accuracy svg").wait_for(state="visible", timeout=120_000)

    # by keys alone; a busy kernel shows that nobody asks it
    page.evaluate(
        """() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({code: 'import time; time.sleep(20)'})"""
    )
    slider = page.get_by_role("slider", name="time (steps)")
    slider.focus()
    seen = [page.evaluate(VIEWS)]
    for time in range(1, 6):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(AT, arg=time, timeout=30_000)
        seen.append(page.evaluate(VIEWS))
    for name in ("V1", "arrows", "probability", "accuracy", "words"):
        assert seen[1][name] != seen[0][name], name
    assert [views["IT"] == "empty" for views in seen] == [True, True, True, False, False, False]
    assert [views["screen"] == "empty" for views in seen] == [False, True, True, True, False, False]
    assert seen[4]["screen"] != seen[0]["screen"]
    assert "a mask is on the screen" in seen[4]["words"]
    assert "IT is empty" in seen[2]["words"]

    page.keyboard.press("End")
    page.wait_for_function(AT, arg=12)
    page.keyboard.press("Home")
    page.wait_for_function(AT, arg=0)
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.querySelector('.cs-stage').dataset.time) >= 3", timeout=30_000)
    assert page.get_by_role("button", name="pause").is_visible()
    page.get_by_role("button", name="pause").click()
    assert page.get_by_role("button", name="play").is_visible()

    page.locator(".cs-tile[data-state=V1] canvas").hover()
    assert "mean of 8 channels: rate ≈" in page.locator(".cs-tip").inner_text()
    page.locator(".cs-accuracy svg").hover()
    assert "recurrent: " in page.locator(".cs-tip").inner_text()
    # by keys, too: values follow time, and Shift moves over a map
    tip = page.locator(".cs-tip")
    page.locator(".cs-tile[data-state=V1]").focus()
    read = tip.inner_text()
    assert "mean of 8 channels: rate ≈" in read
    page.keyboard.press("Shift+ArrowDown")
    assert tip.inner_text() != read
    page.locator(".cs-tile[data-state=IT]").focus()
    page.keyboard.press("Home")
    page.wait_for_function(AT, arg=0)
    assert "empty: absent, not zero" in tip.inner_text()
    page.locator(".cs-accuracy svg").focus()
    page.keyboard.press("End")
    page.wait_for_function(AT, arg=12)
    assert tip.inner_text().startswith("t = 12\n")
    assert "recurrent: " in tip.inner_text()
    assert page.locator("[role=alert]").count() == 0
    assert left_this_machine() == []


def test_another_image_and_an_impossible_one_show_in_the_browser(stage, page):
    page.get_by_role("slider", name="time (steps)").focus()
    page.keyboard.press("Home")
    page.wait_for_function(AT, arg=0)
    before = page.evaluate(VIEWS)["screen"]
    page.get_by_role("button", name="more settings").first.click()
    image = page.get_by_role("spinbutton", name="image")
    image.fill("7")
    image.press("Enter")
    page.wait_for_function(f"before => ({VIEWS})().screen !== before", arg=before, timeout=120_000)
    image.fill("5000")
    image.press("Enter")
    alert = page.get_by_role("alert")
    alert.wait_for(timeout=120_000)
    assert "there is no stimulus 5000" in alert.inner_text()
    greyed = page.get_by_role("radio", name="phase-scrambled")
    assert greyed.is_disabled()
    assert (
        "phase-scrambled, pixel-shuffled, texture, image, target: the model was not calibrated"
        in page.locator("body").inner_text()
    )


def test_a_timeline_follows_its_slider_and_the_width_of_its_page(stage, page, left_this_machine, looks):
    page.wait_for_function(f"({MAPS})() !== '[]'", timeout=120_000)
    before = page.evaluate(MAPS)
    page.locator(".widget-slider", has_text="time").get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"before => ({MAPS})() !== before", arg=before, timeout=120_000)
    # what is out of view waits until it is seen
    page.locator(".js-plotly-plot").last.scroll_into_view_if_needed()
    page.wait_for_function(f"() => ({LINES})().join() === '1'", timeout=120_000)
    widths = page.locator(".js-plotly-plot").evaluate_all(
        "all => all.map(one => [one._fullLayout.width, one.clientWidth])"
    )
    assert widths
    assert all(abs(drawn - there) <= 1 for drawn, there in widths), "a figure does not fill its container"
    assert left_this_machine() == []
    looks("tour-and-timeline")


def test_keys_pressed_in_a_panel_are_the_panels_and_cut_no_cell(stage, page):
    cells = "() => document.querySelectorAll('.jp-Notebook .jp-Cell').length"
    before = page.evaluate(cells)
    # after a click on an output the notebook is in command mode, in which "x" cuts the cell
    controls = [page.get_by_role("slider", name="time (steps)"), page.get_by_role("radio", name="noise")]
    for control in [*controls, page.get_by_label("task"), page.get_by_role("button", name="shuffle")]:
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:enter-command-mode')")
        control.focus()
        for key in ("x", "a", "b", "d", "d"):
            page.keyboard.press(key)
        assert page.evaluate(cells) == before
        assert control.evaluate("control => control === document.activeElement")

    checked = "radios => radios.filter(radio => radio.checked).map(radio => radio.parentElement.textContent)"
    kinds = page.locator(".cs-choice fieldset", has=page.get_by_text("sustained")).get_by_role("radio")
    assert kinds.evaluate_all(checked) == ["masked"]
    page.get_by_role("radio", name="masked").focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("radio", name="sustained", checked=True).wait_for()
    page.keyboard.press("ArrowDown")
    page.get_by_role("radio", name="masked", checked=True).wait_for()
    page.wait_for_function("() => document.querySelector('.cs-words') !== null")

    # what runs a cell still does, from within a panel too
    ran = "() => window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.executionCount)"
    before = page.evaluate(ran)
    page.get_by_role("slider", name="time (steps)").click()
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(f"before => ({ran})()[1] > before[1]", arg=before, timeout=120_000)
