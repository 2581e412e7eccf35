"""The size of text in panels, which one style sheet sets."""

import re
from pathlib import Path

import pytest

import cortexsim.explore
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.widgets.keys import keys

FOLDER = Path(cortexsim.explore.__file__).parent
SHEETS = sorted(path for path in FOLDER.rglob("*.css") if path.name != "text.css")


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_sizes_of_text_are_relative_to_the_one_of_all_panels(sheet):
    declared = re.findall(r"(?:font-size|font)\s*:\s*([^;}]+)", sheet.read_text(encoding="utf-8"))
    assert [one for one in declared if re.match(r"[\d.]+(px|pt|rem)", one)] == []


def test_the_style_sheet_of_all_panels_arrives_with_the_first():
    Panel()
    assert re.search(r"--cs-text:\s*14px", keys()._css)
