"""The panel that records to disk: it writes what simulate writes, resumes after a stop, and reports sizes."""

import copy
import re

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim._support.progress import duration
from cortexsim.explore.studies import recorder


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 6)
    data = cs.datasets.digits(60, size=16)
    cs.calibrate(model, data, cs.sustained(), until=5)
    return {"model": model, "data": data, "n": 60}


@pytest.fixture
def panel(given, tmp_path, monkeypatch):
    monkeypatch.setattr(recorder, "BATCH", 20)
    made = cs.explore.Recorder(**given, to=str(tmp_path / "recording.zarr"))
    made.choose(until=5)
    return made


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(240)
    assert panel.error is None
    return panel.result


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_the_recording_on_disk_has_the_numbers_of_one_in_memory(panel, given, tmp_path):
    result = measured(panel)
    recording = cs.simulate(given["model"], given["data"], cs.sustained(), until=5, dtype="float16", batch_size=20)
    assert result["accuracy"].values[2:].tolist() == cs.analyse.accuracy(recording["readout"]).values[2:].tolist()
    for name in ("V1", "IT"):
        values = recording[name]["activation"].values.astype(float)
        np.testing.assert_allclose(result["spread"].sel(state=name), values.std((0, 2, 3, 4)), rtol=1e-3)
    on_disk = sum(len(content) for content in contents(tmp_path / "recording.zarr").values())
    assert result.attrs["bytes_on_disk"] == on_disk
    assert result.attrs["bytes_in_memory"] == sum(
        recording[name][what].nbytes for name, what in (("V1", "activation"), ("V2", "activation"))
    ) + (recording["IT"]["activation"].nbytes + recording["readout"]["logits"].nbytes)
    assert list(panel.figures) == ["accuracy", "spread"]


def test_a_cancelled_recording_resumes_to_the_same_bytes(panel, given, tmp_path, monkeypatch):
    simulate = recorder.simulate

    def cancelled(*args, report, **kwargs):
        def cancelling(fraction, message):
            if fraction > 0.5:
                panel.cancel()
            report(fraction, message)

        return simulate(*args, report=cancelling, **kwargs)

    monkeypatch.setattr(recorder, "simulate", cancelled)
    panel.run()
    panel.wait(240)
    assert panel.words.value == "cancelled: 40 of 60 images are on disk; «record or resume» resumes there"
    with pytest.raises(ValueError, match="40 of 60 stimuli were written"):
        cs.open_recording(tmp_path / "recording.zarr")
    monkeypatch.setattr(recorder, "simulate", simulate)
    measured(panel)
    cs.simulate(
        given["model"],
        given["data"],
        cs.sustained(),
        until=5,
        dtype="float16",
        batch_size=20,
        to=tmp_path / "whole.zarr",
    ).close()
    assert contents(tmp_path / "recording.zarr") == contents(tmp_path / "whole.zarr")


def test_a_different_recording_at_the_same_path_is_refused_in_the_panel(panel):
    measured(panel)
    panel.choose(until=2)
    panel.run()
    panel.wait(240)
    assert isinstance(panel.error, FileExistsError)
    assert (
        "was made with another choice of «last time»; choose a different path or remove it first" in panel.notice.value
    )


def test_the_size_in_memory_and_the_time_are_said_before_a_run(panel):
    panel.choose(until=4)
    few = panel.words.value
    assert re.fullmatch(r"this needs [\d.]+ MB in memory and about [1-9]\d* s", few)
    panel._seconds_a_step = 1.0
    panel.choose(until=5)
    assert panel.words.value.endswith(f"and about {duration(6 * panel.choices['n'])}")
    panel.choose(until=4)
    panel.choose(dtype="float32")
    assert float(panel.words.value.split()[2]) == pytest.approx(2 * float(few.split()[2]), rel=0.2)


def test_an_empty_path_and_one_that_is_too_long_are_refused_before_the_run(panel):
    panel.choose(to="")
    assert panel.button.disabled
    assert "«to» must not be empty" in panel.words.value
    panel.choose(to="long" * 100)
    assert "in «to» has 400 bytes" in panel.words.value
    assert "Errno" not in panel.words.value


def test_only_zarr_is_streamed_to_disk(panel):
    panel.choose(to="mine.nc")
    assert panel.button.disabled
    assert "must end in .zarr, the format that is streamed to disk, got &#x27;mine.nc&#x27;" in panel.words.value


def test_a_recording_without_any_area_is_refused_before_it_runs(panel):
    panel.choose(record=())
    assert panel.button.disabled
    assert "tick one under «areas»" in panel.words.value


def test_settings_open_the_panel_again_on_the_same_recording(panel, given):
    result = measured(panel, record=("IT",))
    again = cs.explore.reopen(panel.settings, model=given["model"], data=given["data"])
    assert again.settings == panel.settings
    assert again.compute().equals(result)


def test_without_a_path_each_panel_records_to_a_temporary_folder_of_its_own(given):
    one, other = cs.explore.Recorder(**given), cs.explore.Recorder(**given)
    assert one.choices["to"] != other.choices["to"]
    assert measured(one, record=("IT",), until=5).sizes == {"time": 6, "state": 1}


def without_labels(data):
    return data.drop_vars("label")


def of_other_classes(data):
    return data.assign_coords(label=("stimulus", [0] * data.sizes["stimulus"])).assign_attrs(classes='["cat"]')


@pytest.mark.filterwarnings("ignore:.*recorded as names")
@pytest.mark.parametrize("change", [without_labels, of_other_classes])
def test_images_without_a_class_of_the_model_are_recorded_without_an_accuracy(given, tmp_path, change):
    model = copy.deepcopy(given["model"])
    model.classes = [str(digit) for digit in range(10)]
    panel = cs.explore.Recorder(model=model, data=change(given["data"]), n=4, to=str(tmp_path / "own.zarr"))
    result = measured(panel, until=3)
    assert set(result.data_vars) == {"spread"}
    assert list(panel.draw(result)) == ["spread"]
    assert cs.open_recording(tmp_path / "own.zarr")["readout"].sizes["stimulus"] == 4
