"""The documentation names every public name, and its links lead somewhere."""

import ast
import builtins
import re
from pathlib import Path

import pytest

import cortexsim as cs

DOCS = Path(__file__).resolve().parent.parent / "docs"
# pages that the build makes are checked by the build
MADE = {"_build", "learn", "gallery.md"}
PAGES = sorted(path for path in DOCS.rglob("*.md") if not MADE & set(path.relative_to(DOCS).parts))
ROOMS = ("analyse", "brains", "datasets", "explore", "experiments", "human", "plot", "predictions", "protocols", "zoo")
# modules whose contents have entries of their own
NOT_LISTED = {"cards", "conditions", "human", "milliseconds"}


@pytest.mark.parametrize("room", ["", "analyse", "datasets", "explore", "plot", "protocols", "zoo"])
def test_every_public_name_is_in_the_reference(room):
    listed = set(re.findall(r"^   cortexsim\.([\w.]+)$", (DOCS / "reference" / "index.md").read_text(), re.M))
    names = (getattr(cs, room) if room else cs).__all__
    wanted = {f"{room}.{name}" if room else name for name in names if not name.isupper() and name not in NOT_LISTED}
    assert wanted - {*ROOMS} <= listed


def test_no_page_has_formulas_that_only_a_script_from_the_network_draws():
    written = {
        page.name: re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S) for page in PAGES
    }
    assert [name for name, text in written.items() if re.search(r"\$[^$\n]+\$|\\\(|\{math\}", text)] == []


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\{doc\}`(/[\w/]+)`", text):
            broken += [(page.name, target)] if not (DOCS / f"{target[1:]}.md").is_file() else []
        for target in re.findall(r"\]\((?!https?:)([\w./]+)(?:#[\w-]+)?\)", text):
            broken += [(page.name, target)] if not (page.parent / target).exists() else []
    assert not broken


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *PAGES], ids=lambda page: page.name)
def test_the_code_of_a_page_makes_every_name_that_it_uses(page):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    nodes = list(ast.walk(ast.parse("\n".join(blocks))))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {
        (one.asname or one.name)
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    }
    made |= {node.name for node in nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    assert {node.id for node in names} - made - set(dir(builtins)) == set()
