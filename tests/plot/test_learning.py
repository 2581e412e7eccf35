"""The curves of a training: one line a readout time, earlier runs behind them, held-out accuracies at the end."""

import numpy as np
import xarray as xr

from cortexsim.plot import theme
from cortexsim.plot._learning import learning


def curves(name="run 1", times=(2, 3), validation=(np.nan, np.nan)):
    steps = [0, 20, 40]
    accuracy = np.array([[0.5, np.nan], [0.7, 0.6], [0.9, 0.95]])[:, : len(times)]
    return xr.Dataset(
        {
            "loss": ("step", [0.7, 0.5, 0.2]),
            "accuracy": (("step", "time"), accuracy),
            "validation": ("time", list(validation)),
        },
        {"step": ("step", steps, {"long_name": "step", "units": "1"}), "time": list(times)},
        {"name": name},
    )


def trace(figure, name):
    (found,) = [one for one in figure.data if one.name == name]
    return found


def test_each_readout_time_has_a_line_of_its_own_colour():
    figure = learning(curves())
    np.testing.assert_array_equal(trace(figure, "t = 2").y, [0.5, 0.7, 0.9])
    assert trace(figure, "t = 2").line.color != trace(figure, "t = 3").line.color


def test_a_time_that_is_not_trained_yet_leaves_a_gap():
    line = trace(learning(curves()), "t = 3")
    assert line.y[0] is None
    assert line.connectgaps is False


def test_loss_has_an_axis_of_its_own():
    figure = learning(curves())
    assert trace(figure, "loss").yaxis == "y"
    assert trace(figure, "t = 2").yaxis == "y2"
    assert figure.layout.yaxis.title.text == "loss (nats)"
    assert figure.layout.xaxis2.title.text == "step"


def test_earlier_runs_are_faint_and_named_with_the_time_that_is_drawn():
    figure = learning(curves("run 3"), [curves("run 1"), curves("run 2")])
    first, second = trace(figure, "run 1, t = 3"), trace(figure, "run 2, t = 3")
    assert list(first.y) == [None, 0.6, 0.95]
    assert first.line.color == theme.FAINT
    assert first.line.dash != second.line.dash, "two earlier runs cannot be told apart"
    order = [one.name for one in figure.data]
    assert order.index("run 2, t = 3") < order.index("t = 2"), "an earlier run is drawn over the present one"


def test_held_out_accuracies_stand_at_the_last_step_once_they_are_known():
    assert not trace(learning(curves()), "held-out images").showlegend
    diamonds = trace(learning(curves(validation=(0.8, 0.9))), "held-out images")
    assert diamonds.showlegend
    assert list(diamonds.x) == [40, 40]
    assert list(diamonds.y) == [0.8, 0.9]


def test_the_number_of_lines_does_not_change_while_it_learns():
    begun = curves().isel(step=slice(0, 0))
    assert [one.name for one in learning(begun).data] == [one.name for one in learning(curves()).data]


def test_guessing_is_marked():
    (line,) = learning(curves(), chance=0.25).select_shapes({"name": "guessing"})
    assert line.y0 == line.y1 == 0.25


def test_more_times_than_colours_differ_by_dashes():
    short, times = curves(), list(range(2, 10))
    wide = short.isel(time=[0] * len(times)).assign_coords(time=times)
    lines = [trace(learning(wide), f"t = {t}").line for t in times]
    assert len({(line.color, line.dash) for line in lines}) == 8
