"""The panel on change over time: its analyses are the package's, its films are bytes, its slider moves all views."""

import json

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.class_numbers import DifferentClassesError, DifferentClassesWarning
from cortexsim._support.netcdf import open_dataset
from cortexsim.cli import main
from cortexsim.explore.changes.questions import mean_loss

OWN_SCALE = "each unit standardized at each time"


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16, shortcut=0.5), 2, 4)
    data = cs.datasets.contours(24, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.mixture(cs.flash(1), cs.sustained()), until=4)
    return {"model": model, "data": data, "n": 24}


@pytest.fixture(scope="module")
def measured(given):
    panel = cs.explore.Changes(**given)
    panel.compute()
    return panel


def run(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(120)
    return panel.result


def test_every_number_is_that_of_the_analysis(measured, given):
    recording = cs.simulate(given["model"], given["data"], cs.flash(1), until=4, quantity="rate")
    result, node = measured.result, recording["IT"]
    scores = cs.analyse.temporal_generalization(node)
    np.testing.assert_array_equal(result["temporal_generalization"], scores)
    np.testing.assert_array_equal(result["rdm"], cs.analyse.rdm(node))
    np.testing.assert_array_equal(result["trajectory"], cs.analyse.trajectory(node, 2, average="label"))
    for name in ("V1", "V2", "IT"):
        one = result.sel(state=name)
        found = cs.analyse.decode(recording[name])
        np.testing.assert_array_equal(one["decode"], found)
        np.testing.assert_array_equal(one["decode_high"], found["high"])
        np.testing.assert_array_equal(one["dimensionality"], cs.analyse.dimensionality(recording[name]))
        np.testing.assert_array_equal(one["spread"], cs.analyse.spread(recording[name]))
    assert list(measured.figures) == ["generalization", "decoding", "trajectory", "spread", "dimensionality"]
    for name, divided in (("the mean removed at each time", False), (OWN_SCALE, True)):
        expected = cs.analyse.temporal_generalization(cs.analyse.standardized(node, divided=divided))
        np.testing.assert_array_equal(result["by_scaling"].sel(scaling=name), expected)
    np.testing.assert_array_equal(result["by_scaling"].sel(scaling="as it is"), scores)


def test_the_film_contains_maps_and_dissimilarities_as_bytes_on_one_scale_for_all_times(measured):
    scene, result = measured.movie.scene, measured.result
    assert [film["name"] for film in scene["films"]] == ["V1", "V2", "IT", "IT"]
    assert scene["shown"][2:] == ["mean of 12 (different)", "mean of 12 (same)"]
    n_pictures, n_times = 4, 5
    sizes = [n_pictures * n_times * side**2 for side in (16, 8, 4)] + [n_times * 24 * 24]
    assert len(measured.movie.movie) == sum(sizes)
    last = np.frombuffer(measured.movie.movie[-sizes[-1] :], np.uint8).reshape(n_times, 24, 24)
    film = scene["films"][-1]
    order = np.argsort(result["label"].values, kind="stable")
    truth = result["rdm"].values[2][np.ix_(order, order)]
    assert film["low"] + last[2] / 254 * (film["high"] - film["low"]) == pytest.approx(truth, abs=film["high"] / 500)
    # IT is empty before anything reaches it
    assert film["populated"] == [False, False, True, True, True]
    assert (last[:2] == 255).all()


def test_the_mean_of_a_class_is_the_mean_of_its_maps(measured):
    maps = abs(measured.recording["V2"]["activation"]).mean("channel")
    of_class = maps.isel(stimulus=np.flatnonzero(measured.result["label"].values == 1)).mean("stimulus")
    shown = measured.result["map_V2"].sel(shown="mean of 12 (same)").values
    assert shown[1:] == pytest.approx(of_class.values[1:], rel=1e-5)


def test_the_cursors_of_the_figures_are_at_the_time_of_the_slider(measured):
    measured.time = 2
    assert measured.movie.time == 2
    measured.movie.time = 3
    figures = measured.figures
    for name in ("decoding", "spread", "dimensionality"):
        assert [shape.x0 for shape in figures[name].layout.shapes if shape.name == "now across"] == [3]
    marks = figures["generalization"].layout.shapes
    assert [(mark.x0, mark.xref) for mark in marks[::2]] == [(3, "x"), (3, "x2"), (3, "x3")]
    assert [(mark.y0, mark.yref) for mark in marks[1::2]] == [(3, "y"), (3, "y2"), (3, "y3")]
    now = measured.result["trajectory"].sel(time=3).transpose("class", "component").values
    assert list(figures["trajectory"].data[-1].x) == pytest.approx(now[:, 0])


def test_the_canvas_draws_the_cursors_of_the_panel_without_the_kernel(measured):
    (views,), more = measured.place.children, measured.body.children[1]
    movie, matrices = views.children
    (grid,) = more.children[0].children
    assert movie is measured.movie
    assert "cortexsim-linked" in measured.body._dom_classes
    lives = [matrices, *(box.children[0] for box in grid.children)]
    hidden = [
        one
        for figure in (live.figure for live in lives)
        for one in (*figure.layout.shapes, figure.data[-1])
        if (one.name or "").startswith("now")
    ]
    assert [one.visible for one in hidden] == [False] * 10
    before = [live.get_state(["traces", "around"]) for live in lives]
    measured.time = 1 if measured.time != 1 else 2
    assert [live.get_state(["traces", "around"]) for live in lives] == before


def test_the_images_are_shown_once_for_all_areas_and_scales(given, monkeypatch):
    calls = []
    simulate = cs.simulate
    monkeypatch.setattr(
        "cortexsim.explore.changes.panel.simulate", lambda *a, **k: calls.append(k) or simulate(*a, **k)
    )
    panel = cs.explore.Changes(**given)
    run(panel)
    standardized = run(panel, scaling=OWN_SCALE, state="V2")
    assert len(calls) == 1
    node = cs.analyse.standardized(panel.recording["V2"])
    np.testing.assert_array_equal(standardized["temporal_generalization"], cs.analyse.temporal_generalization(node))
    run(panel, quantity="state")
    assert [call["quantity"] for call in calls] == ["rate", "state"]


def test_the_first_result_is_shown_at_the_first_time_at_which_the_area_is_populated(given):
    panel = cs.explore.Changes(**given)
    result = run(panel)
    assert not result["rdm"].sel(time=panel.time).isnull().all()
    assert result["rdm"].sel(time=panel.time - 1).isnull().all()
    panel.time = 0
    run(panel, state="V1")
    assert panel.time == 0


def test_missing_statistics_are_said_before_the_run(given):
    model = cs.Cortex(given["model"].graph, 2, 4)
    cs.calibrate(model, given["data"], cs.flash(1), until=4)
    panel = cs.explore.Changes(**{**given, "model": model})
    assert not panel.button.disabled
    panel.choose(presentation="sustained")
    assert panel.button.disabled
    assert "the model was not calibrated for this" in panel.words.value


def test_cancel_ends_the_run_between_two_analyses(given, monkeypatch):
    panel = cs.explore.Changes(**given)
    decode = cs.analyse.decode
    monkeypatch.setattr(cs.analyse, "decode", lambda node: panel.cancel() or decode(node))
    panel.run()
    panel.wait(120)
    assert panel.result is None
    assert panel.recording is None
    assert panel.words.value == "cancelled"


def test_the_loss_is_the_mean_over_pairs_of_different_times(measured):
    scores = measured.result["temporal_generalization"].values
    pairs = [scores[b, b] - scores[a, b] for a in (2, 3, 4) for b in (2, 3, 4) if a != b]
    assert mean_loss(measured.result) == pytest.approx(100 * np.mean(pairs), abs=0.05)
    assert f"loses {mean_loss(measured.result)} percentage points" in measured.say(measured.result)


def test_settings_open_the_panel_again_with_the_same_numbers(measured, given, tmp_path):
    measured.save(tmp_path / "mine.json")
    settings = json.loads((tmp_path / "mine.json").read_text())
    again = cs.explore.reopen(settings, model=given["model"], data=given["data"])
    assert again.settings == settings
    assert again.compute().identical(measured.result)


def test_another_task_brings_its_model_images_and_areas():
    panel = cs.explore.Changes("digits", n=4)
    panel.choose(task="contours")
    assert panel.subject.to_dict()["model"] == "ventral-stream-contours"
    assert panel.choices["presentation"] == "sustained"
    again = cs.explore.reopen(panel.settings)
    assert again.settings == panel.settings


@pytest.mark.slow
def test_rerun_makes_the_same_table_and_figures_without_a_browser(tmp_path, capsys):
    panel = cs.explore.Changes("digits-tiny", n=50)
    panel.choose(state="V2")
    panel.save(tmp_path / "changes.json")
    assert main(["rerun", str(tmp_path / "changes.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "a decoder loses" in capsys.readouterr().out
    again = open_dataset(tmp_path / "again.nc", "")
    np.testing.assert_array_equal(again["temporal_generalization"], panel.compute()["temporal_generalization"])
    assert (tmp_path / "again-trajectory.html").stat().st_size > 1_000_000


def test_the_matrices_with_the_mean_removed_stay_covered_until_their_question_is_answered(given):
    panel = cs.explore.Changes(**given, question="only-scale")
    panel.compute()
    # no empty heatmaps, for which plotly writes errors into the browser's console
    assert [one.type for one in panel.figures["generalization"].data] == ["heatmap", "scatter", "scatter"]
    assert all(one.x == (None,) for one in panel.figures["generalization"].data[1:])
    panel.ask.answered.append({"question": "only-scale", "answer": 0, "truth": 1.0})
    panel._draw(panel.result)
    assert [np.isfinite(np.asarray(one.z, float)).any() for one in panel.figures["generalization"].data] == [True] * 3


def test_all_matrices_are_on_one_scale_of_colours(measured):
    figure = measured.figures["generalization"]
    assert {one.coloraxis for one in figure.data} == {"coloraxis"}
    # chance is in the middle
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    headings = [one.text for one in figure.select_annotations({"name": "heading"})]
    assert f"loses {mean_loss(measured.result)} points" in headings[0]


def test_images_of_classes_that_the_model_does_not_have_are_decoded_by_their_own_names():
    model = cs.zoo.load("digits-tiny")
    rng = np.random.default_rng(0)
    size = model.image_size[0]
    wide = xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), rng.random((20, 3, size, size), dtype=np.float32))},
        {"label": ("stimulus", np.arange(20) % 2)},
        {"classes": json.dumps(["mug", "cup"])},
    )
    panel = cs.explore.Changes(model=model, data=wide, n=20)
    with pytest.warns(DifferentClassesWarning, match="recorded as names"):
        run(panel)
    assert set(panel.recording["readout"]["label"].values.tolist()) == {"mug", "cup"}
    assert set(panel.result["class"].values.tolist()) == {"mug", "cup"}
    again = cs.explore.reopen(panel.settings, model=model, data=wide)
    assert again.choices == panel.choices
    with pytest.raises(DifferentClassesError, match=r"\['cup', 'mug'\]|\['mug', 'cup'\]"):
        cs.explore.Lesions(model=model, data=wide, n=20)
