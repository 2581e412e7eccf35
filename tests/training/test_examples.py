"""Training examples of arrays with names are read by these names."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.training.examples import pairs

IMAGES = torch.rand((4, 3, 8, 8), generator=torch.Generator().manual_seed(0))


def made(**options) -> cs.Cortex:
    return cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3, **options)


def test_labels_by_time_are_matched_by_the_names_of_the_classes():
    model = made()
    model.classes = ["ant", "bee", "cow"]
    by_time = np.array([[-1, 0, 1], [-1, 2, 2], [0, -1, 1], [2, 1, 0]])
    image = (("stimulus", "channel", "y", "x"), IMAGES.numpy())
    for dims, values in ((("stimulus", "time"), by_time), (("time", "stimulus"), by_time.T)):
        data = xr.Dataset({"image": image}, {"label": (dims, values)}, {"classes": ["cow", "ant", "bee"]})
        labels = pairs(data, model, until=6)[1]
        assert labels.tolist() == [[-1, 2, 0], [-1, 1, 1], [2, -1, 0], [1, 0, 2]]


def test_a_second_dimension_of_labels_that_is_not_time_is_refused():
    one_hot = xr.DataArray(np.eye(3, dtype=int)[[0, 1, 2, 0]], dims=("stimulus", "class"))
    with pytest.raises(ValueError, match=r"have the dimensions stimulus and time, got \('stimulus', 'class'\)"):
        pairs((IMAGES, one_hot), made(), until=6)


def test_target_maps_are_read_by_the_names_of_their_dimensions():
    graph = cs.adjacent({"V1": 4}, size=8, self_transitions=True)
    model = cs.Cortex(graph, 2, 3, post_net="map", normalization="channel")
    maps = xr.DataArray(np.random.default_rng(0).integers(-1, 2, (4, 8, 8)), dims=("stimulus", "y", "x"))
    wanted = pairs((IMAGES, maps), model, until=6)[1]
    assert wanted.equal(torch.from_numpy(maps.values))
    assert pairs((IMAGES, maps.transpose("x", "stimulus", "y")), model, until=6)[1].equal(wanted)
    with pytest.raises(ValueError, match="target maps have the dimensions stimulus, y and x"):
        pairs((IMAGES, maps.rename(x="column")), model, until=6)
