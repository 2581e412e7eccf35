"""`cortexsim sweep` runs a study, tells what failed, and asks before a huge one."""

import json
import subprocess
import sys
import time

import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.cli import main
from cortexsim.sweeps import running
from cortexsim.sweeps.folder import SweepFolder
from cortexsim.sweeps.point import PointFailedError
from cortexsim.sweeps.point import measure as point_measure


@pytest.fixture
def study(tmp_path):
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 2, "IT": 3}, size=16)
    model = cs.Cortex(graph, n_classes=10, readout_time=3).eval()
    cs.calibrate(model, torch.rand(8, 3, 16, 16), until=3)
    model.classes = [str(digit) for digit in range(10)]
    cs.save(model, tmp_path / "model.safetensors")
    path = tmp_path / "study.toml"
    path.write_text(
        f'models = ["{tmp_path / "model.safetensors"}"]\ndata = "digits"\nuntil = 3\nn = 4\nseeds = [0, 1]\n'
    )
    return path


@pytest.fixture
def command(study, tmp_path):
    return ["sweep", str(study), "--to", str(tmp_path / "out"), "--workers", "0"]


def test_the_command_runs_a_study_and_resumes_it_when_it_has_grown(command, study, tmp_path, capsys):
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "2/2 " in printed
    assert f"2 of 2 points are done: {tmp_path / 'out' / 'result.nc'}" in printed
    study.write_text(study.read_text().replace("[0, 1]", "[0, 1, 2]"))
    assert main(command) == 1
    assert "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert "2 of 3 points are already done" in capsys.readouterr().out
    assert (xr.load_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf")["status"] == 1).all()


def test_failed_points_are_reported_with_their_settings_after_all_others(command, study, monkeypatch, capsys):
    def measure(point, base, recording=None):
        if point.chosen["noise"]:
            raise PointFailedError("the disk was busy")
        return point_measure(point, base, recording)

    monkeypatch.setattr(running, "measure", measure)
    study.write_text(study.read_text() + "noise = [0.0, 0.5]\n")
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "2 of 4 points are done" in printed.out
    assert "2 points failed, the first (" in printed.err
    assert "flash, seed 0) with: the disk was busy" in printed.err
    assert "failures.json" in printed.err


def test_a_typo_is_reported_in_one_sentence_with_its_line(command, study, capsys):
    study.write_text(study.read_text() + "sed = [1]\n")
    assert main(command) == 1
    printed = capsys.readouterr().err
    assert "line 6: unknown setting 'sed'" in printed
    assert "Traceback" not in printed


def test_a_huge_grid_is_asked_about(command, study, tmp_path, monkeypatch, capsys):
    study.write_text(study.read_text() + f"noise = {[k / 100 for k in range(6000)]}\n")
    assert main(command) == 1
    assert "has 12,000 points (2 seeds x 6,000 noises), more than 10,000; to run them all" in capsys.readouterr().err
    asked = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "n")
    assert main(command) == 1
    assert asked == ["the grid has 12,000 points; run them all? [y/N] "]
    assert not (tmp_path / "out").exists()


def test_simulate_records_less_of_a_state_where_that_is_asked_for(study, tmp_path):
    command = f"simulate {study.parent / 'model.safetensors'} digits --n 4 --until 3 --to {tmp_path / 'a.zarr'}"
    assert main([*command.split(), "--record", "V1:spatial_mean,IT:0+7"]) == 0
    with cs.open_recording(tmp_path / "a.zarr") as recording:
        assert recording["V1"]["activation"].dims == ("stimulus", "time", "channel")
        assert recording["IT"]["unit"].values.tolist() == [0, 7]


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and a worker, each a process of its own: the scheduler's address, and the scheduler."""
    where, processes = tmp_path / "scheduler.json", []
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    processes.append(
        subprocess.Popen([*begin, "--no-dashboard", "--scheduler-file", str(where)], stderr=subprocess.DEVNULL)
    )
    begin = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(where), "--no-nanny"]
    options = ["--nthreads", "1", "--no-dashboard"]
    while not where.exists():
        time.sleep(0.1)
    processes.append(subprocess.Popen([*begin, *options], stderr=subprocess.DEVNULL))
    yield json.loads(where.read_text())["address"], processes[0]
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(900)  # a process loads torch, which takes a while where others work, too
@pytest.mark.parametrize("all_computed", [False, True])
def test_a_lost_scheduler_is_reported_and_finished_points_are_kept(
    command, study, cluster, tmp_path, monkeypatch, capsys, all_computed
):
    address, scheduler = cluster
    study.write_text(study.read_text().replace("[0, 1]", str(list(range(16)))))
    monkeypatch.setattr(running, "SECONDS_TO_CONNECT", 5.0)
    kept, keep = [], SweepFolder.keep_point

    def keep_and_kill(self, point, measured):
        keep(self, point, measured)
        kept.append(point.key)
        if len(kept) == 2:
            # what was computed by then lies with the worker, and waits to be fetched
            time.sleep(10 if all_computed else 0)
            scheduler.kill()

    monkeypatch.setattr(SweepFolder, "keep_point", keep_and_kill)
    assert main([*command[:-2], "--scheduler", address]) == 1
    printed = capsys.readouterr().err
    assert "the dask scheduler is gone; finished points are kept, and resume=True (--resume) continues" in printed
    assert "unexpected" not in printed
    points = {file.stem for file in (tmp_path / "out" / "points").glob("*.nc")}
    assert points == set(kept)
    assert 2 <= len(kept) < 16
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "points").glob("*.nc")}
    assert main([*command, "--resume"]) == 0
    assert f"{len(before)} of 16 points are already done" in capsys.readouterr().out
    assert (xr.load_dataset(tmp_path / "out" / "result.nc", engine="h5netcdf")["status"] == 1).all()
    # never done again
    assert all(file.stat().st_mtime_ns == when for file, when in before.items())
