"""What is printed cannot control the terminal."""

import subprocess
import sys
from pathlib import Path

import pytest

from cortexsim._support.console import printable, run_reported
from cortexsim.cli import main


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("\x07bell\x9b2J", r"\x07bell\x9b2J"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("plain é 时间 → ✓\n", "plain é 时间 → ✓\n"),
    ],
)
def test_controls_are_shown_by_their_codes(text, shown):
    assert printable(text) == shown


def test_an_error_that_names_a_file_does_not_reach_the_terminal_with_its_controls(tmp_path, capsys):
    for command in ("rerun", "verify", "export"):
        path = tmp_path / "x\x1b[31m.json"
        main([command, str(path), *(["--to", str(tmp_path / "a.html")] if command == "export" else [])])
        printed = capsys.readouterr()
        assert "\x1b" not in printed.err + printed.out
        assert r"\x1b[31m" in printed.err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), FileNotFoundError("there is no folder")])
def test_a_program_that_cannot_write_ends_with_a_sentence(error, capsys):
    def main():
        raise error

    assert run_reported(main) == 1
    assert capsys.readouterr().err == f"cortexsim: {error}\n"
    assert run_reported(lambda: 3) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_benchmarks_end_with_a_sentence_on_a_full_disk():
    with open("/dev/full", "w", encoding="utf-8") as full:
        start = [sys.executable, "-m", "benchmarks", "fuzz", "--cases", "1"]
        done = subprocess.run(start, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "cortexsim: [Errno 28] No space left on device\n")
