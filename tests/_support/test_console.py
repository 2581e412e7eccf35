"""What is printed cannot control the terminal."""

import pytest

from cortexsim._support.console import printable
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
