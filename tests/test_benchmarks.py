"""The benchmarks compare things that compute the same, and print what they found; what they time is not tested."""

import io
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from PIL import Image
from torch.nn import functional as F

import cortexsim as cs
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.convolutions import of_layers, of_schedule
from benchmarks.device import images, plan
from benchmarks.device import tracer as tracer_step
from benchmarks.device.plan import STEPS
from benchmarks.device.states import make_folders
from benchmarks.device.work import Work
from benchmarks.machine import Setting
from benchmarks.recording import with_hooks
from benchmarks.table import markdown

QUICK = Setting(quick=True)
ROOT = Path(__file__).parents[1]


@pytest.fixture(params=["full", "adjacent"])
def model(request, pictures) -> cs.Cortex:
    torch.manual_seed(0)
    build = {"full": cs.fully_recurrent, "adjacent": cs.adjacent}[request.param]
    model = cs.Cortex(build({"V1": 3, "V2": 4, "IT": 5}, size=8), 3, readout_time=4).double().eval()
    cs.calibrate(model, pictures, until=4)
    return model


def test_the_naive_loop_reads_out_what_the_model_does(model, pictures):
    times = model.readable(cs.flash(1), 4)
    with torch.no_grad():
        expected = model.readouts(pictures, times)
        torch.testing.assert_close(NaiveLoop(model)(pictures, times), expected, rtol=0, atol=1e-10)


def test_the_naive_loop_learns_what_the_model_does(model, pictures):
    model.train()
    naive, labels = NaiveLoop(model), torch.arange(6) % 3
    for classify in (lambda: model(pictures), lambda: naive(pictures, [4])[0]):
        F.cross_entropy(classify(), labels).backward()
    assert model.weights
    for key, kernel in model.weights.items():
        name, which = key.split(":")
        theirs = naive.transitions[name.replace("->", "_")].convolutions[int(which)].weight
        torch.testing.assert_close(theirs.grad, kernel.grad, rtol=0, atol=1e-10)
    torch.testing.assert_close(naive.pre.weight.grad, model.pre.weight.grad, rtol=0, atol=1e-10)


def test_hooks_find_in_the_naive_loop_what_simulate_records(model, pictures):
    recording = cs.simulate(model, pictures, until=4, dtype="float64")
    found = with_hooks(NaiveLoop(model), pictures, [4])
    for state in model.graph.state_names:
        activation = recording[state]["activation"].transpose("time", "stimulus", ...).values
        populated = recording[state]["populated"].values
        torch.testing.assert_close(torch.tensor(found[state]), torch.tensor(activation[populated]), rtol=0, atol=1e-10)


def test_the_convolutions_alone_are_those_that_the_flops_are_counted_for():
    model = QUICK.model("quick", "full", 5)
    planned = cs.schedule(model.graph, 5)
    # a transposed convolution multiplies each of its inputs, another each of its outputs, by a kernel
    counted = 0
    for x, kernel, run in of_schedule(model, planned, 1):
        multiplied = x if run.keywords["convolution"].transposed else run(x, kernel)
        counted += multiplied[0].numel() * kernel[0].numel()
    assert counted == planned.multiply_adds
    resnet = MatchedResNet((4, 4, 4), 16, 10**6)
    works = of_layers(resnet, torch.rand(1, 3, 16, 16))
    stem = 27 * 4 * 16 * 16
    assert sum(run(x, kernel).numel() * kernel[0].numel() for x, kernel, run in works) == resnet.multiply_adds - stem


def test_the_naive_loop_runs_every_populated_transition_and_the_schedule_fewer():
    model = QUICK.model("quick", "full", 5)
    planned = cs.schedule(model.graph, 5)
    # at time 1 only V1 is populated, at time 5 only IT is read
    assert len(planned) == 3 + 3 * 9 + 3
    pre_net = multiply_adds(model, planned) - planned.multiply_adds
    every = sum(model.graph.multiply_adds(t.name) for t in model.graph.transitions)
    first = sum(model.graph.multiply_adds(t.name) for t in model.graph.transitions if t.source == "V1")
    assert multiply_adds(model, until=5) == pre_net + first + 4 * every


@pytest.mark.parametrize("size", ["small", "mid"])
@pytest.mark.parametrize("links", ["full", "adjacent"])
def test_the_resnet_takes_the_models_multiplications_within_a_block(size, links):
    setting = Setting()
    features = {"small": (16, 32, 64), "mid": (64, 128, 256)}[size]
    planned = cs.schedule(setting.graph(size, links), 5)
    resnet = MatchedResNet(features, 32, planned.multiply_adds)
    assert resnet.multiply_adds == pytest.approx(planned.multiply_adds, rel=0.1)
    assert {layer.out_channels for layer in resnet.modules() if isinstance(layer, torch.nn.Conv2d)} == {*features}


def test_the_sides_take_turns_and_the_first_round_does_not_count():
    calls: list[str] = []
    sides = [Side(name, lambda name=name: calls.append(name), flops=flops) for name, flops in (("a", 2.0), ("b", 4.0))]
    rows = compare(Setting(rounds=3), sides, peak=1e9)
    assert calls == ["a", "b"] * 4
    assert [row["side"] for row in rows] == ["a", "b"]
    assert rows[0]["ratio"] == rows[0]["speed"] == 1
    assert rows[1]["speed"] == pytest.approx(2 / rows[1]["ratio"])
    assert all(row["ms_low"] <= row["ms"] <= row["ms_high"] for row in rows)


@pytest.mark.benchmark
@pytest.mark.parametrize("name", [*BENCHMARKS, "large", "kills"])
def test_a_benchmark_runs_through_and_prints_its_table(name, tmp_path, capsys):
    assert main([name, "--quick", "--json", str(tmp_path / "numbers.json")]) == 0
    printed = capsys.readouterr().out
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert numbers["machine"]["threads"] == 1
    assert numbers[name]
    for title, rows in numbers[name].items():
        assert title in printed
        assert len(rows) > 1
        assert all(row["side"] in printed for row in rows)


def row(side: str, **found) -> dict[str, object]:
    return {"side": side, "ms": 10.0, "ratio": 1.0, "gflop_s": 30.0, "of_peak": 0.6, **found}


def test_the_table_of_the_documentation_has_the_numbers_of_a_run():
    machine = {"device": "a CPU", "cpu_capability": "AVX2", "threads": 1, "torch": "2.15", "date": "2026-11-28"}
    machine |= {"load_at_start": 0.1, "clock": "processor time", "precisions": ["float32", "bfloat16"]}
    sides = [row("cortexsim, float32"), row("ResNet of the same FLOPs, float32", gflop_s=40.0)]
    sides += [row("cortexsim, bfloat16", gflop_s=90.0), row("ResNet of the same FLOPs, bfloat16", gflop_s=100.0)]
    sides += [row("naive loop, float32", ratio=1.3)]
    growing = {"growth with time, small, full, 3 states": [row("T = 5", ms=10.0), row("T = 20", ms=42.0)]}
    training = {"training step, small, full, T = 5": sides, "training step, mid, adjacent, T = 5": sides}
    training["training step, small, full, T = 20: memory for time"] = [row("everything kept"), row("recomputed")]
    results = {
        "machine": machine,
        "training": training,
        "growth": growing | {"growth with states, small, full, T = 5": [row("2 states")]},
    }
    first, _, head, _, *rows = markdown(results).splitlines()
    assert first.startswith("a CPU (AVX2), 1 thread(s), torch 2.15, 2026-11-28, load 0.1 before the start")
    assert head == "| figure | small, full | mid, adjacent |"
    assert rows == [
        "| training step: time of the naive loop over cortexsim's | 1.30 | 1.30 |",
        "| training step: FLOP/s over a ResNet's of the same FLOPs | 0.75; 0.90 | 0.75; 0.90 |",
        "| training step: share of the best convolution | 60 % | 60 % |",
        "| time at T = 20 over T = 5 | 4.2 |  |",
    ]


@pytest.mark.benchmark
def test_the_table_of_the_documentation_is_made_by_one_command(tmp_path):
    assert main(["table", "--quick", "--to", str(tmp_path / "table.md")]) == 0
    assert len((tmp_path / "table.md").read_text().splitlines()) > 12


# --- the plan for a GPU ----------------------------------------------------------------------------------------------

# a compute node has torch, numpy, xarray, pandas and pytest, and little else
BARE = """
import sys
from importlib.machinery import PathFinder

ABSENT = {
    "anywidget", "dask", "distributed", "h5netcdf", "h5py", "hypothesis", "IPython", "ipywidgets", "netCDF4",
    "numcodecs", "PIL", "plotly", "psutil", "rsatoolbox", "safetensors", "scipy", "sklearn", "torchvision", "tqdm",
    "xdist", "zarr",
}

class WithoutThem:
    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches

    @staticmethod
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in ABSENT else PathFinder.find_spec(name, path, target)

sys.meta_path = [WithoutThem if finder is PathFinder else finder for finder in sys.meta_path]
"""


@pytest.mark.benchmark
@pytest.mark.browser
def test_the_live_page_is_timed_in_a_browser(capsys):
    assert main(["live", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "steps a second, fastest tenth" in printed
    assert "a step of the tracer at 48x48 px, median (ms)" in printed


@pytest.mark.slow
@pytest.mark.timeout(900)  # half a minute of work, which takes longer where other processes work too
def test_the_plan_for_a_gpu_runs_on_a_bare_machine(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(BARE)
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "device",
        "--device",
        "cpu",
        "--quick",
        "--minutes",
        "14",
        "--to",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {step.name: json.loads((tmp_path / "out" / f"{step.name}.json").read_text()) for step in STEPS}
    assert {name: one["status"] for name, one in found.items()} == dict.fromkeys(found, "done")
    # a CPU has no CUDA graphs and no limit of memory: these tests are skipped, and the others pass
    outcomes = [test["outcome"] for test in found["checks"]["tests"].values()]
    assert "failed" not in outcomes
    assert outcomes.count("passed") > outcomes.count("skipped")
    assert all(len(rows) > 0 for rows in found["speed"]["tables"].values())
    assert not any(row["side"] == "failed" for rows in found["speed"]["tables"].values() for row in rows)
    (training,) = found["cifar10"]["tried"]
    assert 0 <= training["test_error"] <= 1
    assert found["tracer"]["training"]["batches"] == 2
    assert all(one["last_ms"] > 0 for one in found["kernels"]["trained"].values())
    assert len(found["kernels"]["kernels"]) > 10
    for canvas in found["tracer"]["canvases"]:
        assert [one["time"] for one in canvas["correct"]] == [3 * canvas["length"], canvas["steps"]]
    assert {one["status"] for one in found["states"]["parts"]} == {"done"}
    measured = xr.Dataset.from_dict(found["states"]["parts"][0]["measured"])
    assert measured.attrs["version"] == cs.__version__
    # what was measured there is a whole run here, which trains nothing again
    both = images.made_up(200), images.made_up(60)
    (folder,) = make_folders(tmp_path / "out" / "states.json", both, tmp_path / "runs")
    monkeypatch.setattr("cortexsim.paper.experiments.part.train", None)
    name = both[0].attrs["name"]
    result = cs.experiments.run("one-kernel", data=both, data_name=name, to=folder, resume=True)
    (error,) = result["error"].sel(model=found["states"]["parts"][0]["part"]).values
    assert error == float(measured["error"])


# a step of two processes, one of which would work for ten minutes
ENDLESS = """
import time
from concurrent.futures import ProcessPoolExecutor
from benchmarks.device.work import end_with_parent, process_context

def work():
    print("working", flush=True)
    time.sleep(600)

if __name__ == "__main__":
    with ProcessPoolExecutor(1, process_context(), initializer=end_with_parent) as pool:
        pool.submit(work)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_a_step_that_is_stopped_leaves_no_process(tmp_path, end):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        getattr(process, end)()
        # the output stays open as long as a process of the step is left
        process.communicate(timeout=60)


def work_of(tmp_path, step="trial", seconds=60.0) -> Work:
    return Work(step, "cpu", tmp_path, time.time() + seconds, quick=True)


@pytest.mark.parametrize(
    ("outcome", "status", "why"),
    [
        (lambda work: work.write(number=1) or "", "done", ""),
        (lambda work: "two tables", "failed", "two tables"),
        (lambda work: 1 / 0, "failed", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_step_that_fails_says_why_and_ends_nothing_else(tmp_path, monkeypatch, outcome, status, why):
    monkeypatch.setattr("benchmarks.device.speed.run", outcome)
    plan.do(work_of(tmp_path, "speed"))
    found = json.loads((tmp_path / "speed.json").read_text())
    assert (found["status"], found["why"]) == (status, why)


def test_the_tracers_step_counts_maps_and_answers_as_the_analysis_does():
    tracer = cs.zoo.load("tracer").at_size(32)
    data = cs.datasets.paths(12, part="test", size=32, length=(20, 20))
    recording = cs.simulate(tracer, data, cs.sustained(), until=18, record=[])
    for at in (12, 17):
        maps = recording["readout"]["logits"].sel(time=at).argmax("class").values
        found = tracer_step._correct(maps, data)
        for name, measure in (("exact", "exact"), ("yes_no", "yes/no")):
            wanted = cs.analyse.map_accuracy(recording, data, measure).sel(time=at)
            assert found[name] == pytest.approx(float(wanted))
    assert 0 < found["exact"] < 1


def test_steps_for_which_no_time_is_left_are_skipped(tmp_path):
    late = replace(work_of(tmp_path, "plan", seconds=10.0), quick=False)
    assert plan.run_plan(STEPS, late) == 0
    found = json.loads((tmp_path / "plan.json").read_text())["steps"]
    assert {one["status"] for one in found.values()} == {"skipped"}
    assert "s are left, and it takes at least 20" in found["checks"]["why"]
    assert found["states"]["why"] == "it needs CIFAR-10 (JPEG): give --data"


def test_images_come_from_one_archive(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    labels = np.array([0, 1, 1, 0])
    both = {
        f"{part}_{what}": values
        for part in ("train", "test")
        for what, values in (("images", pixels), ("labels", labels))
    }
    np.savez(tmp_path / "images.npz", classes=["cat", "dog"], **both)
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for part in ("train", "test"):
            for k, label in enumerate(labels):
                Image.fromarray(pixels[k]).save(buffer := io.BytesIO(), "PNG")
                archive.writestr(f"cifar/{part}/{['cat', 'dog'][label]}/{k}.png", buffer.getvalue())
    with (
        zipfile.ZipFile(tmp_path / "images.zip") as archive,
        tarfile.open(tmp_path / "images.tar.xz", "w:xz") as packed,
    ):
        archive.extractall(tmp_path / "folder")
        packed.add(tmp_path / "folder" / "cifar", "cifar")
    files = [("images.npz", [0, 1, 2, 3]), ("images.zip", [0, 3, 1, 2]), ("images.tar.xz", [0, 3, 1, 2])]
    for name, order in files:
        for data in images.read(tmp_path / name):
            np.testing.assert_array_equal(data["image"].values, pixels[order].transpose(0, 3, 1, 2))
            np.testing.assert_array_equal(data["label"].values, labels[order])
            assert cs.datasets.classes(data) == ["cat", "dog"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trainings"], "there is no benchmark 'trainings': the names are"),
        (["training", "--threads", "0"], "--threads must be at least 1, got 0"),
        (["training", "--images", "0"], "--images must be at least 1, got 0"),
        (["training", "--rounds", "-1"], "--rounds must be at least 1, got -1"),
        (["training", "--device", "tpu"], "unknown device 'tpu'"),
        (["training", "--to", "out"], "--to is of `table` alone; numbers are written by --json"),
        (["device", "quick", "--to", "out"], "there is no step 'quick': the steps are"),
        (["device", "--minutes", "0", "--to", "out"], "--minutes must be positive, got 0"),
        (["device", "--data", "nowhere.zip", "--to", "out"], "there is no nowhere.zip"),
    ],
)
def test_arguments_that_are_not_allowed_are_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_benchmark_that_fails_loses_no_finished_one(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.startup.measure", lambda setting: 1 / 0)
    numbers = tmp_path / "numbers.json"
    with pytest.raises(ZeroDivisionError):
        main(["calibration", "disk", "startup", "--quick", "--rounds", "1", "--json", str(numbers)])
    assert set(json.loads(numbers.read_text())) == {"machine", "calibration", "disk"}
    with pytest.raises(FileExistsError):
        main(["calibration", "--quick", "--json", str(numbers)])
