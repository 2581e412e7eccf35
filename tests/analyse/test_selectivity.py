"""Selectivity is what the textbook's formula says of each channel."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from tests.analyse.nodes import node_of


def channel_means(node, time):
    return node["activation"].values[:, time].mean((-1, -2))


def test_eta_squared_is_the_variance_between_classes_over_all(noisy):
    found = cs.analyse.selectivity(noisy, measure="eta_squared")
    label = noisy["label"].values
    for time in (1, 2, 3):
        values = channel_means(noisy, time)
        between = sum(10 * (values[label == k].mean(0) - values.mean(0)) ** 2 for k in range(3))
        assert found.values[time] == pytest.approx(between / ((values - values.mean(0)) ** 2).sum(0))
    assert found.dims == ("time", "channel")
    assert found.attrs["chance"] == 2 / 29
    assert np.isnan(found.values[0]).all()
    assert (found.values[2:] > found.values[1]).all()


def test_omega_squared_is_eta_squared_without_the_contribution_of_noise(noisy):
    found = cs.analyse.selectivity(noisy)
    eta = cs.analyse.selectivity(noisy, measure="eta_squared").values[1:]
    # of the 27 + 2 degrees of freedom: within = 1 - eta
    noise = (1 - eta) / 27
    assert found.values[1:] == pytest.approx((eta - 2 * noise) / (1 + noise))
    assert (found["low"].values[2] < found.values[2]).all()
    assert (found["high"].values[2] > found.values[2]).all()
    assert (found["low"].values[1] == 0).all()


def test_noise_alone_gives_the_stated_chance():
    node = node_of(np.random.default_rng(0).standard_normal((60, 1, 2000)), label=np.arange(60) % 4)
    found = cs.analyse.selectivity(node, measure="eta_squared")
    assert found.values.mean() == pytest.approx(found.attrs["chance"], abs=0.003)


def test_d_prime_is_of_the_preferred_class_against_all_others(noisy):
    found = cs.analyse.selectivity(noisy, measure="d_prime")
    label, values = noisy["label"].values, channel_means(noisy, 2)
    for channel in range(3):
        its, rest = values[label == channel, channel], values[label != channel, channel]
        closed = (its.mean() - rest.mean()) / np.sqrt((its.var(ddof=1) + rest.var(ddof=1)) / 2)
        assert found.values[2, channel] == pytest.approx(closed)
    assert found["preferred"].values[2].tolist() == [0, 1, 2]
    assert found["preferred"].values[0].tolist() == [None] * 3


def test_sparseness_is_0_for_no_preference_and_1_for_one_class_alone():
    label = np.arange(12) % 3
    rates = np.stack([np.ones(12), label == 1, label], 1)
    found = cs.analyse.selectivity(node_of(rates[:, None], label=label), measure="sparseness")
    # rates 0, 1, 2: (1 - 1 / (5 / 3)) / (1 - 1 / 3)
    assert found.values[0] == pytest.approx([0, 1, 0.6], abs=1e-12)


def test_every_unit_can_be_measured_by_itself(noisy):
    found = cs.analyse.selectivity(noisy, units="unit")
    assert found.dims == ("time", "channel", "y", "x")
    one = cs.analyse.selectivity(noisy.isel(y=[1], x=[0]))
    assert found.values[1:, :, 1, 0] == pytest.approx(one.values[1:])


def test_a_channel_that_is_always_the_same_has_no_selectivity(noisy):
    noisy["activation"][:, :, 1] = 0.1
    found = cs.analyse.selectivity(noisy)
    assert np.isnan(found.values[2]).tolist() == [False, True, False]


def test_a_time_at_which_only_some_are_populated_is_nan(of_mixture):
    assert np.isnan(cs.analyse.selectivity(of_mixture).values[:2]).all()


def test_sparseness_of_negative_activity_is_refused(noisy):
    with pytest.raises(ValueError, match="is negative at time 1; record with quantity='rate'"):
        cs.analyse.selectivity(noisy, measure="sparseness")


def test_a_class_of_one_is_refused(noisy):
    with pytest.raises(ValueError, match="at least 2 stimuli of each class, but class 1 has 1"):
        cs.analyse.selectivity(noisy, labels=[1] + [0] * 29)


def test_constant_activity_is_refused():
    with pytest.raises(ValueError, match="is the same for all 6 stimuli at all times at which it is populated"):
        cs.analyse.selectivity(node_of(np.ones((6, 1, 2)), label=np.arange(6) % 2))


@pytest.mark.parametrize("measure", ["omega_squared", "eta_squared", "d_prime"])
def test_a_time_at_which_all_stimuli_are_equal_is_nan(noisy, measure):
    # zeros before the image arrives, as in a state that starts as zero
    node = noisy.copy(deep=True)
    node["activation"][:, 1] = 0
    found, expected = (cs.analyse.selectivity(one, measure=measure) for one in (node, noisy))
    assert found.isel(time=1).isnull().all()
    xr.testing.assert_identical(found.isel(time=2), expected.isel(time=2))


def test_an_unknown_measure_is_named(noisy):
    with pytest.raises(ValueError, match="unknown measure 'dprime'"):
        cs.analyse.selectivity(noisy, measure="dprime")


def test_units_are_channels_or_units(noisy):
    with pytest.raises(ValueError, match="unknown units 'neuron'"):
        cs.analyse.selectivity(noisy, units="neuron")
