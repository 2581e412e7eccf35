"""The onset is when a course leaves chance."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

TIMES = np.arange(20)


def rising(n=20, start=8.0, seed=0, noise=0.15):
    """Observations that rise from 0 to 1 within four steps from `start`."""
    drawn = np.random.default_rng(seed)
    own, strength = start + 0.7 * drawn.standard_normal((n, 1)), 1 + 0.2 * drawn.standard_normal((n, 1))
    mean = strength * np.clip((TIMES - own) / 4, 0, 1)
    return xr.DataArray(
        mean + noise * drawn.standard_normal((n, 20)), {"time": TIMES}, ("seed", "time"), attrs={"chance": 0.0}
    )


def test_half_of_the_way_to_the_peak_is_interpolated():
    exact = xr.DataArray(np.tile([0.25, 0.25, 0.35, 0.75, 0.85, 0.85], (3, 1)), {"time": range(6)}, ("seed", "time"))
    found = cs.analyse.onset(exact, 0.25)
    # half of 0.6 above chance is 0.55, half-way between times 2 and 3
    assert found.item() == pytest.approx(2.5)
    assert (found["low"].item(), found["high"].item()) == pytest.approx((2.5, 2.5))
    assert found.attrs["units"] == "steps"


def test_the_interval_covers_the_true_onset():
    covered = 0
    for draw in range(400):
        found = cs.analyse.onset(rising(30, seed=draw, noise=0.02), n_bootstrap=100)
        # the mean of rises from about 8 to about 12 is half-way at 10
        covered += found["low"].item() <= 10 <= found["high"].item()
    assert 0.93 <= covered / 400 <= 0.97


def test_the_cluster_begins_when_the_observations_rise():
    found = cs.analyse.onset(rising(), by="cluster", n_bootstrap=50, n_permutations=100)
    assert found.item() in (8, 9)
    assert found["low"].item() <= found.item() <= found["high"].item()
    assert found.attrs["long_name"] == "onset, by a cluster with p < 0.05"
    assert found.attrs["interval"] == ("95 % Student's t interval over 20 seeds, standard error from 50 resamples")


def test_noise_has_no_onset_by_cluster_and_the_fraction_of_such_resamples_is_given():
    noise = rising(8, start=100, seed=4)
    found = cs.analyse.onset(noise, by="cluster", n_bootstrap=20, n_permutations=100)
    assert np.isnan(found)
    assert np.isnan(found["high"])
    assert found["without"] > 0.025


def test_two_states_have_onsets_of_their_own():
    both = xr.concat([rising(start=4), rising(start=8)], xr.Variable("state", ["V1", "V4"]))
    found = cs.analyse.onset(both, n_bootstrap=20)
    assert found.dims == ("state",)
    assert found.sel(state="V4").item() - found.sel(state="V1").item() == pytest.approx(4, abs=0.4)


def test_a_paired_onset_is_of_the_difference():
    base = rising(start=3, seed=1)
    assert cs.analyse.onset(base + rising(start=8, seed=2), base, n_bootstrap=0).item() == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"by": "eye"}, "unknown by 'eye'"),
        ({"criterion": 0}, "criterion must be a number above 0 and at most 1, got 0"),
        ({"level": 2}, "level must be a number from 0 to 1, got 2"),
        ({"n_bootstrap": -1}, "n_bootstrap must be a whole number of resamples"),
        ({"over": "stimulus"}, "needs the dimension 'stimulus'"),
    ],
)
def test_values_that_cannot_have_an_onset_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.analyse.onset(rising(), **arguments)


def test_a_matrix_of_times_has_no_onset():
    with pytest.raises(ValueError, match="an onset needs one time"):
        cs.analyse.onset(xr.DataArray(np.zeros((4, 3, 3)), dims=("seed", "train_time", "test_time")))


def test_the_order_of_times_does_not_matter():
    course = rising()
    turned = course.isel(time=np.random.default_rng(3).permutation(20))
    for by in ("criterion", "cluster"):
        found = [cs.analyse.onset(one, by=by, n_bootstrap=20, n_permutations=50).item() for one in (course, turned)]
        assert found[0] == found[1]


def test_a_value_that_is_missing_for_some_observations_is_counted_and_refused():
    values = rising()
    values[:2, 9] = np.nan
    with pytest.raises(ValueError, match=r"missing \(NaN\) for up to 2 of 20 observations along 'seed' at 1 places"):
        cs.analyse.onset(values, n_bootstrap=0)
    # before an area is populated, all observations are missing
    assert cs.analyse.onset(rising().where(lambda one: one["time"] > 2), n_bootstrap=0).item() > 8
