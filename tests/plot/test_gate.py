"""What a figure cannot draw is refused in words, before anything is drawn."""

import inspect

import pytest
import xarray as xr

import cortexsim as cs

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
