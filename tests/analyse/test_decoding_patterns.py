"""Patterns show which units carry the signal, where weights also show those that cancel noise."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge

import cortexsim as cs
from tests.analyse.nodes import node_of

LABEL = np.arange(400) % 2


def with_a_distractor():
    """Unit 0 carries the label and noise; unit 1 carries the same noise alone; unit 2 is noise of its own."""
    drawn = np.random.default_rng(0)
    noise = drawn.standard_normal(400)
    units = np.stack([LABEL + noise, noise, drawn.standard_normal(400)], 1) + 0.1 * drawn.standard_normal((400, 3))
    return node_of(units[:, None], label=LABEL)


def test_a_unit_that_cancels_noise_has_a_weight_and_no_pattern():
    node = with_a_distractor()
    weights = LogisticRegression().fit(node["activation"].values[:, 0, :, 0, 0], LABEL).coef_[0]
    assert abs(weights[1]) > 0.8 * abs(weights[0])
    found = cs.analyse.decoding_patterns(node).values[0, :, 0, 0]
    assert found[0] == pytest.approx(0.5, abs=0.1)
    assert abs(found[1]) < 0.1
    assert abs(found[2]) < 0.1


def test_the_pattern_is_that_of_haufe_for_given_weights():
    node = with_a_distractor()
    x = node["activation"].values[:, 0, :, 0, 0]
    fitted = LogisticRegression().fit(x, LABEL)
    evidence = fitted.decision_function(x)
    # equation 6: the covariance of the units times the weights, over the variance of the evidence
    expected = np.cov(x.T) @ fitted.coef_[0] / evidence.var(ddof=1) * evidence.std(ddof=1)
    found = cs.analyse.decoding_patterns(node, estimator=LogisticRegression())
    np.testing.assert_allclose(found.values[0, :, 0, 0], expected, rtol=1e-6)


def test_every_class_has_a_pattern_of_its_own(noisy):
    found = cs.analyse.decoding_patterns(noisy)
    assert found.dims == ("time", "class", "channel", "y", "x")
    # the channel of a class is the one that its evidence goes with
    by_channel = found.sel(time=3).mean(("y", "x")).values
    assert by_channel.argmax(1).tolist() == [0, 1, 2]
    assert np.isnan(found.values[0]).all()


def test_a_number_is_predicted_by_one_pattern(noisy):
    found = cs.analyse.decoding_patterns(noisy, "size", LinearRegression())
    assert found.dims == ("time", "channel", "y", "x")
    assert found.shape[1:] == (3, 2, 2)


def test_equal_stimuli_have_no_pattern(noisy):
    noisy["activation"][:, 1] = 0.7
    assert (cs.analyse.decoding_patterns(noisy).values[1] == 0).all()


def test_a_decoder_without_evidence_is_refused(noisy):
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(TypeError, match="patterns need the evidence of a linear decoder"):
        cs.analyse.decoding_patterns(noisy, estimator=KNeighborsClassifier())


@pytest.mark.parametrize("wrong", [3, "ridge", Ridge])
def test_what_is_no_estimator_is_refused_as_by_decode(noisy, wrong):
    with pytest.raises(TypeError, match="estimator must be an estimator of scikit-learn, with fit, predict"):
        cs.analyse.decoding_patterns(noisy, estimator=wrong)
