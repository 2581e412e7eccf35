"""The conda environment, the wheel and the documents agree with the package."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import cortexsim

ROOT = Path(__file__).resolve().parent.parent
# names on conda-forge that differ from the Python package
CONDA_NAMES = {
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
    "torch": "pytorch",
    "playwright": "playwright-python",
    "kaleido": "python-kaleido",
}


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def bound(requirement):
    """Split "name>=version" into its two parts; nothing else is used here."""
    name, version = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement).groups()
    return name, version


def test_conda_and_pip_users_get_the_same_dependencies():
    project = pyproject()
    required = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    expected = {CONDA_NAMES.get(name, name): version for name, version in map(bound, required)}
    expected["python"] = project["project"]["requires-python"].removeprefix(">=")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [line for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    assert dict(map(bound, listed)) == expected


def test_the_citation_names_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == cortexsim.__version__


def test_the_wheel_has_the_version_of_the_package(wheel):
    assert wheel.name.startswith(f"cortexsim-{cortexsim.__version__}-")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel into an environment of its own, which borrows the dependencies of this one."""
    folder = tmp_path_factory.mktemp("installed")
    builder = venv.EnvBuilder(with_pip=True, symlinks=True)
    builder.create(folder / "venv")
    paths = builder.ensure_directories(folder / "venv")
    python = Path(paths.env_exe)
    command = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(command, check=True, capture_output=True)
    (site,) = (folder / "venv").glob("**/site-packages")
    # a .pth file in a folder that a .pth file names is not followed, so this checkout stays out of sight
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return Path(paths.bin_path)


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_the_wheel_contains_package_notebooks_and_data(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = {f"cortexsim/{path.relative_to(ROOT)}" for path in ROOT.glob("notebooks/*.ipynb")}
    expected |= {f"cortexsim/{path.relative_to(ROOT)}" for path in ROOT.glob("data/**/*") if path.is_file()}
    expected |= {
        str(path.relative_to(ROOT)) for kind in ("py", "js", "css") for path in ROOT.glob(f"cortexsim/**/*.{kind}")
    }
    assert expected <= packed


def test_the_installed_package_finds_its_own_notebooks_and_data(installed, tmp_path):
    code = "from cortexsim._support.resources import *; print(in_checkout(), notebooks_folder(), data_folder())"
    in_checkout, notebooks, data = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert in_checkout == "False"
    assert installed.parent in Path(notebooks).parents
    assert installed.parent in Path(data).parents


def test_the_installed_lab_copies_the_notebooks_into_a_folder_of_the_users(installed, tmp_path):
    run(installed / "cortexsim", "lab", "--version", cwd=tmp_path)
    copied = {path.name for path in (tmp_path / "cortexsim-notebooks").iterdir()}
    assert copied == {path.name for path in ROOT.glob("notebooks/*.ipynb")}
