"""Partial correlation of RDMs: what is left of an agreement without what the pixels explain."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr, rankdata

import cortexsim as cs

PAIR = ("stimulus", "other_stimulus")
N = 20
UPPER = np.triu_indices(N, 1)


def rdms(patterns, dims=("time",)):
    """Squared distances of patterns (..., stimulus, unit)."""
    distances = ((patterns[..., None, :] - patterns[..., None, :, :]) ** 2).sum(-1)
    return xr.DataArray(distances, {"stimulus": np.arange(distances.shape[-1])}, (*dims, *PAIR))


@pytest.fixture(scope="module")
def drawn():
    """A model of two times, a brain of two subjects, and pixels that explain a part of both."""
    generator = np.random.default_rng(0)
    pixels, own = generator.standard_normal((2, N, 5))
    noise = generator.standard_normal((4, N, 5))
    model = rdms(np.stack([pixels + own + 0.5 * noise[0], pixels + 0.5 * noise[1]]))
    return model, rdms(np.stack([pixels + own + noise[2], pixels + own + noise[3]]), ("subject",)), rdms(pixels, ())


def residuals(values, control):
    """Return what a straight line in the control leaves of the values."""
    design = np.stack([np.ones_like(control), control], 1)
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_it_is_the_correlation_of_what_a_regression_on_the_control_leaves(drawn, method):
    model, brain, pixels = drawn
    found = cs.analyse.partial_similarity(model, brain, pixels, method, n_bootstrap=0)
    shaped = rankdata if method == "spearman" else np.asarray
    control = shaped(pixels.values[UPPER]).astype(float)
    for time in range(2):
        ours = residuals(shaped(model.values[time][UPPER]).astype(float), control)
        each = [pearsonr(ours, residuals(shaped(one[UPPER]).astype(float), control))[0] for one in brain.values]
        np.testing.assert_allclose(float(found[time]), np.mean(each), rtol=1e-9)
    assert found["low"].isnull().all()


def test_a_model_of_the_pixels_alone_has_no_partial_agreement_and_one_that_shares_more_has(drawn):
    found = cs.analyse.partial_similarity(*drawn, n_bootstrap=200)
    assert float(found["low"][0]) > 0
    assert float(found["low"][1]) < 0.15 < float(found[0])
    assert (found["low"] < found).all()
    assert (found < found["high"]).all()
    full = cs.analyse.compare_rdms(drawn[0], drawn[1], n_bootstrap=0)
    assert (found < full).all()
    assert found.attrs["interval"] == "95 % percentile bootstrap over 20 stimuli, 200 resamples, subjects fixed"


def test_a_control_that_explains_everything_leaves_nothing(drawn):
    model, brain, _ = drawn
    found = cs.analyse.partial_similarity(model, brain, model.isel(time=0), n_bootstrap=0)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


def test_the_interval_covers_what_is_true_of_the_population():
    """In 20 draws of stimuli, the interval of a model without own agreement contains 0 in nearly all."""
    covered = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        pixels = generator.standard_normal((N, 5))
        noise = generator.standard_normal((2, N, 5))
        one = rdms(pixels + noise[0], ())
        found = cs.analyse.partial_similarity(one, rdms(pixels + noise[1], ()), rdms(pixels, ()), n_bootstrap=60)
        covered += bool(found["low"] <= 0 <= found["high"])
    assert covered >= 16


def test_a_control_with_a_time_and_other_stimuli_are_refused(drawn):
    model, brain, pixels = drawn
    with pytest.raises(ValueError, match="one RDM without a time"):
        cs.analyse.partial_similarity(model, brain, model)
    fewer = pixels.isel(stimulus=slice(0, 10), other_stimulus=slice(0, 10))
    with pytest.raises(ValueError, match="stimuli"):
        cs.analyse.partial_similarity(model, brain, fewer)
    with pytest.raises(ValueError, match=r"method.*'tau-a'.*spearman"):
        cs.analyse.partial_similarity(model, brain, pixels, "tau-a")


@pytest.mark.parametrize("analysis", [cs.analyse.partial_similarity, cs.analyse.similarity_difference])
def test_resamples_and_seeds_are_checked_before_they_are_drawn(drawn, analysis):
    model, brain, pixels = drawn
    given = (model, brain, pixels) if analysis is cs.analyse.partial_similarity else (model, model, brain)
    for seed in (None, "x", -1, 1.5, [1, 2]):
        with pytest.raises(ValueError, match="seed must be a whole number from 0 to"):
            analysis(*given, seed=seed)
    with pytest.raises(ValueError, match="n_bootstrap must be at most 1,000,000 resamples, got 1000000000000"):
        analysis(*given, n_bootstrap=10**12)
    analysis(*given, n_bootstrap=xr.DataArray(3), seed=np.array(2))


def test_distances_that_are_no_finite_numbers_are_refused(drawn):
    model, brain, pixels = drawn
    for wrong, kind in ((model.astype(str), "the dtype <U"), (model + np.inf, "infinity"), (model * 1j, "complex128")):
        with pytest.raises(ValueError, match=f"must have real numbers, or NaN .*{kind}"):
            cs.analyse.partial_similarity(wrong, brain, pixels)


def test_a_control_that_explains_all_leaves_no_partial_correlation_and_no_interval(drawn):
    model, brain, _ = drawn
    alone = model.isel(time=0, drop=True)
    found = cs.analyse.partial_similarity(alone, brain, alone, n_bootstrap=5)
    assert np.isnan([found, found["low"], found["high"]]).all()
