"""The participation ratio is 1 along a line and the number of units in a ball."""

import itertools

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from tests.analyse.nodes import node_of

DRAWN = np.random.default_rng(1)


def test_the_participation_ratio_is_that_of_the_eigenvalues(noisy):
    found = cs.analyse.dimensionality(noisy, debiased=False)
    for time in (1, 2, 3):
        values = np.linalg.eigvalsh(np.cov(noisy["activation"].values[:, time].reshape(30, -1).T))
        assert found.values[time] == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert np.isnan(found.values[0])


def test_the_debiased_ratio_is_that_of_quadruples_of_stimuli():
    x = DRAWN.standard_normal((7, 3))
    square_of_sum, sum_of_squares = [], []
    for a, b, c, d in itertools.permutations(range(7), 4):
        one, other = x[a] - x[b], x[c] - x[d]
        square_of_sum.append(one @ one * (other @ other) / 4)
        sum_of_squares.append((one @ other) ** 2 / 4)
    found = cs.analyse.dimensionality(node_of(x[:, None]))
    assert found.item() == pytest.approx(np.mean(square_of_sum) / np.mean(sum_of_squares))


def test_the_interval_lies_around_the_debiased_ratio(noisy):
    found = cs.analyse.dimensionality(noisy)
    assert (found["low"] < found).values[1:].all()
    assert (found["high"] > found).values[1:].all()
    assert found.attrs["interval"] == "95 % jackknife interval over 30 stimuli, left out in 20 groups"


def test_a_line_has_one_dimension_wherever_it_lies():
    line = DRAWN.standard_normal((50, 1, 1)) * DRAWN.standard_normal(8) + 100
    assert cs.analyse.dimensionality(node_of(line), debiased=False).values[0] == pytest.approx(1)


def test_equal_variances_in_d_orthogonal_directions_have_d_dimensions():
    corners = np.concatenate([np.eye(6), -np.eye(6)])[:, None]
    assert cs.analyse.dimensionality(node_of(corners), debiased=False).values[0] == pytest.approx(6)


def test_a_time_at_which_only_some_are_populated_is_nan(of_mixture):
    assert np.isnan(cs.analyse.dimensionality(of_mixture).values).tolist() == [True, True, False, False]


def test_few_stimuli_are_refused(noisy):
    with pytest.raises(ValueError, match="dimensionality needs at least 5 stimuli, got 1"):
        cs.analyse.dimensionality(noisy.isel(stimulus=[0]))


def test_constant_activity_is_refused():
    with pytest.raises(ValueError, match="is the same for all 6 stimuli at all times at which it is populated"):
        cs.analyse.dimensionality(node_of(np.ones((6, 1, 2))))


@pytest.mark.parametrize("debiased", [True, False])
def test_a_time_at_which_all_stimuli_are_equal_is_nan(noisy, debiased):
    # zeros before the image arrives, as in a state that starts as zero
    node = noisy.copy(deep=True)
    node["activation"][:, 1] = 0
    found, expected = (cs.analyse.dimensionality(one, debiased=debiased) for one in (node, noisy))
    assert np.isnan([found[1], found["low"][1], found["high"][1]]).all()
    xr.testing.assert_identical(found.isel(time=2), expected.isel(time=2))
