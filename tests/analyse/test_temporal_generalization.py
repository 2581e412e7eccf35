"""Temporal generalization is MNE's, and its diagonal is decoding."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cortexsim as cs
from tests.analyse.nodes import node_of

LDA = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))


def test_the_scores_are_those_of_mne():
    with np.load(Path(__file__).with_name("mne_generalization.npz")) as made:
        patterns, label, fold, scores = (made[name] for name in ("patterns", "label", "fold", "scores"))
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(4)]
    node = node_of(patterns.transpose(0, 2, 1), label=label)
    found = cs.analyse.temporal_generalization(node, estimator=LDA, cv=folds)
    assert found.dims == ("train_time", "test_time")
    assert found.values == pytest.approx(scores.mean(0))
    assert found["low"].values == pytest.approx(scores.min(0))
    assert found["high"].values == pytest.approx(scores.max(0))
    # a matrix that is its own transpose could not tell training from testing
    assert not np.allclose(scores.mean(0), scores.mean(0).T)


@pytest.mark.parametrize("estimator", [None, LDA])
def test_the_diagonal_is_decoding(noisy, estimator):
    whole = cs.analyse.temporal_generalization(noisy, estimator=estimator, seed=2)
    alone = cs.analyse.decode(noisy, estimator=estimator, seed=2)
    for end in ("low", "high"):
        assert np.array_equal(np.diag(whole[end]), alone[end], equal_nan=True)
    assert np.array_equal(np.diag(whole), alone, equal_nan=True)


def test_empty_times_are_nan_in_both_directions(of_mixture):
    found = cs.analyse.temporal_generalization(of_mixture, cv=2)
    assert np.isnan(found.values[:2]).all()
    assert np.isnan(found.values[:, :2]).all()
    assert np.isfinite(found.values[2:, 2:]).all()
    assert found["train_time"].attrs == {"long_name": "training time", "units": "steps"}


def test_a_time_at_which_all_stimuli_are_equal_is_at_chance_in_both_directions(noisy):
    noisy["activation"][:, 1] = 0.7
    found = cs.analyse.temporal_generalization(noisy)
    assert found.values[1, 1:] == pytest.approx(1 / 3)
    assert found.values[1:, 1] == pytest.approx(1 / 3)
    assert found.values[2, 2] > 0.6
