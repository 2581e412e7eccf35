"""RDM movies are those of rsatoolbox."""

import numpy as np
import pytest
from rsatoolbox.data import Dataset, TemporalDataset
from rsatoolbox.data.noise import prec_from_residuals, prec_from_unbalanced
from rsatoolbox.rdm import calc_rdm, calc_rdm_movie

import cortexsim as cs
from tests.analyse.nodes import node_of


@pytest.fixture
def repeated():
    """Four stimuli, each in three noisy repeats, in no order."""
    drawn = np.random.default_rng(5)
    target, repeat = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    activation = drawn.standard_normal((4, 2, 6))[target] + drawn.standard_normal((12, 2, 6))
    order = drawn.permutation(12)
    return node_of(activation[order], target=target[order], repeat=repeat[order], label=target[order] % 2)


@pytest.mark.parametrize("metric", ["correlation", "euclidean"])
def test_a_movie_is_that_of_rsatoolbox(noisy, metric):
    found = cs.analyse.rdm(noisy, metric)
    values = noisy["activation"].values[:, 1:].reshape(30, 3, -1).transpose(0, 2, 1)
    movie = calc_rdm_movie(TemporalDataset(values, time_descriptors={"time": [1, 2, 3]}), metric)
    assert found.dims == ("time", "stimulus", "other_stimulus")
    assert found.values[1:] == pytest.approx(movie.get_matrices())
    assert np.isnan(found.values[0]).all()


@pytest.mark.parametrize("noise", [None, "diagonal"])
def test_crossnobis_is_that_of_rsatoolbox(repeated, noise):
    found = cs.analyse.rdm(repeated, "crossnobis", noise=noise)
    for time in (0, 1):
        values = repeated["activation"].values[:, time].reshape(12, 6)
        target = repeated["target"].values
        within = values - np.array([values[target == k].mean(0) for k in range(4)])[target]
        precision = None if noise is None else np.diag(8 / (within**2).sum(0))
        # it warns of whole numbers as names
        names = {"target": target.astype(str), "repeat": repeated["repeat"].values.astype(str)}
        its = calc_rdm(Dataset(values, obs_descriptors=names), "crossnobis", "target", precision, "repeat")
        assert found.values[time] == pytest.approx(its.get_matrices()[0])
    assert found["stimulus"].values.tolist() == [0, 1, 2, 3]
    assert found["label"].values.tolist() == [0, 1, 0, 1]


def repeats_of(n_stimuli, n_repeats, n_units, seed=5):
    """Noisy repeats whose noise is shared between units."""
    drawn = np.random.default_rng(seed)
    target = np.repeat(np.arange(n_stimuli), n_repeats)
    mixing = drawn.standard_normal((n_units, n_units)) / 3 + np.eye(n_units)
    noise = drawn.standard_normal((len(target), 3, n_units)) @ mixing * np.array([1.0, 2.0, 0.5])[:, None]
    activation = drawn.standard_normal((n_stimuli, 3, n_units))[target] + noise
    return node_of(activation, target=target, repeat=np.tile(np.arange(n_repeats), n_stimuli))


def as_dataset(node, time):
    # it warns of whole numbers as names
    names = {name: node[name].values.astype("U4") for name in ("target", "repeat")}
    names["target"] = np.char.zfill(names["target"], 2)
    values = node["activation"].values[:, time].reshape(node.sizes["stimulus"], -1).astype(np.float64)
    return Dataset(values, obs_descriptors=names)


def its_crossnobis(node, time, precision):
    return calc_rdm(as_dataset(node, time), "crossnobis", "target", precision, "repeat").get_matrices()[0]


METHODS = {"diagonal": "diag", "full": "full", "shrunk": "shrinkage_diag"}


# with 24 units there are fewer residuals than units
@pytest.mark.parametrize(("noise", "n_units"), [*((noise, 6) for noise in METHODS), ("shrunk", 24), ("diagonal", 24)])
def test_noise_at_each_time_is_that_of_rsatoolbox(noise, n_units):
    node = repeats_of(7, 3, n_units)
    found = cs.analyse.rdm(node, "crossnobis", noise=noise)
    for time in range(3):
        precision = prec_from_unbalanced(as_dataset(node, time), "target", method=METHODS[noise])
        np.testing.assert_allclose(found.values[time], its_crossnobis(node, time, precision), rtol=1e-10, atol=1e-10)
    assert found.attrs["noise"] == noise
    assert not np.allclose(found, cs.analyse.rdm(node, "crossnobis"))


# with 80 units there are fewer residuals than units at all times together
@pytest.mark.parametrize(("noise", "n_units"), [*((noise, 24) for noise in METHODS), ("shrunk", 80)])
def test_noise_of_all_times_together_is_that_of_rsatoolbox(noise, n_units):
    node = repeats_of(7, 3, n_units)
    found = cs.analyse.rdm(node, "crossnobis", noise=noise, pooled=True)
    values = node["activation"].values.astype(np.float64).reshape(7, 3, 3, n_units)
    residuals = (values - values.mean(1, keepdims=True)).reshape(-1, n_units)
    precision = prec_from_residuals(residuals, dof=3 * 7 * 2, method=METHODS[noise])
    for time in range(3):
        np.testing.assert_allclose(found.values[time], its_crossnobis(node, time, precision), rtol=1e-10, atol=1e-10)
    assert found.attrs["noise"] == f"{noise}, pooled over times"


def test_a_precision_matrix_may_be_given():
    node = repeats_of(7, 3, 6)
    precision = prec_from_unbalanced(as_dataset(node, 1), "target", method="shrinkage_eye")
    found = cs.analyse.rdm(node, "crossnobis", noise=precision)
    np.testing.assert_allclose(found.values[1], its_crossnobis(node, 1, precision), rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match="a symmetric matrix of them, got one that is not symmetric"):
        cs.analyse.rdm(node, "crossnobis", noise=np.triu(precision))


def test_empty_stimuli_have_no_part_in_the_noise():
    node = repeats_of(8, 3, 6)
    whole = cs.analyse.rdm(node.isel(stimulus=slice(21)), "crossnobis", noise="shrunk", pooled=True)
    populated = np.ones((24, 3), bool)
    populated[22] = False
    found = cs.analyse.rdm(
        node.assign(populated=(("stimulus", "time"), populated)), "crossnobis", noise="shrunk", pooled=True
    )
    np.testing.assert_allclose(found.values[:, :7, :7], whole, rtol=1e-10)
    assert np.isnan(found.values[:, 7]).all()


def test_a_covariance_of_too_few_repeats_has_no_inverse():
    with pytest.raises(ValueError, match=r"of 15 units from 14 degrees .* use noise='shrunk' or 'diagonal'"):
        cs.analyse.rdm(repeats_of(7, 3, 15), "crossnobis", noise="full")
    cs.analyse.rdm(repeats_of(7, 3, 14), "crossnobis", noise="full")


@pytest.mark.parametrize("noise", [None, [1.0] * 6])
def test_pooling_is_of_an_estimate(repeated, noise):
    with pytest.raises(ValueError, match=r"pooled= needs a noise that is estimated: give noise=, one of"):
        cs.analyse.rdm(repeated, "crossnobis", noise=noise, pooled=True)


def test_crossnobis_is_near_0_where_only_noise_differs_and_euclidean_is_not():
    target, repeat = np.repeat(np.arange(10), 4), np.tile(np.arange(4), 10)
    noise = np.random.default_rng(0).standard_normal((40, 1, 200))
    node = node_of(noise, target=target, repeat=repeat)
    pairs = np.triu_indices(10, 1)
    assert abs(cs.analyse.rdm(node, "crossnobis").values[0][pairs].mean()) < 0.05
    assert cs.analyse.rdm(node, "euclidean").values[0].mean() > 1


def test_pairs_with_an_empty_stimulus_are_nan(of_mixture):
    found = cs.analyse.rdm(of_mixture).values[1]
    assert np.isnan(found[::2]).all()
    assert np.isnan(found[:, ::2]).all()
    assert np.isfinite(found[1::2, 1::2]).all()
    assert (np.diag(found)[1::2] == 0).all()


def test_crossnobis_without_repeats_is_refused_with_a_remedy(noisy):
    with pytest.raises(ValueError, match=r"needs independent noisy repeats .* simulate\(\.\.\., noise=, repeats=\)"):
        cs.analyse.rdm(noisy, "crossnobis")


def test_one_repeat_is_refused(repeated):
    with pytest.raises(ValueError, match="at least 2 repeats of each stimulus, got 1"):
        cs.analyse.rdm(repeated.isel(stimulus=repeated["repeat"].values == 0), "crossnobis")


def test_a_missing_repeat_is_refused(repeated):
    with pytest.raises(ValueError, match="each of the 4 stimuli once in each of the 3 repeats, 12 rows in all, got 11"):
        cs.analyse.rdm(repeated.isel(stimulus=slice(11)), "crossnobis")


def test_repeats_of_one_stimulus_make_no_rdm(repeated):
    with pytest.raises(ValueError, match="at least 2 stimuli, got repeats of 1"):
        cs.analyse.rdm(repeated.isel(stimulus=repeated["target"].values == 0), "crossnobis")


def test_repeats_that_do_not_differ_have_no_noise_to_divide_by(repeated):
    repeated["activation"][:, :, 2] = 1.0
    with pytest.raises(ValueError, match="1 of 6 units of activation of V4 do not differ between repeats at time 0"):
        cs.analyse.rdm(repeated, "crossnobis", noise="diagonal")


def test_noise_is_a_precision_for_each_unit(repeated):
    with pytest.raises(ValueError, match=r"for each of the 6 units, or a symmetric matrix of them, got shape \(2,\)"):
        cs.analyse.rdm(repeated, "crossnobis", noise=[1, 1])


def test_an_unknown_kind_of_noise_is_named(repeated):
    with pytest.raises(
        ValueError, match=r"unknown noise 'half': the allowed values are \['diagonal', 'full', 'shrunk'\]"
    ):
        cs.analyse.rdm(repeated, "crossnobis", noise="half")


def test_noise_belongs_to_crossnobis(noisy):
    with pytest.raises(ValueError, match="noise= is an option of metric='crossnobis', not of 'euclidean'"):
        cs.analyse.rdm(noisy, "euclidean", noise="diagonal")


def test_one_stimulus_has_no_rdm(noisy):
    with pytest.raises(ValueError, match="an RDM needs at least 2 stimuli, got 1"):
        cs.analyse.rdm(noisy.isel(stimulus=[0]))


def test_a_flat_pattern_has_no_correlation_but_a_distance(noisy):
    noisy["activation"][4, 2] = 0.0
    with pytest.raises(ValueError, match=r"same value in every unit at time 2 for the stimuli \[4\]"):
        cs.analyse.rdm(noisy)
    assert np.isfinite(cs.analyse.rdm(noisy, "euclidean").values[2]).all()


@pytest.mark.parametrize("n", [1, 2])
def test_patterns_of_few_units_have_no_correlation_but_a_distance(noisy, n):
    few = noisy["activation"].isel(time=[2, 3], y=[0], x=[0], channel=slice(n))
    with pytest.raises(ValueError, match=f"has {n} units?, but over fewer than 3"):
        cs.analyse.rdm(few)
    assert np.isfinite(cs.analyse.rdm(few, "euclidean")).all()


def test_stimuli_that_all_have_the_same_pattern_are_not_dissimilar(noisy):
    for same in (0.0, np.arange(noisy["activation"][0, 2].size).reshape(noisy["activation"][0, 2].shape)):
        noisy["activation"][:, 2] = same
        distances = cs.analyse.rdm(noisy)
        assert (distances.values[2] == 0).all()
        assert (distances.values[3] > 0).any()


def test_an_unknown_metric_is_named(noisy):
    with pytest.raises(ValueError, match=r"unknown metric 'cosine': the allowed values are"):
        cs.analyse.rdm(noisy, "cosine")
