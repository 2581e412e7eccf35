"""`cortexsim lab --check`: every failure has a line of its own, with a remedy, and hides no other."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import cortexsim as cs
from cortexsim._support.resources import data_folder
from cortexsim.lab import doctor as ready
from cortexsim.lab.doctor import Found, known_number, models


def checked(**changes: str) -> tuple[int, dict[str, str], str]:
    """Run `cortexsim lab --check`; return its exit status, its lines by check, and its last line."""
    code = "import sys; from cortexsim import _start; sys.argv[1:] = ['lab', '--check']; sys.exit(_start.main())"
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **changes}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    *lines, _, last = done.stdout.splitlines()
    return done.returncode, {line[9:].split(":")[0]: line for line in lines}, last


def test_a_ready_machine_is_reported_with_the_command_to_type():
    status, lines, last = checked()
    assert status == 0
    assert [line.split()[0] for line in lines.values() if line.split()[0] not in ("ok", "warning")] == []
    assert set(lines) == {*ready.CHECKS, "kernel", "models", "GPU"}
    assert last.startswith("Ready")
    assert re.search("Type: (uv run )?cortexsim lab$", last)


@pytest.mark.parametrize(("number", "status"), [(0, "warning"), (1000, "ok")])
def test_root_is_warned(monkeypatch, number, status):
    monkeypatch.setattr(os, "geteuid", lambda: number, raising=False)
    found, text = ready.user()
    assert found == status
    assert text.startswith("root") == (number == 0)


def test_a_broken_torch_and_a_folder_that_cannot_be_written_are_reported_next_to_each_other(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so is cut')")
    (tmp_path / "file").touch()
    status, lines, last = checked(PYTHONPATH=str(tmp_path), JUPYTER_RUNTIME_DIR=str(tmp_path / "file" / "runtime"))
    assert status == 1
    assert lines["models"].startswith("failed   models:         libtorch.so is cut: install cortexsim again")
    assert "cannot write in" in lines["folders"]
    assert "set JUPYTER_RUNTIME_DIR to a folder that is" in lines["folders"]
    assert lines["kernel"].startswith("failed")
    assert lines["kernel"].endswith("set JUPYTER_RUNTIME_DIR to a folder that is")
    assert lines["packages"].startswith("ok")
    assert last.startswith("Not ready: folders, kernel, models failed. Follow the remedies above, then type:")
    assert last.endswith("cortexsim lab --check")


def test_an_unexpected_error_of_a_check_is_a_failure_of_that_check_alone():
    def broken():
        raise OSError("no such device")

    assert ready._guarded("disk", broken, "go elsewhere") == Found("failed", "disk", "no such device: go elsewhere")


def test_every_shipped_model_has_a_known_number():
    known = json.loads((data_folder() / "models" / "known.json").read_text(encoding="utf-8"))
    now = {name: round(known_number(cs.zoo.load(name)), 4) for name in cs.zoo.pretrained()}
    assert known == pytest.approx(now, abs=ready.CLOSE), f"data/models/known.json must hold {json.dumps(now, indent=1)}"


@pytest.fixture
def shipped(tmp_path) -> Path:
    """A copy of one shipped model and of its known number."""
    name = cs.zoo.pretrained()[0]
    shutil.copy(data_folder() / "models" / f"{name}.safetensors", tmp_path / "a.safetensors")
    known = {"a": known_number(cs.zoo.load(name))}
    (tmp_path / "known.json").write_text(json.dumps(known), encoding="utf-8")
    return tmp_path


def test_a_whole_model_gives_its_known_number(shipped):
    assert models(shipped)[0] == Found("ok", "models", "each loads and gives its known number: a")


def test_an_unreadable_model_is_reported(shipped):
    (shipped / "a.safetensors").write_bytes(b"cut")
    status, _, text = models(shipped)[0]
    assert status == "failed"
    assert "a.safetensors is not a safetensors file, or it is truncated or damaged" in text


def test_a_model_that_computes_something_else_is_reported(shipped):
    (shipped / "known.json").write_text('{"a": 77.0}', encoding="utf-8")
    assert "not the known 77.0000: install cortexsim again" in models(shipped)[0].text


def test_a_model_that_only_the_repository_has_is_not_missed(shipped):
    known = json.loads((shipped / "known.json").read_text(encoding="utf-8"))
    known |= dict.fromkeys(cs.zoo.REPOSITORY_ONLY, 1.0)
    (shipped / "known.json").write_text(json.dumps(known), encoding="utf-8")
    assert models(shipped)[0].text == "each loads and gives its known number: a"


def test_a_missing_model_is_reported(shipped):
    (shipped / "a.safetensors").unlink()
    assert "there is no model at" in models(shipped)[0].text


def test_a_model_without_a_known_number_is_reported(shipped):
    shutil.copy(shipped / "a.safetensors", shipped / "b.safetensors")
    assert "b has no known number" in models(shipped)[0].text


@pytest.mark.parametrize(
    ("required", "message"),
    [
        (["numpy", "no-such-package>=1"], "no-such-package is missing: install cortexsim again"),
        (["numpy>=999.1"], r"numpy is .*, 999.1 or later is needed: install cortexsim again"),
    ],
)
def test_a_missing_or_old_package_is_reported(required, message):
    status, text = ready.packages(required)
    assert status == "failed"
    assert re.match(message, text)


def test_a_version_is_compared_by_number():
    assert ready.packages(["numpy>=1.9"]) == ("ok", "all 1 that cortexsim needs")


def test_a_missing_front_end_is_reported(monkeypatch):
    monkeypatch.setattr(ready, "FRONT_ENDS", ("anywidget", "nowhere"))
    assert ready.jupyterlab()[0] == "failed"
    assert "the front end of nowhere is missing: install cortexsim again" in ready.jupyterlab()[1]


def test_a_taken_port_is_passed_over_and_none_free_fails():
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        free.bind(("127.0.0.1", 0))
        one, other = taken.getsockname()[1], free.getsockname()[1]
        assert ready.port([one, other]) == (
            "failed",
            f"none of {one} to {other} is free: cortexsim lab --port 9999, or another number",
        )
        free.close()
        assert ready.port([one, other])[1].startswith(f"{other} is free; {one} is taken")


@pytest.mark.parametrize(("free", "status"), [(0.5e9, "failed"), (1.5e9, "warning"), (9e9, "ok")])
def test_little_memory_warns_and_too_little_fails(monkeypatch, free, status):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": free}))
    assert ready.memory()[0] == status


@pytest.mark.parametrize(("free", "status"), [(0.05e9, "failed"), (1e9, "warning"), (9e9, "ok")])
def test_little_disk_warns_and_too_little_fails(monkeypatch, free, status):
    monkeypatch.setattr(ready.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    assert ready.disk()[0] == status


@pytest.mark.parametrize(("threads", "status"), [(None, "warning"), ("1", "ok")])
def test_busy_cores_warn_unless_a_model_takes_one_thread(monkeypatch, threads, status):
    monkeypatch.setattr(ready.os, "getloadavg", lambda: (999.0, 0.0, 0.0))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert ready.processor()[0] == status


def test_an_old_python_is_reported(monkeypatch):
    monkeypatch.setattr(ready, "PYTHON", (4, 0))
    assert ready.python() == ("failed", ready.python()[1])
    assert ready.python()[1].endswith("4.0 or later is needed; install it")


def test_no_browser_is_a_warning(monkeypatch):
    def none():
        raise ready.webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(ready.webbrowser, "get", none)
    assert ready.browser()[0] == "warning"
