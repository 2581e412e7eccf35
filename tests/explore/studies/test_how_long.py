"""The panel on readout times: the model's own accuracies, with statistics of each time, held or shared."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim._support.netcdf import open_dataset
from cortexsim.analyse.interval import wilson
from cortexsim.cli import main
from cortexsim.explore.studies.how_long import CALIBRATED, HELD, POOLED
from cortexsim.stimuli.images import as_images
from cortexsim.training.evaluate import accuracies


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    # untrained, it would give one class as the answer to all images: rates average about 0.4
    model.post.linear.bias.data = -0.4 * model.post.linear.weight.data.sum(1)
    data = cs.datasets.digits(60, size=16)
    cs.calibrate(model, data, cs.sustained(), until=8)
    return {"model": model, "data": data, "n": 60}


@pytest.fixture
def panel(given):
    return cs.explore.HowLong(**given)


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(240)
    assert panel.error is None
    return panel.result


def test_the_curves_are_what_the_model_reads_with_each_kind_of_statistics(panel, given):
    result = measured(panel, held_from=2)
    own = given["model"].find_statistics(cs.sustained())
    images, labels = as_images(given["data"]), torch.from_numpy(given["data"]["label"].values)
    assert result["kind"].values.tolist() == [CALIBRATED, HELD, POOLED]
    for place, used in enumerate([own, own.held(2), own.pooled(4)]):
        expected = accuracies(given["model"], images, labels, list(range(2, 9)), cs.sustained(), statistics=used)
        found = result["accuracy"].isel(model=0, statistics=place)
        assert np.isnan(found.values[:2]).all()
        np.testing.assert_allclose(found.values[2:], list(expected.values()), atol=1e-7)
    assert not np.array_equal(result["accuracy"][0, 0, 2:], result["accuracy"][0, 1, 2:])


def test_intervals_are_wilson_intervals(panel):
    at = measured(panel)["accuracy"].isel(model=0, statistics=0, time=4)
    assert (float(at["low"]), float(at["high"])) == pytest.approx(wilson(round(60 * float(at)), 60))
    assert at.attrs["interval"] == "95 % Wilson interval over 60 images, one model"


def test_statistics_taken_in_the_panel_leave_the_model_unchanged(panel, given):
    before = given["model"].checksum(), list(given["model"].statistics)
    few, more = (measured(panel, calibration=f"{n} images", statistics=CALIBRATED) for n in (10, 30))
    assert not few["accuracy"].equals(more["accuracy"])
    assert (given["model"].checksum(), list(given["model"].statistics)) == before


def test_missing_statistics_are_said_before_the_run(panel):
    panel.choose(presentation="flash")
    assert panel.button.disabled
    assert "was not calibrated for this" in panel.words.value
    panel.choose(calibration="30 images", statistics=CALIBRATED)
    assert not panel.button.disabled
    panel.choose(calibration="as trained", presentation="sustained", until=12)
    assert "statistics end at t = 8" in panel.words.value


def test_a_model_without_normalization_has_no_statistics_to_choose(given):
    plain = cs.Cortex(given["model"].graph, 10, 4, normalization="none")
    assert "normalizes without stored statistics" in cs.explore.HowLong(**{**given, "model": plain}).words.value


def test_too_few_images_for_statistics_are_an_error_in_the_panel(panel):
    panel.choose(calibration="300 images")
    panel.run()
    panel.wait(240)
    assert isinstance(panel.error, ValueError)
    assert "there are only 60 images to take statistics from, not 300" in panel.notice.value


def test_cancel_ends_the_run_between_two_chunks_of_images(panel, monkeypatch):
    from cortexsim.explore.studies import how_long

    read = how_long.right_over_time

    def cancelled(*args, **kwargs):
        panel.cancel()
        return read(*args, **kwargs)

    monkeypatch.setattr(how_long, "right_over_time", cancelled)
    panel.run()
    panel.wait(240)
    assert panel.result is None
    assert panel.words.value == "cancelled"
    assert not panel.busy


def test_the_prediction_is_judged_by_the_curve(given):
    panel = cs.explore.HowLong(**given, question="pooled")
    panel.ask.answer = 50
    result = measured(panel)
    truth = 100 * float(result["accuracy"].isel(model=0, statistics=2).sel(time=4))
    assert panel.ask.answered == [{"question": "pooled", "answer": 50, "truth": pytest.approx(truth, abs=0.06)}]


def test_the_sentence_about_a_result_does_not_repeat_the_numbers_of_the_verdict(given):
    panel = cs.explore.HowLong(**given, question="pooled")
    measured(panel_without_question := cs.explore.HowLong(**given))
    assert panel_without_question.finding.value.count("with shared over times 0 to 4") == 2
    panel.ask.answer = 50
    measured(panel)
    assert "With statistics of each time" in panel.ask.result.value
    assert "with shared over times" not in panel.finding.value
    assert "those of t = 4 held from then on" in panel.finding.value


def test_times_beyond_the_trained_one_are_not_drawn_before_they_are_predicted(given):
    panel = cs.explore.HowLong(**given, question="pooled")
    panel.ask.answer = 0
    measured(panel)
    trained = panel.result.attrs["readout_time"]
    assert int(panel.result["time"][-1]) > trained
    drawn = [time for trace in panel.figures["any-time"].data for time in trace.x if time is not None]
    assert max(drawn) <= trained
    assert f"at t = {2 * trained}" not in panel.finding.value.lower()
    panel.ask.question, panel.ask.answer = "twice", 0
    panel.run()
    panel.wait(60)
    assert f"at t = {2 * trained}" in panel.finding.value.lower()


def test_a_question_without_its_measurement_is_not_judged(given):
    panel = cs.explore.HowLong(**given, question="pooled")
    panel.ask.answer = 50
    measured(panel, statistics=HELD)
    assert panel.ask.answered == []
    assert "does not answer the question" in panel.ask.result.value


def test_another_task_brings_its_model_its_control_and_its_times():
    panel = cs.explore.HowLong("contours", n=2)
    assert panel.subject.model.readout_time == 8
    panel.choose(task="digits")
    assert (panel.choices["until"], panel.choices["held_from"]) == (10, 5)
    assert panel.settings["subject"]["model"] == "ventral-stream-digits"
    result = measured(panel, until=4, statistics=CALIBRATED)
    assert result["model"].values.tolist() == ["recurrent", "feedforward"]
    assert "The feedforward control" in panel.finding.value


def test_rerun_makes_the_same_table_and_figure_without_a_browser(tmp_path, capsys):
    panel = cs.explore.HowLong("contours", n=2)
    panel.choose(task="digits", until=4, statistics=HELD, held_from=4)
    panel.save(tmp_path / "long.json")
    assert main(["rerun", str(tmp_path / "long.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "At t = 4" in capsys.readouterr().out
    again = open_dataset(tmp_path / "again.nc", "")
    assert again["accuracy"].equals(measured(panel)["accuracy"])
    assert (tmp_path / "again-any-time.html").stat().st_size > 1_000_000
