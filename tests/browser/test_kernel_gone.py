"""A panel without its kernel says so: after a restart, a stop, and in a notebook of an earlier session.

Where nothing of the panel is left but what the notebook holds, its last picture is shown.
"""

import base64
import json

import pytest

from tests.support.jupyter import open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

NOTICE = ".jp-OutputArea-output > .cortexsim-gone"
COMMAND = "command => window.jupyterapp.commands.execute(command).then(() => true)"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
SHUT_ALL = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"
# the picture of the first panel in the open notebook, not yet saved
PICTURE = (
    """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells[0].outputs[1]?.data['image/png']"""
)
SHOWN = """() => [...document.querySelectorAll('.jp-OutputArea-output')].filter(one => one.getClientRects().length)
    .map(one => one.dataset.mimeType ?? 'widget')"""
# of an image: its size, and how many colours it has in places that are far apart
LOOK = """async png => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + png;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const colours = new Set();
  for (let y = 0; y < canvas.height; y += 3) {
    const row = context.getImageData(0, y, canvas.width, 1).data;
    for (let at = 0; at < row.length; at += 4) colours.add(`${row[at]},${row[at + 1]},${row[at + 2]}`);
  }
  return {width: canvas.width, height: canvas.height, colours: colours.size};
}"""
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def notebook(lab_folder):
    """Write a notebook with a panel, and a widget that is not one of ours."""
    path = lab_folder / "notebooks" / "gone.ipynb"
    write_notebook(path, "import cortexsim as cs\ncs.explore.Tracer()", "import ipywidgets\nipywidgets.IntSlider()")
    return path


def notices(page):
    page.locator(NOTICE).first.wait_for(timeout=60_000)
    return page.locator(NOTICE).all_inner_texts()


def test_a_panel_whose_kernel_restarts_or_stops_says_so_until_it_is_run_again(notebook, lab_address, page, looks):
    open_notebook(page, lab_address, notebook.name)
    run_all(page)
    page.locator(".cs-tracer .ask").wait_for(timeout=120_000)
    assert page.locator(NOTICE).count() == 0
    page.wait_for_function(PICTURE, timeout=60_000)
    # the picture of the first panel is not shown next to it; the other widget has none
    assert page.evaluate(SHOWN) == ["widget", "widget"]
    page.evaluate(f"() => {SESSION}.session.kernel.restart()")
    assert [text[:23] for text in notices(page)] == ["The kernel has stopped,"]
    looks("kernel-gone")
    run_all(page)
    page.locator(".cs-tracer .ask").wait_for(timeout=120_000)
    page.wait_for_function(f"() => document.querySelector('{NOTICE}') === null", timeout=120_000)
    page.wait_for_function(PICTURE, timeout=60_000)
    assert page.evaluate(COMMAND, "docmanager:save")
    page.evaluate(f"() => {SESSION}.shutdown()")
    assert [text[:23] for text in notices(page)] == ["The kernel has stopped,"]


def test_a_notebook_of_the_day_before_says_that_its_panels_have_no_kernel(notebook, lab_address, page):
    saved = json.loads(notebook.read_text(encoding="utf-8"))
    assert saved["metadata"]["widgets"]
    page.evaluate(SHUT_ALL)
    open_notebook(page, lab_address, notebook.name)
    assert ["earlier session" in text for text in notices(page)] == [True]
    page.locator(".cs-tracer .ask").wait_for(timeout=60_000)


def test_a_notebook_that_kept_no_widgets_shows_a_sentence_and_the_last_picture_in_their_place(
    notebook, lab_address, page, looks
):
    saved = json.loads(notebook.read_text(encoding="utf-8"))
    del saved["metadata"]["widgets"]
    png = saved["cells"][0]["outputs"][1]["data"]["image/png"]
    page.evaluate(SHUT_ALL)
    page.goto("about:blank")
    notebook.write_text(json.dumps(saved), encoding="utf-8")
    open_notebook(page, lab_address, notebook.name)
    page.locator(".jp-OutputArea-output img").wait_for(timeout=60_000)
    assert page.evaluate(SHOWN)[:2] == ["text/plain", "image/png"]
    output = page.locator(".jp-OutputArea-output").first
    assert output.inner_text().strip() == "Tracer: a panel that needs its kernel. Run the cells from the top to use it."
    assert "model not found" not in page.locator("body").inner_text()
    looked = page.evaluate(LOOK, png)
    assert looked["width"] > 600
    assert looked["height"] > 300
    assert looked["colours"] > 30
    assert len(png) < MOST_BYTES
    looks("kernel-gone-picture")


@pytest.mark.slow
def test_the_picture_is_of_the_last_run_and_small(lab_folder, lab_address, page):
    path = lab_folder / "notebooks" / "pictured.ipynb"
    made = "panel = cs.explore.Folding(question='')\npanel.choose(network='random weights')\npanel"
    write_notebook(path, f"import cortexsim as cs\n{made}")
    open_notebook(page, lab_address, path.name)
    run_all(page)
    page.wait_for_function(PICTURE, timeout=60_000)
    before = page.evaluate(PICTURE)
    page.locator("button.mod-primary").first.click()
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot .main-svg').length > 2", timeout=120_000)
    page.wait_for_timeout(7_000)
    after = page.evaluate(PICTURE)
    assert page.evaluate(LOOK, after)["colours"] > 2 * page.evaluate(LOOK, before)["colours"]
    assert page.evaluate(LOOK, after)["height"] > page.evaluate(LOOK, before)["height"]
    assert len(after) < MOST_BYTES
    assert base64.b64decode(after).startswith(b"\x89PNG")
