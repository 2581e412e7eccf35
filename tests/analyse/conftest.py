"""Nodes that several analyses are tested on."""

import numpy as np
import pytest
import xarray as xr

from tests.analyse.nodes import node_of


@pytest.fixture
def noisy() -> xr.Dataset:
    """Thirty stimuli of three classes at times 0 to 3 in 3 channels of 2 x 2; empty at 0, and no class in it at 1."""
    drawn = np.random.default_rng(0)
    label = np.arange(30) % 3
    activation = drawn.standard_normal((30, 4, 3, 2, 2))
    for time in (2, 3):
        activation[np.arange(30), time, label] += 2
    return node_of(activation, [False, True, True, True], label=label, size=np.linspace(1, 2, 30))


@pytest.fixture
def of_mixture(noisy) -> xr.Dataset:
    """The same, but at time 1 every second stimulus is empty."""
    populated = np.ones((30, 4), bool)
    populated[:, 0] = populated[::2, 1] = False
    return noisy.assign(populated=(("stimulus", "time"), populated))
