"""The benchmarks compare things that compute the same, and print what they found; what they time is not tested."""

import importlib
import json

import pytest
import torch
from torch.nn import functional as F

import cortexsim as cs
from benchmarks.__main__ import BENCHMARKS, NAMED_ONLY, main
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.machine import Setting
from benchmarks.recording import with_hooks

QUICK = Setting(quick=True)


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


def test_the_naive_loop_runs_all_that_is_populated_and_the_schedule_less():
    model = QUICK.model("quick", "full", 5)
    planned = cs.schedule(model.graph, 5)
    # at time 1 only V1 holds something, at time 5 only IT is read
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


@pytest.mark.slow
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


def test_every_benchmark_has_a_file_that_measures():
    assert all(callable(importlib.import_module(f"benchmarks.{name}").measure) for name in (*BENCHMARKS, *NAMED_ONLY))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trainings"], "there is no benchmark 'trainings': the names are"),
        (["training", "--threads", "0"], "--threads must be at least 1, got 0"),
        (["training", "--images", "0"], "--images must be at least 1, got 0"),
        (["training", "--rounds", "-1"], "--rounds must be at least 1, got -1"),
        (["training", "--device", "tpu"], "unknown device 'tpu'"),
    ],
)
def test_what_cannot_be_run_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_benchmark_that_fails_takes_no_finished_one_along(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.startup.measure", lambda setting: 1 / 0)
    kept = tmp_path / "numbers.json"
    with pytest.raises(ZeroDivisionError):
        main(["calibration", "disk", "startup", "--quick", "--rounds", "1", "--json", str(kept)])
    assert set(json.loads(kept.read_text())) == {"machine", "calibration", "disk"}
    with pytest.raises(FileExistsError):
        main(["calibration", "--quick", "--json", str(kept)])
