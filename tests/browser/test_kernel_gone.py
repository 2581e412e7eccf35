"""A panel without its kernel says so: after a restart, a stop, and in a notebook of an earlier session."""

import json

import pytest

from tests.support.jupyter import open_notebook, run_all, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NOTICE = ".jp-OutputArea-output > .cortexsim-gone"
COMMAND = "command => window.jupyterapp.commands.execute(command).then(() => true)"
SESSION = "window.jupyterapp.shell.currentWidget.sessionContext"
SHUT_ALL = "() => window.jupyterapp.serviceManager.sessions.shutdownAll()"


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
    page.evaluate(f"() => {SESSION}.session.kernel.restart()")
    assert [text[:23] for text in notices(page)] == ["The kernel has stopped,"]
    looks("kernel-gone")
    run_all(page)
    page.locator(".cs-tracer .ask").wait_for(timeout=120_000)
    page.wait_for_function(f"() => document.querySelector('{NOTICE}') === null", timeout=120_000)
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


def test_a_notebook_that_kept_no_widgets_shows_a_sentence_in_their_place(notebook, lab_address, page):
    saved = json.loads(notebook.read_text(encoding="utf-8"))
    del saved["metadata"]["widgets"]
    page.evaluate(SHUT_ALL)
    page.goto("about:blank")
    notebook.write_text(json.dumps(saved), encoding="utf-8")
    open_notebook(page, lab_address, notebook.name)
    output = page.locator(".jp-OutputArea-output").first
    output.wait_for(timeout=60_000)
    assert output.inner_text().strip() == "Tracer: a panel that needs its kernel. Run the cells from the top to use it."
