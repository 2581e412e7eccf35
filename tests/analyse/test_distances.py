"""Distances are those of numpy, scipy and rsatoolbox."""

import numpy as np

from cortexsim.analyse.distances import correlation_distance


def test_a_constant_pattern_has_no_correlation_distance():
    distances = correlation_distance(np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [5.0, 5.0, 5.0]]))
    np.testing.assert_allclose(distances[:2, :2], [[0, 2], [2, 0]], atol=1e-12)
    assert np.isnan(distances[2]).all()
