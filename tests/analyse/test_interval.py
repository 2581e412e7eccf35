"""Intervals say how sure a number is."""

import numpy as np
import pytest

from cortexsim.analyse.interval import jackknife, jackknife_groups, mean_interval, wilson


def test_the_interval_is_wilsons():
    assert wilson(81, 100) == pytest.approx((0.7222, 0.8749), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == 1


def test_nothing_counted_has_no_interval():
    low, high = wilson(np.array([0, 1]), np.array([0, 2]))
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == wilson(1, 2)


def test_the_interval_of_a_mean_leaves_nan_out():
    mean, low, high = mean_interval(np.array([1.0, 3.0, np.nan]))
    assert mean == 2
    # Student's t with one degree of freedom
    assert (high - low) / 2 == pytest.approx(12.7062 * np.sqrt(2) / np.sqrt(2), rel=1e-5)
    assert np.isnan(mean_interval(np.array([1.0]))[1])


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).standard_normal(20)
    mean, low, high = jackknife(20, lambda chosen: values[chosen].mean())
    assert mean == values.mean()
    assert (high - low) / 2 == pytest.approx(2.0930 * values.std(ddof=1) / np.sqrt(20), rel=1e-4)


def test_every_stimulus_is_left_out_once():
    groups = jackknife_groups(103)
    assert sorted(np.concatenate(groups).tolist()) == list(range(103))
    assert {len(group) for group in groups} == {5, 6}


def test_groups_share_every_class_evenly():
    classes = np.repeat([0, 1, 2], [40, 41, 22])
    groups = jackknife_groups(103, strata=classes)
    assert sorted(np.concatenate(groups).tolist()) == list(range(103))
    counts = np.array([np.bincount(classes[group], minlength=3) for group in groups])
    assert (counts.max(0) - counts.min(0) <= 1).all()
