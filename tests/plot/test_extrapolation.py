"""Figures of the experiment that runs longer than trained, drawn from the result that ships."""

import re

import numpy as np
import pytest

from cortexsim import plot
from cortexsim.paper.experiments import shipped
from cortexsim.plot._experiment import FIGURES
from tests.plot.look import check_look


@pytest.fixture(scope="module")
def result():
    return shipped("extrapolation")


def lines_of(figure):
    return {trace.name: trace for trace in figure.data if trace.name and not trace.name.endswith("interval")}


def test_accuracy_over_time_marks_the_trained_time_and_names_each_length(result):
    figure = plot.over_time_by_length(result)
    assert [shape.x0 for shape in figure.layout.shapes if shape.name == "trained"] == [12]
    drawn = lines_of(figure)
    for length in result["length"].values:
        mean = result["yes_no"].sel(model="tracer", length=length).mean("seed").values
        np.testing.assert_allclose(np.array(drawn[f"{length} px"].y, float), mean)


@pytest.mark.parametrize(
    ("draw", "variable", "by", "unit"),
    [(plot.over_time_by_length, "yes_no", "length", "px"), (plot.over_time_by_maze, "maze_exact", "cells", "cells")],
)
def test_each_line_over_time_is_named_at_its_end_in_its_colour(result, draw, variable, by, unit):
    figure = draw(result)
    drawn = lines_of(figure)
    names = list(figure.select_annotations({"name": "line end"}))
    assert figure.layout.showlegend is False
    assert [one.text.split()[0] for one in names] == [str(value) for value in result[by].values]
    for one, value in zip(names, result[by].values, strict=True):
        last = int(result[variable].sel({by: value}).dropna("time", how="all")["time"][-1])
        assert one.x == last
        assert one.font.color == drawn[f"{value} {unit}"].line.color


@pytest.mark.parametrize(
    ("draw", "variable", "by"),
    [(plot.controls_by_length, "yes_no_end", "length"), (plot.controls_by_maze, "maze_exact_end", "cells")],
)
def test_every_model_is_a_line_named_at_its_end_and_its_number_of_seeds_in_the_caption(result, draw, variable, by):
    figure = draw(result)
    values = result[variable]
    tested = [str(name) for name in result["model"].values if values.sel(model=name).notnull().any()]
    assert [trace.name for trace in figure.data if trace.error_y.array is not None] == tested
    assert {one.text for one in figure.select_annotations({"name": "line end"})} == set(tested)
    for name in tested:
        n = int(values.sel(model=name).notnull().any(by).sum())
        (sentence,) = re.findall(rf"{name}: [^.]*\.", plot.caption(figure))
        assert sentence.endswith(f"{n} seeds.")


def test_the_collapse_is_drawn_against_soa_less_the_time_of_the_wave(result):
    figure = plot.collapse(result, masks=("noise",))
    masked = result["masked"].sel(model="tracer").dropna("seed", how="all")
    slope = float(result["slope"].sel(model="tracer", seed=masked["seed"]).mean())
    for length in masked["masked_length"].values:
        trace = lines_of(figure)[f"{length} px"]
        np.testing.assert_allclose(trace.x, masked["soa"] - slope * length)


def test_the_steps_needed_of_each_seed_are_a_line_that_names_its_slope(result):
    figure = plot.steps_by_length(result)
    slope = float(result["slope"].sel(model="tracer", seed=0))
    (name,) = [name for name in lines_of(figure) if name.startswith("seed 0")]
    assert f"{slope:.2f} steps per pixel" in name
    assert f"{slope:.2f}, seed 0" in {one.text for one in figure.select_annotations({"name": "line end"})}


def test_steps_needed_are_drawn_where_no_curve_is_solved(result):
    unsolved = result.assign(steps_needed=result["steps_needed"] * np.nan, r_of_medians=result["r_of_medians"] * np.nan)
    figure = plot.steps_by_length(unsolved)
    assert [one.text for one in figure.select_annotations({"name": "line end"})] == ["1 step per pixel"]
    assert "correlation" not in plot.caption(figure)


def test_the_names_of_the_seeds_do_not_overlap_in_a_plot_of_any_height(result):
    names = list(plot.steps_by_length(result).select_annotations({"name": "line end"}))
    assert len({one.y for one in names}) == 1
    assert min(np.diff(sorted(one.yshift for one in names))) >= names[0].font.size
    by_height = [one.text for one in sorted(names, key=lambda one: one.yshift)]
    steps = result["steps_needed"].sel(model="tracer", length=60)
    highest = int(steps["seed"][int(steps.argmax("seed"))])
    assert [name.split(", ")[-1] for name in by_height[-2:]] == [f"seed {highest}", "1 step per pixel"]


def test_all_of_them_obey_the_rules_of_figures(result):
    for name in result.attrs["figures"].split(","):
        check_look(FIGURES[name](result).to_dict())


def test_a_result_of_another_experiment_is_refused():
    with pytest.raises(ValueError, match="of the experiment extrapolation"):
        plot.steps_by_length(shipped("sequences"))
