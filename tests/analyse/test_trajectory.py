"""Trajectories have axes that all times share: those of principal component analysis."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

import cortexsim as cs
from tests.analyse.nodes import node_of


def test_the_axes_are_those_of_scikit_learn_over_all_populated_times(noisy):
    found = cs.analyse.trajectory(noisy)
    patterns = noisy["activation"].values[:, 1:].reshape(90, -1)
    its = PCA(3).fit(patterns)
    path = its.transform(patterns).reshape(30, 3, 3).swapaxes(0, 1)
    assert found.dims == ("time", "stimulus", "component")
    assert np.abs(found.values[1:]) == pytest.approx(np.abs(path), abs=1e-3)
    assert found["explained_variance_ratio"].values == pytest.approx(its.explained_variance_ratio_)
    assert np.isnan(found.values[0]).all()


def test_more_units_than_patterns_and_a_slow_spectrum_are_found_too():
    drawn = np.random.default_rng(0).standard_normal((30, 4, 300)) * np.linspace(2, 1, 300)
    found = cs.analyse.trajectory(node_of(drawn), 2)
    its = PCA(2, svd_solver="full").fit(drawn.reshape(120, 300))
    assert found["explained_variance_ratio"].values == pytest.approx(its.explained_variance_ratio_, rel=1e-4)


def test_a_mixture_gives_a_path_to_whom_it_has_one(of_mixture):
    found = cs.analyse.trajectory(of_mixture, 2)
    assert np.isnan(found.values[1, ::2]).all()
    assert np.isfinite(found.values[1, 1::2]).all()


def test_averages_by_label_are_those_of_the_paths(of_mixture):
    paths, found = cs.analyse.trajectory(of_mixture), cs.analyse.trajectory(of_mixture, average="label")
    assert found.dims == ("time", "label", "component")
    means = paths.groupby("label").mean().transpose(*found.dims)
    assert found.values[2:] == pytest.approx(means.values[2:])
    assert np.isnan(found.values[:2]).all()
    assert (found["low"] < found).values[2:].all()


def test_the_seed_does_not_change_the_axes(noisy):
    one, other = (cs.analyse.trajectory(noisy, seed=seed) for seed in (1, 2))
    assert one.values[1:] == pytest.approx(other.values[1:], abs=1e-3)


def test_too_many_components_are_refused(noisy):
    with pytest.raises(ValueError, match="must be 1 to 12, with 90 populated patterns of 12 units, got 13"):
        cs.analyse.trajectory(noisy, 13)


def test_one_stimulus_is_refused(noisy):
    with pytest.raises(ValueError, match="a trajectory needs at least 2 stimuli, got 1"):
        cs.analyse.trajectory(noisy.isel(stimulus=[0]))


def test_constant_activity_is_refused():
    with pytest.raises(ValueError, match="is the same for all stimuli at all times, so it has no trajectory"):
        cs.analyse.trajectory(node_of(np.ones((6, 2, 4))))


def test_averaging_over_an_unknown_coordinate_is_refused(noisy):
    with pytest.raises(ValueError, match="no coordinate 'species'"):
        cs.analyse.trajectory(noisy, average="species")
