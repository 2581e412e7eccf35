"""What is written on a command line or in a study file is read as it says; the command line's tests read the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cortexsim as cs
from cortexsim.stimuli.masks import MASKS
from cortexsim.stimuli.text import from_dict, read_presentation, read_record, write_presentation


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


STEPS = st.integers(1, 9)
SINGLE = st.one_of(
    st.just(cs.sustained()),
    st.builds(cs.flash, STEPS),
    st.builds(cs.sequence, STEPS),
    st.builds(
        lambda duration, gap, mask, mask_duration: cs.masked(duration, duration + gap, mask, mask_duration),
        STEPS,
        st.integers(0, 9),
        st.sampled_from(sorted(MASKS)),
        st.none() | STEPS,
    ),
)


@given(
    presentation=SINGLE | st.lists(SINGLE, min_size=2, max_size=4, unique=True).map(lambda parts: cs.mixture(*parts))
)
def test_a_presentation_comes_back_from_text_and_from_plain_values(presentation):
    assert read_presentation(write_presentation(presentation)) == presentation
    assert from_dict(json.loads(json.dumps(presentation.to_dict()))) == presentation


def test_the_weights_of_a_mixture_are_written_where_they_differ():
    assert write_presentation(read_presentation("3*flash:1+sustained")) == "3*flash:1+sustained"
    assert write_presentation(cs.mixture(cs.flash(1), cs.sustained())) == "flash:1+sustained"


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({}, "presentation lacks 'kind'"),
        ({"kind": "flahs"}, "unknown kind of presentation 'flahs': .* did you mean 'flash'"),
        ({"kind": "masked", "mask": "noize"}, "unknown mask 'noize': .* did you mean 'noise'"),
        ({"kind": "masked", "duration": 3, "soa": 1}, "the mask cannot come before the target ends"),
        ({"kind": "flash", "soa": 2}, r"unknown argument of flash\(\) 'soa'"),
        ({"kind": "flash", "duration": 0}, "duration must be a whole number of steps, at least 1, got 0"),
        ({"kind": "mixture", "components": []}, "a mixture has 'components' and 'weights'"),
    ],
)
def test_plain_values_that_describe_no_presentation_are_refused(saved, message):
    with pytest.raises(ValueError, match=message):
        from_dict(saved)
