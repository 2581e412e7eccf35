"""Parts whose libraries are missing say what to install; the core needs none of them."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim._support import extras
from cortexsim._support.extras import check_extra
from cortexsim.lab.start import lab
from cortexsim.sweeps.running import connected

# these cannot be found, as where only the core's own three libraries and what these need are installed
CORE_ONLY = """
import sys

NEEDLESS = set(
    "plotly IPython ipywidgets anywidget traitlets jupyterlab jupyter_core jupyter_client zarr numcodecs h5py h5netcdf"
    " dask distributed sklearn scipy rsatoolbox torchvision PIL psutil safetensors kaleido".split()
)

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in NEEDLESS else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
import torch
"""


@pytest.fixture
def bare(monkeypatch):
    """Nothing that an extra brings is installed."""
    monkeypatch.setattr(extras, "_is_installed", lambda name: False)


def test_a_missing_extra_is_named_with_the_command_that_installs_it(bare):
    with pytest.raises(RuntimeError, match=r'studies need distributed: pip install "cortexsim\[sweep\]"'):
        check_extra("sweep", "studies")


def test_an_installed_extra_is_not_refused():
    for extra in extras.EXTRAS:
        check_extra(extra, "parts")


def test_notebooks_studies_and_brains_refuse_without_their_extra(bare, tmp_path):
    with pytest.raises(RuntimeError, match=r"the notebooks need jupyterlab.*cortexsim\[lab\]"):
        lab()
    with pytest.raises(RuntimeError, match=r"cortexsim\[sweep\]"), connected(None, 1, 1, lambda *_: None):
        pass
    pairs = xr.DataArray(np.zeros((1, 4, 4)), {"time": [1]}, ("time", "stimulus", "other_stimulus"))
    pairs.values[:] = 1 - np.eye(4)
    with pytest.raises(RuntimeError, match=r"cortexsim\[brains\]"):
        cs.analyse.compare_rdms(pairs, pairs.isel(time=0, drop=True))


def test_the_core_builds_and_runs_a_model_with_torch_numpy_and_xarray_alone():
    code = """
import cortexsim as cs
graph = cs.adjacent({"V1": 4, "IT": 4}, size=8)
model = cs.Cortex(graph, n_classes=3, readout_time=4, normalization="none")
images = torch.rand(2, 3, 8, 8)
print(cs.simulate(model, images, cs.flash(1), until=2)["IT"]["activation"].sizes["time"])
try:
    cs.explore.Tracer
except RuntimeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", CORE_ONLY + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    times, refused = done.stdout.splitlines()
    assert times == "3"
    assert 'pip install "cortexsim[lab]"' in refused
