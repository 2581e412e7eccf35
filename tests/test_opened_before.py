"""Files that earlier versions wrote open, and give the numbers that they gave then."""

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.resources import data_folder
from cortexsim.cli import main
from cortexsim.explore import Training, reopen

BEFORE = Path(__file__).parent / "data" / "opened_before"
NUMBERS = json.loads((BEFORE / "numbers.json").read_text(encoding="utf-8"))
DATA = json.loads((BEFORE / "data.json").read_text(encoding="utf-8"))
# what choices and values are called now
RENAMED = {
    "links": "connections",
    "left": "strength",
    "shown": "presentation",
    "the image stays": "sustained",
    "a flash of one step": "flash",
    "own": "your own",
}
MEASURING = ("Masking", "Lesions", "Sequences", "HowLong", "Changes", "Folding", "Experiment", "Brains")


def close(found, expected, **tolerance):
    np.testing.assert_allclose(found, expected, **{"rtol": 1e-3, "atol": 1e-5, **tolerance})


# measured by other estimators since, without their bias: the participation ratio, the sparseness of `spread`
OTHER_ESTIMATOR = {"dimensionality", "spread"}


def averages(result: xr.Dataset) -> dict:
    """Return the mean of the finite values of each variable."""
    found = {}
    for name, array in result.data_vars.items():
        values = np.asarray(array.values)
        if values.dtype.kind in "fiub" and "seconds" not in name:
            finite = values[np.isfinite(values)].astype(float)
            found[name] = float(finite.mean()) if finite.size else None
    return found


def same_averages(result: xr.Dataset, expected: dict, **tolerance) -> None:
    found = averages(result)
    # variables may be added
    assert set(expected) <= set(found)
    for name, value in expected.items():
        if name in OTHER_ESTIMATOR:
            continue
        if value is None:
            assert found[name] is None
        else:
            close(found[name], value, **tolerance)


@pytest.fixture(scope="module")
def digits():
    return cs.datasets.digits(30, size=16)


@pytest.fixture(scope="module")
def given(digits):
    """The subject of the saved panels, by the panel's name."""
    curves = cs.datasets.contours(24, size=16, length=(4, 6))
    own = {"model": cs.load(BEFORE / "model.safetensors"), "data": digits}
    return {
        **dict.fromkeys(("Masking", "Lesions", "Sequences", "HowLong", "Recorder"), own),
        "Changes": {"model": cs.load(BEFORE / "two.safetensors"), "data": curves},
        "Brains": {"model": own["model"]},
    }


@pytest.mark.parametrize(("name", "shown"), [("model", cs.sustained()), ("unshared", cs.flash(1))])
def test_saved_models_load_with_their_weights_and_statistics(name, shown, digits):
    model, expected = cs.load(BEFORE / f"{name}.safetensors"), NUMBERS[f"{name}.safetensors"]
    assert model.checksum() == expected["checksum"]
    recording = cs.simulate(model, digits, shown, until=4, record=[])
    close(recording["readout"]["logits"].values[:2, -1], expected["logits"])


@pytest.mark.parametrize("suffix", [".nc", ".zarr"])
def test_recordings_open(suffix, tmp_path):
    path = BEFORE / "recording.nc"
    if suffix == ".zarr":
        path = tmp_path / "recording.zarr"
        with zipfile.ZipFile(BEFORE / "recording.zarr.zip") as packed:
            packed.extractall(path)
    with cs.open_recording(path) as recording:
        expected = NUMBERS[f"recording{suffix}"]
        for state in ("V1", "IT"):
            assert float(np.nanmean(recording[state]["activation"].values.astype(float))) == expected[state]
        assert recording["readout"]["logits"].values[0, -1].tolist() == expected["logits"]
        with pytest.warns(UserWarning, match="no checksums .* unknown whether"):
            n_bytes = cs.verify(BEFORE / "recording.nc")
        assert (n_bytes if suffix == ".nc" else cs.verify(path)) == n_bytes
        assert "masked" in str(cs.summary(recording))


@pytest.mark.parametrize("name", MEASURING)
def test_saved_panels_that_measure_open_and_measure_the_same(name, given):
    saved = json.loads((BEFORE / f"{name}.json").read_text(encoding="utf-8"))
    panel = reopen(BEFORE / f"{name}.json", **given.get(name, {}))
    saved_choices = {
        RENAMED.get(key, key): RENAMED.get(value, value) if isinstance(value, str) else value
        for key, value in saved["choices"].items()
    }
    assert {key: panel.choices[key] for key in saved_choices} == {
        key: tuple(value) if isinstance(value, list) and isinstance(panel.choices[key], tuple) else value
        for key, value in saved_choices.items()
    }
    assert panel.ask.question == saved["question"]
    assert [(one["answer"], one["truth"]) for one in panel.ask.answered] == [
        (one["answer"], one["truth"]) for one in saved["told"]
    ]
    same_averages(panel.compute(), NUMBERS[f"{name}.json"])


def test_a_saved_recorder_opens_and_records_the_same(given, tmp_path):
    panel = reopen(BEFORE / "Recorder.json", **given["Recorder"])
    assert panel.choices["to"] == "recording.zarr"
    panel.choose(to=str(tmp_path / "recording.zarr"))
    same_averages(panel.compute(), NUMBERS["Recorder.json"])


def test_a_saved_panel_that_names_its_task_opens_without_being_given_a_model():
    panel = reopen(BEFORE / "Masking-contours.json")
    assert panel.ask.question == "itself"
    assert panel.subject.to_dict()["model"] == "ventral-stream-contours"


def test_a_saved_tour_shows_the_same():
    panel, expected = reopen(BEFORE / "Tour.json"), NUMBERS["Tour.json"]
    panel.wait(300)
    close(panel.recording["readout"]["logits"].values[0, -1], expected["logits"])
    assert [(one["answer"], one["truth"]) for one in panel.ask.answered] == [(2, 3)]


def test_a_saved_anatomy_shows_the_same():
    panel = reopen(BEFORE / "Anatomy.json")
    assert list(panel.reach.readable) == NUMBERS["Anatomy.json"]["readable"]
    assert [(one["answer"], one["truth"]) for one in panel.ask.answered] == [(3, 3)]


def test_a_saved_training_has_the_same_choices():
    panel = reopen(BEFORE / "Training.json")
    try:
        assert isinstance(panel, Training)
        assert panel.ask.question == "first"
        unversioned = {"schema", "version"}
        expected = {key: value for key, value in NUMBERS["Training.json"].items() if key not in unversioned}
        assert {key: panel.settings[key] for key in expected} == expected
    finally:
        panel.close()


def test_settings_are_rerun_by_command(tmp_path):
    assert main(["rerun", str(BEFORE / "rerun.json"), "--to", str(tmp_path / "again.nc")]) == 0
    with cs.open_recording(tmp_path / "again.nc") as recording:
        close(recording["readout"]["logits"].values[0, -1], NUMBERS["Tour.json"]["logits"])


def test_settings_of_a_given_model_are_rerun(given, digits):
    from cortexsim.recording._rerun import rerun

    settings = json.loads((BEFORE / "rerun-masked.json").read_text(encoding="utf-8"))
    recording = rerun(settings, model=given["Masking"]["model"], images=digits)
    close(recording["readout"]["logits"].values[0, -1], NUMBERS["rerun-masked.json"]["logits"])


def test_an_interrupted_training_resumes_to_the_same_weights(digits, tmp_path):
    expected = NUMBERS["interrupted.training.safetensors"]
    checkpoint = Path(shutil.copy(BEFORE / "interrupted.training.safetensors", tmp_path))
    torch.manual_seed(2)
    model = cs.Cortex(cs.adjacent({"V1": 2, "IT": 3}, size=16), 10, 3)
    recipe = cs.Recipe(
        epochs=4, batch_size=8, augmentation="none", validation=0.2, calibration_images=16, precision="float32"
    )
    steps = [record.step for record in cs.train(model, digits, recipe, checkpoint=checkpoint, report_every=1)]
    assert steps[0] == expected["stopped_at"] or steps[0] == expected["stopped_at"] + 1
    found = {name: float(value.detach().double().sum()) for name, value in model.named_parameters()}
    assert set(found) == set(expected["sums"])
    for name, value in expected["sums"].items():
        close(found[name], value, atol=1e-4)


def test_the_result_of_a_sweep_opens_and_its_folder_is_not_mixed_with_points_of_this_version(tmp_path, monkeypatch):
    shutil.copytree(BEFORE / "study", tmp_path / "study")
    for name in ("study.toml", "unshared.safetensors"):
        shutil.copy(BEFORE / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    same_averages(xr.load_dataset("study/result.nc", engine="h5netcdf"), NUMBERS["study"])
    with pytest.raises(ValueError, match=r"belongs to another run: version was '0\.1\.0' and is now"):
        cs.sweep("study.toml", to="study", workers=0, resume=True)


def test_a_finished_experiment_opens_and_is_resumed_without_running_again(tmp_path):
    folder = Path(shutil.copytree(BEFORE / "experiment", tmp_path / "experiment"))
    same_averages(cs.experiments.open_result(folder), NUMBERS["experiment"], rtol=1e-6)
    parts = {path: path.stat().st_mtime_ns for path in (folder / "parts").iterdir()}
    result = cs.experiments.run("equivalence", scale="smoke", to=folder, resume=True)
    same_averages(result, NUMBERS["experiment"], rtol=1e-6)
    assert {path: path.stat().st_mtime_ns for path in (folder / "parts").iterdir()} == parts


def test_all_models_of_the_data_folder_load_and_read_the_same():
    paths = {path.name: path for path in (data_folder() / "models").glob("*.safetensors")}
    before = {name: one for name, one in DATA.items() if name.endswith(".safetensors")}
    assert set(before) <= set(paths)
    for name, expected in before.items():
        model = cs.load(paths[name])
        assert model.checksum() == expected["checksum"], name
        height, width = model.graph.states[0].size
        images = torch.linspace(0, 1, 2 * 3 * height * width).reshape(2, 3, height, width)
        shown = next(iter(model.statistics.values())).presentation
        with torch.no_grad():
            logits = model.readouts(images, times=[model.readout_time], presentation=shown)
        close(logits[:, 0, :3], expected["logits"], err_msg=name)


def test_all_results_of_the_data_folder_open():
    before = {name: one for name, one in DATA.items() if name.endswith(".nc")}
    for name, expected in before.items():
        same_averages(cs.experiments.shipped(name.removesuffix(".nc")), expected, rtol=1e-6)
