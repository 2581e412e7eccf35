"""Every file of JavaScript is a program that a browser can parse."""

import re
from pathlib import Path

import pytest

import cortexsim
from tests.support.jupyter import chromium

FILES = sorted(Path(cortexsim.__file__).parent.rglob("*.js"))
# a module is parsed whole before its first line runs, which here ends it
PARSE = """async text => {
    const address = URL.createObjectURL(new Blob(['throw "parsed";' + text], {type: 'text/javascript'}));
    try { await import(address); } catch (error) { return String(error); } finally { URL.revokeObjectURL(address); }
}"""


@pytest.mark.browser
def test_every_file_of_javascript_can_be_parsed():
    assert FILES
    with chromium() as page:
        found = {file.name: page.evaluate(PARSE, file.read_text(encoding="utf-8")) for file in FILES}
        broken = page.evaluate(PARSE, "/* a comment that ends */ twice */")
    assert {name: error for name, error in found.items() if error != "parsed"} == {}
    assert re.match("SyntaxError", broken)
