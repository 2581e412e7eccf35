"""The panel on streams: every target at every place, and one chosen stream with its images."""

import json

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim._support.netcdf import open_dataset
from cortexsim.cli import main
from cortexsim.explore.studies import sequences


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    data = cs.datasets.digits(30, size=16)
    cs.calibrate(model, data, until=6)
    return {"model": model, "data": data, "n": 20}


@pytest.fixture
def panel(given):
    return cs.explore.Sequences(**given)


@pytest.fixture(scope="module")
def shown(given):
    """A panel in which streams of three images have been shown, one step each."""
    panel = cs.explore.Sequences(**given)
    measured(panel, frames=3, steps=1)
    return panel


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(60)
    assert panel.error is None, panel.error
    return panel.result


def lines_of(panel):
    return {trace.meta["class"]: trace for trace in panel.figures["stream"].data if trace.meta is not None}


def test_the_panel_gives_what_the_protocol_gives(shown, given):
    targets = cs.datasets.spread(given["data"], 20)
    same = cs.protocols.rapid_sequence(
        given["model"], targets, n_frames=3, steps_per_frame=1, calibrate_on=given["data"]
    )
    result = shown.result.sel(model="recurrent")
    for name in ("correct", "followed", "logits", "picture"):
        np.testing.assert_array_equal(result[name], same[name])
    assert list(shown.figures) == ["intrusions", "stream", "over_time_recurrent", "followed"]
    assert "by its place: recurrent" in shown.finding.value
    assert "the statistics come from 30 other streams" in shown.finding.value


def test_the_strip_shows_the_pictures_of_the_stream_and_the_target_among_them(shown, given):
    shown.choose(place=3, example=5)
    figure, label = shown.figures["stream"], int(cs.datasets.spread(given["data"], 20)["label"][4])
    assert len(figure.layout.images) == 3
    assert [image.x for image in figure.layout.images] == [0, 1, 2]
    (written,) = figure.select_traces({"name": "names of the pictures"})
    names = written.text
    assert names[2] == f"<b>{label} (target)</b>"
    assert all(name != str(label) for name in names[:2])
    logits = shown.result["logits"].sel(model="recurrent", position=2, stimulus=4).values[-1].astype(float)
    chance = np.exp(logits) / np.exp(logits).sum()
    assert lines_of(shown)[label].y[-1] == pytest.approx(chance[label], rel=1e-5)
    assert lines_of(shown)[label].line.width > 3


def test_another_stream_is_drawn_without_a_model(shown, monkeypatch):
    monkeypatch.setattr(sequences.protocols, "rapid_sequence", None)
    shown.choose(place=1, example=1)
    before = [image.source for image in shown.figures["stream"].layout.images]
    shown.choose(example=2)
    after = [image.source for image in shown.figures["stream"].layout.images]
    assert before[0] != after[0]
    assert shown.notice.value == ""
    result = shown.result
    shown.run()
    assert shown.result is result


def test_statistics_of_single_images_serve_up_to_their_last_time(panel):
    panel.choose(statistics=sequences.OWN, frames=3, steps=2)
    assert panel.button.disabled
    assert "the stream runs to t = 7, but the model&#x27;s statistics end at t = 6" in panel.words.value
    result = measured(panel, steps=1)
    assert result.attrs["statistics"].startswith("statistics of 30 images, «flash")
    assert "single images, as in training" in panel.finding.value


def test_the_slider_offers_every_place_of_the_stream(panel):
    panel.choose(frames=6, place=6)
    assert panel.choices["place"] == 6
    panel.choose(frames=3)
    assert panel.choices["place"] == 3


def test_an_error_shows_in_the_panel(given):
    alike = given["data"].isel(stimulus=given["data"]["label"].values == 1)
    panel = cs.explore.Sequences(model=given["model"], data=alike, n=2)
    panel.run()
    panel.wait(60)
    assert "This could not be measured" in panel.notice.value
    assert "needs distractors of another class" in panel.notice.value


def test_cancel_ends_the_run_without_a_result(panel):
    panel.run()
    panel.cancel()
    panel.wait(60)
    assert panel.result is None
    assert panel.words.value == "cancelled"


def test_an_exercise_needs_its_own_streams(panel):
    exercise = panel.exercise("slower")
    exercise.ask.answer = 10
    assert exercise.check() is None
    assert "set «steps per image» to «4»" in exercise.ask.result.value


def test_settings_open_the_panel_again(shown, given):
    shown.choose(place=2, example=7)
    settings = json.loads(json.dumps(shown.settings))
    again = cs.explore.reopen(settings, model=given["model"], data=given["data"])
    assert again.settings == shown.settings
    assert again.compute().identical(shown.result)


def test_rerun_makes_the_same_table_with_the_control_without_a_browser(tmp_path, capsys):
    panel = cs.explore.Sequences("digits", n=10)
    panel.choose(frames=3, steps=1, statistics=sequences.OWN, place=1)
    panel.save(tmp_path / "streams.json")
    assert main(["rerun", str(tmp_path / "streams.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "; feedforward" in capsys.readouterr().out
    again = open_dataset(tmp_path / "again.nc", "")
    assert again["model"].values.tolist() == ["recurrent", "feedforward"]
    panel.ask.question = "second"
    panel.ask.answer = 0
    np.testing.assert_array_equal(again["logits"], measured(panel)["logits"])
    assert "set «steps per image» to «2»" in panel.ask.result.value
    assert (tmp_path / "again-stream.html").stat().st_size > 1_000_000


def test_the_control_is_not_drawn_before_it_is_predicted():
    panel = cs.explore.Sequences("digits", n=4, question="second")
    panel.ask.answer = 0
    measured(panel)
    assert "feedforward" not in panel.finding.value
    assert "over_time_feedforward" not in panel.figures
    panel.ask.question, panel.ask.answer = "control", 0
    panel.run()
    panel.wait(60)
    assert "feedforward" in panel.finding.value
