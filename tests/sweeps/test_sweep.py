"""A sweep keeps every finished point, and a point that fails does not stop the others."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image

import cortexsim as cs
from cortexsim.sweeps import running
from cortexsim.sweeps.point import PointFailedError
from cortexsim.sweeps.point import measure as point_measure
from cortexsim.sweeps.study import read_study

PRESENTATIONS = ["flash", "masked:1:2"]


@pytest.fixture
def study(tmp_path) -> dict:
    """Two points of a tiny model that was calibrated for a flash and a mask."""
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 2, "IT": 3}, size=16)
    model = cs.Cortex(graph, n_classes=10, readout_time=3).eval()
    for presentation in (cs.flash(1), cs.masked(1, 2)):
        cs.calibrate(model, torch.rand(8, 3, 16, 16), presentation, until=4)
    model.classes = [str(digit) for digit in range(10)]
    cs.save(model, tmp_path / "model.safetensors")
    own = {"models": [str(tmp_path / "model.safetensors")], "data": "digits", "until": 3, "n": 6}
    return {**own, "presentations": PRESENTATIONS}


@pytest.fixture
def run(tmp_path):
    """Sweep in this process, and return the result and what was reported."""

    def swept(study, **changes):
        reported = []
        how = {"to": tmp_path / "out", "workers": 0, "report": lambda fraction, line: reported.append(line), **changes}
        return cs.sweep(study, **how), reported

    return swept


def test_each_point_is_what_simulate_gives(study, run, tmp_path):
    result, reported = run(study | {"seeds": [0, 5]})
    model = cs.load(study["models"][0])
    shown = cs.datasets.digits(6, part="test", seed=5, size=16)
    recording = cs.simulate(model, shown, cs.masked(1, 2), until=3, seed=5, record=[])
    expected = cs.analyse.accuracy(recording["readout"])
    found = result.sel(seed=5, presentation="masked:1:2").squeeze()
    for name in ("low", "high"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_array_equal(found["accuracy"], expected)
    assert result["accuracy"].attrs["interval"] == "95 % Wilson interval over 6 stimuli"
    assert result["accuracy"].dims == ("model", "seed", "presentation", "noise", "silence", "time")
    assert (result["status"] == 1).all()
    assert reported[-1].startswith("4/4 ")
    assert " left" in reported[0]
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf"), result)


def test_noise_silence_and_own_statistics_are_dimensions_and_settings(study, run):
    more = {"noise": [0.0, 0.5], "silence": ["none", "feedback:2"], "calibrate_on": 8, "presentations": ["sustained"]}
    result, _ = run(study | more)
    assert (result["status"] == 1).all()
    model = cs.load(study["models"][0])
    training = cs.datasets.digits(8, part="train", seed=0, size=16)
    statistics = cs.calibrate(model, training, cs.sustained(), until=3, keep=False)
    shown = cs.datasets.digits(6, part="test", size=16)
    how = {"statistics": statistics, "noise": 0.5, "silence": {"feedback": [2]}, "record": []}
    recording = cs.simulate(model, shown, cs.sustained(), until=3, **how)
    found = result["accuracy"].sel(noise=0.5, silence="feedback:2").squeeze()
    np.testing.assert_array_equal(found, cs.analyse.accuracy(recording["readout"]))


def test_finished_points_are_not_done_again_and_a_study_may_grow(study, run, monkeypatch):
    first, _ = run(study)
    done = []
    measured = running.measure
    monkeypatch.setattr(running, "measure", lambda point, *given: done.append(point) or measured(point, *given))
    more, reported = run(study | {"seeds": [0, 1]}, resume=True)
    assert reported[0] == "2 of 4 points are already done"
    xr.testing.assert_equal(more.sel(seed=[0]), first)
    assert (more["status"] == 1).all()
    again, reported = run(study | {"seeds": [0, 1]}, resume=True)
    assert reported == ["4 of 4 points are already done"]
    xr.testing.assert_identical(again, more)


def test_a_stopped_sweep_keeps_its_finished_points_and_resumes(study, run, tmp_path):
    def stop(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(study, report=stop)
    kept = xr.load_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf")
    assert sorted(kept["status"].values.ravel().tolist()) == [0, 1]
    result, reported = run(study, resume=True)
    assert reported[0] == "1 of 2 points are already done"
    assert (result["status"] == 1).all()


def failing_for(presentation):
    """Measure a point unless it has a presentation."""

    def measure(point, base, recording=None):
        if point.chosen["presentation"] == presentation:
            raise PointFailedError("the disk was busy")
        return point_measure(point, base, recording)

    return measure


def test_a_point_that_fails_is_reported_with_its_settings_and_does_not_stop_the_others(
    study, run, tmp_path, monkeypatch
):
    monkeypatch.setattr(running, "measure", failing_for("flash"))
    result, reported = run(study)
    assert result["status"].squeeze().values.tolist() == [2, 1]
    assert np.isnan(result["accuracy"].sel(presentation="flash")).all()
    [failed] = json.loads((tmp_path / "out" / "failures.json").read_text())
    assert failed["presentation"] == "flash"
    assert failed["error"] == "the disk was busy"
    assert any("flash: FAILED: " in line for line in reported)
    assert result.attrs["failed"] == 1
    # what failed is tried again
    _, reported = run(study, resume=True)
    assert reported[0] == "1 of 2 points are already done"
    assert "FAILED" in reported[1]


def test_each_point_is_watched_as_it_starts_and_ends(study, run, monkeypatch):
    monkeypatch.setattr(running, "measure", failing_for("flash"))
    seen = []
    result, _ = run(study, watch=lambda *given: seen.append(given))
    assert [point.chosen["presentation"] for point, _ in seen] == ["flash", "flash", "masked:1:2", "masked:1:2"]
    assert [type(outcome) for _, outcome in seen] == [type(None), str, type(None), xr.Dataset]
    np.testing.assert_array_equal(seen[3][1]["accuracy"], result["accuracy"].sel(presentation="masked:1:2").squeeze())
    # what was finished before comes first, and is not started
    again = []
    run(study, resume=True, watch=lambda point, outcome: again.append((point.chosen["presentation"], type(outcome))))
    assert again == [("masked:1:2", xr.Dataset), ("flash", type(None)), ("flash", str)]


def test_one_process_needs_no_dask(study, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result, _ = run(study)
    assert (result["status"] == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"silence": ["none", "V9->V1"]}, r"the silence 'V9->V1' can run: unknown transition 'V9->V1'"),
        ({"silence": ["IT->V1:9"]}, r"the silence 'IT->V1:9' can run: .*IT->V1"),
        (
            {"presentations": ["flash", "sustained"]},
            "the presentation 'sustained' can run: .* calibrate_on = 500 takes",
        ),
        ({"record": "V9"}, r"the model '.*' can run: cannot record \['V9'\]"),
        ({"until": 9}, r"the presentation 'flash' can run: these statistics end at time 4"),
        ({"data": "contours"}, r"the model '.*' can run: .*\['different', 'same'\] are none of the model's"),
    ],
)
def test_what_no_point_can_run_is_refused_before_the_first(study, run, tmp_path, change, message):
    with pytest.raises(ValueError, match=f"no point with {message}"):
        run(study | change)
    assert not (tmp_path / "out").exists()


def test_a_readout_that_no_point_can_read_is_refused(run):
    study = {"models": ["digits-tiny"], "data": "digits", "n": 2}
    with pytest.raises(ValueError, match="nothing reaches IT until t = 1, so there is nothing to read out"):
        run(study | {"until": 1})
    with pytest.raises(ValueError, match="'tracer' can run: its readout is a map"):
        run(study | {"until": 12, "models": ["tracer"]})


def test_a_readout_that_is_empty_again_is_said_in_words(run, tmp_path):
    graph = cs.adjacent({"V1": 2, "IT": 3}, size=16, self_transitions=False).without("IT->V1")
    path = tmp_path / "passing.safetensors"
    cs.save(cs.Cortex(graph, 10, 2, normalization="none"), path)  # what is flashed has left it at time 2
    result, reported = run({"models": [str(path)], "data": "digits", "until": 2, "n": 4})
    assert result["accuracy"].isel(time=-1).isnull().all()
    assert reported[-1].endswith("flash: nothing to read out at t = 2; done")


def test_a_folder_of_images_is_counted_before_the_first_point(study, run, tmp_path):
    for digit in range(10):
        (tmp_path / "images" / str(digit)).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(tmp_path / "images" / str(digit) / "1.png")
    own = study | {"data": str(tmp_path / "images"), "n": 11}
    with pytest.raises(ValueError, match="has 10 test images, but the study asks for 11"):
        run(own)
    result, _ = run(own | {"n": 10})
    assert (result["status"] == 1).all()


def test_points_that_cannot_run_are_reported_before_the_others_run(study, run, tmp_path):
    graph = cs.adjacent({"V1": 2, "IT": 3}, size=16, feedback=False)
    model = cs.Cortex(graph, n_classes=10, readout_time=3, normalization="none")
    model.classes = [str(digit) for digit in range(10)]
    cs.save(model, tmp_path / "feedforward.safetensors")
    both = {"models": [*study["models"], str(tmp_path / "feedforward.safetensors")], "silence": ["none", "IT->V1"]}
    seen = []
    result, reported = run(study | both | {"presentations": ["flash"]}, watch=lambda *given: seen.append(given))
    assert seen[0][1].startswith("unknown transition")
    assert reported[0].startswith("1 of 4 points cannot run, such as ")
    assert "unknown transition 'IT->V1'" in reported[0]
    assert result["status"].squeeze().values.tolist() == [[1, 1], [1, 2]]


def failing_at_first(tmp_path):
    """Measure a point only if a file says that it was tried before."""

    def measure(point, base, recording=None):
        mark = tmp_path / f"tried-{point.key}"
        if not mark.exists():
            mark.touch()
            raise PointFailedError("the disk was busy")
        return point_measure(point, base, recording)

    return measure


@pytest.mark.parametrize(("retries", "status"), [(0, 2), (1, 1)])
def test_a_point_that_fails_is_tried_again_as_often_as_asked(study, run, tmp_path, monkeypatch, retries, status):
    monkeypatch.setattr(running, "measure", failing_at_first(tmp_path))
    result, reported = run(study, retries=retries)
    assert (result["status"] == status).all()
    assert any("FAILED: the disk was busy" in line for line in reported) == (status == 2)


def test_a_worker_raises_what_went_wrong_so_that_dask_can_try_again(study, tmp_path):
    (point, _) = read_study(study | {"presentations": ["sustained", "flash"]}).points()
    with pytest.raises(PointFailedError, match="calibrate_on = 500 takes them on training images"):
        point_measure(point, tmp_path)


@pytest.mark.parametrize(
    ("gigabytes", "n_points", "workers"), [(100.0, 100, 8), (100.0, 3, 3), (3.7, 100, 3), (0.1, 100, 1)]
)
def test_as_many_workers_are_started_as_cores_points_and_free_memory_allow(monkeypatch, gigabytes, n_points, workers):
    monkeypatch.setattr(running.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(running, "available", lambda: int(1e9 * gigabytes))
    # a worker takes 1.2 GB
    assert running._fitting(n_points) == workers


def test_recordings_are_kept_where_they_are_asked_for(study, run, tmp_path):
    run(study | {"record": "V1:spatial_mean"})
    paths = sorted((tmp_path / "out" / "recordings").iterdir())
    assert len(paths) == 2
    for path in paths:
        with cs.open_recording(path) as recording:
            assert recording["V1"]["activation"].dims == ("stimulus", "time", "channel")


# --- refused -------------------------------------------------------------------------------------------------------


def test_a_million_points_are_refused_before_anything_starts(study, run, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "connected", None)
    huge = study | {"seeds": list(range(1000)), "noise": [k / 1000 for k in range(500)]}
    with pytest.raises(ValueError, match=r"has 1,000,000 points \(1,000 seeds x 2 presentations x 500 noises\).*--yes"):
        run(huge)
    assert not (tmp_path / "out").exists()


def test_an_unreachable_scheduler_is_reported(study, run, monkeypatch):
    monkeypatch.setattr(running, "SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(
        ConnectionError, match=r"no dask scheduler answers at 'tcp://127.0.0.1:9' within .*dask scheduler"
    ):
        run(study, workers=None, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(ConnectionError, match="no dask scheduler answers at 'nonsense'"):
        run(study, workers=None, scheduler="nonsense", resume=True)


def test_any_cluster_can_be_used_by_its_address(study, run):
    from distributed import LocalCluster

    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as cluster:
        result, _ = run(study, workers=None, scheduler=cluster.scheduler_address)
    assert (result["status"] == 1).all()


def test_a_damaged_finished_point_is_reported(study, run, tmp_path):
    run(study)
    file = next((tmp_path / "out" / "points").iterdir())
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=rf"{file.name} is damaged .*remove it to run this part again"):
        run(study, resume=True)
    file.unlink()
    result, reported = run(study, resume=True)
    assert reported[0] == "1 of 2 points are already done"
    assert (result["status"] == 1).all()


def test_another_study_in_the_folder_is_refused(study, run, tmp_path):
    run(study)
    with pytest.raises(FileExistsError, match="exists already; continue it with resume=True"):
        run(study)
    with pytest.raises(ValueError, match=r"belongs to another run: until was 3 and is now 4; .*seeds.* may grow"):
        run(study | {"until": 4}, resume=True)
    (tmp_path / "out" / "study.json").write_text("[")
    with pytest.raises(ValueError, match=r"study\.json is damaged"):
        run(study, resume=True)
    (tmp_path / "out" / "study.json").unlink()
    with pytest.raises(ValueError, match=r"is not the folder of a study: it has no study\.json"):
        run(study, resume=True)


def test_a_second_process_is_refused(study, run, tmp_path):
    from cortexsim.sweeps.folder import SweepFolder

    folder = SweepFolder(tmp_path / "out", read_study(study), resume=False)
    with folder, pytest.raises(BlockingIOError, match="is being written by another process"):
        run(study, resume=True)
    run(study, resume=True)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"workers": -1}, "workers must be a whole number, at least 0, got -1"),
        ({"workers": 1, "scheduler": "tcp://here:1"}, "a scheduler has its own: give one of the two"),
    ],
)
def test_workers_that_cannot_be_are_refused(study, run, how, message):
    with pytest.raises(ValueError, match=message):
        run(study, **how)


# --- processes -----------------------------------------------------------------------------------------------------

DYING = """
import os, sys
from pathlib import Path
import cortexsim as cs
from cortexsim.sweeps import running
from cortexsim.sweeps.point import PointFailedError
from cortexsim.sweeps.point import measure as point_measure
from cortexsim.sweeps.point import measure

def dying(point, base, recording=None):
    # the first time a worker takes this point, it is killed
    mark = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(os.environ["MARK"])
    if point.chosen["presentation"] == "flash" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    return measure(point, base, recording)

if __name__ == "__main__":
    import json
    running.measure = dying
    result = cs.sweep(json.loads(os.environ["STUDY"]), to=sys.argv[1], workers=1, report=print)
    print("status", *result["status"].values.ravel().tolist())
"""


@pytest.mark.slow
@pytest.mark.timeout(900)  # a process loads torch, which takes a while where others work, too
def test_a_worker_that_is_killed_is_replaced_and_its_point_tried_again(study, tmp_path):
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    mark = tmp_path / "killed"
    # as slow to start as on a busy machine
    slow = {"DASK_DISTRIBUTED__WORKER__PRELOAD": "['import time; time.sleep(17)']"}
    where = {**os.environ, **slow, "STUDY": json.dumps(study), "MARK": str(mark)}
    command = [sys.executable, str(script), str(tmp_path / "out")]
    done = subprocess.run(command, env=where, capture_output=True, text=True, timeout=800)
    assert mark.exists()
    assert done.returncode == 0, done.stderr
    assert "status 1 1" in done.stdout


UNGUARDED = """
import sys, os, json
import cortexsim as cs
cs.sweep(json.loads(os.environ["STUDY"]), to=sys.argv[1], workers=1)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)  # a process loads torch, which takes a while where others work, too
def test_a_script_without_its_guard_is_refused(study, tmp_path):
    script = tmp_path / "unguarded.py"
    script.write_text(UNGUARDED)
    where = {**os.environ, "STUDY": json.dumps(study)}
    command = [sys.executable, str(script), str(tmp_path / "out")]
    done = subprocess.run(command, env=where, capture_output=True, text=True, timeout=800)
    assert done.returncode == 1
    assert "no process could be started on this machine" in done.stderr
    assert "under `if __name__ == '__main__':`" in done.stderr


KILLED = """
import os, sys, json
import cortexsim as cs

def report(fraction, line):
    print(line, flush=True)

cs.sweep(json.loads(os.environ["STUDY"]), to=sys.argv[1], workers=0, report=report)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)  # a process loads torch, which takes a while where others work, too
def test_a_sweep_that_is_killed_resumes(study, run, tmp_path):
    study = study | {"seeds": list(range(20))}
    where = {**os.environ, "STUDY": json.dumps(study)}
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out")]
    process = subprocess.Popen(command, env=where, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    n = len(list((tmp_path / "out" / "points").glob("*.nc")))
    assert 1 <= n < 40
    result, reported = run(study, resume=True)
    assert reported[0] == f"{n} of 40 points are already done"
    assert (result["status"] == 1).all()
