"""What can be read of a panel's layout in the browser: small, cut and overlapping texts, and what leaves the window."""

from __future__ import annotations

import time

from playwright.sync_api import Locator

# the texts that are seen, each line with its rectangle; what is hidden, folded up or hovers is left out
_TEXTS = """
// px of the page for one px of a text: panels may be enlarged, and figures in them scaled
const scale = one => {
  const plot = one.closest('.js-plotly-plot');
  return (one.currentCSSZoom ?? 1) * (plot ? plot.getBoundingClientRect().width / plot.offsetWidth : 1);
};
const texts = panel => {
  const seen = [], walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, one = node.parentElement, text = node.textContent.trim().slice(0, 60);
    if (!text || one.closest('style, script, select, .hoverlayer, .cs-tip, [aria-hidden=true]')) continue;
    if (one.closest('details:not([open])') && !one.closest('summary')) continue;
    const style = getComputedStyle(one), px = parseFloat(style.fontSize) * scale(one);
    if (style.visibility === 'hidden') continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.width > 1 && box.height > 1) seen.push({node, one, box, px, text});
  }
  for (const menu of panel.querySelectorAll('select')) {
    const box = menu.getBoundingClientRect(), px = parseFloat(getComputedStyle(menu).fontSize) * scale(menu);
    if (box.width) seen.push({node: menu, one: menu, box, px, text: 'a menu'});
  }
  return seen;
};"""
_SMALL = """(panel, least) => texts(panel).filter(({px}) => px < least).map(({px, text}) => `${px} px: ${text}`)"""
_OVERLAPS = """panel => {
  const seen = texts(panel).filter(({one}) => !one.closest('.heatmap-label, .textpoint')), found = [];
  seen.forEach((a, k) => seen.slice(k + 1).forEach(b => {
    if (a.node === b.node) return;
    const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
    if (wide > 2 && high > 5) found.push(`${a.text} | ${b.text}`);
  }));
  return found;
}"""
_CUT = """panel => texts(panel).filter(({one, box}) => {
  const outer = (one.closest('.js-plotly-plot') ?? panel).getBoundingClientRect();
  const beyond = [box.right - outer.right, outer.left - box.left, box.bottom - outer.bottom, outer.top - box.top];
  return Math.max(...beyond) > 2;
}).map(({text}) => text)"""
_OVER_AXIS = """panel => [...panel.querySelectorAll('.js-plotly-plot')].flatMap(plot => {
  const legend = plot.querySelector('.legend')?.getBoundingClientRect();
  if (!legend?.width) return [];
  return [...plot.querySelectorAll('.xtick text, .ytick text, .xtitle, .ytitle')].filter(one => {
    const box = one.getBoundingClientRect();
    return Math.min(box.right, legend.right) - Math.max(box.left, legend.left) > 1
        && Math.min(box.bottom, legend.bottom) - Math.max(box.top, legend.top) > 1;
  }).map(one => `legend over ${one.textContent}`);
})"""
# with the panel at the top of the notebook: how far its main parts reach below the window, in px
_BELOW = """(panel, parts, defaults) => {
  panel.scrollIntoView({block: 'start'});
  const notebook = panel.closest('.jp-WindowedPanel-outer, .jp-Notebook').getBoundingClientRect();
  const named = parts.length ? parts.flatMap(part => [...panel.querySelectorAll(part)])
    : defaults.flatMap(part => [...panel.querySelectorAll(part)].slice(0, 1));
  return named.map(one => {
    const box = one.getBoundingClientRect();
    return box.height ? Math.round(box.bottom - Math.min(notebook.bottom, innerHeight)) : 0;
  }).filter(px => px > 0);
}"""
BUTTON, PICTURE = "button.mod-primary", ".js-plotly-plot, canvas, .cs-wiring, svg[role=img]"


SETTLED_S = 3.0  # a figure that was just drawn is fitted to its place some frames later, on a loaded machine many


def _read(panel: Locator, script: str, *arguments: object) -> list[str]:
    """List what a script finds once the layout is at rest: at the first look that finds nothing, or after a while."""
    until = time.monotonic() + SETTLED_S
    while True:
        found = panel.evaluate(f"(panel, given) => {{ {_TEXTS} return ({script})(panel, ...given); }}", list(arguments))
        if not found or time.monotonic() > until:
            return list(dict.fromkeys(found))
        time.sleep(0.1)


def small(panel: Locator, least_px: float = 14) -> list[str]:
    """List the texts of a panel that are smaller than this."""
    return _read(panel, _SMALL, least_px)


def overlapping(panel: Locator) -> list[str]:
    """List pairs of texts that overlap, and the texts of axes that a legend covers."""
    return _read(panel, _OVERLAPS) + _read(panel, _OVER_AXIS)


def cut(panel: Locator) -> list[str]:
    """List the texts that stick out of their figure or of the panel."""
    return _read(panel, _CUT)


def below_the_window(panel: Locator, *parts: str) -> list[int]:
    """Measure how far parts of a panel reach below the window, with the panel at its top.

    Parameters
    ----------
    panel : Locator
    *parts : str
        Selectors; every element that they find is measured. By default the first button and the first picture.

    Returns
    -------
    list of int
        In px, of those that do.
    """
    return panel.evaluate(f"(panel, given) => ({_BELOW})(panel, ...given)", [list(parts), [BUTTON, PICTURE]])  # type: ignore[return-value]
