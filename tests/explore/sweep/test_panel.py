"""The panel on a sweep: cells fill while it runs, a stop keeps what is done, and a failure says why."""

import re
import threading

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.explore import reopen
from cortexsim.explore.sweep import questions
from cortexsim.explore.sweep.progress import Progress, count
from cortexsim.sweeps import running
from cortexsim.sweeps.point import PointFailedError
from cortexsim.sweeps.study import read_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two by two points of a tiny model, calibrated for a flash and a mask."""
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 2, "IT": 3}, size=16), n_classes=10, readout_time=3).eval()
    for presentation in (cs.flash(1), cs.masked(1, 2)):
        cs.calibrate(model, torch.rand(8, 3, 16, 16), presentation, until=3)
    model.classes = [str(digit) for digit in range(10)]
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    cs.save(model, path)
    own = {"models": [str(path)], "data": "digits", "until": 3, "n": 6, "noise": [0.0, 0.5]}
    return {**own, "presentations": ["flash", "masked:1:2"]}


@pytest.fixture
def panel(study, tmp_path):
    return cs.explore.Sweep(study, to=str(tmp_path / "out"))


def words(panel):
    """Return the words in cells without a number, row by row."""
    return list(panel.figures["grid"].data[1].text)


def run(panel):
    panel.run()
    panel.wait(240)
    assert panel.error is None


def test_all_points_wait_before_a_run_and_have_their_accuracy_after_it(panel, study, tmp_path):
    assert words(panel) == ["waiting"] * 4
    assert panel.result is None
    assert panel.words.value == f"4 points of 6 images each, kept in {tmp_path / 'out'}"
    run(panel)
    assert words(panel) == []
    plain = cs.sweep(study, to=tmp_path / "plain", workers=0)
    xr.testing.assert_equal(panel.result["accuracy"], plain["accuracy"])
    assert panel.button.description == "run the sweep"
    assert panel.finding.value.count("±") == 1
    # the best point is named in the words of the axes
    assert re.search(r"best \d+ % \((flash, 1 step|mask at SOA 2), noise 0(\.5)?\)", panel.finding.value)


def stopping_at(panel, monkeypatch, place):
    """Stop the panel while the point at a place is computed; return what the grid shows as each point starts."""
    seen, measured = [], running.measure

    def measure(point, *given):
        seen.append(words(panel))
        if len(seen) == place:
            panel.cancel()
        return measured(point, *given)

    monkeypatch.setattr(running, "measure", measure)
    return seen


def test_the_grid_fills_and_a_stop_keeps_what_is_done_until_it_is_continued(panel, study, monkeypatch, tmp_path):
    seen = stopping_at(panel, monkeypatch, 2)
    run(panel)
    assert seen == [["running …", "waiting", "waiting", "waiting"], ["waiting", "running …", "waiting"]]
    assert words(panel) == ["waiting"] * 2
    assert panel.words.value.startswith("stopped: 2 of 4 points are done and kept in ")
    assert panel.words.value.endswith("«continue» resumes there")
    assert panel.button.description == "continue"
    # a panel that is opened later resumes from the folder
    later = cs.explore.Sweep(study, to=str(tmp_path / "out"))
    assert words(later) == ["waiting"] * 2
    assert later.button.description == "continue"
    seen = stopping_at(later, monkeypatch, 0)
    run(later)
    assert len(seen) == 2
    assert count(later.result, "done") == 4


def test_a_failed_point_says_why_and_is_repeated(study, monkeypatch, tmp_path):
    measured, broken = running.measure, threading.Event()
    broken.set()

    def measure(point, *given):
        if broken.is_set() and point.chosen["noise"] == 0.5:
            raise PointFailedError("the disk was busy")
        return measured(point, *given)

    monkeypatch.setattr(running, "measure", measure)
    panel = cs.explore.Sweep(study, to=str(tmp_path / "out"))
    run(panel)
    assert words(panel) == ["failed"] * 2
    assert "the disk was busy" in np.ravel(panel.figures["grid"].data[0].hovertext).tolist()
    assert "2 of 4 points are done; 2 failed (point at one to read why): the disk was busy" in panel.finding.value
    assert panel.button.description == "repeat 2 failed"
    # also where the panel is opened again
    assert words(cs.explore.Sweep(study, to=str(tmp_path / "out"))) == ["failed"] * 2
    broken.clear()
    run(panel)
    assert count(panel.result, "done") == 4
    assert panel.finding.value.count("failed") == 0


def test_a_point_that_had_started_waits_again_after_a_stop(study):
    first, second, *_ = (read := read_study(study)).points()
    progress = Progress(read)
    # one was finished before, and another has started
    progress.take(first, xr.Dataset({name: ("time", [0.5] * 4) for name in ("accuracy", "low", "high")}))
    progress.take(second, None)
    assert [count(progress.result(), state) for state in ("done", "running", "missing")] == [1, 1, 2]
    assert [count(progress.result(stopped=True), state) for state in ("done", "running", "missing")] == [1, 0, 3]
    assert progress.fraction == 0
    progress.take(second, "the disk was busy")
    assert progress.fraction == pytest.approx(1 / 3)


def test_a_folder_that_there_cannot_be_is_refused_before_the_run(panel):
    panel.choose(to="long" * 100)
    assert panel.button.disabled
    assert "in «folder» has 400 bytes" in panel.words.value


def test_an_error_of_the_whole_sweep_is_shown(panel, study, tmp_path):
    cs.sweep({**study, "n": 7}, to=tmp_path / "out", workers=0)
    panel.run()
    panel.wait(240)
    assert "belongs to another run: n was 7 and is now 6" in panel.notice.value


def test_the_readout_time_is_a_view(panel):
    run(panel)
    panel.choose(time=1)
    assert not panel.busy
    figure = panel.figures["grid"]
    assert figure.layout.title.text == "accuracy at t = 1"
    at = panel.result["accuracy"].sel(time=1).squeeze(drop=True).transpose("noise", "presentation")
    np.testing.assert_array_equal(np.asarray(figure.data[0].z, float), at)


def test_points_on_the_disk_are_covered_until_an_answer_is_chosen(study, monkeypatch, tmp_path):
    guess = questions.QUESTIONS["axis"]
    monkeypatch.setattr(cs.explore.Sweep, "QUESTIONS", {"axis": guess})
    cs.sweep(study, to=tmp_path / "out", workers=0)
    panel = cs.explore.Sweep(study, to=str(tmp_path / "out"), question="axis")
    assert words(panel) == ["done"] * 4
    assert panel.finding.value == ""


def test_the_panel_opens_again_from_its_settings_and_its_code_gives_its_numbers(panel, monkeypatch, tmp_path):
    result = panel.compute()
    again = reopen(panel.settings)
    assert again.study == panel.study
    xr.testing.assert_equal(again.result["accuracy"], result["accuracy"])
    own = cs.explore.Sweep(to=str(tmp_path / "grids"))
    own.choose(grid="lesions", n=30)
    assert reopen(own.settings).choices == own.choices
    variables = {}
    exec(panel.code, variables)
    xr.testing.assert_equal(variables["result"]["accuracy"], result["accuracy"])
    assert variables["figure"].data[0].text.tolist() == panel.figures["grid"].data[0].text.tolist()


def test_a_grid_of_more_points_than_can_be_seen_is_refused(study):
    with pytest.raises(ValueError, match=r"shows grids of up to 400 points, got 800; cs\.sweep runs larger ones"):
        cs.explore.Sweep({**study, "seeds": list(range(200))})


def test_the_axis_that_matters_more_is_that_whose_averages_differ_more():
    accuracy = xr.DataArray(
        [[[0.9], [0.7]], [[0.4], [0.2]]], dims=("noise", "presentation", "time"), coords={"time": [8]}
    )
    result = xr.Dataset({"accuracy": accuracy})
    asked = questions.QUESTIONS["axis"]
    assert asked.truth(result) == "noise"
    assert asked.because(result).endswith("at t = 8: noise 50 percentage points, mask 20.")
    assert (
        asked.truth(
            xr.Dataset(
                {
                    "accuracy": accuracy.transpose("presentation", "noise", "time").rename(
                        noise="presentation", presentation="noise"
                    )
                }
            )
        )
        == "mask"
    )
    assert asked.truth(result.where(result["accuracy"] > 0.3)) is None
