"""The folding panel: both forms are run and compared, parameters are counted, a prediction comes first."""

import json

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.explore import Folding
from cortexsim.explore.studies.folding import BOTH, FOLDED, UNFOLDED
from cortexsim.explore.studies.folding_forms import MOST_STEPS, RANDOM, TRAINED
from cortexsim.explore.studies.folding_questions import (
    EACH,
    ONE,
    OWN,
    ROUNDING,
    SAME,
    SHARED,
    WHOLE,
    largest_difference,
)


def computed(**choices):
    panel = Folding()
    panel.choose(**choices)
    return panel, panel.compute()


def apart(result):
    """Return the largest difference at each time, of the digit that is shown."""
    loop, stack = result["activity"]
    return abs(loop - stack).max(("channel", "y", "x")).values


def difference(result):
    loop, stack = result["logits"]
    return float(abs(loop - stack).max())


@pytest.mark.parametrize(("steps", "weights"), [(1, SHARED), (5, SHARED), (5, OWN)])
def test_the_two_forms_agree_whatever_the_weights(steps, weights):
    panel, result = computed(steps=steps, weights=weights)
    assert difference(result) < 1e-12
    assert float(abs(result["logits"]).max()) > 0.1
    differ = f"{difference(result):.1e}" if difference(result) else "0"
    assert f"differ by {differ} at most" in panel.say(result)


def test_one_set_of_moments_for_all_steps_makes_the_forms_differ():
    panel, result = computed(steps=4, moments=ONE)
    assert difference(result) > 0.1
    assert panel.EXERCISES["one-set"].truth(result) == WHOLE


def test_the_number_of_shared_weights_is_the_same_at_all_steps_and_of_unshared_weights_grows():
    _, shared = computed(weights=SHARED)
    _, own = computed(weights=OWN)
    assert set(shared["n_parameters"].values.tolist()) == {1458}
    # the pre-net and the final layer, and two kernels of 8 x 8 x 3 x 3 a step
    assert own["n_parameters"].values.tolist() == [306 + 1152 * steps for steps in range(1, MOST_STEPS + 1)]


def test_parameters_are_those_of_the_models():
    _, own = computed(weights=OWN)
    model = cs.Cortex(cs.resnet({"h1": 8}, size=16, steps=3), 10, 3, sharing="none")
    assert int(own["n_parameters"].sel(steps=3)) == model.n_parameters()


def test_a_difference_between_the_forms_is_measured(monkeypatch):
    from cortexsim.explore.studies import folding_forms

    class Shifted(folding_forms.Unfolded):
        def forward(self, images):
            return super().forward(images) + 5

    monkeypatch.setattr(folding_forms, "Unfolded", Shifted)
    panel, result = computed(steps=1)
    assert difference(result) == pytest.approx(5)
    assert panel.QUESTIONS["difference"].truth(result) == WHOLE


def test_a_prediction_comes_first_and_is_judged():
    panel = Folding(question="difference")
    panel.run()
    assert panel.result is None
    panel.ask.answer = WHOLE
    panel.run()
    panel.wait(60)
    assert panel.ask.answered[0]["truth"] in (SAME, ROUNDING)
    assert "Wrong.</b>" in panel.ask.result.value


def test_weights_for_each_of_eight_steps_are_six_times_as_many_parameters():
    panel = Folding(question="parameters")
    panel.choose(steps=8, weights=OWN)
    panel.ask.answer = 8
    panel.compute()
    assert panel.ask.answered == [{"question": "parameters", "answer": 8, "truth": 6.5}]
    assert "9,522 instead of 1,458" in panel.ask.result.value


def test_one_more_block_costs_two_kernels():
    panel = Folding(steps=5)
    panel.choose(weights=OWN)
    panel.compute()
    exercise = panel.exercise("one-block")
    exercise.ask.answer = 1152
    assert exercise.check() is True


@pytest.mark.parametrize("network", [TRAINED, RANDOM])
def test_layer_and_step_hold_the_same_numbers_at_every_time(network):
    panel, result = computed(steps=5, network=network)
    assert result["activity"].shape == (2, 6, 8, 16, 16)
    assert apart(result).max() < 1e-9
    # they change from step to step, so the agreement is not that of an image with itself
    assert (abs(result["activity"].diff("time")).max(("form", "channel", "y", "x")) > 0.1).all()
    said = panel.film.scene["verdicts"]
    assert len(said) == 6
    assert all("2,048 numbers" in one and "the same" in one for one in said)


def test_a_stack_with_weights_of_each_layer_cannot_be_folded_from_the_second_layer_on():
    panel, result = computed(steps=4, weights=OWN)
    assert (apart(result)[:2] < 1e-9).all()
    assert (apart(result)[2:] > 0.1).all()
    said = panel.film.scene["verdicts"]
    assert ["Cannot be folded" in one for one in said] == [False, False, True, True, True]
    assert f"largest difference {apart(result)[4]:.2f}," in said[4]


def test_one_set_of_moments_makes_the_activity_differ_and_the_verdict_says_why():
    panel, result = computed(steps=4, moments=ONE)
    assert apart(result)[-1] > 0.1
    assert "differ: the loop has one set of moments" in panel.film.scene["verdicts"][-1]


def test_the_film_shows_the_numbers_of_the_result():
    panel, result = computed(steps=3, weights=OWN, digit=7)
    maps = np.frombuffer(panel.film.maps, "<f4").reshape(2, 4, 16, 16)
    np.testing.assert_allclose(maps, result["activity"].clip(0).mean("channel"), rtol=1e-6)
    gaps = np.frombuffer(panel.film.apart, "<f4").reshape(4, 16, 16)
    assert gaps.max((1, 2)) == pytest.approx(apart(result), rel=1e-6)
    assert panel.film.scene["differences"] == pytest.approx(apart(result))
    assert panel.film.scene["label"] == str(int(result["label"][7]))


def test_the_trained_network_reads_most_digits_correctly():
    _, result = computed(steps=MOST_STEPS)
    loop = result["logits"].sel(form="loop").argmax("class")
    assert float((loop.values == result["label"].values).mean()) > 0.5


def test_the_drawing_follows_at_once_and_so_does_the_comparison_after_the_first():
    panel = Folding(steps=4)
    panel.choose(steps=7, weights=OWN)
    assert panel.film.scene["steps"] == 7
    assert len(set(panel.film.scene["colours"])) == 7
    assert "differences" not in panel.film.scene
    assert panel.result is None
    panel.compute()
    panel.film.time = 6
    panel.choose(steps=2)
    panel.wait(60)
    assert len(panel.film.scene["differences"]) == 3
    assert panel.film.time == 2
    assert not panel.film.stale
    assert panel.result.attrs["steps"] == 2


def test_choosing_a_form_changes_the_drawing_only():
    panel, result = computed(steps=2)
    panel.choose(form=UNFOLDED)
    panel.wait(60)
    assert panel.film.shown == "stack"
    panel.choose(form=FOLDED)
    assert panel.film.shown == "loop"
    assert panel.result is result


def test_settings_without_a_network_are_those_of_random_weights():
    settings = Folding().settings
    del settings["choices"]["network"]
    assert Folding.from_settings(settings).choices["network"] == RANDOM


def test_an_error_is_shown_in_the_panel(monkeypatch):
    from cortexsim.explore.studies import folding_forms

    panel = Folding()

    def broken(*_, **__):
        raise RuntimeError("no memory left")

    monkeypatch.setattr(folding_forms, "Unfolded", broken)
    panel.run()
    panel.wait(60)
    assert "no memory left" in panel.notice.value


def test_settings_open_it_again_and_measure_the_same(tmp_path):
    panel, result = computed(steps=3, weights=OWN, moments=ONE, form=UNFOLDED)
    panel.save(tmp_path / "fold.json")
    again = cs.explore.reopen(tmp_path / "fold.json")
    assert isinstance(again, Folding)
    assert again.settings == json.loads((tmp_path / "fold.json").read_text())
    assert again.compute().identical(result)


def test_steps_of_numpy_are_a_number_and_a_truth_value_is_none():
    assert Folding(steps=np.int64(3)).settings["choices"]["steps"] == 3
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 12, got True"):
        Folding(steps=True)


def test_steps_beyond_the_slider_are_refused():
    with pytest.raises(ValueError, match="steps must be a whole number from 1 to 12, got 99"):
        Folding(steps=99)


def test_moments_of_each_step_are_the_default():
    expected = {"steps": 4, "weights": SHARED, "moments": EACH, "network": TRAINED, "digit": 3, "form": BOTH}
    assert Folding().choices == expected


def test_a_difference_is_compared_with_the_largest_logit_of_either_form():
    logits = xr.DataArray([[[0.5, -0.9]], [[0.5, -3.0]]], dims=("form", "stimulus", "class"))
    assert largest_difference(logits.to_dataset(name="logits")) == (pytest.approx(2.1), 3.0)


def test_the_button_that_runs_is_in_the_panel_and_so_is_every_control():
    def inside(widget):
        return [widget, *(one for child in getattr(widget, "children", ()) for one in inside(child))]

    panel = Folding()
    there = inside(panel)
    assert [panel.button in there, panel.film in there, panel.cancel_button in there] == [True] * 3
    assert [name for name, control in panel._controls.items() if control not in there] == []
