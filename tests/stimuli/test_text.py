"""What is written on a command line or in a study file is read as it says; the command line's tests read the rest."""

import pytest

from cortexsim.stimuli.text import read_record


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("V1,IT", ["V1", "IT"]),
        ("", []),
        ("V1:spatial_mean,V2,IT:0+7+12", {"V1": "spatial_mean", "V2": "all", "IT": [0, 7, 12]}),
        ("IT:3", {"IT": [3]}),
        ("V1:mean", {"V1": "mean"}),
        ("V1:", {"V1": ""}),
    ],
)
def test_what_to_record_is_read_state_by_state(text, asked):
    assert read_record(text) == asked


def test_a_state_is_recorded_once():
    with pytest.raises(ValueError, match="V1 is recorded twice; give it once"):
        read_record("V1:spatial_mean,V1")
