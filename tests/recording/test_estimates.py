"""The time of a recording is estimated before it is made."""

import pytest

import cortexsim as cs


def test_the_time_grows_with_the_stimuli_and_is_measured_with_the_same_arguments(
    small_model, shown_images, monkeypatch
):
    ticks = iter([0.0, 3.0, 10.0, 14.0])
    monkeypatch.setattr("cortexsim.recording.estimates.perf_counter", lambda: next(ticks))
    seen = []

    def simulate(model, images, presentation, **how):
        seen.append((images.sizes["stimulus"], how))

    monkeypatch.setattr("cortexsim.recording.estimates.simulate", simulate)
    assert cs.estimate_seconds(small_model, shown_images, until=3, n=10, record=["V1"]) == 15.0
    assert cs.estimate_seconds(small_model, shown_images, until=3) == 2 * shown_images.sizes["stimulus"]
    assert seen[0] == (2, {"until": 3, "record": ["V1"]})


def test_a_brief_run_is_timed_when_everything_is_prepared(small_model, shown_images, monkeypatch):
    ticks = iter([0.0, 0.4, 1.0, 1.2])
    monkeypatch.setattr("cortexsim.recording.estimates.perf_counter", lambda: next(ticks))
    assert cs.estimate_seconds(small_model, shown_images, until=3, n=2) == pytest.approx(0.2)


def test_one_stimulus_is_too_few_to_estimate(small_model, shown_images):
    with pytest.raises(ValueError, match="an estimate needs at least 2 stimuli to run, got 1"):
        cs.estimate_seconds(small_model, shown_images.isel(stimulus=[0]), until=3)


@pytest.mark.parametrize(("given", "match"), [({"n_stimuli": "5"}, "n_stimuli"), ({"until": 3.5}, "until")])
def test_an_estimate_of_what_is_no_number_is_refused(small_model, given, match):
    with pytest.raises(ValueError, match=f"{match} must be a whole number"):
        cs.estimate(small_model, **({"n_stimuli": 5, "until": 3} | given))
