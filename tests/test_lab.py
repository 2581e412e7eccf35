"""How JupyterLab is started: in this Python, with settings for this launch, the user's arguments passed on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cortexsim import lab as module
from cortexsim.lab import FIRST_NOTEBOOK, environment, lab
from cortexsim.shipped import notebooks_folder


@pytest.fixture
def launched(monkeypatch):
    """Start `true` in place of JupyterLab, and keep what would have been started."""
    commands = []

    class Stand(subprocess.Popen):
        def __init__(self, command, env):
            commands.append(command)
            super().__init__([sys.executable, "-c", "raise SystemExit(3)"], env=env)

    monkeypatch.setattr(module.subprocess, "Popen", Stand)
    return commands


def jupyter(variables, *arguments):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=True).stdout


def test_the_checkouts_notebooks_are_opened_where_they_are(launched, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert lab(["--port", "9999"]) == 3
    (command,) = launched
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert command[3:] == [f"--ServerApp.root_dir={notebooks_folder()}", "--port", "9999"]
    assert not list(tmp_path.iterdir())


def test_a_folder_of_the_users_gets_copies_and_keeps_what_is_theirs(launched, tmp_path, capsys):
    (tmp_path / FIRST_NOTEBOOK).write_text("mine", encoding="utf-8")
    lab([], tmp_path)
    assert launched[0][3:] == [f"--ServerApp.root_dir={tmp_path}"]
    assert f"kept your {FIRST_NOTEBOOK}" in capsys.readouterr().out
    assert (tmp_path / FIRST_NOTEBOOK).read_text(encoding="utf-8") == "mine"


def test_the_first_notebook_exists():
    assert (notebooks_folder() / FIRST_NOTEBOOK).is_file()


def test_a_python3_kernel_of_the_users_does_not_come_before_ours(tmp_path):
    foreign = tmp_path / "theirs" / "kernels" / "python3"
    foreign.mkdir(parents=True)
    specification = {"argv": ["/nowhere/python"], "display_name": "another Python", "language": "python"}
    (foreign / "kernel.json").write_text(json.dumps(specification), encoding="utf-8")
    outer = {
        **os.environ,
        "JUPYTER_PATH": str(tmp_path / "theirs"),
        "JUPYTER_DATA_DIR": str(tmp_path / "theirs"),
    }
    listed = json.loads(jupyter(environment(tmp_path / "own", outer), "jupyter_client.kernelspecapp", "list", "--json"))
    assert listed["kernelspecs"]["python3"]["spec"]["argv"][0] == sys.executable


def test_settings_for_the_launch_leave_the_users_own_in_force(tmp_path):
    theirs = tmp_path / "theirs"
    (theirs / "labconfig").mkdir(parents=True)
    disabled = {"disabledExtensions": {"@jupyterlab/help-extension:about": True}}
    (theirs / "labconfig" / "page_config.json").write_text(json.dumps(disabled), encoding="utf-8")
    variables = environment(tmp_path / "own", {**os.environ, "JUPYTER_CONFIG_DIR": str(theirs)})
    code = (
        "import json, sys; from jupyterlab_server.config import get_static_page_config;"
        "print(json.dumps(get_static_page_config(level='all')))"
    )
    printed = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    extensions = json.loads(printed.stdout)["disabledExtensions"]
    assert extensions["@jupyterlab/help-extension:about"]
    assert extensions["@jupyterlab/apputils-extension:announcements"]
    assert sorted(path.name for path in theirs.rglob("*") if path.is_file()) == ["page_config.json"]


def test_paths_of_the_users_are_kept_behind_ours(tmp_path):
    variables = environment(tmp_path, {"JUPYTER_PATH": "/theirs", "HOME": "/home/them"})
    assert variables["JUPYTER_PATH"] == os.pathsep.join([str(Path(tmp_path, "data")), "/theirs"])
    assert variables["HOME"] == "/home/them"
