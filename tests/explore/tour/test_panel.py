"""The first panel, headless: its traits move what is shown, its errors show in it, and its settings make it again."""

import json
import threading

import numpy as np
import pytest
import torch
import traitlets
import xarray as xr

import cortexsim as cs
from cortexsim.explore import Tour
from cortexsim.explore.panel import batch
from cortexsim.explore.panel.tasks import shipped
from cortexsim.explore.tour.questions import EXERCISES, Facts
from cortexsim.recording._rerun import rerun


@pytest.fixture(scope="module")
def own_model():
    """V1, V2 and IT with all that links neighbours, calibrated to time 6 for four presentations."""
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 6}, size=16, shortcut=0.5)
    model = cs.Cortex(graph, n_classes=2, readout_time=5).eval()
    mixed = cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2), cs.masked(1, 5), cs.masked(1, 3, "image"))
    cs.calibrate(model, images(30), mixed, until=6)
    return model


@pytest.fixture(scope="module")
def control():
    torch.manual_seed(1)
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 6}, size=16, self_transitions=False)
    graph = graph.without("V2->V1").without("IT->V2")
    model = cs.Cortex(graph, n_classes=2, readout_time=5).eval()
    mixed = cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2), cs.masked(1, 5), cs.masked(1, 3, "image"))
    cs.calibrate(model, images(30), mixed, until=6)
    return model


def images(n=60):
    return cs.datasets.contours(n, part="test", size=16, length=(4, 8))


@pytest.fixture
def panel(own_model, control):
    made = Tour(model=own_model, data=images(), control=control, until=6, question="")
    yield made
    made.wait()


def movie(panel, name):
    """Read a state's movie as the browser does, shape (time, channel, y, x)."""
    scene, start = panel.stage.scene, 0
    for state in scene["states"]:
        shape = (len(scene["times"]), state["channels"], state["height"], state["width"])
        if state["name"] == name:
            levels = np.frombuffer(panel.stage.movie, np.uint8, np.prod(shape), start).reshape(shape)
            return levels / 255 * state["scale"]
        start += np.prod(shape)
    raise AssertionError(name)


def reasons(choice):
    return {option["value"]: option["reason"] for option in choice.options}


def alerted(panel):
    return "This could not be shown" in panel.notice.value


def test_the_browser_gets_every_rate_within_half_a_level(panel):
    for name in ("V1", "V2", "IT"):
        activity = panel.recording[name]["activation"].isel(stimulus=0)
        sent, scale = movie(panel, name), float(activity.max())
        np.testing.assert_allclose(sent, activity.fillna(0).values, atol=scale / 255 / 2 + 1e-6)


def test_an_empty_state_is_sent_as_empty(panel):
    populated = {state["name"]: state["populated"] for state in panel.stage.scene["states"]}
    assert populated["IT"] == [False, False, True, True, True, True, True]
    assert populated["V1"][0]


def test_a_transition_delivers_one_step_after_its_source_was_reached(panel):
    delivers = {(one["source"], one["target"]): one["delivers"] for one in panel.stage.scene["transitions"]}
    assert delivers["V1", "V2"][:3] == [False, True, True]
    assert delivers["IT", "V2"][:4] == [False, False, False, True]


def test_class_probabilities_are_the_softmax_of_the_logits(panel):
    logits = torch.tensor(panel.recording["readout"]["logits"].isel(stimulus=0, time=4).values)
    sent = {line["name"].removesuffix(" (right)"): line["values"] for line in panel.stage.scene["probability"]}
    expected = dict(zip(["different", "same"], logits.softmax(0).tolist(), strict=True))
    assert {name: values[4] for name, values in sent.items()} == pytest.approx(expected, abs=1e-4)
    assert all(values[1] is None for values in sent.values())


def test_the_screen_holds_the_image_then_nothing(panel):
    scene = panel.stage.scene
    assert scene["picture"][:2] == [0, -1]
    sent = np.frombuffer(panel.stage.screen, np.uint8).reshape(16, 16, 3)
    np.testing.assert_array_equal(sent, images(1)["image"].values[0].transpose(1, 2, 0))


def test_a_mask_is_on_the_screen_from_its_soa(panel):
    panel.kind = "masked"
    assert panel.soa == 2
    assert panel.stage.scene["shown"] == ["image", "nothing", *["mask"] * 5]
    assert panel.stage.scene["picture"] == [0, -1, *[1] * 5]


def test_the_mask_of_another_image_is_another_image_when_it_is_made_again_too(panel, own_model):
    panel.kind = "masked"
    panel.mask = "image"
    assert panel.soa == 3
    assert not alerted(panel)
    assert panel.stage.scene["picture"][3] == 1
    again = rerun(panel.settings, model=own_model, images=images())
    xr.testing.assert_identical(again, panel.recording)


def test_moving_time_runs_nothing(panel, monkeypatch):
    monkeypatch.setattr("cortexsim.explore.tour.panel.rerun", lambda *_, **__: pytest.fail("the model ran"))
    before = panel.stage.movie
    panel.time = 5
    assert panel.stage.time == 5
    panel.stage.time = 3
    assert panel.time == 3
    assert panel.stage.movie is before


def test_another_image_is_another_recording(panel):
    before = panel.stage.movie
    panel.stimulus = 7
    assert panel.stage.movie != before
    assert panel.settings["stimulus"] == 7
    assert panel.recording["readout"]["label"].item() == images()["label"].values[7]


def test_shuffling_shows_another_image(panel):
    panel.shuffle()
    assert panel.stimulus != 0
    assert not alerted(panel)


def test_shuffling_a_single_image_says_in_the_panel_what_to_do(own_model, control):
    panel = Tour(model=own_model, data=images(1), control=control, until=6, question="")
    panel.shuffle()
    assert panel.stimulus == 0
    assert "this panel has one image<div>Give the panel more images" in panel.notice.value


def test_an_soa_without_statistics_is_greyed_out_with_the_reason(panel):
    panel.kind = "masked"
    assert reasons(panel.controls.soa) == {
        1: "the model was not calibrated for this",
        2: "",
        3: "the model was not calibrated for this",
        4: "the model was not calibrated for this",
        5: "too late: 2 steps from here to IT, time ends at 6",
    }


def test_an_soa_that_cannot_matter_by_the_last_time_is_greyed_out_with_the_reason(panel):
    panel.kind = "masked"
    panel.until = 3
    assert reasons(panel.controls.soa)[2] == "too late: 2 steps from here to IT, time ends at 3"
    assert alerted(panel)
    panel.until = 4
    assert reasons(panel.controls.soa)[2] == ""
    assert not alerted(panel)


def test_a_choice_that_cannot_be_shown_is_refused_in_the_panel_which_keeps_what_it_showed(panel):
    before = panel.settings
    panel.soa = 4
    panel.kind = "masked"
    panel.soa = 4
    assert "the model was not calibrated for this" in panel.notice.value
    assert 'role="alert"' in panel.notice.value
    assert "still the previous one" in panel.notice.value
    assert panel.settings["presentation"]["soa"] == 2
    panel.soa = 2
    assert panel.notice.value == ""
    assert panel.settings != before


def test_a_last_time_beyond_the_statistics_is_refused_in_the_panel(panel):
    panel.until = 9
    assert "its statistics end at t = 6" in panel.notice.value


def test_an_image_that_is_not_there_is_refused_in_the_panel(panel):
    panel.stimulus = 999
    assert "there is no stimulus 999: there are 60, allowed is 0 to 59" in panel.notice.value


def test_changed_weights_are_told_in_the_panel(own_model):
    changed = cs.Cortex(own_model.graph, n_classes=2, readout_time=5).eval()
    changed.statistics = dict(own_model.statistics)
    panel = Tour(model=changed, data=images(), until=6)
    assert "the weights have changed since these statistics were taken" in panel.notice.value
    panel.wait()


def test_accuracy_over_time_is_that_of_the_same_images(panel, own_model, control):
    panel.wait()
    shown = cs.simulate(own_model, images(), cs.flash(1), until=6, record=[])
    right = shown["readout"]["logits"].fillna(0).argmax("class") == shown["readout"]["label"]
    recurrent, feedforward = panel.stage.accuracy["series"]
    assert recurrent["values"][2:] == pytest.approx(right.mean("stimulus").values[2:].tolist())
    assert recurrent["values"][:2] == [None, None]
    assert [time for time, value in enumerate(feedforward["values"]) if value is not None] == [2]
    assert "60 such images" in panel.stage.accuracy["title"]


def test_what_was_measured_once_is_not_measured_again(panel, monkeypatch):
    panel.wait()
    monkeypatch.setattr(
        "cortexsim.explore.tour.accuracies.right_over_time", lambda *_, **__: pytest.fail("measured again")
    )
    panel.stimulus = 3
    panel.wait()
    assert len(panel.stage.accuracy["series"]) == 2


def test_late_accuracies_of_an_earlier_choice_are_dropped(panel, monkeypatch):
    panel.wait()
    go_on, entered, really = threading.Event(), threading.Event(), batch.right_over_time

    def slow(model, data, presentation, until, **more):
        if presentation == cs.sustained():
            entered.set()
            assert go_on.wait(20)
        return really(model, data, presentation, until)

    monkeypatch.setattr("cortexsim.explore.tour.accuracies.right_over_time", slow)
    panel.kind = "sustained"
    assert entered.wait(20)
    assert panel.stage.accuracy["message"] == "measuring …"
    panel.kind = "flash"
    flash = panel.stage.accuracy
    go_on.set()
    panel.wait()
    assert panel.stage.accuracy is flash


def test_a_failure_while_measuring_is_told_in_the_panel(own_model, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("the disk is on fire")

    monkeypatch.setattr("cortexsim.explore.tour.accuracies.right_over_time", fails)
    panel = Tour(model=own_model, data=images(), until=6)
    panel.wait()
    assert "The accuracies could not be measured" in panel.notice.value
    assert "the disk is on fire" in panel.notice.value
    assert "could not be measured" in panel.stage.accuracy["message"]


def test_images_without_labels_are_shown_without_accuracies(own_model):
    panel = Tour(model=own_model, data=images().drop_vars("label"), until=6)
    panel.wait()
    assert panel.stage.accuracy["message"] == "these images have no labels"
    assert not alerted(panel)


def test_rerun_gives_what_the_panel_shows(tmp_path):
    panel = Tour("digits-tiny", until=5, stimulus=3)
    panel.kind = "masked"
    settings = json.loads(json.dumps(panel.settings))
    xr.testing.assert_identical(rerun(settings), panel.recording)
    panel.wait()


def test_contours_and_digits_are_offered_beside_a_control_without_recurrence():
    controls = {name: task.control for name, task in shipped().items()}
    assert controls["contours"] == "ventral-stream-contours-feedforward"
    assert controls["digits"] == "ventral-stream-digits-feedforward"
    panel = Tour("digits", until=4)
    panel.wait()
    assert not alerted(panel)
    assert panel.settings["model"] == "ventral-stream-digits"


def test_a_panel_opens_on_the_settings_of_another():
    shown = {"difficulty": "heavy", "presentation": cs.masked(1, 4), "until": 9, "stimulus": 6}
    panel = Tour("digits-tiny", **shown)
    again = Tour.from_settings(panel.settings)
    assert again.settings == panel.settings
    assert again.difficulty == "heavy"
    xr.testing.assert_identical(again.recording, panel.recording)
    panel.wait()
    again.wait()


def test_settings_of_a_given_model_open_with_that_model_only(panel, own_model, control):
    again = Tour.from_settings(panel.settings, model=own_model, data=images())
    assert again.settings == panel.settings
    again.wait()
    with pytest.raises(ValueError, match="the model differs from these settings"):
        Tour.from_settings(panel.settings, model=control, data=images())


def test_a_named_dataset_of_ones_own_is_drawn(own_model):
    data = {"name": "contours", "part": "test", "size": 16, "length": [4, 8]}
    panel = Tour(model=own_model, data=data, until=6)
    assert panel.settings["data"] == data
    xr.testing.assert_identical(rerun(panel.settings, model=own_model), panel.recording)
    panel.wait()


def test_a_model_without_normalization_shows_rates_as_others_do():
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=16)
    panel = Tour(model=cs.Cortex(graph, n_classes=2, readout_time=4, normalization="none"), data=images(), until=4)
    assert not alerted(panel)
    assert panel.stage.scene["quantity"] == "rate"
    assert panel.settings["quantity"] == "rate"
    panel.wait()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"task": "digit-tiny"}, ValueError, "unknown task 'digit-tiny': .* did you mean 'digits-tiny'"),
        ({"task": "digits-tiny", "difficulty": "hard"}, ValueError, "unknown occlusion 'hard'"),
        ({"task": "digits-tiny", "question": "arival"}, ValueError, "unknown question 'arival': .*'arrival'"),
        ({"model": 3, "data": {}}, TypeError, "model must be a Cortex, a name or a path, got int"),
        ({"model": "digits-tiny"}, TypeError, "data must be a Dataset .*, got NoneType"),
        ({"task": "digits-tiny", "data": images(4)}, ValueError, "data goes with a model of your own: give model="),
        ({"task": "digits-tiny", "control": "digits-tiny"}, ValueError, "control goes with a model of your own"),
        ({"task": "digits-tiny", "presentation": "flash"}, TypeError, "presentation must be a flash.*got str"),
        ({"task": "digits-tiny", "presentation": cs.sequence(1)}, ValueError, "this panel shows a flash, sustained or"),
        (
            {"task": "digits-tiny", "presentation": cs.masked(1, 2, mask_duration=1)},
            ValueError,
            "this panel shows a mask for as long as in the model's statistics",
        ),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        Tour(**arguments)


@pytest.mark.parametrize("until", [None, 6])
def test_a_presentation_without_statistics_is_refused_and_never_another_one_shown(own_model, until):
    panel = Tour(model=own_model, data=images(), presentation=cs.flash(9), until=until)
    assert "«flash: image for 9 steps, then nothing» up to t = 6: the model was not calibrated" in panel.notice.value
    assert not panel.settings
    assert panel.results == []


@pytest.mark.parametrize(
    ("name", "value", "match"),
    [
        ("kind", "flush", "unknown kind 'flush': .*'flash', 'sustained', 'masked'.*did you mean 'flash'"),
        ("mask", "nose", "unknown mask 'nose': .*did you mean 'noise'"),
        ("task", "digit", "unknown task 'digit'"),
    ],
)
def test_a_value_that_is_none_is_refused_in_words(panel, name, value, match):
    before = panel.settings
    with pytest.raises(traitlets.TraitError, match=match):
        setattr(panel, name, value)
    assert panel.settings == before
    with pytest.raises(traitlets.TraitError, match=r"unknown question 'batsch': .*did you mean 'batch'"):
        panel.ask.question = "batsch"


@pytest.mark.parametrize(("name", "value"), [("seed", 7), ("noise", 0.5), ("repeats", 2), ("quantity", "state")])
def test_settings_that_the_panel_cannot_show_are_refused(panel, own_model, name, value):
    with pytest.raises(ValueError, match=f"this panel shows .*{name}.* makes their recording"):
        Tour.from_settings({**panel.settings, name: value}, model=own_model, data=images())


def test_two_choices_at_once_on_two_threads_are_both_followed(panel, monkeypatch):
    started, goes_on, run = threading.Event(), threading.Event(), Tour._run

    def slow(self):
        started.set()
        assert goes_on.wait(30)
        run(self)

    monkeypatch.setattr(Tour, "_run", slow)
    first = threading.Thread(target=lambda: setattr(panel, "stimulus", 3))
    second = threading.Thread(target=lambda: setattr(panel, "until", 5))
    first.start()
    assert started.wait(30)
    second.start()
    second.join(0.2)
    assert second.is_alive(), "the second choice did not wait for the first"
    goes_on.set()
    first.join(30)
    second.join(30)
    assert (panel.settings["stimulus"], panel.settings["until"]) == (3, 5)
    assert len(panel.stage.scene["times"]) == 6


def test_an_exercise_is_judged_by_what_is_shown_and_not_by_what_was_refused(panel):
    before = panel.results[0][0]
    panel.stimulus = 999
    panel.until = 4
    assert alerted(panel)
    assert panel.results[0][0] == before


def test_a_question_that_cannot_be_asked_for_a_while_is_asked_again(own_model, control):
    panel = Tour(model=own_model, data=images(), control=control, until=6, question="batch")
    assert panel.ask.question == "batch"
    panel.until = 1
    assert panel.ask.question == ""
    assert "cannot be asked here: the class of what is read out is not known" in panel.ask.result.value
    panel.until = 6
    assert panel.ask.question == "batch"
    panel.ask.question = ""
    panel.until = 5
    assert panel.ask.question == ""
    panel.wait()


def test_an_exercise_of_the_tour_names_what_is_on_the_screen_and_can_set_it():
    panel = Tour("contours", question="")
    exercise = panel.exercise("after-a-flash")
    exercise.ask.answer = 80
    panel.choose(kind="sustained")
    assert exercise.check() is None
    assert "set «curve length» to «long (21-28 px)», «shown» to «flash»." in exercise.ask.result.value
    exercise.ask.set_button.click()
    assert (panel.task, panel.difficulty, panel.kind) == ("contours", "long", "flash")
    assert "It is set: check again once the accuracies are drawn." in exercise.ask.result.value
    with pytest.raises(ValueError, match="unknown choice 'length'"):
        panel.choose(length="long")


def test_an_exercise_of_the_tour_is_checked_by_what_is_shown(panel):
    panel.wait()
    exercise = panel.exercise("another-task")
    exercise.ask.answer = 0
    assert exercise.check() is None
    assert "set «task» to «digits» (under «more settings»), «difficulty» to «heavy»" in exercise.ask.result.value
    told = panel.EXERCISES["another-task"].truth(panel.ask.about)
    best = [
        max(value for value in values if value is not None)
        for values in (panel.ask.about.batch, panel.ask.about.control)
    ]
    assert told == pytest.approx(100 * (best[0] - best[1]), abs=0.06)
    assert panel.EXERCISES["after-a-flash"].truth(panel.ask.about) is None
    assert panel.results[0][0]["kind"] == panel.kind


def test_a_tour_that_has_measured_nothing_cannot_tell():
    facts = Facts("IT", 2, [True], [None])
    for one in EXERCISES.values():
        assert one.truth(facts) is None
        assert "not measured yet" in one.because(facts)


def test_the_former_name_of_the_control_model_is_accepted_with_a_warning(own_model, control):
    with pytest.warns(DeprecationWarning, match="called control= now"):
        panel = Tour(model=own_model, data=images(), sibling=control, until=6, question="")
    assert panel._material.control is control


def test_a_model_that_answers_at_every_pixel_is_said_to_have_other_panels():
    panel = Tour(model=cs.zoo.load("tracer"), data=cs.datasets.paths(2, part="test"), until=4, question="")
    assert alerted(panel)
    assert "this model answers at every pixel" in panel.notice.value
