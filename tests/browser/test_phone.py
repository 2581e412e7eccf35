"""The live page on a phone: a finger draws and places the dot, everything fits a width of 360 px."""

import pytest

from cortexsim.export.live import export_live
from tests.support.layout import cut, overlapping, small

pytestmark = pytest.mark.browser

SAYS = "[data-part=verdict]"
BEYOND = "() => document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def phone(page, tmp_path_factory):
    """Open the page as a phone does."""
    path = tmp_path_factory.mktemp("live") / "page.html"
    export_live(path)
    context = page.context.browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.goto(path.as_uri())
    phone.locator(SAYS).get_by_text("tagged").wait_for()
    yield phone
    context.close()


def finger(phone, *places):
    """Draw from place to place (shares of the board's width) with one finger."""
    board = phone.locator("[data-part=board]").bounding_box()
    points = [(board["x"] + x * board["width"], board["y"] + y * board["height"]) for x, y in places]
    touch = phone.context.new_cdp_session(phone)
    for kind, point in [("touchStart", points[0]), *(("touchMove", one) for one in points[1:]), ("touchEnd", None)]:
        at = [] if point is None else [{"x": point[0], "y": point[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def test_a_finger_draws_a_curve_and_the_wave_runs_along_it(phone):
    phone.locator("[data-part=clear]").tap()
    phone.evaluate("scrollTo(0, 0)")
    finger(phone, (0.1, 0.3), (0.3, 0.3), (0.5, 0.3))
    phone.locator(SAYS).get_by_text("Solved").wait_for(timeout=60_000)
    assert phone.evaluate("scrollY") == 0  # a stroke does not scroll the page
    drawn = "[view.board.lines.filter(Boolean).length, view.board.dot !== null]"
    assert phone.evaluate(drawn) == [21, True]  # the board has not moved

    phone.get_by_role("radio", name="Place dot").tap()
    finger(phone, (0.5, 0.3))
    assert phone.evaluate("view.board.dot") == phone.evaluate("view.board.at(24, 14)")
    phone.get_by_role("radio", name="Erase").tap()
    finger(phone, (0.1, 0.3), (0.2, 0.3))
    assert phone.evaluate("view.board.lines.filter(Boolean).length") < 21


def test_everything_fits_the_width_of_a_phone(phone):
    tracer = phone.locator("#tracer")
    phone.locator("[data-part=random]").tap()
    phone.locator("[data-part=says-deep]").get_by_text("wrong").wait_for(timeout=60_000)
    assert phone.evaluate(BEYOND) <= 0
    assert cut(tracer) == []
    assert overlapping(tracer) == []
    assert small(tracer) == []
