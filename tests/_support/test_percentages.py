"""Percentages have one form everywhere: a space before the sign, as in 12.5 %."""

import re

import numpy as np
import plotly.graph_objects as go

from cortexsim._support.percentages import percent, percentages, spaced
from cortexsim._support.resources import notebooks_folder
from cortexsim.plot import theme

ROOT = notebooks_folder().parent
OWNERS = ("cortexsim/_support/percentages.py", "cortexsim/plot/theme.py")
# Python's and plotly's own formats have no space; a number with the sign right after it
STYLE = re.compile(r"width|height|flex|hsl")
UNSPACED = re.compile(r":[+,]?\.?\d*\.\d%|\.\d%[\"'}]|(?<![\w.%-])\d+(?:\.\d+)?%(?![\w;(])")


def test_a_fraction_is_written_with_a_space_before_the_sign():
    assert (percent(0.5), percent(0.125, 1), percent(1)) == ("50 %", "12.5 %", "100 %")
    assert percentages([0.5, np.nan, None]) == ["50.0 %", "", ""]


def test_a_text_of_an_earlier_version_gets_the_space():
    assert spaced("10% of them, 5 % of others") == "10 % of them, 5 % of others"


def test_axes_of_fractions_have_labels_with_a_space():
    axis = go.Figure().update_yaxes(**theme.PERCENT).layout.yaxis
    assert (axis.tickformat, axis.labelalias["0%"], axis.labelalias["100%"]) == (".0%", "0 %", "100 %")


def test_nothing_else_in_code_or_notebooks_formats_percentages():
    written = [path for folder in ("cortexsim", "notebooks") for path in sorted((ROOT / folder).rglob("*.[pi]*"))]
    written = [path for path in written if path.suffix in (".py", ".ipynb")]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in written
        if str(path.relative_to(ROOT)) not in OWNERS
        for line in path.read_text(encoding="utf-8").splitlines()
        if UNSPACED.search(line) and not STYLE.search(line)
    ]
    assert found == [], "\n".join(found)
