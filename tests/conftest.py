"""Small models and recordings that many tests look at."""

import os

import pytest
import torch
import xarray as xr

import cortexsim as cs

# many tests start Python, which would compile torch and all else each time: 20 s instead of 5 for the command line
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# two OpenMP threads on busy cores can take a hundred times as long as one, and these models are small
torch.set_num_threads(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cuda", help="where the tests marked gpu compute; cpu rehearses them")


@pytest.fixture
def shown_images() -> xr.Dataset:
    """Five images of 8 x 8 pixels with labels 0, 1, 2, 0, 1."""
    drawn = torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    label = ("stimulus", [0, 1, 2, 0, 1])
    pixels = ("stimulus", "channel", "y", "x"), drawn.numpy()
    return xr.Dataset({"image": pixels}, {"label": label}, {"classes": '["cat", "dog", "owl"]'})


@pytest.fixture
def small_model() -> cs.Cortex:
    """V1 -> V2 -> IT and nothing else, so that a flash passes through and leaves them empty again."""
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, self_transitions=False)
    graph = graph.without("V2->V1").without("IT->V2")
    return cs.Cortex(graph, n_classes=3, readout_time=2, normalization="none")


@pytest.fixture
def flashed(small_model, shown_images) -> xr.DataTree:
    """A recording of a flash of one step, times 0 to 4: V1 holds activity at 0, V2 at 1, IT at 2 only."""
    return cs.simulate(small_model, shown_images, cs.flash(1), until=4)


@pytest.fixture
def masked(small_model, shown_images) -> xr.DataTree:
    """A recording of a flash, a blank and a noise mask of one step, times 0 to 4."""
    return cs.simulate(small_model, shown_images, cs.masked(1, soa=2, mask_duration=1), until=4, seed=3)


@pytest.fixture
def pictures() -> torch.Tensor:
    """Six images of 8 x 8 pixels, in float64."""
    return torch.rand((6, 3, 8, 8), generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.fixture
def calibrated(pictures) -> cs.Cortex:
    """V1, V2 and IT linked with themselves and their neighbours, in float64, with a flash's statistics to time 8."""
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, shortcut=0.5)
    model = cs.Cortex(graph, n_classes=3, readout_time=5).double().eval()
    cs.calibrate(model, pictures, until=8)
    return model
