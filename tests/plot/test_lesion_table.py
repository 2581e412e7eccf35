"""A table of cuts: a number and its interval in each cell, a colour where the interval excludes 0."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot._lesion_table import lesion_table


@pytest.fixture
def table():
    change = np.full((2, 2, 2), np.nan)
    change[..., 1] = [[-0.49, -0.005], [0.02, np.nan]]
    half = np.array([[0.1, 0.02], [0.05, 0.1]])[..., None]
    dims = ("connection", "version", "time")
    names = {"connection": ["V1->V1", "IT->V4"], "version": ["acute", "recalibrated"], "time": [7, 8]}
    ends = {"": 0, "_low": -half, "_high": half}
    return xr.Dataset({f"accuracy_difference{end}": (dims, change + by) for end, by in ends.items()}, names)


def test_cells_say_the_change_with_its_interval(table):
    (drawn,) = lesion_table(table, 8).data
    assert drawn.text[0][0] == "−49 (−59 to −39)"
    assert drawn.text[0][1] == "0 (−2 to +2)"
    assert drawn.text[1][1] == "nothing to read out"
    assert lesion_table(table, 7).data[0].text[0][0] == "nothing to read out"


def test_only_what_excludes_0_is_coloured_on_one_scale(table):
    (drawn,) = lesion_table(table, 8).data
    np.testing.assert_allclose(np.asarray(drawn.z, float), [[-0.49, 0], [0, 0]])
    assert (drawn.zmin, drawn.zmax) == (-1, 1)
    assert drawn.textfont.size >= 14


def test_another_time_or_table_is_refused(table):
    with pytest.raises(ValueError, match=r"time must be one of \[7, 8\], got 9"):
        lesion_table(table, 9)
    with pytest.raises(ValueError, match="needs the variable 'accuracy_difference'"):
        lesion_table(xr.Dataset({"other": 1}), 8)
