"""The code of a panel is copied with one click, also on a page that has no clipboard."""

import os

import pytest

from cortexsim.explore.widgets.copyable import Copyable

TEXT = "import cortexsim as cs\n\nmodel = cs.zoo.get('tracer')\n" + "# " + "wide " * 60 + "\n"
DARK = {"--jp-content-font-color1": "#e0e0e0", "--jp-layout-color2": "#333", "--jp-border-color1": "#777"}
RENDER = """async ([code, style, text, dark]) => {
  const sheet = document.head.appendChild(document.createElement("style"));
  sheet.textContent = style + "body { font-family: sans-serif; width: 900px }";
  for (const [name, value] of Object.entries(dark)) document.documentElement.style.setProperty(name, value);
  const module = await import("data:text/javascript;charset=utf-8," + encodeURIComponent(code));
  const listeners = [];
  window.model = { text, get: () => window.model.text, on: (_, act) => listeners.push(act), off: () => {} };
  window.change = (next) => { window.model.text = next; listeners.forEach((act) => act()); };
  module.default.render({ model: window.model, el: document.body });
  window.copied = "";
  document.addEventListener("copy", () => { window.copied = document.activeElement.value; });
}"""


@pytest.mark.browser
@pytest.mark.parametrize("dark", [{}, DARK], ids=["light", "dark"])
def test_one_click_copies_all_lines(page, dark):
    page.goto("about:blank")
    page.evaluate(RENDER, [Copyable._esm, Copyable._css, TEXT, dark])
    # about:blank is no secure page, so it has no clipboard
    page.get_by_role("button", name="copy code").click()
    page.get_by_role("status").get_by_text("copied", exact=True).wait_for()
    assert page.evaluate("window.copied") == TEXT
    assert not page.locator("pre").is_visible()
    page.get_by_text("show code").click()
    assert page.locator("pre").text_content() == TEXT
    # a long line scrolls within the box
    assert page.locator("pre").evaluate("one => one.clientWidth") < 910
    if os.environ.get("PHOTOGRAPHS"):
        page.screenshot(path=os.environ["PHOTOGRAPHS"] + f"/copyable{len(dark)}.png")
    page.evaluate("window.change('')")
    assert not page.get_by_role("button", name="copy code").is_visible()
