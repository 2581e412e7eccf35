"""Tests over time find what MNE finds, and nothing in noise."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

MNE = np.load(Path(__file__).with_name("mne_clusters.npz"))
TAILS = {"both": 0, "above": 1, "below": -1}


# of the 128 or 256 flips of 8 observations MNE leaves one out
ONE_FLIP = 1 / 127


def course(values, **attrs):
    return xr.DataArray(values, {"time": np.arange(values.shape[1])}, ("seed", "time"), "decode", attrs)


@pytest.mark.parametrize("tail", TAILS)
def test_clusters_over_time_are_those_of_mne(tail):
    found = cs.analyse.significance(course(MNE["course"]), tail=tail)
    np.testing.assert_allclose(found["t"], MNE[f"course_t_{TAILS[tail]}"])
    np.testing.assert_allclose(found["p"], MNE[f"course_p_{TAILS[tail]}"], atol=ONE_FLIP)
    assert found["significant"].any() == (MNE[f"course_p_{TAILS[tail]}"] < 0.05).any()


@pytest.mark.parametrize("tail", TAILS)
def test_clusters_of_a_matrix_of_times_are_those_of_mne(tail):
    values = xr.DataArray(MNE["matrix"], dims=("seed", "train_time", "test_time"))
    found = cs.analyse.significance(values, tail=tail)
    np.testing.assert_allclose(found["t"], MNE[f"matrix_t_{TAILS[tail]}"])
    np.testing.assert_allclose(found["p"], MNE[f"matrix_p_{TAILS[tail]}"], atol=ONE_FLIP)


def test_the_correction_for_many_times_is_that_of_mne():
    from cortexsim.analyse._significance import benjamini_hochberg

    np.testing.assert_allclose(benjamini_hochberg(MNE["fdr_p"][::-1])[::-1], MNE["fdr_corrected"])


def test_two_conditions_are_compared_within_the_same_seeds():
    base = 5 * np.random.default_rng(0).standard_normal((8, 1))
    one, other = course(MNE["course"] + base), course(np.zeros((8, 24)) + base)
    paired = cs.analyse.significance(one, other)
    np.testing.assert_allclose(paired["p"], MNE["course_p_0"], atol=ONE_FLIP)
    assert not cs.analyse.significance(one)["significant"].any()


def test_chance_is_that_of_the_array():
    values = course(0.25 + 0.1 * MNE["course"], chance=0.25)
    np.testing.assert_allclose(cs.analyse.significance(values)["p"], MNE["course_p_0"], atol=ONE_FLIP)
    assert cs.analyse.significance(values).attrs["against"] == "chance, 0.25"
    assert cs.analyse.significance(values, 0.0).attrs["against"] == "chance, 0"


def test_every_state_is_tested_by_itself():
    both = xr.concat([course(MNE["course"]), course(0 * MNE["course"] + MNE["course"][::-1])], "state")
    found = cs.analyse.significance(both)
    assert found["p"].dims == ("state", "time")
    np.testing.assert_allclose(found["p"][0], MNE["course_p_0"], atol=ONE_FLIP)


def test_in_noise_one_test_in_twenty_finds_a_cluster():
    noise = np.random.default_rng(1).standard_normal((400, 10, 12)).cumsum(-1)
    values = xr.DataArray(noise, dims=("draw", "seed", "time"))
    found = cs.analyse.significance(values, n_permutations=100)
    share = found["significant"].any("time").mean().item()
    assert 0.02 <= share <= 0.08


def test_the_false_discovery_rate_needs_a_stronger_effect_than_a_single_test():
    values = course(MNE["course"])
    found = cs.analyse.significance(values, method="fdr")
    from scipy.stats import ttest_1samp

    single = ttest_1samp(MNE["course"], 0).pvalue
    assert (found["p"] >= single).all()
    assert (found["p"] <= 1).all()
    assert "cluster" not in found


def test_an_empty_time_is_in_no_cluster():
    values = MNE["course"].copy()
    values[2, 9] = np.nan
    found = cs.analyse.significance(course(values))
    assert np.isnan(found["p"][9])
    assert found["cluster"][9] == 0
    assert not found["significant"][9]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"over": "subject"}, "needs the dimension 'subject' and one or two of time"),
        ({"method": "bonferroni"}, "unknown method 'bonferroni'"),
        ({"tail": "two"}, "unknown tail 'two'"),
        ({"level": 5}, "level must be a number from 0 to 1, got 5"),
        ({"threshold": -2}, "threshold is a t value above 0, got -2"),
        ({"n_permutations": 0}, "n_permutations must be a whole number of permutations, at least 1, got 0"),
    ],
)
def test_values_that_cannot_be_tested_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.analyse.significance(course(MNE["course"]), **arguments)


def test_two_observations_are_too_few():
    with pytest.raises(ValueError, match="at least 3 observations along 'seed', got 2"):
        cs.analyse.significance(course(MNE["course"][:2]))


def test_conditions_of_other_seeds_are_refused():
    one = course(MNE["course"]).assign_coords(seed=np.arange(8))
    with pytest.raises(ValueError, match="the same values of seed"):
        cs.analyse.significance(one, one.assign_coords(seed=np.arange(8) + 1))


def test_anything_but_an_array_is_refused():
    with pytest.raises(TypeError, match="takes a DataArray, got ndarray"):
        cs.analyse.significance(MNE["course"])


def test_clusters_are_of_neighbours_in_time_not_in_the_array():
    values = course(MNE["course"])
    turned = values.isel(time=np.random.default_rng(3).permutation(values.sizes["time"]))
    found, wanted = (cs.analyse.significance(one) for one in (turned, values))
    xr.testing.assert_allclose(found, wanted)


def test_a_time_that_occurs_twice_is_refused():
    twice = course(MNE["course"]).isel(time=[0, 1, 1, 2])
    with pytest.raises(ValueError, match=r"a test over time needs each time once, got \[0, 1, 1, 2\]"):
        cs.analyse.significance(twice)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"level": "0.05"}, "level must be a number from 0 to 1, got '0.05'"),
        ({"level": float("nan")}, "level must be a number from 0 to 1, got nan"),
        ({"threshold": "2"}, "threshold must be a finite number, got '2'"),
        ({"other": "chance"}, "the value to compare with must be a finite number, got 'chance'"),
    ],
)
def test_numbers_that_are_none_are_refused(given, match):
    with pytest.raises(ValueError, match=match):
        cs.analyse.significance(course(MNE["course"]), **given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (course(MNE["course"]).astype(complex), "needs finite numbers, or NaN .* got .* values of complex128"),
        (course(MNE["course"]).astype(str), "needs finite numbers, or NaN .* got .* values of <U"),
        (course(MNE["course"]) * np.inf, "needs finite numbers, or NaN where a value is missing, got infinity"),
        (course(MNE["course"][:, :0]), "needs finite numbers, or NaN where a value is missing, got 0 values"),
    ],
)
def test_values_that_are_no_finite_numbers_are_refused(values, message):
    for test in (cs.analyse.significance, cs.analyse.onset):
        with pytest.raises(ValueError, match=message):
            test(values, 0.0)


def test_the_name_of_the_observations_is_a_text_and_no_time():
    with pytest.raises(TypeError, match=r"over must be the name of a dimension, got \['seed'\]"):
        cs.analyse.significance(course(MNE["course"]), over=["seed"])
    with pytest.raises(ValueError, match="needs the dimension 'time' and one or two of"):
        cs.analyse.significance(course(MNE["course"]), over="time")


def test_more_permutations_than_ever_finish_are_refused():
    with pytest.raises(ValueError, match="n_permutations must be at most 1,000,000 permutations, got 1000000000"):
        cs.analyse.significance(course(MNE["course"]), n_permutations=10**9)
    found = cs.analyse.significance(course(MNE["course"]), n_permutations=xr.DataArray(20))
    assert found["p"].max() <= 1
