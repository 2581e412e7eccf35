"""The grid of a sweep says of each point what it measured, or what became of it."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import sweep_grid

AXES = ("model", "seed", "presentation", "noise", "silence")


@pytest.fixture
def result():
    """Two noises by three presentations: three are done, of which one cannot be read; the others are in each state."""
    accuracy = np.full((1, 1, 3, 2, 1, 2), np.nan)
    accuracy[..., 0, 0, 0, 1], accuracy[..., 1, 0, 0, 1] = 0.25, 1.0
    status = np.array([[1, 0], [1, 2], [1, 3]]).reshape(1, 1, 3, 2, 1)
    failure = np.where(status == 2, "no <statistics> " * 12, "")
    flags = {"flag_values": [0, 1, 2, 3], "flag_meanings": "missing done failed running"}
    return xr.Dataset(
        {"accuracy": ((*AXES, "time"), accuracy), "status": (AXES, status, flags), "failure": (AXES, failure)},
        {
            "presentation": ["flash", "masked:1:1", "masked:1:2"],
            "noise": ("noise", [0.0, 0.5], {"long_name": "noise", "units": "standard deviations"}),
            "model": ["one"],
            "seed": [0],
            "silence": ["none"],
            "time": [3, 4],
        },
    )


def words(figure):
    """Return the words in cells without a number, by row and column."""
    said = figure.data[1]
    return dict(zip(zip(said.y, said.x, strict=True), said.text, strict=True))


def test_a_cell_has_its_percentage_or_a_word(result):
    figure = sweep_grid(result)
    assert figure.data[0].text.tolist() == [["25 %", "100 %", ""], ["", "", ""]]
    np.testing.assert_array_equal(np.asarray(figure.data[0].z, float), [[0.25, 1.0, np.nan], [np.nan] * 3])
    assert words(figure) == {(0, 2): "–", (1, 0): "waiting", (1, 1): "failed", (1, 2): "running …"}
    assert [words(sweep_grid(result, 3))[0, column] for column in range(3)] == ["–"] * 3
    colours = {(round(shape.y0 + 0.5), round(shape.x0 + 0.5)): shape.fillcolor for shape in figure.layout.shapes}
    assert set(colours) == set(words(figure))
    assert len({colours[1, column] for column in range(3)}) == 3


def test_the_longest_dimension_has_the_columns_and_those_with_one_value_are_left_out(result):
    layout = sweep_grid(result).layout
    assert layout.xaxis.ticktext == ("flash, 1 step", "mask at SOA 1", "mask at SOA 2")
    assert layout.yaxis.ticktext == ("0", "0.5")
    assert layout.yaxis.title.text == "noise (standard deviations)"
    more = xr.concat([result, result], xr.Variable("seed", [0, 1]), data_vars="minimal")
    assert sweep_grid(more).layout.yaxis.ticktext == ("0, 0", "0, 0.5", "1, 0", "1, 0.5")
    named = more.drop_vars("model").rename(seed="model", model="seed").isel(presentation=[0])
    # names of models are long
    assert sweep_grid(named).layout.yaxis.ticktext == ("0", "1")


def test_a_failed_cell_says_why_in_lines(result):
    reasons = sweep_grid(result).data[0].hovertext
    assert reasons[1][1].startswith("no &lt;statistics&gt; no")
    assert "<br>" in reasons[1][1]
    assert {reason for row in reasons for reason in row} == {"", reasons[1][1]}


def test_a_covered_grid_shows_what_is_done_and_no_accuracy(result):
    figure = sweep_grid(result, covered=True)
    assert not np.isfinite(np.asarray(figure.data[0].z, float)).any()
    assert [words(figure)[0, column] for column in range(3)] == ["done"] * 3


def test_a_time_that_is_not_there_is_refused(result):
    with pytest.raises(ValueError, match=r"time must be one of \[3, 4\], got 9"):
        sweep_grid(result, 9)
