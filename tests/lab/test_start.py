"""JupyterLab starts in this Python, with settings for this launch and the user's arguments."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyterlab_server.config import get_federated_extensions

from cortexsim._support.resources import notebooks_folder
from cortexsim.cli import main
from cortexsim.lab import start as module
from cortexsim.lab.start import FIRST_NOTEBOOK, Look, environment, find_lesson, lab, warn_of_network


@pytest.fixture
def launched(monkeypatch):
    """Start `true` in place of JupyterLab, and record the command."""
    commands = []

    class Stand(subprocess.Popen):
        def __init__(self, command, env):
            commands.append(command)
            super().__init__([sys.executable, "-c", "raise SystemExit(3)"], env=env)

    monkeypatch.setattr(module.subprocess, "Popen", Stand)
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000, raising=False)
    return commands


@pytest.mark.parametrize(
    ("arguments", "added"),
    [
        ([], ["--allow-root"]),
        (["--ip=127.0.0.1"], ["--allow-root"]),
        (["--allow-root"], []),
        # Jupyter refuses, as it does for everybody who is root
        (["--ip", "0.0.0.0"], []),
    ],
)
def test_root_is_told_and_started_on_this_machine_only(launched, monkeypatch, capsys, tmp_path, arguments, added):
    monkeypatch.setattr(module.os, "geteuid", lambda: 0, raising=False)
    lab(arguments, tmp_path)
    (command,) = launched
    assert command[4:] == [*arguments, *added]
    assert ("you are root" in capsys.readouterr().err) == bool(added)


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


@pytest.mark.parametrize(
    "asked", ["00", "0", "00_start_here", "00_start_here.ipynb", "start", "Start-here", "start here"]
)
def test_a_lesson_is_found_by_number_and_by_name(asked):
    assert find_lesson(asked) == "00_start_here.ipynb"


@pytest.fixture
def lessons(monkeypatch, tmp_path):
    """Three lessons, one of which has a part of its name in common with another."""
    for name in ("00_start_here", "01_masks", "10_masks_and_feedback"):
        (tmp_path / f"{name}.ipynb").touch()
    monkeypatch.setattr(module, "notebooks_folder", lambda: tmp_path)


@pytest.mark.parametrize(
    ("asked", "name"), [("1", "01_masks"), ("10", "10_masks_and_feedback"), ("01_masks", "01_masks")]
)
def test_a_number_means_itself_and_not_a_part_of_another(lessons, asked, name):
    assert find_lesson(asked) == f"{name}.ipynb"


@pytest.mark.parametrize("asked", ["7", "strat", "", "_"])
def test_an_unknown_lesson_is_answered_with_those_that_there_are(lessons, asked):
    with pytest.raises(ValueError, match=r"lesson.*\['00_start_here', '01_masks', '10_masks_and_feedback'\]"):
        find_lesson(asked)


def test_a_name_that_means_two_lessons_is_refused(lessons):
    with pytest.raises(ValueError, match=r"several lessons match 'masks': \['01_masks', '10_mas.*give the number"):
        find_lesson("masks")


def test_jupyterlab_opens_the_chosen_lesson(tmp_path):
    variables = environment(tmp_path, os.environ, "01_masks.ipynb")
    folder = Path(variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
    settings = json.loads((folder / "jupyter_lab_config.json").read_text(encoding="utf-8"))
    assert settings["LabApp"]["default_url"] == "/lab/tree/01_masks.ipynb"
    assert settings["LabApp"]["extension_manager"] == "readonly"


def test_how_a_class_wants_to_see_it_reaches_the_page(tmp_path):
    variables = environment(tmp_path, os.environ, "01_masks.ipynb", Look(hide_code=True))
    folder = Path(variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
    page = json.loads((folder / "labconfig" / "page_config.json").read_text(encoding="utf-8"))
    assert (page["cortexsimLesson"], page["cortexsimHideCode"], page["cortexsimProjector"]) == (
        "01_masks.ipynb",
        True,
        False,
    )


def test_jupyterlab_finds_what_this_launch_adds_to_it(tmp_path):
    settings = json.loads(
        Path(
            environment(tmp_path, os.environ)["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0], "jupyter_lab_config.json"
        ).read_text(encoding="utf-8")
    )
    found = get_federated_extensions(settings["LabApp"]["extra_labextensions_path"])
    load = found["cortexsim"]["jupyterlab"]["_build"]["load"]
    assert Path(found["cortexsim"]["ext_path"], load).is_file()


def test_the_name_that_a_lesson_had_under_another_number_still_finds_it(lessons):
    assert find_lesson("03_masks_and_feedback") == "10_masks_and_feedback.ipynb"


def test_a_lesson_is_opened_among_the_users_copies(launched, lessons, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(module, "copy_notebooks", lambda place: [])
    monkeypatch.setattr(module, "environment", lambda *given, **_: opened.append(given[2]) or dict(os.environ))
    assert main(["lab", "--lesson", "1", "--notebooks", str(tmp_path / "mine"), "--no-browser"]) == 3
    assert opened == ["01_masks.ipynb"]
    assert launched[0][3:] == [f"--ServerApp.root_dir={tmp_path / 'mine'}", "--no-browser"]


def test_an_unknown_lesson_copies_nothing(lessons, tmp_path, capsys):
    assert main(["lab", "--lesson", "7", "--notebooks", str(tmp_path / "mine")]) == 1
    assert "unknown lesson '7'" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_checking_and_opening_at_once_is_refused(capsys):
    assert main(["lab", "--check", "--lesson", "0", "--no-browser"]) == 1
    assert "--check opens nothing: leave out --no-browser --lesson" in capsys.readouterr().err


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


def test_paths_of_the_user_follow_ours(tmp_path):
    variables = environment(tmp_path, {"JUPYTER_PATH": "/theirs", "HOME": "/home/them"})
    assert variables["JUPYTER_PATH"] == os.pathsep.join([str(Path(tmp_path, "data")), "/theirs"])
    assert variables["HOME"] == "/home/them"


def test_the_live_page_opens_without_jupyterlab(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert main(["lab", "--live"]) == 0
    (address,) = opened
    page = Path(address.removeprefix("file://"))
    assert "new TracerView(" in page.read_text(encoding="utf-8")
    assert str(page) in capsys.readouterr().out


@pytest.mark.parametrize("further", [["--lesson", "05"], ["--port", "9999"]])
def test_the_live_page_takes_nothing_that_is_for_notebooks(further, capsys):
    assert main(["lab", "--live", *further]) == 1
    assert f"--live opens no notebook: leave out {further[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--ip", "0.0.0.0"], ["--ip=192.168.1.7"], ["--ServerApp.ip='*'"], ["--no-browser", "--ip", "::"]]
)
def test_listening_beyond_this_machine_is_warned_of(arguments, capsys):
    warn_of_network(arguments)
    assert "beyond this machine and without encryption" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--ip", "127.0.0.1"], ["--ip=localhost"], ["--ip", "::1"], ["--port", "1"]])
def test_listening_on_this_machine_alone_needs_no_warning(arguments, capsys):
    warn_of_network(arguments)
    assert capsys.readouterr().err == ""
