"""Every interval covers what is true of the population in about 95 of 100 draws of the stimuli.

The truths are known: closed forms of normal patterns. A recording's time and channel axes carry the draws, so that one
call measures many.
"""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

import cortexsim as cs
from cortexsim.analyse._effect import paired_difference
from cortexsim.analyse.interval import mean_interval, wilson
from tests.analyse.nodes import node_of


def coverage(found, truth):
    low, high = found["low"].values, found["high"].values
    assert np.isfinite(low).all()
    return ((low <= truth) & (truth <= high)).mean()


def assert_covers(share, at_most=0.97):
    assert 0.93 <= share <= at_most, f"an interval of 95 % covers the truth in {share:.1%} of the draws"


def draws(seed, n, n_draws, variances):
    return np.random.default_rng(seed).standard_normal((n, n_draws, len(variances))) * np.sqrt(variances)


FALLING = 1 / np.arange(1, 11)  # of 10 units
WIDE = np.arange(1, 151) ** -0.7  # of more units than there are stimuli


@pytest.mark.parametrize("variances", [FALLING, WIDE], ids=["10 units", "150 units"])
def test_the_debiased_participation_ratio(variances):
    truth = variances.sum() ** 2 / (variances**2).sum()
    found = cs.analyse.dimensionality(node_of(draws(1, 80, 500, variances)))
    assert_covers(coverage(found, truth))
    assert found.values.mean() == pytest.approx(truth, rel=0.05)


def test_the_plain_participation_ratio_is_biased_and_has_no_interval():
    truth = WIDE.sum() ** 2 / (WIDE**2).sum()
    found = cs.analyse.dimensionality(node_of(draws(0, 80, 30, WIDE)), debiased=False)
    assert (found < 0.9 * truth).all()
    assert np.isnan(found["low"]).all()
    assert found.attrs["interval"].startswith("none: the plain ratio depends on the number of stimuli")


def aligned(mixing):
    """The population's alignment of normal patterns x with x @ mixing + noise of variance 1."""
    other = mixing.T @ mixing + np.eye(mixing.shape[1])
    return np.linalg.norm(mixing) ** 2 / np.sqrt(len(mixing)) / np.linalg.norm(other)


@pytest.mark.parametrize(("units", "scale"), [(10, 0.3), (80, 0.11), (80, 0.0)], ids=["10", "80", "80, unrelated"])
def test_debiased_cka(units, scale):
    drawn = np.random.default_rng(1)
    mixing = scale * drawn.standard_normal((units, units))
    truth, covered, values = aligned(mixing), 0, []
    for _ in range(500):
        x = drawn.standard_normal((60, units))
        y = x @ mixing + drawn.standard_normal(x.shape)
        found = cs.analyse.cka(node_of(x[:, None]), node_of(y[:, None]))
        covered += coverage(found, truth)
        values.append(found.item())
    # unrelated states differ in pairs of stimuli alone, and the rest of the variance cannot be found to be less than 0
    assert_covers(covered / 500, at_most=0.97 if scale else 0.985)
    assert np.mean(values) == pytest.approx(truth, abs=0.01)


def test_plain_cka_has_no_interval():
    x, y = np.random.default_rng(1).standard_normal((2, 80, 1, 120))
    found = cs.analyse.cka(node_of(x), node_of(y), debiased=False)
    assert found.item() > 0.5
    assert np.isnan(found["low"]).all()
    assert found.attrs["interval"].startswith("none: plain CKA depends on the numbers of stimuli")


LABEL = np.arange(100) % 4
MEANS = np.array([0, 0.5, 1, 2.0])


def of_classes(means, noise):
    return node_of((means[LABEL][:, None] + noise)[:, None], label=LABEL)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_omega_squared(strength):
    means = strength * MEANS
    found = cs.analyse.selectivity(of_classes(means, np.random.default_rng(2).standard_normal((100, 2000))))
    truth = means.var() / (means.var() + 1)
    assert_covers(coverage(found, truth))
    assert found.values.mean() == pytest.approx(truth, abs=0.01)


def test_omega_squared_of_rates_whose_noise_grows_with_their_mean():
    means = 1 + MEANS
    rates = means[LABEL][:, None] * np.random.default_rng(3).gamma(2, 0.5, (100, 2000))
    found = cs.analyse.selectivity(node_of(rates[:, None], label=LABEL))
    assert_covers(coverage(found, means.var() / (means.var() + (means**2).mean() / 2)))


def test_omega_squared_of_noise_is_0_on_average():
    found = cs.analyse.selectivity(of_classes(0 * MEANS, np.random.default_rng(4).standard_normal((100, 2000))))
    assert found.values.mean() == pytest.approx(0, abs=0.002)
    # at the end of its range 0 can be missed from one side only
    assert 0.96 <= coverage(found, 0) <= 0.985


def test_d_prime_of_a_class_that_is_clearly_preferred():
    found = cs.analyse.selectivity(
        of_classes(MEANS, np.random.default_rng(5).standard_normal((100, 1000))), measure="d_prime"
    )
    truth = (2 - 0.5) / np.sqrt((1 + 1 + np.var([0, 0.5, 1])) / 2)
    assert_covers(coverage(found, truth))


def test_sparseness():
    means = 1 + 3 * MEANS
    rates = means[LABEL][:, None] * np.random.default_rng(6).gamma(4, 0.25, (100, 1000))
    found = cs.analyse.selectivity(node_of(rates[:, None], label=LABEL), measure="sparseness")
    truth = (1 - means.mean() ** 2 / (means**2).mean()) / (1 - 1 / 4)
    assert_covers(coverage(found, truth))
    assert found.values.mean() == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("variances", [FALLING, WIDE], ids=["10 units", "150 units"])
def test_spread(variances):
    found = cs.analyse.spread(node_of(draws(7, 60, 600, variances)))
    assert_covers(coverage(found, np.sqrt(variances.mean())))


@pytest.mark.parametrize("n", [8, 50])
def test_a_mean(n):
    _, low, high = mean_interval(np.random.default_rng(8).standard_normal((n, 4000)))
    assert_covers(((low <= 0) & (high >= 0)).mean())


def test_a_mean_of_times():
    _, low, high = mean_interval(np.random.default_rng(9).poisson(4.0, (50, 4000)))
    assert_covers(((low <= 4) & (high >= 4)).mean())


@pytest.mark.parametrize("n", [50, 100, 500])
def test_a_fraction(n):
    low, high = wilson(np.arange(n + 1), n)
    # exactly: each count is weighted by how often it comes
    exact = [binom.pmf(np.flatnonzero((low <= p) & (p <= high)), n, p).sum() for p in np.linspace(0.1, 0.9, 81)]
    assert_covers(np.mean(exact))
    assert np.mean([0.92 <= one <= 0.98 for one in exact]) > 0.95


@pytest.mark.parametrize(("gained", "lost"), [(0.1, 0.3), (0.05, 0.05)])
def test_a_paired_difference_of_accuracies(gained, lost):
    drawn = np.random.default_rng(10).choice([1, -1, 0], (2000, 100), p=[gained, lost, 1 - gained - lost])
    ends = np.array([paired_difference(one)[1:] for one in drawn])
    assert_covers(((ends[:, 0] <= gained - lost) & (gained - lost <= ends[:, 1])).mean())


def test_the_growth_of_steps_with_length():
    drawn = np.random.default_rng(11)
    length, covered = np.repeat([10, 20, 30, 40], 15), 0
    for _ in range(600):
        # the scatter grows with the length, as the model's does
        steps = 0.9 * length + 3 + drawn.standard_normal(60) * length / 10
        found = cs.analyse.growth(xr.DataArray(steps, {"length": ("stimulus", length)}, ("stimulus",)))
        covered += float(found["slope_low"]) <= 0.9 <= float(found["slope_high"])
    assert_covers(covered / 600)


def waves(drawn, n):
    """A readout in which the tag of each stimulus travels along 12 px at its own speed: 2 steps per px on average."""
    distance = np.arange(12)
    arrival = (2 + 0.3 * drawn.standard_normal((n, 1))) * distance + 1 + drawn.standard_normal((n, 12))
    tagged = np.arange(60)[:, None] >= np.ceil(arrival)[:, None]
    logits = np.stack([~tagged, tagged], 2)[..., None, :].astype(float)
    readout = xr.DataArray(logits, {"time": np.arange(60)}, ("stimulus", "time", "class", "y", "x"), "logits")
    dims = ("stimulus", "y", "x")
    ones = np.ones((n, 1, 12), int)
    data = xr.Dataset({"target": (dims, ones), "line": (dims, ones), "distance": (dims, distance * ones)})
    return readout, data


@pytest.mark.slow
def test_the_slope_and_the_latencies_of_a_wave():
    drawn, slopes, latencies = np.random.default_rng(12), 0, 0
    for _ in range(300):
        found = cs.analyse.wave(*waves(drawn, 25))
        slopes += float(found["slope_low"]) <= 2 <= float(found["slope_high"])
        # the first time at or after an arrival lies half a step after it, on average
        expected = 2 * 6 + 1 + 0.5
        latencies += float(found["latency_low"][6]) <= expected <= float(found["latency_high"][6])
    assert_covers(slopes / 300)
    assert_covers(latencies / 300)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_the_similarity_of_rdms(method):
    drawn = np.random.default_rng(13)
    mixing = np.random.default_rng(1).standard_normal((6, 8)) / 3

    def differences(z):
        noisy = z[..., 2:] @ mixing + 0.5 * drawn.standard_normal((*z.shape[:-1], 8))
        return z[..., :5], noisy

    def distances(x):
        return ((x[..., None, :] - x[..., None, :, :]) ** 2).sum(-1)

    one, other = drawn.standard_normal((2, 400_000, 8)), None
    other = [((a - b) ** 2).sum(-1) for a, b in zip(differences(one[0]), differences(one[1]), strict=True)]
    if method == "spearman":
        other = [np.argsort(np.argsort(values)) for values in other]
    truth = np.corrcoef(*other)[0, 1]
    covered = []
    for _ in range(4):
        x, y = differences(drawn.standard_normal((150, 40, 8)))
        dims = ("time", "stimulus", "other_stimulus")
        model, brain = (xr.DataArray(distances(values), dims=dims) for values in (x, y))
        found = cs.analyse.compare_rdms(model, brain, method, n_bootstrap=200)
        covered.append(coverage(found.isel(reference_time=xr.DataArray(range(150), dims="time")), truth))
    assert_covers(np.mean(covered))
