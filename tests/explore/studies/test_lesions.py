"""The lesion panel: three versions of a cut, the cost of each, and decisions at a threshold."""

import json

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim._support.netcdf import open_dataset
from cortexsim.cli import main
from cortexsim.explore.panel.subject import Subject
from cortexsim.explore.studies import lesions


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    with torch.no_grad():
        # the confidence of an untrained readout would never reach a threshold
        model.post.linear.weight.mul_(12)
    data = cs.datasets.digits(30, size=16)
    for shown in (cs.sustained(), cs.flash(1)):
        cs.calibrate(model, data, shown, until=4)
    return {"model": model, "data": data, "n": 20}


@pytest.fixture
def panel(given):
    return cs.explore.Lesions(**given)


@pytest.fixture(scope="module")
def lateral(given):
    """A panel in which all lateral connections have been cut throughout."""
    panel = cs.explore.Lesions(**given)
    measured(panel)
    return panel


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(60)
    assert panel.error is None, panel.error
    return panel.result


def test_runs_that_differ_in_strength_alone_are_one_curve(given):
    panel = cs.explore.Lesions(**given)
    cut = measured(panel)
    assert "dose" not in panel.figures
    measured(panel, window=(2, 4))
    assert "dose" not in panel.figures
    weakened = measured(panel, window=(1, 4), strength=0.5)
    acute = panel.figures["dose"].data[0]
    assert list(acute.x) == [1.0, 0.5, 0.0]
    for y, result in zip(acute.y[1:], (weakened, cut), strict=True):
        assert y == pytest.approx(100 * float(result["accuracy_difference"].sel(version="acute").isel(time=-1)))


@pytest.mark.parametrize("kind", ["Lesions", "EachLesion"])
def test_what_is_shown_first_is_what_the_model_has_statistics_for(given, kind):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=16)
    shown = {}
    for name, normalization in (("flashed", "time-specific"), ("sustained", "channel")):
        model = cs.Cortex(graph, 10, 3, normalization=normalization)
        if model.needs_statistics:
            cs.calibrate(model, given["data"], cs.mixture(cs.flash(1), cs.masked(1, 2)), until=3)
        shown[name] = getattr(cs.explore, kind)(model=model, data=given["data"], n=20).choices["presentation"]
    assert shown == {"flashed": "flash", "sustained": "sustained"}


def test_a_cut_is_what_the_protocol_measures_in_all_three_versions(lateral, given):
    panel, result = lateral, lateral.result
    shown = cs.datasets.spread(given["data"], 20)
    same = cs.protocols.lesion(
        given["model"],
        shown,
        {"lateral": range(1, 5)},
        calibrate_on=given["data"],
        presentation=cs.sustained(),
        until=4,
    )
    assert result["version"].values.tolist() == ["acute", "recalibrated", "mean-replaced"]
    np.testing.assert_array_equal(result["logits"], same["logits"])
    np.testing.assert_array_equal(result["accuracy_difference"], same["accuracy_difference"])
    assert list(panel.figures) == ["accuracy", "effect", "decisions", "early_late", "speed_accuracy"]
    assert {trace.name for trace in panel.figures["accuracy"].data} >= {"intact", "acute", "mean-replaced"}
    assert "Lateral connections cut throughout, read at t = 4, 20 images" in panel.finding.value
    assert "Statistics and means were taken on 30 images" in panel.finding.value


def test_a_window_cuts_at_those_times_alone(panel):
    result = measured(panel, window=[3, 4], connections="V2->V1")
    distance = result["distance"].sel(version="acute")
    assert (distance.sel(state="V1").values > 0).tolist() == [False, False, False, True, True]
    assert "V2-&gt;V1 cut at t = 3 to 4" in panel.finding.value


def test_the_lines_of_accuracy_are_named_at_their_ends(lateral):
    figure = lateral.figures["accuracy"]
    ends = [one.text for one in figure.select_annotations({"name": "line end"})]
    assert ends == ["intact", "acute", "recalibrated", "mean-replaced"]
    assert not figure.layout.showlegend


def test_weakening_has_the_same_three_versions_as_a_cut(panel, given):
    result = measured(panel, strength=0.5)
    same = cs.protocols.lesion(
        given["model"],
        cs.datasets.spread(given["data"], 20),
        gain={"lateral": (0.5, range(1, 5))},
        calibrate_on=given["data"],
        presentation=cs.sustained(),
        until=4,
    )
    assert result["version"].values.tolist() == ["acute", "recalibrated", "mean-replaced"]
    np.testing.assert_array_equal(result["logits"], same["logits"])
    assert "weakened to 50 %" in panel.finding.value
    assert "Statistics and means were taken on 30 images" in panel.finding.value


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ((-0.3, 0.0, 0.0), "Only the acute version shows it"),
        ((-0.3, 0.0, -0.3), "Recalibration removes it, so it may be nothing but a shift of means or spreads."),
        ((-0.3, -0.3, -0.3), None),
        ((0.0, 0.0, 0.0), "20 images show no cost"),
    ],
)
def test_the_finding_depends_on_which_versions_show_an_effect(lateral, differences, expected):
    change = np.array(differences)[:, None] + np.zeros(lateral.result.sizes["time"])
    dims = ("version", "time")
    ends = {f"accuracy_difference{end}": (dims, change + by) for end, by in (("", 0), ("_low", -0.1), ("_high", 0.1))}
    text = lateral.say(lateral.result.assign(ends))
    texts = ("Only the acute version", "Recalibration removes it", "show no cost")
    assert [part in text for part in texts] == [expected is not None and part in expected for part in texts]


def test_cutting_the_only_path_to_the_last_area_leaves_nothing_to_read_and_is_drawn(panel):
    result = measured(panel, connections="V1->V2")
    assert np.isnan(result["accuracy"].sel(version="acute")).all()
    assert "acute nothing to read out" in panel.finding.value
    headlines = [trace.text for trace in panel.figures["decisions"].select_traces({"name": "headline"})]
    assert headlines[1] == ("<b>acute</b><br>right – (0)<br>wrong – (0)",)


def test_a_threshold_redraws_the_decisions_without_a_model(lateral, monkeypatch):
    panel, result = lateral, lateral.result
    monkeypatch.setattr(lesions.protocols, "lesion", None)
    expected = {}
    for threshold in (0.1, 0.9):
        panel.choose(threshold=threshold)
        decided = cs.analyse.reaction_time(result["logits_intact"], threshold)
        expected[threshold] = int((decided["reaction_time"] <= 4).sum()) / 20
        right, wrong = (trace.y[-1] for trace in panel.figures["decisions"].data[:2])
        assert right + wrong == pytest.approx(expected[threshold])
        groups = panel.figures["early_late"].layout.xaxis.ticktext
        assert sum(int(text.split("<br>")[1].split()[0]) for text in groups) == 20
    assert expected[0.1] > expected[0.9]
    assert panel.notice.value == ""
    panel.run()
    assert panel.result is result


def test_a_cut_without_effect_is_refused_before_the_run(panel):
    panel.choose(connections="IT->V2", window=[1, 2])
    assert panel.button.disabled
    assert "would change nothing" in panel.words.value


def test_an_error_shows_in_the_panel(panel, given):
    panel.choose(presentation="flash")
    given["model"].statistics.pop(cs.flash(1))
    panel.run()
    panel.wait(60)
    assert "This could not be measured" in panel.notice.value
    assert "calibrate(model, images" in panel.notice.value
    cs.calibrate(given["model"], given["data"], cs.flash(1), until=4)


def test_cancel_ends_the_run_without_a_result(panel):
    panel.run()
    panel.cancel()
    panel.wait(60)
    assert panel.result is None
    assert panel.words.value == "cancelled"


def test_only_a_cut_throughout_answers_the_prediction(given):
    panel = cs.explore.Lesions(**given, question="feedback")
    panel.ask.answer = 0
    measured(panel, connections="feedback", window=[3, 4])
    assert "This result does not answer the question. The window must be the whole time" in panel.ask.result.value
    result = measured(panel, window=[1, 4])
    change = float(result["accuracy_difference"].sel(version="acute").isel(time=-1))
    assert panel.ask.answered[0]["truth"] == pytest.approx(-100 * change, abs=0.05)


def test_an_exercise_needs_its_own_cut(panel):
    exercise = panel.exercise("one-area")
    exercise.ask.answer = 5
    assert exercise.check() is None
    assert "set «connections» to «V1-&gt;V1»" in exercise.ask.result.value
    measured(panel, connections="V1->V1")
    assert exercise.check() in (True, False)


def test_settings_open_the_panel_again(panel, given):
    measured(panel, connections="V2->V2", window=[2, 4], threshold=0.7)
    settings = json.loads(json.dumps(panel.settings))
    again = cs.explore.reopen(settings, model=given["model"], data=given["data"])
    assert again.settings == panel.settings
    assert again.choices["window"] == (2, 4)
    assert again.compute().identical(panel.result)


def test_settings_of_earlier_versions_open_with_the_present_names(panel, given):
    panel.choose(connections="V2->V2", strength=0.25, presentation="flash")
    settings = json.loads(json.dumps(panel.settings))
    former = {"connections": "links", "strength": "left", "presentation": "shown"}
    settings["choices"] = {former.get(name, name): value for name, value in settings["choices"].items()}
    settings["choices"]["shown"] = "a flash of one step"
    assert cs.explore.reopen(settings, model=given["model"], data=given["data"]).choices == panel.choices


def test_rerun_makes_the_same_table_and_figures_without_a_browser(tmp_path, capsys):
    panel = cs.explore.Lesions("contours", n=2)
    panel.choose(connections="lateral", strength=0.5)
    panel.save(tmp_path / "lesion.json")
    assert main(["rerun", str(tmp_path / "lesion.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "Lateral connections weakened to 50 %" in capsys.readouterr().out
    again = open_dataset(tmp_path / "again.nc", "")
    np.testing.assert_array_equal(again["logits"], measured(panel)["logits"])
    assert (tmp_path / "again-early_late.html").stat().st_size > 1_000_000


def test_statistics_are_taken_on_the_training_part_of_a_named_dataset_or_on_the_given_images(given):
    named = Subject("contours", n=2).training(3)
    assert named["image"].equals(cs.datasets.contours(3, part="train", seed=1)["image"])
    own = cs.datasets.spread(given["data"], 25)
    assert Subject(**given).training(25)["image"].equals(own["image"])
