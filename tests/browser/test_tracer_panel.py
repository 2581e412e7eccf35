"""The tracer panel in JupyterLab: it solves its first drawing, and what a mouse draws arrives in Python."""

import json

import numpy as np
import pytest

from tests.support.jupyter import EXECUTE, open_notebook, run_all, write_notebook

pytestmark = pytest.mark.browser

DRAWN = """import json
drawing = panel.drawing
print(json.dumps({name: drawing[name].values[0].tolist() for name in ("line", "distance")}))"""


@pytest.fixture(scope="module")
def board(lab_address, page, lab_folder):
    """Open the panel and give its drawing board."""
    write_notebook(
        lab_folder / "notebooks" / "tracer.ipynb", "import cortexsim as cs", "panel = cs.explore.Tracer()\npanel"
    )
    open_notebook(page, lab_address, "tracer.ipynb")
    outputs = run_all(page)
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    return page.locator(".cs-tracer [data-part=board]")


def test_the_first_drawing_is_solved_and_the_controls_are_not(board, page, looks, left_this_machine):
    board.wait_for(timeout=120_000)
    page.wait_for_function(
        "() => document.querySelector('.cs-tracer .verdict').textContent.startsWith('Solved after')", timeout=120_000
    )
    for control in ("unshared", "deep"):
        said = page.locator(f".cs-tracer [data-part=says-{control}]")
        page.wait_for_function("said => said.textContent", arg=said.element_handle(), timeout=60_000)
        assert "line px wrong" in said.inner_text()
    looks("tracer")
    assert left_this_machine() == []


def test_what_a_mouse_draws_arrives_in_python_pixel_by_pixel(board, page):
    page.locator(".cs-tracer [data-part=clear]").click()
    board.scroll_into_view_if_needed()
    box = board.bounding_box()

    def place(x, y):
        return box["x"] + (x + 0.5) * box["width"] / 48, box["y"] + (y + 0.5) * box["height"] / 48

    page.mouse.move(*place(5, 10))
    page.mouse.down()
    page.mouse.move(*place(20, 10))
    page.mouse.move(*place(20, 18))
    page.mouse.up()
    page.wait_for_function(
        "() => document.querySelector('.cs-tracer .verdict').textContent.startsWith('Solved after')", timeout=60_000
    )
    drawn = json.loads(page.evaluate(EXECUTE, DRAWN))
    expected = np.zeros((48, 48), bool)
    expected[10, 5:21] = expected[10:19, 20] = True
    np.testing.assert_array_equal(np.array(drawn["line"]), expected)
    assert np.array(drawn["distance"])[18, 20] == 23
