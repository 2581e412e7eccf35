"""What a figure cannot draw is refused in words, before anything is drawn."""

import inspect

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.plot.gate import fitted

CHECKS_ITSELF = {"experiment", "film", "film_strip", "save", "time_course", "verdicts"}
FIGURES = sorted(set(cs.plot.__all__) - CHECKS_ITSELF)


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("given", [3, "x", None])
def test_every_figure_names_the_type_that_it_draws(name, given):
    function = getattr(cs.plot, name)
    parameters = inspect.signature(function).parameters.values()
    needed = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    more = {one.name: 0 for one in needed if one.kind is one.KEYWORD_ONLY}
    positional = [one for one in needed if one.kind is not one.KEYWORD_ONLY]
    with pytest.raises(TypeError, match=rf"'{positional[0].name}' of {name} must be an? .*, got {given!r}$"):
        function(*[given] * len(positional), **more)


def test_a_dataset_without_what_is_drawn_is_refused_with_what_it_has():
    other = xr.Dataset({"loss": ("step", [1.0])})
    with pytest.raises(
        ValueError, match=r"'result' of error_by_time has no variable 'test_error', .* it has \['loss'\]"
    ):
        cs.plot.error_by_time(other)
    with pytest.raises(ValueError, match="has no variable 'accuracy'"):
        cs.plot.learning(run=other)


VALUES = xr.DataArray([[0.1, 0.2], [0.1, 0.3]], {"form": ["recurrent", "unrolled"]}, ["form", "unit"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES.astype(complex), "must contain real numbers, got the dtype complex128"),
        (VALUES.astype(object), "must contain real numbers, got the dtype object"),
        (VALUES / 0, "must contain finite numbers, or NaN where there is nothing to draw, got infinity"),
        (VALUES.isel(unit=[]), "there is nothing to draw: .* has no values along 'unit'"),
        (
            VALUES.rename(unit="time").assign_coords(time=["early", "late"]),
            "the coordinate 'time' of .* must contain real numbers",
        ),
    ],
)
def test_values_that_cannot_be_drawn_are_refused(values, message):
    with pytest.raises((TypeError, ValueError), match=message):
        cs.plot.agreement(values)


WRONG = {
    int: [True, 1.5, np.nan, "1", [1], None, np.array([1]), xr.DataArray([1])],
    float: [True, np.nan, np.inf, "1", [1.0], None],
    bool: [1, 0, "yes", None, np.array([True, False])],
    str: [1, b"x", ["x"], None],
    "several int": [3, "12", {1: 2}, {1}, [1.5], [None], [True], xr.DataArray(1)],
    "several str": ["V1", b"V1", [1], None],
    xr.Dataset: [3, VALUES],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in WRONG.items() for value in values])
def test_an_argument_that_does_not_fit_its_annotation_is_refused_by_its_name(kind, value):
    hint = {"several int": list[int], "several str": list[str]}.get(kind, kind)
    with pytest.raises((TypeError, ValueError), match=r"^(each of )?'given' of figure must be .*, got "):
        fitted(value, hint, "'given' of figure")


def test_numbers_of_other_libraries_reach_a_figure_as_plain_ones():
    for value in (np.int64(2), np.array(2), torch.tensor(2), xr.DataArray(2)):
        assert type(fitted(value, int, "given")) is int
        assert fitted([value, 3], list[int] | None, "given") == [2, 3]
    assert type(fitted(np.float32(0.5), float | None, "given")) is float
    assert fitted(None, int | None, "given") is None
    # what no simple annotation describes is left to the figure
    assert fitted("noise", list[int] | str, "given") == "noise"


def test_further_arguments_of_a_figure_are_checked_by_position_and_by_name():
    counts = xr.DataArray([1000, 1900], {"steps": [1, 2]}, ["steps"])
    with pytest.raises(ValueError, match=r"'at' of parameters_by_steps must be a whole number, got 1\.5"):
        cs.plot.parameters_by_steps(counts, at=1.5)
    figure = cs.plot.time_course(xr.DataArray([0.5, 1.0], {"time": [1, 2]}, ["time"]))
    with pytest.raises(ValueError, match="'time' of add_cursor must be a finite number, got 'x'"):
        cs.plot.add_cursor(figure, "x")
    assert cs.plot.add_cursor(figure, np.int64(2)).layout.shapes[-1].x0 == 2
    with pytest.raises(ValueError, match="unknown along 'y'"):
        cs.plot.add_cursor(figure, 2, along="y")
    with pytest.raises(ValueError, match="plots must be at most 100"):
        cs.plot.add_cursor(figure, 2, plots=10**9)


def test_points_of_a_path_of_other_dimensions_or_times_are_refused():
    path = xr.DataArray(np.zeros((2, 3, 2)), {"time": [1, 2]}, ["time", "stimulus", "component"])
    figure = cs.plot.trajectory(path)
    for wrong in (path.isel(stimulus=0), path.isel(component=[0]), path.rename(component="unit")):
        with pytest.raises(ValueError, match=r"must have the dimensions time, component"):
            cs.plot.add_points(figure, wrong, 1)
    with pytest.raises(ValueError, match=r"the path has no time 3"):
        cs.plot.add_points(figure, path, 3)


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    return cs.experiments.shipped("weight-sharing")


def test_a_result_without_a_dimension_that_is_drawn_is_refused_with_how_to_keep_it(result):
    first = str(result["model"].values[0])
    for wrong in (result.sel(model=first), result.isel(model=0, drop=True), result.drop_vars("model")):
        with pytest.raises(ValueError, match=r"must have the dimension 'model' .* as in \.sel\(model=\[\.\.\.\]\)"):
            cs.plot.error_by_epoch(wrong)
    with pytest.raises(ValueError, match=r"the coordinate 'model' of .* must have each value once"):
        cs.plot.error_by_epoch(result.isel(model=[0, 0]))
    assert len(cs.plot.error_by_epoch(result.sel(model=[first])).data) > 0


def test_a_result_whose_numbers_or_description_are_gone_is_refused(result):
    with pytest.raises(TypeError, match=r"'validation_error' in .* must contain real numbers"):
        cs.plot.error_by_epoch(result.assign(validation_error=result["validation_error"].astype(str)))
    with pytest.raises(ValueError, match=r"lacks the attributes .*'title'.*: keep the attrs of the result"):
        cs.plot.error_by_epoch(result.assign_attrs().drop_attrs(deep=False))


@pytest.mark.parametrize("wrong", ["x", 3, True, np.array([1.0]), {"a": 1}, None])
def test_what_is_no_list_of_verdicts_is_refused(wrong):
    with pytest.raises(TypeError, match=r"judged must be a (list of values|Verdict)"):
        cs.plot.verdicts(wrong)


def test_verdicts_have_a_text_as_their_title():
    with pytest.raises(TypeError, match="'title' of verdicts must be text, got 3"):
        cs.plot.verdicts(cs.predictions.check(), title=3)


FIRST = xr.DataArray(np.arange(54.0).reshape(2, 3, 3, 3), dims=["filter", "channel", "y", "x"])
BETWEEN = xr.DataArray(np.arange(54.0).reshape(2, 3, 3, 3), dims=["target", "source", "y", "x"], name="V1->V2")


def test_kernels_are_drawn_by_the_names_of_their_dimensions():
    drawn = cs.plot.kernels(FIRST, BETWEEN)
    turned = cs.plot.kernels(FIRST.transpose("x", "y", "channel", "filter"), BETWEEN.transpose("y", "x", ...))
    assert (np.asarray(drawn.data[0].z) == np.asarray(turned.data[0].z)).all()
    assert np.array_equal(np.asarray(drawn.data[1].z, float), np.asarray(turned.data[1].z, float), equal_nan=True)


def test_kernels_of_other_dimensions_or_without_a_weight_are_refused():
    with pytest.raises(ValueError, match=r"the first kernels must have the dimensions filter, channel, y, x, got y, x"):
        cs.plot.kernels(FIRST[0, 0], BETWEEN)
    with pytest.raises(ValueError, match=r"of a transition must have the dimensions target, source, y, x, got none"):
        cs.plot.kernels(FIRST, BETWEEN[0, 0, 0, 0])
    with pytest.raises(ValueError, match="the first kernels must have finite weights, but 1 are NaN"):
        cs.plot.kernels(FIRST.where(FIRST != 5), BETWEEN)
