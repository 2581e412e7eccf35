"""The conda environment, the wheel and the documents agree with the package."""

import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import cortexsim as cs
from cortexsim._support.extras import EXTRAS

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
    extras = project["project"]["optional-dependencies"]
    groups = [project["project"]["dependencies"], *extras.values(), project["dependency-groups"]["dev"]]
    required = [one for group in groups for one in group if not one.startswith("cortexsim[")]
    expected = {CONDA_NAMES.get(name, name): version for name, version in map(bound, required)}
    expected["python"] = project["project"]["requires-python"].removeprefix(">=")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [line for line in environment["dependencies"] if isinstance(line, str) and line != "pip"]
    assert dict(map(bound, listed)) == expected


def test_the_extra_all_is_all_extras():
    extras = pyproject()["project"]["optional-dependencies"]
    assert extras.pop("all") == [f"cortexsim[{','.join(extras)}]"]


def test_messages_about_missing_extras_name_libraries_that_the_extra_brings():
    extras = pyproject()["project"]["optional-dependencies"]
    for extra, libraries in EXTRAS.items():
        assert set(libraries) <= {name for name, _ in map(bound, extras[extra])}


def test_the_changelog_describes_the_version_of_the_package():
    released = re.findall(
        r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M
    )
    assert released[0] == cs.__version__


def test_the_citation_names_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == cs.__version__


def test_the_wheel_has_the_version_of_the_package(wheel):
    assert wheel.name.startswith(f"cortexsim-{cs.__version__}-")


def built(kind, folder):
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return built("sdist", tmp_path_factory.mktemp("sdist"))


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
    data = {f"cortexsim/{path.relative_to(ROOT)}" for path in ROOT.glob("data/**/*") if path.is_file()}
    absent = {f"cortexsim/data/models/{name}.safetensors" for name in cs.zoo.REPOSITORY_ONLY}
    assert absent <= data
    assert packed.isdisjoint(absent)
    expected |= data - absent
    expected |= {
        str(path.relative_to(ROOT)) for kind in ("py", "js", "css") for path in ROOT.glob(f"cortexsim/**/*.{kind}")
    }
    assert expected <= packed


def test_wheel_and_source_stay_below_15_megabytes(wheel, source):
    assert max(wheel.stat().st_size, source.stat().st_size) < 15e6


def test_wheel_and_source_pass_the_check_of_the_index(wheel, source):
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", wheel, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_wheel_and_source_contain_the_licence_and_nothing_of_the_machine(wheel, source):
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.namelist()
    with tarfile.open(source) as archive:
        sources = archive.getnames()
    assert f"cortexsim-{cs.__version__}.dist-info/licenses/LICENSE" in packed
    assert {"LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "SECURITY.md", "docs/index.md"} <= {
        name.partition("/")[2] for name in sources
    }
    unwanted = re.compile(r"__pycache__|\.venv|\.ipynb_checkpoints|_build/|/generated/|(^|/)shared/|\.env$")
    assert [name for name in packed + sources if unwanted.search(name)] == []


@pytest.mark.slow
def test_the_installed_package_finds_its_own_notebooks_and_data(installed, tmp_path):
    code = "from cortexsim._support.resources import *; print(in_checkout(), notebooks_folder(), data_folder())"
    in_checkout, notebooks, data = run(installed / "python", "-c", code, cwd=tmp_path).split()
    assert in_checkout == "False"
    assert installed.parent in Path(notebooks).parents
    assert installed.parent in Path(data).parents


@pytest.mark.slow
def test_the_installed_lab_copies_the_notebooks_into_a_folder_of_the_users(installed, tmp_path):
    run(installed / "cortexsim", "lab", "--version", cwd=tmp_path)
    copied = {path.name for path in (tmp_path / "cortexsim-notebooks").iterdir()}
    assert copied == {path.name for path in ROOT.glob("notebooks/*.ipynb")}


@pytest.mark.slow
def test_an_installed_package_loads_what_it_lists_and_names_the_command_for_the_rest(installed, tmp_path):
    code = """
import cortexsim as cs
for name in cs.zoo.pretrained():
    cs.zoo.load(name)
print(*cs.zoo.pretrained())
for name in cs.zoo.REPOSITORY_ONLY:
    cs.zoo.card(name)
    try:
        cs.zoo.load(name)
    except FileNotFoundError as error:
        print(error)
"""
    listed, *errors = run(installed / "python", "-c", code, cwd=tmp_path).splitlines()
    assert {*listed.split(), *cs.zoo.REPOSITORY_ONLY} == set(cs.zoo.pretrained())
    for (name, command), error in zip(cs.zoo.REPOSITORY_ONLY.items(), errors, strict=True):
        assert f"{name!r} is not part of the installed package" in error
        assert command in error
        assert (ROOT / command.split()[3]).is_file()
