"""CKA is what its closed form says."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from tests.analyse.nodes import node_of

DRAWN = np.random.default_rng(4)
ONE, OTHER = DRAWN.standard_normal((2, 25, 1, 5))


def test_cka_is_the_closed_form_of_features():
    found = cs.analyse.cka(node_of(ONE), node_of(OTHER), debiased=False)
    x, y = (values[:, 0] - values[:, 0].mean(0) for values in (ONE, OTHER))
    # Kornblith et al. (2019), equation 4
    closed = np.linalg.norm(y.T @ x) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    assert found.item() == pytest.approx(closed)


def test_cka_does_not_see_rotation_shift_and_scale():
    turn = np.linalg.qr(DRAWN.standard_normal((5, 5)))[0]
    assert cs.analyse.cka(node_of(ONE), node_of(3 * ONE @ turn + 1)).item() == pytest.approx(1)


def test_debiased_cka_is_the_closed_form_of_products():
    found = cs.analyse.cka(node_of(ONE), node_of(OTHER))

    def hsic(k, m):
        # Song et al. (2012), equation 5
        n = len(k)
        k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
        return np.trace(k @ m) + k.sum() * m.sum() / (n - 1) / (n - 2) - 2 / (n - 2) * (k @ m).sum()

    k, m = (values[:, 0] @ values[:, 0].T for values in (ONE, OTHER))
    closed = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    assert found.item() == pytest.approx(closed)
    assert found["low"].item() < closed < found["high"].item()
    assert found.attrs["interval"] == "95 % interval over 25 stimuli, by the variance over pairs of them"


def test_only_the_debiased_one_sees_that_wide_noise_is_unrelated():
    wide = DRAWN.standard_normal((2, 20, 1, 500))
    assert cs.analyse.cka(node_of(wide[0]), node_of(wide[1]), debiased=False).item() > 0.9
    assert abs(cs.analyse.cka(node_of(wide[0]), node_of(wide[1])).item()) < 0.1


def test_a_state_is_compared_with_its_own_times(noisy):
    found = cs.analyse.cka(noisy)
    assert found.dims == ("time", "other_time")
    assert np.diag(found)[1:] == pytest.approx(1)
    assert np.isnan(found.values[0]).all()
    assert np.isnan(found.values[:, 0]).all()
    assert found.values[2, 3] == found.values[3, 2] > found.values[1, 2]


def test_two_states_have_times_of_their_own(noisy, of_mixture):
    found = cs.analyse.cka(noisy, of_mixture.isel(time=slice(1, 4)))
    assert found.shape == (4, 3)
    assert np.isnan(found.values[:, 0]).all()
    assert found.values[2, 1] == pytest.approx(1)


def test_other_stimuli_are_refused(noisy):
    with pytest.raises(ValueError, match="the two nodes must have the same stimuli, got 30 and 20"):
        cs.analyse.cka(noisy, noisy.isel(stimulus=slice(20)))


def test_few_stimuli_are_refused(noisy):
    with pytest.raises(ValueError, match="centred kernel alignment needs at least 6 stimuli, got 1"):
        cs.analyse.cka(noisy.isel(stimulus=[0]))


def test_constant_activity_is_refused():
    with pytest.raises(ValueError, match="is the same for all 6 stimuli at all times at which it is populated"):
        cs.analyse.cka(node_of(np.ones((6, 1, 2))))


def test_a_time_at_which_all_stimuli_are_equal_is_nan(noisy):
    # zeros before the image arrives, as in a state that starts as zero
    node = noisy.copy(deep=True)
    node["activation"][:, 1] = 0
    found, expected = cs.analyse.cka(node), cs.analyse.cka(noisy)
    assert found.isel(time=1).isnull().all()
    assert found.isel(other_time=1).isnull().all()
    xr.testing.assert_identical(found.isel(time=2, other_time=2), expected.isel(time=2, other_time=2))
