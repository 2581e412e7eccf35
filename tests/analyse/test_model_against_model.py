"""Which of two models agrees better with a brain, and at which of its times one agrees best."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

PAIR = ("stimulus", "other_stimulus")
N = 30


def rdms(patterns, dims=("time",)):
    """Squared distances of patterns (..., stimulus, unit)."""
    distances = ((patterns[..., None, :] - patterns[..., None, :, :]) ** 2).sum(-1)
    return xr.DataArray(distances, {"stimulus": np.arange(distances.shape[-1])}, (*dims, *PAIR))


def drawn(seed=0, n=N, n_times=3, n_subjects=1):
    """A brain, a model that resembles it more and more, and one that resembles it a little."""
    generator = np.random.default_rng(seed)
    true = generator.standard_normal((n, 6))
    noise = generator.standard_normal((2, n_times, n, 6))
    brain = rdms(true + 0.5 * generator.standard_normal((n_subjects, n, 6)), ("subject",))
    share = np.linspace(0.2, 1, n_times)[:, None, None]
    return rdms(share * true + noise[0]), rdms(0.2 * true + noise[1]), brain


def test_the_difference_is_that_of_the_similarities():
    one, other, brain = drawn(n_subjects=3)
    found = cs.analyse.similarity_difference(one, other, brain, n_bootstrap=20)
    each = [cs.analyse.compare_rdms(model, brain, n_bootstrap=0).values for model in (one, other)]
    np.testing.assert_allclose(found, each[0] - each[1])
    assert (found["low"] < found).all()
    assert found.attrs["interval"] == (
        "95 % Student's t interval over 30 stimuli and 3 subjects, standard error from 20 resamples"
    )


def test_a_clearly_better_model_is_better_beyond_chance():
    one, other, brain = drawn()
    found = cs.analyse.similarity_difference(one, other, brain, n_bootstrap=100)
    assert found["low"].values[2] > 0
    assert found["low"].values[0] < 0 < found["high"].values[0]
    back = cs.analyse.similarity_difference(other, one, brain, n_bootstrap=100)
    np.testing.assert_allclose(back["high"], -found["low"])


def test_a_model_does_not_differ_from_itself():
    one, _, brain = drawn()
    found = cs.analyse.similarity_difference(one, one, brain, n_bootstrap=10)
    assert (found.values == 0).all()
    assert (found["high"].values == 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("n_subjects", [1, 10])
def test_the_interval_covers_the_true_difference_of_two_equally_good_models(n_subjects):
    generator, covered, n_draws = np.random.default_rng(5), 0, 300
    mixing = generator.standard_normal((6, 6))
    for _ in range(n_draws):
        true, noise = generator.standard_normal((40, 6)), generator.standard_normal((2, 1, 40, 6))
        # subjects differ in what they weigh, and in noise
        weights = 1 + 0.3 * generator.standard_normal((n_subjects, 1, 6))
        brain = rdms((true @ mixing) * weights + generator.standard_normal((n_subjects, 40, 6)), ("subject",))
        one, other = (rdms(true @ mixing + 2 * values) for values in noise)
        found = cs.analyse.similarity_difference(one, other, brain, "pearson", n_bootstrap=100)
        covered += found["low"].item() <= 0 <= found["high"].item()
    assert 0.93 <= covered / n_draws <= 0.98


def test_an_empty_time_has_no_difference():
    one, other, brain = drawn()
    one[0] = np.nan
    found = cs.analyse.similarity_difference(one, other, brain, n_bootstrap=10)
    assert np.isnan(found.values).tolist() == [True, False, False]


def test_a_model_agrees_best_at_the_time_that_resembles_the_brain_most():
    generator = np.random.default_rng(3)
    courses = generator.standard_normal((4, N, 6)).cumsum(0)
    model = rdms(courses + 0.1 * generator.standard_normal(courses.shape))
    brain = rdms(courses[[2, 0]]).rename(time="brain_time").assign_coords(brain_time=[100.0, 150.0])
    found = cs.analyse.best_time(model.assign_coords(time=[1, 2, 3, 4]), brain, n_bootstrap=50)
    assert found.dims == ("brain_time",)
    assert found.values.tolist() == [3, 1]
    assert (found["low"] <= found).all()
    assert (found["high"] >= found).all()


def test_a_model_that_resembles_nothing_has_no_best_time_to_speak_of():
    noise = rdms(np.random.default_rng(0).standard_normal((8, N, 6)))
    found = cs.analyse.best_time(noise, rdms(np.random.default_rng(1).standard_normal((N, 6)), ()), n_bootstrap=100)
    assert found["high"].item() - found["low"].item() >= 3


def test_one_time_has_no_best():
    one, _, brain = drawn()
    with pytest.raises(ValueError, match="a best time needs RDMs at 2 or more times, got 1"):
        cs.analyse.best_time(one[:1], brain)


def test_models_at_other_times_are_refused():
    one, other, brain = drawn()
    with pytest.raises(ValueError, match="the two models must have the same times"):
        cs.analyse.similarity_difference(one, other[:2], brain)


def test_models_of_other_stimuli_are_refused():
    one, other, brain = drawn()
    with pytest.raises(ValueError, match="must have the same stimuli"):
        cs.analyse.similarity_difference(one, other.isel(stimulus=slice(20), other_stimulus=slice(20)), brain)


def test_one_resample_is_too_few():
    with pytest.raises(ValueError, match="n_bootstrap must be a whole number of resamples, at least 2, got 1"):
        cs.analyse.similarity_difference(*drawn(), n_bootstrap=1)


def test_single_matrices_keep_their_interval():
    one, other, brain = (array[0] for array in drawn())
    found = cs.analyse.similarity_difference(one, other, brain, n_bootstrap=20)
    assert found.dims == ()
    assert found["low"] < found < found["high"]
