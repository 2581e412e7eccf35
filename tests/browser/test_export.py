"""A page that was handed out: opened from its file without any network, its slider moves films and figures."""

import pytest
import torch

import cortexsim as cs
from cortexsim.export.page import export
from tests.support.jupyter import MOMENTS

pytestmark = pytest.mark.browser

PIXELS = """() => [...document.querySelectorAll('.cs-movie canvas')]
    .map(one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data].join()).join('|')"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16, shortcut=0.5), 2, 4)
    data = cs.datasets.contours(24, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.flash(1), until=4)
    panel = cs.explore.Changes(model=model, data=data, n=24)
    panel.compute()
    path = tmp_path_factory.mktemp("exported") / "page.html"
    export(panel, path)
    return path


def test_the_slider_of_an_exported_page_moves_the_picture_with_the_network_off(exported, page, asked):
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.context.set_offline(True)
    page.goto(exported.as_uri())
    page.wait_for_function("() => document.body.dataset.ready", timeout=30_000)
    before = page.evaluate(PIXELS)
    assert page.evaluate(MOMENTS, 0) == ["2", "2", 2, "2", "2"]  # it opens when a signal has reached IT

    page.get_by_role("slider", name="time (steps)").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.cs-movie').dataset.time === '0'", timeout=30_000)
    assert page.evaluate(MOMENTS, 0) == [0, "0", 0, "0", "0"]
    for time in (1, 2, 3, 4):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(f"() => document.querySelector('.cs-movie').dataset.time === '{time}'", timeout=30_000)
    assert page.evaluate(PIXELS) != before
    assert page.evaluate(MOMENTS, 0) == ["4", "4", 2, "4", "4"]

    # the keyboard alone pins a pair of stimuli and reads its value
    page.locator(".cs-matrix canvas").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".cs-movie").get_attribute("data-pinned") == "1"
    assert "t = 4" in page.locator(".cs-tip").inner_text()
    assert page.locator(".cs-matrix .cs-course .cs-line").count() == 1

    # loop continues from the beginning
    page.get_by_role("checkbox", name="loop").check()
    page.get_by_role("button", name="play").click()
    page.wait_for_function("() => document.querySelector('.cs-movie').dataset.time === '0'", timeout=30_000)
    page.get_by_role("button", name="pause").click()

    assert wrong == []
    assert [address for address in asked if not address.startswith(("file:", "data:", "blob:"))] == []


def test_names_that_open_a_comment_and_a_script_leave_the_page_whole(tmp_path, page):
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=16), 2, 3, normalization="none")
    data = cs.datasets.contours(8, size=16, length=(4, 6))
    data.attrs["classes"] = '["<!--<script>", "</script><img src=x onerror=alert(1)>"]'
    model.classes = ["<!--<script>", "</script><img src=x onerror=alert(1)>"]
    panel = cs.explore.Tour(model=model, data=data, question="", until=3)
    panel.wait(300)
    path = tmp_path / "tour.html"
    export(panel, path)
    text = path.read_text(encoding="utf-8")
    assert "Content-Security-Policy" in text
    assert "<!--<script>" not in text
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(path.as_uri())
    page.wait_for_function("() => document.body.dataset.ready", timeout=30_000)
    assert wrong == []
