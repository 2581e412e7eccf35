"""Sliders that redraw a measurement: time from the key to the picture, drawn by the kernel or by the browser."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Locator, Page

N_SLID = 40
QUIET_MS = 400
TIME = "time (steps)"


@dataclass(frozen=True)
class Slid:
    """A panel in a separate cell, and its slider.

    Parameters
    ----------
    name : str
    cell : str
        Code that leaves the panel in the cell's output, with something drawn.
    slider : str
        Label or name of the slider.
    drawn_by : str
        "canvas", or "plotly" where a key goes to the kernel and comes back as a figure.
    """

    name: str
    cell: str
    slider: str
    drawn_by: str = "plotly"


SLIDERS = (
    Slid(
        "06, time: maps, dissimilarities and the cursors of five figures",
        "changes = cs.explore.Changes('digits', n=60)\nchanges.compute()\nchanges",
        TIME,
        "canvas",
    ),
    Slid(
        "07, threshold: three figures",
        "lesions = cs.explore.Lesions('contours', n=40)\nlesions.compute()\nlesions",
        "decision at a confidence of",
    ),
    Slid(
        "08, stream: one figure with its pictures",
        "sequences = cs.explore.Sequences('digits', n=20)\nsequences.compute()\nsequences",
        "stream",
    ),
    Slid(
        "timeline of a recording: maps and probabilities",
        "model, images = cs.zoo.load('digits-tiny'), cs.datasets.digits(8, part='test')\n"
        "cs.explore.Timeline(cs.simulate(model, images, cs.flash(1), until=8), images)",
        TIME,
    ),
)
# a matrix is not a slider, but its picture also comes from the kernel
EDITOR = Slid(
    "02, a link made or cut: the unrolled graph", "cs.explore.Anatomy('adjacent')", "V1->IT", "kernel, canvas"
)

# From a key to the frame that shows the last of what it changed: figures come back from the kernel one by one.
WATCH = """cell => {
  const measured = window.measured = {started: null, drawn: null};
  const painted = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { measured.drawn = performance.now(); };
    channel.port2.postMessage(0);
  });
  const observer = new MutationObserver(() => { if (measured.started !== null) painted(); });
  const all = {attributes: true, childList: true, subtree: true, characterData: true};
  for (const one of cell.querySelectorAll('.cs-stage, .js-plotly-plot')) observer.observe(one, all);
  cell.addEventListener('keydown', event => Object.assign(measured, {started: event.timeStamp, drawn: null}), true);
}"""
SETTLED = f"() => measured.drawn !== null && performance.now() - measured.drawn > {QUIET_MS}"


def slide(page: Page, cell: Locator, slid: Slid, n: int) -> list[float]:
    """Press the slider's keys `n` times, back and forth, and return the time to draw each, in ms."""
    cell.scroll_into_view_if_needed()
    more = cell.get_by_text("more figures")
    if more.count() and more.is_visible():
        more.click()
    control = _control(cell, slid)
    control.focus()
    page.wait_for_timeout(2 * QUIET_MS)
    cell.evaluate(WATCH)
    taken = []
    for step in range(n):
        if slid == EDITOR:
            # an empty cell is linked, and a linked one is cut
            page.keyboard.press("Delete" if step % 2 else "Enter")
        else:
            page.keyboard.press("ArrowRight" if step % 6 < 3 else "ArrowLeft")
        page.wait_for_function(SETTLED)
        taken.append(page.evaluate("() => measured.drawn - measured.started"))
    return taken


def _control(cell: Locator, slid: Slid) -> Locator:
    if slid == EDITOR:
        return cell.locator(f'[data-pair="{slid.slider}"]')
    if slid.drawn_by == "canvas":
        return cell.get_by_role("slider", name=slid.slider)
    return cell.locator(".widget-slider", has_text=slid.slider).get_by_role("slider")
