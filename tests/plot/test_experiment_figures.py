"""Figures of experiments: what is drawn, with which interval, and what the paper knows of it."""

import re

import numpy as np
import pytest
import xarray as xr

from cortexsim import plot
from cortexsim._support.percentages import percent
from cortexsim.paper.experiments import over_seeds
from cortexsim.plot._experiment import write_html

DRAWN = ("training_error", "validation_error", "test_error", "error")


def caption(figure):
    (found,) = figure.select_annotations({"name": "caption"})
    return found.text.replace("<br>", " ")


def test_errors_by_epoch_come_as_pairs_of_one_colour(measured):
    figure = plot.error_by_epoch(measured)
    validation, training, *rest = figure.data
    assert len(rest) == 4
    np.testing.assert_allclose(validation.y, [0.6, 0.4])
    np.testing.assert_allclose(training.y, [0.5, 0.3])
    assert validation.line.color == training.line.color
    assert (validation.line.dash, training.line.dash) == (None, "dash")
    np.testing.assert_allclose(validation.error_y.array, [0.1, 0.1])
    np.testing.assert_allclose(validation.error_y.arrayminus, [0.1, 0.1])
    assert "lowest to highest over 2 seeds" in caption(figure)
    assert "held out" in caption(figure)


def test_legends_name_our_parameters_and_the_papers_with_its_certainty(measured):
    names = [trace.name for trace in plot.error_by_epoch(measured).data[::2]]
    assert names == [
        "net, t = 1: 100 parameters (76,106 in the paper, R)",
        "net, t = 2: 200 parameters (223,562 in the paper, I)",
        "other (diverged): 300 parameters (as in the paper, R)",
    ]


def test_errors_by_time_are_a_line_for_each_kind_of_statistics_with_gaps_where_nothing_is_read(measured):
    figure = plot.error_by_time(measured)
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [line.line.dash for line in lines] == ["solid", "dash"] * 3
    np.testing.assert_allclose(lines[1].y, [0.3, 0.5, 0.7])
    assert [value is None for value in lines[4].y] == [True, False, True]
    assert not any(line.connectgaps for line in lines)
    assert figure.layout.xaxis.title.text == "tested at (steps)"


def test_a_training_that_diverged_before_anything_was_read_still_has_its_row(measured):
    lost = measured.assign({name: measured[name].where(measured["model"] != "other") for name in DRAWN})
    drawn = (plot.error_by_epoch(lost), 3), (plot.error_by_time(lost), 5), (plot.parameters(lost), 3)
    for figure, rows in drawn:
        names = [trace.name for trace in figure.data if trace.showlegend is not False]
        assert len(names) == rows
        assert names[-1] == "other (diverged): 300 parameters (as in the paper, R)"
    assert "Training diverged in at least one seed of: other." in caption(plot.trained_tested(lost))


def test_a_model_of_which_some_seeds_diverged_is_called_so_and_has_no_interval_of_one(measured):
    partly = measured.assign(diverged=measured["diverged"].where(measured["seed"] == 0, 0.0))
    partly["error"] = measured["error"].where(partly["diverged"] == 0)
    figure = plot.parameters(partly)
    (other,) = [trace for trace in figure.data if trace.name.startswith("other")]
    assert other.name == "other (1 of 2 seeds diverged): 300 parameters (as in the paper, R)"
    assert other.x[0] == 0.7
    assert other.error_x.array[0] is None


def test_why_there_is_no_point_is_said_as_the_experiment_says_it(measured):
    asked = measured.assign_attrs(not_drawn="No point: nothing is asked then.")
    assert "Large circle: the readout time. No point: nothing is asked then. Intervals" in caption(
        plot.error_by_time(asked)
    )


def test_the_error_of_guessing_is_a_line_where_the_experiment_gives_it(measured):
    measured.attrs.pop("chance_error", None)
    assert "chance" not in [one.name for one in plot.error_by_time(measured).data]
    figure = plot.error_by_time(measured.assign_attrs(chance_error=0.9))
    (chance,) = figure.select_traces({"name": "chance"})
    assert chance.y == (0.9, 0.9)


def test_each_network_has_a_bar_with_its_error_and_its_parameters_next_to_it(measured):
    figure = plot.parameters(measured)
    labels = [one.text for one in figure.select_annotations({"name": "label"})]
    values = [(one.y, one.text) for one in figure.select_annotations({"name": "value"})]
    assert labels == [bar.name for bar in figure.data]
    assert labels[0] == "net, t = 1: 100 parameters (76,106 in the paper, R)"
    assert values == [(bar.y[0], f"<b>{percent(bar.x[0], 1)}</b>") for bar in figure.data]
    # read from the top, in the order of the result
    assert [bar.y[0] for bar in figure.data] == [2, 1, 0]
    assert list(figure.layout.xaxis.range) == [0, 1]


def test_a_network_without_an_error_has_a_label_and_no_bar(measured):
    lost = measured.assign({name: measured[name].where(measured["model"] != "other") for name in DRAWN})
    figure = plot.parameters(lost)
    assert figure.data[2].x[0] is None
    assert len(list(figure.select_annotations({"name": "label"}))) == 3
    assert len(list(figure.select_annotations({"name": "value"}))) == 2


def test_a_seed_that_diverged_is_not_counted_among_those_of_the_interval(measured):
    error = measured["error"].where((measured["model"] != "other") | (measured["seed"] == 0))
    assert over_seeds(error).attrs["interval"] == "lowest to highest over 2 seeds (1 where the others diverged)"
    assert over_seeds(measured["error"]).attrs["interval"] == "lowest to highest over 2 seeds"


def test_the_trained_readout_time_is_marked(measured):
    marks = [trace for trace in plot.error_by_time(measured).data if trace.mode == "markers"]
    assert [(mark.x[0], round(mark.y[0], 6)) for mark in marks] == [(1, 0.3), (2, 0.2), (2, 0.7)]


def test_errors_by_readout_time_stand_at_the_times_that_were_trained(measured):
    figure = plot.error_by_readout_time(measured)
    assert list(figure.data[0].x) == [1, 2, 2]
    np.testing.assert_allclose(figure.data[0].y, [0.3, 0.2, 0.7])
    assert figure.data[1].name == "net, t = 1: 100 parameters (76,106 in the paper, R)"


def test_the_matrix_has_a_row_for_each_trained_time_and_frames_the_diagonal(measured):
    figure = plot.trained_tested(measured)
    own, held = figure.data
    np.testing.assert_allclose(own.z, [[0.3, 0.4, 0.5], [0.6, 0.2, 0.3]])
    np.testing.assert_allclose(held.z, own.z + np.array([0.0, 0.1, 0.2]))
    assert list(own.y) == ["1", "2"]
    framed = [(shape.x0, shape.y0) for shape in figure.layout.shapes if shape.xref == "x"]
    assert framed == [(0.5, -0.5), (1.5, 0.5)]
    assert (own.zmin, own.zmax) == (held.zmin, held.zmax) == (0.2, pytest.approx(0.8))


def test_a_matrix_needs_a_model_that_was_trained_at_several_times(measured):
    with pytest.raises(ValueError, match="no model of this result was trained at several readout times"):
        plot.trained_tested(measured.sel(model=["other"]))


def test_errors_by_images_leave_out_models_without_statistics(measured):
    figure = plot.error_by_images(measured)
    assert [list(trace.y) for trace in figure.data] == [[0.9, 0.3], [0.8, 0.2]]
    assert figure.layout.xaxis.type == "log"


def test_the_papers_error_is_a_line_that_says_what_it_is(measured):
    assert not plot.parameters(measured).layout.shapes
    known = measured.assign_attrs(paper_error=0.0747, paper_error_of="paper, best (R: recalled)")
    figure = plot.parameters(known)
    (line,) = figure.select_shapes({"name": "paper"})
    assert line.x0 == line.x1 == 0.0747
    assert "paper, best (R: recalled): 7.47 %" in [annotation.text for annotation in figure.layout.annotations]
    assert [bar.x[0] for bar in figure.data] == pytest.approx([0.3, 0.2, 0.7])


def test_the_largest_differences_are_dots_on_a_logarithmic_axis_and_exact_agreement_is_written(measured):
    figure = plot.difference(measured)
    # models, precisions and quantities
    assert len(figure.data) == 3 * 2 * 2
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.ticktext[0] == "0"
    assert [dot.x[0] for dot in figure.data] == pytest.approx([1e-6] * 12)
    assert figure.data[0].text == ("1.0e-06",)
    rows = [dot.y[0] for dot in figure.data[:6]]
    assert len(set(rows)) == 6
    assert rows == sorted(rows, reverse=True)
    assert "12 of 36 values are exactly 0: equal to the last bit" in caption(figure)
    assert "float64: 1.0e-06, float32: 1.0e-06" in caption(figure)
    equal = plot.difference(measured.assign(difference=xr.zeros_like(measured["difference"])))
    assert {dot.text for dot in equal.data} == {("0: equal to the last bit",)}
    assert {dot.x[0] for dot in equal.data} == {equal.layout.xaxis.tickvals[0]}


def test_a_result_says_which_figures_it_has(measured):
    assert list(plot.experiment(measured)) == ["epoch", "parameters"]
    with pytest.raises(ValueError, match="is not the result of an experiment: it has no attribute 'figures'"):
        plot.experiment(measured.drop_attrs(deep=False))


def test_the_page_of_figures_needs_no_network(measured, tmp_path):
    write_html(measured, tmp_path / "figures.html")
    page = (tmp_path / "figures.html").read_text()
    assert "A question?" in page
    assert page.count("plotly-graph-div") == 2
    # the code of plotly contains addresses of icons for maps
    assert not re.search(r'<(script|link|img)[^>]*(src|href)="http', page)


def test_what_is_not_there_reaches_a_browser_as_null_and_not_as_nan(measured):
    # a figure goes to the browser as JSON, which has no NaN
    for figure in (plot.error_by_time(measured), plot.error_by_epoch(measured)):
        for trace in figure.data:
            for values in (trace.y, trace.error_y.array, trace.error_y.arrayminus):
                known = [value for value in ([] if values is None else values) if value is not None]
                assert np.isfinite(np.array(known, dtype=float)).all()


def test_every_figure_has_the_sizes_that_were_run_below_its_title(measured):
    figures = plot.experiment(measured)
    assert figures
    for figure in figures.values():
        below = figure.layout.title.subtitle.text.replace("<br>", " ")
        assert below == f"{measured.attrs['data']}; {measured.attrs['scale']}"
        # the plot begins below both
        assert figure.layout.margin.t >= 10 + 17 + 16 * (figure.layout.title.subtitle.text.count("<br>") + 1)
