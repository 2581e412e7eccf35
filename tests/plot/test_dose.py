"""A dose-response curve begins at the intact model, and leaves out what cannot be read."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot._dose import dose


@pytest.fixture
def figure():
    change = np.array([[-0.5, np.nan], [-0.1, -0.05]])
    dims = ("strength", "version")
    table = xr.Dataset(
        {
            "accuracy_difference": (dims, change),
            "accuracy_difference_low": (dims, change - 0.1),
            "accuracy_difference_high": (dims, change + 0.05),
        },
        {"strength": [0.0, 0.5], "version": ["acute", "recalibrated"]},
    )
    return dose(table, title="a title")


def test_each_line_goes_from_the_intact_model_to_the_cut(figure):
    acute, recalibrated, _ = figure.data
    np.testing.assert_allclose(acute.x, [1.0, 0.5, 0.0])
    np.testing.assert_allclose(acute.y, [0, -10, -50])
    np.testing.assert_allclose(acute.error_y.array, [0, 5, 5])
    np.testing.assert_allclose(acute.error_y.arrayminus, [0, 10, 10])
    assert list(recalibrated.y) == [0, -5, None]
    assert figure.layout.xaxis.range[0] > figure.layout.xaxis.range[1]


def test_only_a_line_that_can_be_read_at_the_end_is_named_there(figure):
    assert [one.text for one in figure.layout.annotations if one.name == "line end"] == ["acute"]
