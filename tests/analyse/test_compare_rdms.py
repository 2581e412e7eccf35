"""RDMs are compared as rsatoolbox does, with its noise ceiling."""

import numpy as np
import pytest
import xarray as xr
from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
from rsatoolbox.rdm import RDMs, compare
from scipy.stats import kendalltau, spearmanr

import cortexsim as cs
from cortexsim.analyse._compare_rdms import METHODS

PAIR = ("stimulus", "other_stimulus")


@pytest.fixture
def movie(noisy):
    return cs.analyse.rdm(noisy.isel(stimulus=slice(12)))


@pytest.fixture
def brains(movie):
    """Three subjects in two sessions, like the movie at time 2, with noise."""
    noise = np.random.default_rng(2).random((3, 2, 12, 12))
    made = movie.values[2] + (noise + noise.swapaxes(2, 3)) / 2 * (1 - np.eye(12))
    return xr.DataArray(made, {"stimulus": np.arange(12)}, ("subject", "session", *PAIR))


@pytest.mark.parametrize("method", METHODS)
def test_the_similarity_is_that_of_rsatoolbox(movie, brains, method):
    found = cs.analyse.compare_rdms(movie, brains, method, n_bootstrap=0)
    subjects = RDMs(brains.mean("session").values)
    its = compare(RDMs(movie.values[1:]), subjects, METHODS[method]).mean(1)
    assert found.values[1:] == pytest.approx(its)
    assert np.isnan(found.values[0])


def test_the_noise_ceiling_is_that_of_rsatoolbox_over_subjects(movie, brains):
    found = cs.analyse.compare_rdms(movie, brains, "pearson", n_bootstrap=0)
    low, high = boot_noise_ceiling(RDMs(brains.mean("session").values), "corr")
    assert (float(found["ceiling_low"]), float(found["ceiling_high"])) == pytest.approx((low, high))
    assert low < high


def test_a_single_matrix_has_no_noise_ceiling(movie, brains):
    found = cs.analyse.compare_rdms(movie, brains[0, 0], n_bootstrap=0)
    assert "ceiling_low" not in found.coords
    assert found.attrs["noise_ceiling"].startswith("none: a single matrix")


def test_sessions_of_one_subject_are_no_noise_ceiling(movie, brains):
    found = cs.analyse.compare_rdms(movie, brains[:1], n_bootstrap=0)
    assert "ceiling_low" not in found.coords


def test_a_subject_may_have_fewer_sessions_than_others(movie, brains):
    fewer = brains.copy()
    fewer[1, 1] = np.nan
    found = cs.analyse.compare_rdms(movie, fewer, n_bootstrap=0)
    subjects = [brains[0].mean("session"), brains[1, 0], brains[2].mean("session")]
    each = [cs.analyse.compare_rdms(movie, one, n_bootstrap=0) for one in subjects]
    np.testing.assert_allclose(found, np.mean(each, axis=0))
    fewer[1] = np.nan
    with pytest.raises(ValueError, match=r"the subjects \[1\]"):
        cs.analyse.compare_rdms(movie, fewer, n_bootstrap=0)


def test_a_matrix_agrees_with_itself_in_every_resample(movie):
    found = cs.analyse.compare_rdms(movie, movie[2].drop_vars("time"), n_bootstrap=50)
    assert found.values[2] == pytest.approx(1)
    assert found["low"].values[2] == pytest.approx(1)
    assert found["low"].values[3] < found.values[3] < found["high"].values[3] < 1


def test_copies_of_a_stimulus_do_not_make_unrelated_rdms_agree():
    # were the zeros of copies kept, both would have them at the same pairs
    drawn = np.random.default_rng(0).random((2, 30, 30)) + 1
    made = (drawn + drawn.swapaxes(1, 2)) * (1 - np.eye(30))
    one, other = (xr.DataArray(matrix, dims=PAIR) for matrix in made)
    found = cs.analyse.compare_rdms(one, other, "pearson", n_bootstrap=100)
    assert abs(float(found["low"] + found["high"]) / 2 - float(found)) < 0.1
    assert found.attrs["interval"] == ("95 % percentile bootstrap over 30 stimuli, 100 resamples, subjects fixed")


def test_a_model_without_time_keeps_its_interval_and_ceiling(movie, brains):
    still = cs.analyse.compare_rdms(movie.isel(time=2, drop=True), brains, n_bootstrap=20)
    moving = cs.analyse.compare_rdms(movie, brains, n_bootstrap=20).isel(time=2)
    assert still.dims == ()
    for name in ("low", "high", "ceiling_low", "ceiling_high"):
        assert float(still[name]) == float(moving[name])


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_the_interval_is_that_of_resamples_written_out(movie, brains, method):
    found = cs.analyse.compare_rdms(movie, brains, method, n_bootstrap=3, seed=4)
    drawing, drawn = np.random.default_rng(4), []
    rows, columns = np.triu_indices(12, 1)
    for _ in range(3):
        chosen = np.sort(drawing.integers(12, size=12))
        apart = chosen[rows] != chosen[columns]
        held = movie.values[1:], brains.mean("session").values
        pairs = [matrices[:, chosen[rows][apart], chosen[columns][apart]] for matrices in held]
        drawn.append(compare_vectors(*pairs, method))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    np.testing.assert_allclose(found["low"].values[1:], low)
    np.testing.assert_allclose(found["high"].values[1:], high)


def compare_vectors(ours, its, method):
    by = {"spearman": spearmanr, "kendall": kendalltau}[method]
    return [np.mean([by(one, other)[0] for other in its]) for one in ours]


def test_a_brain_with_times_is_compared_at_all_of_them(movie):
    found = cs.analyse.compare_rdms(movie, movie[1:], n_bootstrap=0)
    assert found.dims == ("time", "reference_time")
    assert np.diag(found.values[1:]) == pytest.approx(1)
    assert found["reference_time"].values.tolist() == [1, 2, 3]
    in_ms = movie[1:].rename(time="brain_time").assign_coords(brain_time=[70.0, 80.0, 90.0])
    assert cs.analyse.compare_rdms(movie, in_ms, n_bootstrap=0)["brain_time"].values.tolist() == [70, 80, 90]


def test_the_same_seed_gives_the_same_interval(movie, brains):
    first, again, other = (cs.analyse.compare_rdms(movie, brains, n_bootstrap=10, seed=s) for s in (1, 1, 2))
    assert first.identical(again)
    assert not first["low"].equals(other["low"])


def test_a_bare_matrix_is_refused(movie):
    with pytest.raises(TypeError, match=r"the reference must be a DataArray with the dimensions .*, got ndarray"):
        cs.analyse.compare_rdms(movie, movie.values[2])


def test_other_stimuli_are_refused(movie, brains):
    with pytest.raises(ValueError, match="the two RDMs must have the same stimuli, got 12 and 10"):
        cs.analyse.compare_rdms(movie, brains[..., :10, :10])
    with pytest.raises(
        ValueError, match="in the same order, but 12 of 12 differ in 'stimulus', the first at position 0: 0 and 11"
    ):
        cs.analyse.compare_rdms(movie, brains[..., ::-1, ::-1])


def test_unknown_dimensions_are_refused(movie, brains):
    with pytest.raises(ValueError, match="the reference must have the dimensions"):
        cs.analyse.compare_rdms(movie, brains.rename(subject="monkey"))


def test_two_clocks_are_refused(movie):
    with pytest.raises(ValueError, match=r"may have one time, got \['time', 'brain_time'\]"):
        cs.analyse.compare_rdms(movie, movie[1:].expand_dims(brain_time=2))


def test_a_matrix_that_is_not_symmetric_is_refused(movie, brains):
    brains[0, 0, 1, 2] += 1
    with pytest.raises(ValueError, match="the reference must be symmetric"):
        cs.analyse.compare_rdms(movie, brains)


def test_a_matrix_that_is_not_square_is_refused(movie, brains):
    with pytest.raises(ValueError, match="the reference must be square, got 5 stimuli and 12 other"):
        cs.analyse.compare_rdms(movie, brains[..., :5, :])


def test_missing_pairs_are_refused(movie, brains):
    brains[0, 0, 1, 2] = brains[0, 0, 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"the reference lacks 2 values \(NaN\)"):
        cs.analyse.compare_rdms(movie, brains)


def test_missing_pairs_are_refused_with_the_fewest_stimuli_and_the_subjects_to_leave_out(movie, brains):
    first, second = brains.copy(), brains.copy()
    first.values[0, ..., 3, :] = first.values[0, ..., :, 3] = np.nan
    with pytest.raises(ValueError, match=r"leave out the stimuli \[3\] or the subjects \[.*0.*\], as with"):
        cs.analyse.compare_rdms(movie, first)
    second.values[..., 1, 2] = second.values[..., 2, 1] = np.nan
    with pytest.raises(ValueError, match=r"leave out the stimuli \[1\], as with"):
        cs.analyse.compare_rdms(movie, second)


def test_constant_distances_are_refused(movie):
    flat = xr.DataArray(1 - np.eye(12), dims=PAIR)
    with pytest.raises(ValueError, match="the reference has the same distance for all pairs"):
        cs.analyse.compare_rdms(movie, flat)


def test_times_of_a_reference_with_constant_distances_are_left_out(movie):
    reference = movie.dropna("time").rename(time="brain_time").copy()
    whole = cs.analyse.compare_rdms(movie, reference, n_bootstrap=0)
    reference[1] = 0.0
    with pytest.warns(UserWarning, match=rf"at 1 of its times, \[{int(reference.brain_time[1])}\], such as in a bas"):
        found = cs.analyse.compare_rdms(movie, reference, n_bootstrap=0)
    xr.testing.assert_allclose(found, whole.drop_isel(brain_time=1))
    reference[:] = 0.0
    with pytest.raises(ValueError, match="the reference has the same distance for all pairs"):
        cs.analyse.compare_rdms(movie, reference, n_bootstrap=0)


def test_a_time_at_which_all_stimuli_are_the_same_agrees_with_nothing(movie, brains):
    whole = cs.analyse.compare_rdms(movie, brains)
    movie[0] = 0.0
    agreement = cs.analyse.compare_rdms(movie, brains)
    assert bool(agreement.isel(time=0).isnull().all())
    np.testing.assert_allclose(agreement.isel(time=slice(1, None)), whole.isel(time=slice(1, None)))
    with pytest.raises(ValueError, match="the model's RDM has the same distance for all pairs"):
        cs.analyse.compare_rdms(movie * 0, brains)


def test_three_stimuli_are_too_few(movie):
    with pytest.raises(ValueError, match="needs at least 4 stimuli, got 3"):
        cs.analyse.compare_rdms(movie[:, :3, :3], movie[2, :3, :3])


def test_an_unknown_method_is_named(movie):
    with pytest.raises(ValueError, match=r"unknown method 'spearmann'.*did you mean 'spearman'"):
        cs.analyse.compare_rdms(movie, movie, "spearmann")


def test_a_negative_number_of_resamples_is_refused(movie):
    with pytest.raises(ValueError, match="n_bootstrap must be a whole number of resamples, at least 0, got -1"):
        cs.analyse.compare_rdms(movie, movie, n_bootstrap=-1)


def test_similarities_are_not_taken_for_distances(movie, brains):
    with pytest.raises(ValueError, match=r"the reference must be 0 on its diagonal, .* got up to 1; if these are simi"):
        cs.analyse.compare_rdms(movie, 1 - movie.isel(time=2))
