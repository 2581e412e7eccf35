"""The house has one direction: a module imports only what stands left of it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cortexsim

# From left to right. A folder is one place.
ORDER = (
    "suggest",
    "randomness",
    "augmentation",
    "files",
    "shipped",
    "milliseconds",
    "human",
    "transition",
    "graph",
    "builders",
    "images",
    "masks",
    "presentation",
    "spelled",
    "silence",
    "schedule",
    "sharing",
    "statistics",
    "activity",
    "nets",
    "intervention",
    "model",
    "shortcut",
    "devices",
    "calibrate",
    "lesion",
    "recording",
    "streaming",
    "verify",
    "portion",
    "kept",
    "simulate",
    "checkpoint",
    "datasets",
    "recipe",
    "performance",
    "ranks",
    "training_state",
    "train",
    "cards",
    "zoo",
    "rerun",
    "trial",
    "experiments",
    "analyse",
    "grid",
    "rapid",
    "protocols",
    "brains",
    "predictions",
    "plot",
    "explore",
    "sweep",
    "ready",
    "lab",
    "export",
    "cli",
)
WITHOUT_TORCH = (
    "graph",
    "silence",
    "schedule",
    "transition",
    "builders",
    "trial",
    "analyse",
    "plot",
    "milliseconds",
    "human",
)
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

PACKAGE = Path(cortexsim.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def place(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Name every module that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively: {node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(path):
    """Name the places of cortexsim that a file imports from."""
    for name in imported(path):
        first, *rest = name.split(".")
        if first == "cortexsim" and rest != ["__version__"]:
            # the package's front door opens on everything up to the panels
            yield rest[0] if rest else "explore"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_left_only(path):
    here = ORDER.index(place(path))
    wrong = sorted({name for name in own(path) if ORDER.index(name) > here})
    assert not wrong, f"{path.name} stands left of {wrong} and must not import from there"


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_no_torch_where_there_are_only_graphs_and_labelled_arrays(name):
    files = [path for path in FILES if place(path) == name]
    assert not [path.name for path in files for module in imported(path) if module.split(".")[0] == "torch"]


def test_nothing_left_of_explore_knows_of_widgets():
    left = [path for path in FILES if ORDER.index(place(path)) < ORDER.index("explore")]
    widgets = {"ipywidgets", "anywidget", "IPython"}
    assert not [path.name for path in left for module in imported(path) if module.split(".")[0] in widgets]


def test_importing_cortexsim_loads_only_what_a_bare_gpu_node_has():
    code = f"import sys, cortexsim; print(*sorted({LATE!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
