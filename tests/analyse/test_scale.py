"""How large activity is over time; and that without it only a change of code is left."""

import numpy as np
import pytest

import cortexsim as cs
from tests.analyse.nodes import node_of


def drifting(noisy):
    """The same patterns at all times, but larger and shifted from time to time."""
    patterns = noisy["activation"].values[:, 3]
    drifts = np.stack([(1 + 3 * time) * patterns + 20 * time for time in range(3)], 1)
    return node_of(drifts, label=noisy["label"].values)


def test_the_spread_is_the_root_mean_variance_of_a_unit(noisy):
    found = cs.analyse.spread(noisy)
    by_hand = np.sqrt(noisy["activation"].values.var(0, ddof=1).mean((1, 2, 3)))
    assert found.values == pytest.approx(by_hand, nan_ok=True)
    assert np.isnan(found.values[0])
    assert (found["low"].values[1:] < by_hand[1:]).all()
    assert (found["high"].values[1:] > by_hand[1:]).all()
    assert found.attrs["interval"].startswith("95 % jackknife interval over 30 stimuli")


def test_the_spread_grows_as_the_activity_does(noisy):
    assert cs.analyse.spread(drifting(noisy)).values / cs.analyse.spread(noisy).values[3] == pytest.approx([1, 4, 7])


def test_a_drift_of_scale_mimics_a_change_of_code_until_each_time_is_standardized(noisy):
    node = drifting(noisy)
    as_recorded = cs.analyse.temporal_generalization(node).values
    own = np.diag(as_recorded)
    assert own == pytest.approx(own[0])
    assert as_recorded[0, 2] < own[0] - 0.15
    standardized = cs.analyse.temporal_generalization(cs.analyse.standardized(node)).values
    assert standardized == pytest.approx(standardized[0, 0])


def test_standardizing_keeps_a_true_change_of_code(noisy):
    turned = np.stack([noisy["activation"].values[:, 3], noisy["activation"].values[:, 3, ::-1]], 1)
    node = node_of(turned, label=noisy["label"].values)
    found = cs.analyse.temporal_generalization(cs.analyse.standardized(node)).values
    assert found[0, 0] - found[0, 1] > 0.3


def test_each_unit_has_mean_0_and_spread_1_at_each_time(noisy):
    found = cs.analyse.standardized(noisy)
    assert found.sel(time=[1, 2, 3]).mean("stimulus").values == pytest.approx(0)
    assert found.sel(time=[1, 2, 3]).std("stimulus").values == pytest.approx(1)
    assert found.sel(time=0).isnull().all()
    assert not found["populated"].sel(time=0).any()


def test_a_silent_unit_stays_silent():
    values = np.random.default_rng(0).standard_normal((10, 1, 4))
    values[:, :, 0] = 2.0
    values[:, :, 1] *= 1e-6
    found = cs.analyse.standardized(node_of(values))
    assert np.abs(found.values[:, 0, :2]).max() < 1e-4
    assert np.isfinite(found.values).all()


def test_where_one_is_empty_all_are(of_mixture):
    assert cs.analyse.standardized(of_mixture).sel(time=1).isnull().all()
    assert np.isnan(cs.analyse.spread(of_mixture).sel(time=1))


def test_two_stimuli_are_too_few(noisy):
    with pytest.raises(ValueError, match="a spread needs at least 3 stimuli, got 2"):
        cs.analyse.spread(noisy.isel(stimulus=[0, 1]))
