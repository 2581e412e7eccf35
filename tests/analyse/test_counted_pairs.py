"""Counting pairs gives what rsatoolbox gives for the same pairs written out."""

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs, compare

from cortexsim.analyse._compare_rdms import METHODS
from cortexsim.analyse.counted_pairs import METHODS as COUNTED
from cortexsim.analyse.counted_pairs import CountedPairs

N = 9


def drawn(*shape, levels=None):
    """Draw symmetric matrices, with ties where there are only some levels."""
    made = np.random.default_rng(shape[0]).random(shape)
    made = made if levels is None else np.floor(levels * made) + 1
    return np.triu(made, 1) + np.swapaxes(np.triu(made, 1), -1, -2)


@pytest.mark.parametrize("levels", [None, 4])
@pytest.mark.parametrize("method", COUNTED)
def test_pairs_that_count_several_times_are_pairs_written_out(method, levels):
    ours, its = drawn(2, N, N, levels=levels), drawn(3, N, N, levels=levels)
    chosen = np.array([0, 0, 0, 2, 3, 5, 5, 7, 8])
    rows, columns = np.triu_indices(len(chosen), 1)

    counts = np.bincount(chosen, minlength=N)
    first, second = np.triu_indices(N, 1)
    found = CountedPairs(ours[:, first, second], its[:, first, second], method).similarity(
        counts[first] * counts[second]
    )
    with_copies = [m[:, chosen[rows], chosen[columns]] for m in (ours, its)]
    for pairs in with_copies:
        pairs[:, chosen[rows] == chosen[columns]] = np.nan
    np.testing.assert_allclose(found, compare(*map(RDMs, with_copies), METHODS[method]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_a_vector_that_is_constant_over_the_counted_pairs_agrees_with_nothing(method):
    ours = np.array([[1.0, 1.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
    found = CountedPairs(ours, ours[1:], method).similarity(np.array([2, 1, 1, 0]))
    assert np.isnan(found[0, 0])
    assert found[1, 0] == pytest.approx(1)
