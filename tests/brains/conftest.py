"""Small dissimilarity matrices, and the files that hold them."""

import numpy as np
import pytest
from scipy.io import savemat

N = 5


def matrices(*shape, n=N, seed=0):
    """Draw symmetric matrices with zeros on the diagonal, shape (*shape, n, n)."""
    drawn = np.random.default_rng(seed).random((*shape, n, n))
    drawn = drawn + np.swapaxes(drawn, -1, -2)
    drawn[..., np.arange(n), np.arange(n)] = 0
    return drawn


def struct(names, found):
    """Make a MATLAB struct array with the fields `RDM` and `name`, of the shape of `names`."""
    names = np.asarray(names)
    array = np.zeros(names.shape, dtype=[("RDM", object), ("name", object)])
    for place in np.ndindex(names.shape):
        one = found[place] if isinstance(found, np.ndarray) else found[place[0]]
        array[place] = (one, str(names[place]))
    return array


@pytest.fixture
def drawn():
    """Matrices of 2 subjects in 3 sessions."""
    return matrices(2, 3)


@pytest.fixture
def matlab_file(tmp_path, drawn):
    """The shape (region, subject, session) and the names of the RSA toolbox for MATLAB."""
    names = [[[f"IT | {who} | Session: {k}" for k in (1, 2, 3)] for who in ("BE", "KO")]]
    savemat(tmp_path / "brain.mat", {"RDMs": struct(names, drawn[None])})
    return tmp_path / "brain.mat"
