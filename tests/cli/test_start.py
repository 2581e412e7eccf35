"""What the command starts with: Ctrl-C and a broken installation are answered in words, whenever they come."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def command(*arguments: str) -> list[str]:
    # a shell in the background ignores Ctrl-C, and so would its children
    handled = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"sys.argv = ['cortexsim', *{arguments!r}]; sys.exit(_start.main())"
    return [sys.executable, "-c", f"import signal, sys; {handled}; from cortexsim import _start; {code}"]


def test_starting_imports_nothing_heavy():
    code = "import sys; from cortexsim import _start; print(*{'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_ctrl_c_during_imports_prints_stopped(tmp_path):
    pytest.importorskip("resource")  # POSIX signals
    # stands for torch, whose import takes seconds; an except like this one swallows a KeyboardInterrupt
    slow = "import time\nprint('importing', flush=True)\ntry:\n    time.sleep(60)\nexcept BaseException:\n    pass\n"
    (tmp_path / "torch.py").write_text(slow)
    with subprocess.Popen(
        command("models"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    ) as run:
        assert run.stdout.readline() == "importing\n"
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=30)
    assert (run.returncode, err) == (130, "stopped\n")


def test_a_failed_import_is_reported_with_the_command_that_shows_more(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so is cut')")
    done = subprocess.run(command("models"), capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == (
        "cortexsim cannot be loaded: libtorch.so is cut; cortexsim lab --check shows what is missing\n"
    )


def test_arguments_reach_the_command_line_and_its_status_comes_back():
    done = subprocess.run(command("models", "nothing"), capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("cortexsim models: unknown model 'nothing'")


def test_a_terminal_that_lacks_a_sign_gets_the_rest():
    """Redirected output on Windows is cp1252, which has no arrow."""
    done = subprocess.run(
        [sys.executable, "-m", "cortexsim.cli", "models", "digits-tiny"],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"parameters" in done.stdout
    assert "≥".encode() not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of a shell")
def test_a_reader_that_has_read_enough_is_no_error():
    command = [sys.executable, "-m", "cortexsim.cli", "models"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "command", [pytest.param(["--version"], marks=pytest.mark.slow), ["models"], ["lab", "--check"]]
)
@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.slow)])
def test_output_that_cannot_be_written_ends_with_a_sentence(command, unbuffered):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from cortexsim._start import main; sys.exit(main())", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("cortexsim")
    assert "No space left on device" in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="closes a descriptor before the program starts")
@pytest.mark.parametrize("module", ["_start", pytest.param("cli", marks=pytest.mark.slow)])
@pytest.mark.parametrize("arguments", [["--help"], ["models"]])
def test_a_closed_standard_output_is_refused_before_anything_is_done(module, arguments):
    start = [sys.executable, "-c", f"import sys; from cortexsim.{module} import main; sys.exit(main())", *arguments]
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *start], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "cortexsim: standard output is closed; redirect it to a file or to /dev/null\n"
    nothing = subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *start], check=False)
    assert nothing.returncode == 1
