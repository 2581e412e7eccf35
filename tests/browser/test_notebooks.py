"""Every notebook as a browser runs it: all cells without an error, and nothing leaves the machine."""

import pytest

from cortexsim._support.resources import notebooks_folder
from tests.support.jupyter import WIDGETS, open_notebook, run_all

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

NOTEBOOKS = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
# what a widget that could not be made leaves behind
BROKEN = "() => [...document.querySelectorAll('.jupyter-widgets-error, .jp-mod-error')].map(one => one.textContent)"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_all_cells_run_and_every_widget_is_drawn(name, lab_address, page, left_this_machine, looks):
    open_notebook(page, lab_address, name)
    outputs = run_all(page)
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    shown = sum("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    page.wait_for_function(WIDGETS, arg=shown, timeout=120_000)
    assert page.evaluate(BROKEN) == []
    assert page.locator("[role=alert]").count() == 0
    assert left_this_machine() == []
    looks(name.removesuffix(".ipynb"))
    page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
