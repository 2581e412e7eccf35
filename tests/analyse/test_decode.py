"""Decoding is scikit-learn's, done at each time with the same folds."""

import numpy as np
import pytest
import xarray as xr
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import cortexsim as cs
from cortexsim.analyse.components import ScaledComponents, ShrunkDiscriminant
from tests.analyse.nodes import node_of

LDA = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))


def by_hand(node, decoder, folds, labels="label", groups=None, **how):
    scores = np.full((node.sizes["time"], folds.get_n_splits()), np.nan)
    for time in range(1, node.sizes["time"]):
        X = node["activation"].values[:, time].reshape(node.sizes["stimulus"], -1)
        scores[time] = cross_val_score(decoder, X, node[labels].values, cv=folds, groups=groups, **how)
    return scores


def test_decoding_equals_scikit_learn(noisy):
    found = cs.analyse.decode(noisy, estimator=LDA, cv=3, seed=4)
    scores = by_hand(noisy, LDA, StratifiedKFold(3, shuffle=True, random_state=4))
    assert np.array_equal(found.values, scores.mean(1), equal_nan=True)
    assert np.array_equal(found["low"].values, scores.min(1), equal_nan=True)
    assert np.array_equal(found["high"].values, scores.max(1), equal_nan=True)
    assert found.attrs["interval"].startswith("lowest to highest over 3 folds")


def test_the_default_decoder_is_scaling_components_and_shrinkage(noisy):
    matched = make_pipeline(StandardScaler(), PCA(12), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    scores = by_hand(noisy, matched, StratifiedKFold(5, shuffle=True, random_state=0))
    assert cs.analyse.decode(noisy).values == pytest.approx(scores.mean(1), nan_ok=True)


def test_with_more_units_than_stimuli_as_many_components_are_read_as_the_training_stimuli_allow():
    drawn = np.random.default_rng(4)
    label = np.arange(30) % 3
    node = node_of(drawn.standard_normal((30, 2, 40)) + 0.5 * label[:, None, None], [False, True], label=label)
    matched = make_pipeline(StandardScaler(), PCA(23), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    scores = by_hand(node, matched, StratifiedKFold(5, shuffle=True, random_state=0))
    assert cs.analyse.decode(node).values == pytest.approx(scores.mean(1), nan_ok=True)


def test_chance_is_the_share_of_the_most_frequent_class(noisy):
    assert cs.analyse.decode(noisy, [0] * 18 + [1] * 12).attrs["chance"] == 0.6


def test_a_class_is_decoded_only_at_the_times_that_contain_it(noisy):
    found = cs.analyse.decode(noisy)
    assert found.attrs["chance"] == pytest.approx(1 / 3)
    assert np.isnan(found.values[0])
    assert found.values[1] < 0.55
    assert (found.values[2:] > 0.75).all()


@pytest.mark.parametrize("units", [7, 60])
def test_components_are_those_of_scikit_learn_but_for_sign(units):
    X = np.random.default_rng(1).standard_normal((20, units)) * np.linspace(1, 3, units)
    mine = ScaledComponents(5).fit(X)
    its = make_pipeline(StandardScaler(), PCA(5, svd_solver="full")).fit(X)
    assert np.abs(mine.transform(X[:4])) == pytest.approx(np.abs(its.transform(X[:4])))


@pytest.mark.parametrize(("n_classes", "size"), [(2, 5), (10, 50), (10, 1)])
def test_the_discriminant_is_scikit_learns(n_classes, size):
    drawn = np.random.default_rng(2)
    y = np.array(list("abcdefghij"))[np.arange(90) % n_classes]
    X = drawn.standard_normal((90, size)) * drawn.uniform(0.1, 5, size) + (np.arange(90) % n_classes)[:, None]
    X = X @ drawn.standard_normal((size, size))
    its = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(X[:60], y[:60])
    mine = ShrunkDiscriminant().fit(X[:60], y[:60])
    assert mine.decision_function(X) == pytest.approx(its.decision_function(X))
    assert (mine.predict(X) == its.predict(X)).all()


def test_a_unit_that_is_always_silent_does_not_matter_to_components():
    X = np.random.default_rng(1).standard_normal((20, 6)).astype("float32")
    padded = np.concatenate([X, np.full((20, 2), 0.1, "float32")], 1)
    assert np.abs(ScaledComponents(3).fit(padded).transform(padded)) == pytest.approx(
        np.abs(ScaledComponents(3).fit(X).transform(X)), rel=1e-4
    )


def test_a_unit_that_hardly_varied_in_training_does_not_dominate_later():
    X = np.random.default_rng(1).standard_normal((21, 6))
    X[:20, 0] *= 1e-6
    X[20, 0] = 3.0
    assert np.abs(ScaledComponents(5).fit(X[:20]).transform(X)).max() < 100
    assert np.abs(make_pipeline(StandardScaler(), PCA(5)).fit(X[:20]).transform(X)).max() > 1e5


def test_stimuli_of_one_source_are_never_on_both_sides(noisy):
    source = np.arange(30) // 2
    node = noisy.assign_coords(source=("stimulus", source), label=("stimulus", source % 3))
    found = cs.analyse.decode(node, estimator=LDA, cv=3)
    folds = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    assert np.array_equal(found.values, by_hand(node, LDA, folds, groups=source).mean(1), equal_nan=True)
    assert found.attrs["folds"] == "3 stratified folds, grouped by source, seed 0"


def test_copies_of_an_image_cannot_be_learned_by_heart():
    # labels mean nothing here; only a copy on the other side of a fold could tell them
    drawn = np.random.default_rng(3)
    target = np.repeat(np.arange(20), 2)
    activation = drawn.standard_normal((20, 1, 8))[target]
    node = node_of(activation, label=drawn.permutation(np.arange(20) % 2)[target], target=target)
    nearest = KNeighborsClassifier(1)
    assert cs.analyse.decode(node, estimator=nearest, cv=4, groups=False).values[0] > 0.85
    assert cs.analyse.decode(node, estimator=nearest, cv=4).values[0] < 0.75


def test_a_continuous_factor_is_predicted(noisy):
    size = noisy["size"].values
    noisy["activation"][:, 3, 0] = noisy["activation"][:, 3, 0] * 0.1 + size[:, None, None] * 3
    found = cs.analyse.decode(noisy, "size", score="r2", cv=3)
    folds = KFold(3, shuffle=True, random_state=0)
    ridge = make_pipeline(StandardScaler(), PCA(12), RidgeCV(alphas=np.logspace(-1, 4, 11)))
    assert found.values == pytest.approx(by_hand(noisy, ridge, folds, "size", scoring="r2").mean(1), nan_ok=True)
    assert found.values[3] > 0.8
    assert "chance" not in found.attrs


def test_a_time_at_which_only_some_are_populated_is_nan(of_mixture, noisy):
    found = cs.analyse.decode(of_mixture)
    assert np.isnan(found.values[:2]).all()
    assert np.array_equal(found.values[2:], cs.analyse.decode(noisy).values[2:])


def test_the_same_seed_gives_the_same_numbers(noisy):
    assert cs.analyse.decode(noisy, seed=1).equals(cs.analyse.decode(noisy, seed=1))
    assert not cs.analyse.decode(noisy, seed=1).equals(cs.analyse.decode(noisy, seed=2))


def test_given_folds_are_used(noisy):
    halves = [(np.arange(15), np.arange(15, 30)), (np.arange(15, 30), np.arange(15))]
    found = cs.analyse.decode(noisy, estimator=LDA, cv=halves)
    assert found.attrs["n"] == 2
    X = noisy["activation"].values[:, 2].reshape(30, -1)
    assert found.values[2] == cross_val_score(LDA, X, noisy["label"].values, cv=halves).mean()


def test_a_class_with_fewer_members_than_folds_is_refused(noisy):
    with pytest.raises(ValueError, match="class 2 has 3 stimuli, fewer than the 5 folds; pass cv=3 or fewer"):
        cs.analyse.decode(noisy, labels=[2] * 3 + [0] * 27)


def test_a_class_from_fewer_images_than_folds_is_refused(noisy):
    node = noisy.assign_coords(source=("stimulus", np.arange(30) % 6))
    with pytest.raises(ValueError, match="class 0 has 2 different values of source, fewer than the 3 folds"):
        cs.analyse.decode(node, cv=3)


def test_fewer_repeats_than_folds_are_refused(noisy):
    node = noisy.assign_coords(target=("stimulus", np.arange(30) // 2))
    with pytest.raises(ValueError, match="class 0 has 2 stimuli, fewer than the 5 folds; pass cv=2"):
        cs.analyse.decode(node, "target", groups=False)


def test_decoding_the_factor_that_groups_the_stimuli_is_refused(noisy):
    node = noisy.assign_coords(target=("stimulus", np.arange(30) // 2))
    with pytest.raises(ValueError, match="target is both decoded and the group of a stimulus"):
        cs.analyse.decode(node, "target")


def test_groups_are_one_for_each_stimulus(noisy):
    with pytest.raises(ValueError, match=r"groups must be one for each of the 30 stimuli, got shape \(2,\)"):
        cs.analyse.decode(noisy, groups=[0, 1])


def test_continuous_labels_need_a_regressor(noisy):
    with pytest.raises(ValueError, match="the labels are continuous, such as 1: pass score='r2' or a regressor"):
        cs.analyse.decode(noisy, "size")


def test_words_cannot_be_predicted_as_numbers(noisy):
    with pytest.raises(ValueError, match="a regression predicts only numbers, got labels such as"):
        cs.analyse.decode(noisy, ["cat", "dog"] * 15, score="r2")


def test_a_regression_needs_two_stimuli_in_each_fold(noisy):
    with pytest.raises(ValueError, match="20 folds of a regression need at least 40 stimuli, got 30"):
        cs.analyse.decode(noisy, "size", score="r2", cv=20)


def test_one_fold_is_refused(noisy):
    with pytest.raises(ValueError, match="cv must be a whole number of folds, at least 2, got 1"):
        cs.analyse.decode(noisy, cv=1)


def test_a_time_at_which_all_stimuli_are_equal_is_at_chance(noisy):
    noisy["activation"][:, 1] = 0.7
    found = cs.analyse.decode(noisy)
    assert found.values[1] == pytest.approx(found.attrs["chance"])
    assert found.values[2] > 0.6
    ranked = cs.analyse.decode(noisy, np.arange(30) % 2, score="roc_auc")
    assert ranked.values[1] == pytest.approx(0.5)
    explained = cs.analyse.decode(noisy, "size", score="r2")
    assert -0.5 < explained.values[1] <= 0


def test_rounding_that_differs_between_batches_is_not_decoded(noisy):
    noisy["activation"] = noisy["activation"].astype(np.float32)
    label = np.repeat([0, 1], [20, 10])
    same = np.float32(3.1) + np.where(label == 1, np.float32(3e-6), 0)[:, None, None, None]
    noisy["activation"][:, 1] = same
    found = cs.analyse.decode(noisy, label)
    assert found.values[1] == pytest.approx(found.attrs["chance"])
    assert np.isnan(cs.analyse.selectivity(noisy, label).values[1]).all()
    assert np.isnan(cs.analyse.cka(noisy).values[1]).all()
    assert (cs.analyse.rdm(noisy, "euclidean").values[1] == 0).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_classes_of_one_pattern_each_are_distinguished(dtype):
    label = np.arange(30) % 3
    same = np.random.default_rng(0).standard_normal((3, 2, 20))[label].astype(dtype)
    found = cs.analyse.decode(xr.DataArray(same, dims=("stimulus", "time", "unit")), label)
    assert (found == 1).all()


def test_a_unit_that_answers_to_one_stimulus_alone_is_at_chance_in_the_folds_without_it(noisy):
    alone = xr.zeros_like(noisy["activation"].isel(time=[1, 2], channel=[0], y=[0], x=[0]))
    alone[4] = 1.0
    found = cs.analyse.decode(alone, np.arange(30) % 3)
    assert abs(found.values - 1 / 3).max() < 0.1


def test_anything_but_an_estimator_is_refused(noisy):
    with pytest.raises(TypeError, match=r"an estimator of scikit-learn, with fit, predict, get_params, got 'svm'"):
        cs.analyse.decode(noisy, estimator="svm")


def test_an_unknown_score_is_named(noisy):
    with pytest.raises(ValueError, match=r"unknown score 'acuracy'.*did you mean 'accuracy'"):
        cs.analyse.decode(noisy, score="acuracy")


def test_one_stimulus_is_refused(noisy):
    with pytest.raises(ValueError, match="label is 0 for all 1 stimuli"):
        cs.analyse.decode(noisy.isel(stimulus=[0]))


def test_labels_as_an_array_may_be_grouped_by_a_coordinate(noisy):
    source = np.arange(noisy.sizes["stimulus"]) // 2
    paired = noisy.assign_coords(source=("stimulus", source))
    by_name = cs.analyse.decode(paired, cv=3, groups="source")
    by_value = cs.analyse.decode(paired, labels=noisy["label"].values, cv=3, groups="source")
    np.testing.assert_array_equal(by_name, by_value)


def test_what_is_decoded_does_not_group_stimuli_even_if_it_is_not_named(noisy):
    with pytest.raises(ValueError, match="label is both decoded and the group of a stimulus"):
        cs.analyse.decode(noisy, cv=3, groups="label")
