"""Several models or seeds in one call: each is analysed as if it were alone."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.analyse.node import activity_of
from tests.analyse.nodes import node_of


@pytest.fixture
def nodes(noisy):
    """Three nodes of the same stimuli that differ, as those of three seeds."""
    drawn = np.random.default_rng(1)
    return [
        noisy.assign(activation=noisy["activation"] + drawn.normal(0, spread, noisy["activation"].shape))
        for spread in (0.1, 0.5, 1)
    ]


ANALYSES = {
    "decode": lambda node: cs.analyse.decode(node, cv=3),
    "temporal_generalization": lambda node: cs.analyse.temporal_generalization(node, cv=3),
    "trajectory": lambda node: cs.analyse.trajectory(node, 2),
    "averaged trajectory": lambda node: cs.analyse.trajectory(node, 2, average="label"),
    "rdm": cs.analyse.rdm,
    "cka": cs.analyse.cka,
    "cka of two": lambda node: cs.analyse.cka(node, other=node),
    "selectivity": cs.analyse.selectivity,
    "dimensionality": cs.analyse.dimensionality,
    "standardized": cs.analyse.standardized,
    "settling": cs.analyse.settling,
}


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("dim", ["seed", "model"])
def test_each_of_several_is_analysed_as_if_it_were_alone(nodes, name, dim):
    values = [3, 5, 8] if dim == "seed" else ["a", "b", "c"]
    found = ANALYSES[name](xr.concat(nodes, xr.Variable(dim, values)))
    assert found[dim].values.tolist() == values
    for value, node in zip(values, nodes, strict=True):
        alone = ANALYSES[name](node)
        one = found.sel({dim: value}).drop_vars(dim)
        xr.testing.assert_allclose(one.transpose(*alone.dims), alone)
        assert one.attrs == alone.attrs


def test_models_and_seeds_are_two_dimensions(nodes):
    grid = xr.concat(
        [xr.concat(nodes[:2], xr.Variable("seed", [0, 1])), xr.concat(nodes[1:], xr.Variable("seed", [0, 1]))],
        xr.Variable("model", ["a", "b"]),
    )
    found = cs.analyse.dimensionality(grid)
    assert dict(found.sizes) == {"model": 2, "seed": 2, "time": 4}
    assert found["low"].dims == ("model", "seed", "time")
    xr.testing.assert_allclose(found.sel(model="b", seed=1, drop=True), cs.analyse.dimensionality(nodes[2]))


def test_models_of_other_sizes_and_times_are_a_mapping(nodes):
    short = node_of(np.random.default_rng(2).standard_normal((30, 2, 5)), label=nodes[0]["label"].values)
    found = cs.analyse.decode({"long": nodes[0], "short": short}, cv=3)
    assert found["model"].values.tolist() == ["long", "short"]
    assert found.sel(model="short").isnull().values.tolist() == [False, False, True, True]
    np.testing.assert_array_equal(found.sel(model="long"), cs.analyse.decode(nodes[0], cv=3))
    with pytest.raises(ValueError, match="results of several models cannot be joined"):
        cs.analyse.standardized({"long": nodes[0], "short": short})


def test_at_times_that_a_model_does_not_have_nothing_is_populated():
    drawn = np.random.default_rng(0)
    long, short = (
        xr.Dataset({"logits": (("stimulus", "time", "class"), drawn.standard_normal((6, n, 2)))}) for n in (4, 3)
    )
    found = cs.analyse.cumulative({"long": long, "short": short})
    assert found["populated"].dtype == bool
    assert not found["populated"].sel(model="short", time=3).any()
    named = {"long": long.assign_coords(time=range(4)), "short": short.assign_coords(time=range(3))}
    scaled = cs.analyse.standardized({name: one["logits"] for name, one in named.items()})
    assert scaled["populated"].dtype == bool
    assert not scaled["populated"].sel(model="short", time=3).any()


def test_two_mappings_of_the_same_models_go_together(nodes):
    models, others = dict(zip("ab", nodes[:2], strict=True)), dict(zip("ab", nodes[1:], strict=True))
    found = cs.analyse.cka(models, others)
    xr.testing.assert_allclose(found.sel(model="b", drop=True), cs.analyse.cka(nodes[1], nodes[2]))


@pytest.mark.parametrize("dim", ["seed", "model"])
def test_two_arguments_are_paired_by_name_in_any_order(nodes, dim):
    names = [3, 5, 8] if dim == "seed" else ["a", "b", "c"]
    one, two = (xr.concat(each, xr.Variable(dim, names)) for each in (nodes, nodes[::-1]))
    wanted = cs.analyse.cka(one, two)
    turned = two.isel({dim: [2, 0, 1]})
    xr.testing.assert_identical(cs.analyse.cka(one, turned), wanted)
    xr.testing.assert_equal(
        cs.analyse.cka(one, turned.drop_vars(dim)), cs.analyse.cka(one, turned.assign_coords({dim: names}))
    )
    if dim == "model":
        xr.testing.assert_equal(cs.analyse.cka(one, {"c": nodes[0], "a": nodes[2], "b": nodes[1]}), wanted)
    with pytest.raises(ValueError, match=rf"several {dim}s are paired by {dim} and must have the same, got .* and "):
        cs.analyse.cka(one.isel({dim: [0, 1]}), two.isel({dim: [1, 2]}))
    with pytest.raises(ValueError, match=rf"several {dim}s are paired by {dim} and must have the same, got .* and "):
        cs.analyse.cka(one, turned.drop_vars(dim).isel({dim: [0, 1]}))


def test_models_that_were_shown_different_stimuli_are_refused(nodes):
    with pytest.raises(ValueError, match="several models are analysed together if they have the same stimuli"):
        cs.analyse.trajectory({"a": nodes[0], "b": nodes[1].isel(stimulus=slice(3, 30))})


def test_what_takes_one_says_so(nodes):
    with pytest.raises(ValueError, match=r"this takes one seed, got 2; choose one, such as .isel\(seed=0\)"):
        activity_of(xr.concat(nodes[:2], xr.Variable("seed", [0, 1])))
