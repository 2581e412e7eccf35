"""Several models or seeds side by side, in figures that have one matrix or one map for each."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs


def named(values, dims, **coordinates):
    return xr.DataArray(values, coordinates, dims, attrs={"chance": 0.5, "long_name": "accuracy", "units": "1"})


@pytest.fixture
def scores():
    values = np.random.default_rng(0).random((3, 4, 4))
    return named(
        values, ["model", "train_time", "test_time"], model=["a", "b", "c"], train_time=range(4), test_time=range(4)
    )


@pytest.fixture
def rdm():
    values = np.random.default_rng(0).random((2, 3, 5, 5))
    values[:, 0] = np.nan
    return named(
        values,
        ["seed", "time", "stimulus", "other_stimulus"],
        seed=[3, 7],
        time=range(3),
        label=("stimulus", [1, 0, 1, 0, 0]),
    )


@pytest.fixture
def path():
    values = np.random.default_rng(0).random((2, 3, 4, 2))
    ratio = ("model", "component"), [[0.5, 0.2], [0.4, 0.3]]
    return named(
        values,
        ["model", "time", "stimulus", "component"],
        model=["a", "b"],
        time=range(3),
        stimulus=range(4),
        label=("stimulus", [0, 0, 1, 1]),
        explained_variance_ratio=ratio,
    )


def headings(figure):
    return [one.text for one in figure.layout.annotations]


def maps(figure):
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_each_model_has_its_matrix_of_times_in_the_same_colours(scores):
    figure = cs.plot.temporal_generalization(scores)
    assert headings(figure) == ["a", "b", "c"]
    for trace, one in zip(maps(figure), scores, strict=True):
        np.testing.assert_array_equal(np.asarray(trace.z, float), one)
    assert len({(trace.zmin, trace.zmax) for trace in maps(figure)}) == 1
    assert [trace.showscale for trace in maps(figure)] == [True, False, False]
    assert [axis.scaleanchor for axis in figure.select_yaxes()] == ["x", "x2", "x3"]


def test_significant_cells_are_outlined_in_the_matrix_of_their_model(scores):
    flags = scores > 0.9
    attributes = {"tail": "above", "against": "chance", "level": 0.05, "method": "cluster", "n": 6, "over": "seed"}
    found = xr.Dataset({"significant": flags.transpose("test_time", "model", "train_time")}, attrs=attributes)
    outlines = [
        trace for trace in cs.plot.temporal_generalization(scores, significant=found).data if trace.type == "contour"
    ]
    assert [trace.xaxis for trace in outlines] == ["x", "x2", "x3"]
    for trace, flag in zip(outlines, flags, strict=True):
        np.testing.assert_array_equal(np.asarray(trace.z)[1:-1, 1:-1], flag)


def test_films_of_seeds_run_side_by_side(rdm):
    figure = cs.plot.rdm_movie(rdm, by="label")
    assert headings(figure) == ["seed 3", "seed 7"]
    assert [frame.traces for frame in figure.frames] == [(0, 1)] * 3
    order = [1, 3, 4, 0, 2]
    for place, seed in enumerate((3, 7)):
        expected = rdm.sel(seed=seed, time=2).values[np.ix_(order, order)]
        np.testing.assert_array_equal(np.asarray(figure.frames[2].data[place].z, float), expected)
        first = rdm.sel(seed=seed, time=1).values[np.ix_(order, order)]
        np.testing.assert_array_equal(np.asarray(maps(figure)[place].z, float), first)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_each_model_has_trajectories_along_axes_of_its_own(path, dimensions):
    if dimensions == 3:
        path = path.pad(component=(0, 1), constant_values=0.1)
    figure = cs.plot.trajectory(path, dimensions=dimensions)
    assert headings(figure) == ["a", "b"]
    assert "the axes of each model are its own" in figure.layout.title.subtitle.text
    axes = figure.select_xaxes() if dimensions == 2 else (scene.xaxis for scene in figure.select_scenes())
    assert [axis.title.text for axis in axes] == ["component 1 (50 % of variance)", "component 1 (40 % of variance)"]
    assert [trace.showlegend is not False for trace in figure.data] == [True, True, False, False]
    drawn = np.asarray(figure.data[2].x, float)[:3]
    np.testing.assert_array_equal(drawn, path.isel(model=1, stimulus=0, component=0))


def test_models_and_seeds_are_named_together(scores):
    both = scores.isel(model=[0, 1]).expand_dims(seed=[5, 6])
    assert headings(cs.plot.temporal_generalization(both)) == ["a, seed 5", "a, seed 6", "b, seed 5", "b, seed 6"]


def test_reaction_times_of_models_have_a_plot_each():
    drawn = np.random.default_rng(0)
    logits = named(
        drawn.standard_normal((2, 20, 5, 2)) * 3,
        ["model", "stimulus", "time", "class"],
        model=["a", "b"],
        time=range(5),
        label=("stimulus", np.arange(20) % 2),
    )
    figure = cs.plot.reaction_times(cs.analyse.reaction_time(logits, 0.5))
    assert {trace.meta["version"] for trace in figure.data if trace.meta} == {"a", "b"}


def test_other_dimensions_and_too_many_are_refused(scores, rdm):
    with pytest.raises(ValueError, match=r"temporal generalization must be .* got"):
        cs.plot.temporal_generalization(scores.rename(model="state"))
    many = scores.isel(model=[0] * 9).assign_coords(model=range(9))
    with pytest.raises(ValueError, match="is drawn for up to 8 models and seeds, got 9"):
        cs.plot.temporal_generalization(many)
    with pytest.raises(ValueError, match="a dissimilarity matrix must be"):
        cs.plot.dissimilarity(rdm.isel(time=1))
