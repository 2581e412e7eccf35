"""What importing cortexsim loads, and what a namespace offers."""

import subprocess
import sys

import pytest

import cortexsim as cs

LATE = {
    "plotly",
    "ipywidgets",
    "anywidget",
    "IPython",
    "jupyterlab",
    "zarr",
    "h5netcdf",
    "dask",
    "distributed",
    "sklearn",
    "scipy",
    "rsatoolbox",
    "torchvision",
    "PIL",
    "psutil",
    "safetensors",
}


def loaded_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_cortexsim_loads_no_torch():
    assert not {"torch", "numpy", "xarray"} & loaded_after("import cortexsim")


def test_a_model_needs_only_what_a_bare_gpu_node_has():
    assert not LATE & loaded_after("import cortexsim as cs; cs.Cortex, cs.simulate, cs.train, cs.analyse.decode")


def test_running_a_model_loads_no_compiler():
    shown = "cs.simulate(cs.zoo.load('digits-tiny'), cs.datasets.digits(2, part='test'), cs.flash(1), until=4)"
    assert "torch._dynamo" not in loaded_after(f"import cortexsim as cs; {shown}; cs.explore.Tour")


@pytest.mark.parametrize("name", ["", "analyse", "brains", "datasets", "explore", "paper", "plot", "protocols", "zoo"])
def test_every_public_name_can_be_had(name):
    namespace = getattr(cs, name) if name and name != "paper" else cs
    assert set(namespace.__all__) <= set(dir(namespace))
    for one in namespace.__all__:
        assert getattr(namespace, one) is not None


def test_functions_are_not_hidden_by_rooms_of_their_name():
    code = "import cortexsim.sweeps.running, cortexsim.training._train, cortexsim as cs; assert callable(cs.sweep)"
    loaded_after(f"{code}; assert callable(cs.train) and callable(cs.simulate) and callable(cs.schedule)")
