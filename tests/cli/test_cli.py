"""The command line, from a folder of images to a recording; errors in one sentence; Ctrl-C loses nothing."""

import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import cortexsim as cs
from cortexsim.cli import main, read_presentation, read_silence
from cortexsim.recording._rerun import rerun
from cortexsim.recording.description import settings

SMALL = [
    "--size",
    "8",
    "--features",
    "4,4",
    "--readout-time",
    "3",
    "--batch-size",
    "4",
    "--epochs",
    "1",
    "--validation",
    "0.25",
]


@pytest.fixture(scope="module")
def animals(tmp_path_factory) -> Path:
    """A folder of two classes, dark cats and bright dogs: 12 images each to train on, 3 to test."""
    folder = tmp_path_factory.mktemp("animals")
    draw = np.random.default_rng(0)
    for part, n in (("train", 12), ("test", 3)):
        for name, level in (("cat", 60), ("dog", 180)):
            (folder / part / name).mkdir(parents=True)
            for k in range(n):
                pixels = (level + draw.integers(-50, 50, (8, 8, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{k}.png")
    return folder


@pytest.fixture(scope="module")
def trained(animals, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "animals.safetensors"
    assert main(["train", str(animals), *SMALL, "--to", str(path)]) == 0
    return path


def told(capsys, *arguments: object) -> str:
    """Run a command that must fail; return what it says."""
    assert main([str(argument) for argument in arguments]) == 1
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return text


# --- train ---------------------------------------------------------------------------------------------------------


def test_train_makes_a_calibrated_model_and_removes_the_state_of_the_training(trained, animals):
    model = cs.load(trained)
    assert model.graph.state_names == ["h1", "h2"]
    assert model.classes == ["cat", "dog"]
    assert model.statistics[cs.flash(1)].until == 6
    assert model.about["data"] == animals.name
    assert [path.name for path in trained.parent.iterdir()] == ["animals.safetensors"]


def test_train_prints_at_once_what_takes_seconds(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("cortexsim.cli.train.choose_device", lambda device, threads: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["train", "digits", "--n", "30", "--to", str(tmp_path / "a.safetensors"), "--debug"])
    assert capsys.readouterr().out == "loading torch, drawing 30 digits\n"


def test_train_reports_its_progress_and_the_path_of_the_model(animals, tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    assert main(["train", str(animals), *SMALL, "--to", str(path)]) == 0
    out = capsys.readouterr().out
    assert f"24 images of 2 classes from {animals.name}, on cpu" in out
    assert "shown: flash: image for 1 step, then nothing" in out
    assert "step 4/4: loss" in out
    assert out.endswith(f"saved {path}\n")


@pytest.mark.parametrize("normalization", ["time-specific", "shared", "none"])
def test_every_option_reaches_the_model(animals, tmp_path, normalization):
    path = tmp_path / "a.safetensors"
    options = "--graph fully-recurrent --shortcut 0.5 --no-feedback --pre-net conv --input-gain 2 --sharing none"
    shown = ["--presentation", "sustained+masked:1:2:pixel-shuffled", "--normalization", normalization]
    assert main(["train", str(animals), *SMALL, "--to", str(path), *options.split(), *shown]) == 0
    model = cs.load(path)
    assert set(model.graph.transition_names) == {"h1->h1", "h1->h2", "h2->h2"}
    assert model.graph.transition("h1->h1").kind == "BRCx2+0.5I"
    assert (model.sharing, model.input_gain, model.normalization) == ("none", 2.0, normalization)
    mixed = cs.mixture(cs.sustained(), cs.masked(1, 2, "pixel-shuffled"))
    assert list(model.statistics) == ([] if normalization == "none" else [mixed])
    assert main(["test", str(path), str(animals)]) == 0


def test_contours_are_traced_by_a_recipe_of_their_own(tmp_path):
    path = tmp_path / "a.safetensors"
    build = "--features 2,2,2,2 --convolutions 1 --size 16 --readout-time 5 --n 80 --validation 0 --threads 1"
    assert main(["train", "contours", "--recipe", "contours", "--to", str(path), *build.split(), "--epochs", "1"]) == 0
    model = cs.load(path)
    assert model.graph.transition("V1->V2").kind == "BRCx1"
    assert model.about["recipe"]["difficulty"] == "curve_length"
    assert list(model.statistics) == [cs.sustained()]


def test_digits_are_learned_by_a_recipe_of_their_own_that_trains_the_way_up_first(tmp_path, capsys):
    path = tmp_path / "a.safetensors"
    build = "--features 2,2,2,2 --size 16 --readout-time 4 --n 80 --batch-size 8 --validation 0 --threads 1"
    assert main(["train", "digits", "--recipe", "digits", "--recompute", "--to", str(path), *build.split()]) == 0
    # before the first step only the arrival is trained, at the end every time from it on
    shown = [line for line in capsys.readouterr().out.splitlines() if "training accuracy" in line]
    assert "t=3" in shown[0]
    assert "t=4" not in shown[0]
    assert "t=4" in shown[-1]
    recipe = cs.load(path).about["recipe"]
    assert recipe["unfolding"] == [[0.0, 3], [0.955, None]]
    # a mirrored or cropped digit may be another, or none
    assert recipe["augmentation"] == "none"
    assert recipe["recompute"] is True


def test_four_states_are_named_for_the_ventral_stream(animals, tmp_path):
    options = ["--features", "2,2,2,2", "--readout-time", "3"]
    assert main(["train", str(animals), *SMALL, *options, "--to", str(tmp_path / "a.safetensors")]) == 0
    assert cs.load(tmp_path / "a.safetensors").graph.state_names == ["V1", "V2", "V4", "IT"]


def test_the_same_command_makes_the_same_model(animals, trained, tmp_path):
    path = tmp_path / "again.safetensors"
    assert main(["train", str(animals), *SMALL, "--to", str(path)]) == 0
    assert cs.load(path).checksum() == cs.load(trained).checksum()
    assert main(["train", str(animals), *SMALL, "--to", str(path), "--overwrite", "--seed", "1"]) == 0
    assert cs.load(path).checksum() != cs.load(trained).checksum()


def test_an_existing_model_is_refused_before_training_starts(animals, trained, capsys, monkeypatch):
    monkeypatch.setattr(cs, "train", None)
    before = trained.read_bytes()
    text = told(capsys, "train", animals, *SMALL, "--to", trained)
    assert text.startswith("cortexsim train: ")
    assert "exists already; choose another path or remove it first" in text
    assert trained.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "a.pt"], "a model's path must end in .safetensors"),
        (["--to", "missing/a.safetensors"], "does not exist"),
        (["--to", "a.safetensors", "--presentation", "flsh"], "cannot read the presentation 'flsh'"),
        (["--to", "a.safetensors", "--presentation", "masked:3:2"], "SOA 2 is shorter than duration 3"),
        (["--to", "a.safetensors", "--epochs", "0"], "epochs must be a whole number, at least 1"),
        (["--to", "a.safetensors", "--batch-size", "500"], "do not fill a batch of 500"),
        (["--to", "a.safetensors", "--size", "9"], "a side of 9 cannot halve 1 times"),
        (["--to", "a.safetensors", "--shortcut", "2"], "shortcut must be a number from 0 to 1"),
        (["--to", "a.safetensors", "--model", "resnet-1-stat"], "did you mean 'resnet-1-state'?"),
        (["--to", "a.safetensors", "--device", "gpu"], "unknown device 'gpu'"),
        (["--to", "a.safetensors", "--threads", "0"], "threads must be a whole number, at least 1, got 0"),
    ],
)
def test_wrong_arguments_of_train_are_reported_in_one_sentence(
    animals, tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    text = told(capsys, "train", animals, *SMALL, *arguments)
    assert message in text
    assert text.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["--features 4,4", "--size 8", "--no-feedback", "--readout-time 5"])
def test_train_refuses_options_that_a_model_of_the_paper_determines(animals, tmp_path, capsys, given):
    call = ["train", animals, "--model", "adjacent-4-state", "--to", tmp_path / "a.safetensors", *given.split()]
    message = f"--model adjacent-4-state determines how the model is built; leave out {given.split()[0]}\n"
    assert told(capsys, *call).endswith(message)


def test_a_missing_folder_of_images_is_reported(tmp_path, capsys):
    text = told(capsys, "train", tmp_path / "nothing", "--to", tmp_path / "a.safetensors")
    assert "there is no folder" in text


def test_debug_shows_the_traceback(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        main(["train", str(tmp_path / "nothing"), "--to", str(tmp_path / "a.safetensors"), "--debug"])


def test_an_unexpected_error_says_that_it_is_one(monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(cs.zoo, "pretrained", broken)
    assert "(a ZeroDivisionError, which is unexpected; --debug shows where)" in told(capsys, "models")


def test_unknown_arguments_are_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["models", "--nonsense"])
    assert stopped.value.code == 2
    assert "unknown argument '--nonsense' (see cortexsim models --help)" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "test", "simulate", "rerun", "models", "lab"])
def test_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"  cortexsim {command} " in capsys.readouterr().out


# --- Ctrl-C --------------------------------------------------------------------------------------------------------


class _PressesCtrlC(io.StringIO):
    """A terminal whose user presses Ctrl-C on reading a word."""

    def __init__(self, word: str):
        super().__init__()
        self.word, self.pressed = word, False

    def write(self, text: str) -> int:
        if self.word in text and not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_ctrl_c_loses_nothing_and_resume_ends_at_the_same_weights(animals, tmp_path, monkeypatch, capsys):
    common = ["train", str(animals), *SMALL, "--epochs", "3"]
    stopped, whole = tmp_path / "stopped.safetensors", tmp_path / "whole.safetensors"
    state = tmp_path / "stopped.training.safetensors"
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", _PressesCtrlC("step 4/"))
        assert main([*common, "--to", str(stopped)]) == 130
    err = capsys.readouterr().err
    assert "the same command with --resume continues from step 4" in err
    assert "Traceback" not in err
    assert state.is_file()
    assert not stopped.exists()
    assert main([*common, "--to", str(stopped), "--resume"]) == 0
    assert not state.exists()
    assert main([*common, "--to", str(whole)]) == 0
    one, other = cs.load(stopped), cs.load(whole)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    (first,), (second,) = one.statistics.values(), other.statistics.values()
    assert all(torch.equal(a, b) for at in first for a, b in zip(first.moments[at], second.moments[at], strict=True))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_sigterm_ends_a_training_within_a_step_and_resume_ends_at_the_same_weights(
    animals, tmp_path, monkeypatch, capsys
):
    common = ["train", str(animals), *SMALL, "--epochs", "3"]
    stopped, whole = tmp_path / "stopped.safetensors", tmp_path / "whole.safetensors"
    backward, steps = torch.Tensor.backward, []

    def terminated(self):
        steps.append(1)
        if len(steps) == 5:
            signal.raise_signal(signal.SIGTERM)
        backward(self)

    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "backward", terminated)
        assert main([*common, "--to", str(stopped)]) == 143
    err = capsys.readouterr().err
    assert "the same command with --resume continues from step 4" in err
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert main([*common, "--to", str(stopped), "--resume"]) == 0
    assert main([*common, "--to", str(whole)]) == 0
    one, other = cs.load(stopped), cs.load(whole)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("ending", "says"), [("zarr", "the same command with --resume continues"), ("nc", "nothing was written")]
)
def test_sigterm_ends_a_recording_and_says_how_to_resume(ending, says, trained, animals, tmp_path, monkeypatch, capsys):
    from cortexsim.recording import _simulate

    rows, batches = _simulate._run_rows, []

    def terminated(*arguments):
        batches.append(1)
        if len(batches) == 3:
            signal.raise_signal(signal.SIGTERM)
        rows(*arguments)

    path = tmp_path / f"r.{ending}"
    command = ["simulate", str(trained), str(animals), "--until", "4", "--batch-size", "1", "--to", str(path)]
    with monkeypatch.context() as patched:
        patched.setattr(_simulate, "_run_rows", terminated)
        assert main(command) == 143
    assert says in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    cs.verify(path)


def test_ctrl_c_before_the_first_step_says_that_nothing_is_kept(animals, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", _PressesCtrlC("step 0/"))
        assert main(["train", str(animals), *SMALL, "--to", str(tmp_path / "none.safetensors")]) == 130
    err = capsys.readouterr().err
    assert "stopped before the first step: nothing was learned yet, and nothing is saved" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_command_line_stops_at_a_signal_from_outside(animals, tmp_path):
    pytest.importorskip("resource")  # POSIX signals
    command = [sys.executable, "-m", "cortexsim.cli", "train", str(animals), *SMALL, "--epochs", "10000"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--to", str(tmp_path / "never.safetensors")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as run:
        for line in run.stdout:
            if line.startswith("step ") and not line.startswith("step 0/"):
                break
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "Traceback" not in err
    assert (tmp_path / "never.training.safetensors").is_file()


def test_a_stopped_training_is_not_restarted_by_accident(animals, tmp_path, capsys):
    (tmp_path / "a.training.safetensors").write_text("what was done so far")
    text = told(capsys, "train", animals, *SMALL, "--to", tmp_path / "a.safetensors")
    assert "an unfinished training exists at" in text


# --- test ----------------------------------------------------------------------------------------------------------


def test_test_reads_out_at_every_time_with_three_kinds_of_statistics(trained, animals, capsys):
    assert main(["test", str(trained), str(animals)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"6 images from {animals.name}, test part; shown: flash: image for 1 step, then nothing"
    assert lines[1].split() == ["statistics", *(f"t={t}" for t in range(1, 7))]
    assert [line.split(":")[0][:34].strip() for line in lines[2:]] == [
        "calibrated",
        "held from t = 3",
        "shared over times 0 to 3",
    ]


def test_test_on_other_classes_than_the_models_is_refused(trained, animals, tmp_path, capsys):
    for name in ("owl", "cat"):
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "0.png").write_bytes((animals / "test" / "cat" / "0.png").read_bytes())
    text = told(capsys, "test", trained, tmp_path)
    assert "the model was trained on the classes ['cat', 'dog'], but these images have ['cat', 'owl']" in text


def test_a_presentation_without_statistics_is_reported(trained, animals, capsys):
    text = told(capsys, "test", trained, animals, "--presentation", "sustained")
    assert "the model has no statistics for «sustained" in text


# --- simulate ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_simulate_writes_a_recording_and_describes_it(trained, animals, tmp_path, capsys, suffix):
    path = tmp_path / f"a{suffix}"
    options = (
        "--until 3 --first 4 --record h2 --silence h2->h1:2-3 --dtype float16 --quantity rate --batch-size 3 --seed 2"
    )
    assert main(["simulate", str(trained), str(animals), "--to", str(path), *options.split()]) == 0
    out = capsys.readouterr().out
    assert "4 stimuli at times 0 to 3: flash: image for 1 step, then nothing." in out
    assert f"saved {path}" in out
    with cs.open_recording(path) as recording:
        assert list(recording.children) == ["h2", "readout"]
        assert recording["h2"]["activation"].dtype == "float16"
        assert recording["h2"].sizes["stimulus"] == 4
        assert "label" in recording["h2"].coords
        made = settings(recording)
        assert (made["silence"], made["seed"], made["batch_size"]) == ({"h2->h1": [[2, 4]]}, 2, 3)
        assert made["classes"] == ["cat", "dog"]
    assert main(["simulate", str(trained), str(animals), "--to", str(path), *options.split(), "--resume"]) == 0


def test_simulate_takes_noise_repeats_gains_and_kinds_of_lesion(trained, animals, tmp_path, capsys):
    path = tmp_path / "a.nc"
    options = (
        "--until 3 --first 4 --record h2 --silence h2->h1:2-3 --lesion mean-replaced --calibrate-on 5 --noise 0.1 "
        "--repeats 2 --gain lateral:0.5:2 --transition-noise h1->h2:0.2"
    )
    assert main(["simulate", str(trained), str(animals), "--to", str(path), *options.split()]) == 0
    out = capsys.readouterr().out
    assert "the transition's mean delivery over 5 images" in out
    assert "h1->h2 had noise of 0.2 standard deviations: always." in out
    with cs.open_recording(path) as recording:
        made = settings(recording)
        assert recording["h2"]["repeat"].values.tolist() == [0, 1] * 4
        assert (made["noise"], made["repeats"], made["lesion"]["n_images"]) == (0.1, 2, 5)
        assert made["gain"] == {"h1->h1": [0.5, [[2, 3]]], "h2->h2": [0.5, [[2, 3]]]}


def test_statistics_are_reused_only_when_asked_for(trained, animals, tmp_path, capsys):
    call = ["simulate", trained, animals, "--until", 3, "--presentation", "masked:1:2", "--to", tmp_path / "a.nc"]
    assert "reuse others on purpose" in told(capsys, *call)
    assert main([*map(str, call), "--statistics", "flash"]) == 0
    assert "reused on purpose" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--until", 0], "until must be a whole number of steps, at least 1, got 0"),
        (["--until", 9], "these statistics end at time 6"),
        (["--until", 3, "--record", "V1"], "cannot record ['V1']: the states are ['h1', 'h2']"),
        (["--until", 3, "--silence", "h1->h3"], "unknown transition 'h1->h3'"),
        (["--until", 3, "--silence", "h1->h2:x"], "cannot read 'h1->h2:x': write V2->V1"),
        (["--until", 3, "--silence", "h1->h2:2", "--silence", "h1->h2:3"], "h1->h2 is silenced twice"),
        (["--until", 3, "--gain", "h1->h2:half"], "cannot read 'h1->h2:half': write V2->V1:0.5"),
        (["--until", 3, "--gain", "h1->h2:2", "--gain", "h1->h2:3"], "h1->h2 is given a gain twice"),
        (["--until", 3, "--repeats", 2], "2 repeats without noise would all be equal"),
        (["--until", 3, "--calibrate-on", 4], "calibrate_on has no effect"),
        (
            ["--until", 3, "--lesion", "recalibrated", "--calibrate-on", 0],
            "calibrate-on must be a whole number, at least 1, got 0",
        ),
        (
            ["--until", 3, "--silence", "feedback:4"],
            "silencing feedback (t = 4) would change nothing: the recording ends",
        ),
        (["--until", 3, "--first", 0], "first must be a whole number, at least 1, got 0"),
        (["--until", 3, "--first", -1], "first must be a whole number, at least 1, got -1"),
        (["--until", 3, "--batch-size", 0], "batch_size must be a whole number, at least 1, got 0"),
    ],
)
def test_wrong_arguments_of_simulate_are_reported(trained, animals, tmp_path, capsys, arguments, message):
    text = told(capsys, "simulate", trained, animals, "--to", tmp_path / "a.zarr", *arguments)
    assert text.startswith("cortexsim simulate: ")
    assert message in text
    assert list(tmp_path.iterdir()) == []


def test_simulating_images_of_other_classes_warns_that_labels_are_not_the_readouts(trained, animals, tmp_path, capsys):
    for name in ("owl", "cat"):
        (tmp_path / "test" / name).mkdir(parents=True)
        (tmp_path / "test" / name / "0.png").write_bytes((animals / "test" / "cat" / "0.png").read_bytes())
    assert main(["simulate", str(trained), str(tmp_path), "--until", "3", "--to", str(tmp_path / "a.nc")]) == 0
    err = capsys.readouterr().err
    assert "warning: the model was trained on the classes ['cat', 'dog'], but these images have ['cat', 'owl']" in err


def test_a_path_that_exists_is_reported(trained, animals, tmp_path, capsys):
    (tmp_path / "a.zarr").mkdir()
    text = told(capsys, "simulate", trained, animals, "--until", 3, "--to", tmp_path / "a.zarr")
    assert "exists already" in text


def test_a_damaged_model_is_reported(animals, tmp_path, capsys):
    (tmp_path / "a.safetensors").write_text("hello")
    text = told(capsys, "simulate", tmp_path / "a.safetensors", animals, "--until", 3, "--to", tmp_path / "a.nc")
    assert "is not a safetensors file, or it is truncated or damaged" in text


# --- rerun ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def noted(tmp_path) -> Path:
    """The settings of a panel, in a file."""
    shown = {
        "schema": 1,
        "model": "digits-tiny",
        "data": {"name": "digits", "part": "test"},
        "stimulus": 2,
        "presentation": {"kind": "flash", "duration": 1},
        "until": 3,
    }
    (tmp_path / "settings.json").write_text(json.dumps(shown), encoding="utf-8")
    return tmp_path / "settings.json"


def test_rerun_makes_the_recording_that_settings_describe(noted, tmp_path, capsys):
    assert main(["rerun", str(noted), "--to", str(tmp_path / "again.nc")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("1 stimulus at times 0 to 3: flash: image for 1 step, then nothing.")
    with cs.open_recording(tmp_path / "again.nc") as written:
        expected = rerun(json.loads(noted.read_text()))
        assert written["readout"]["logits"].equals(expected["readout"]["logits"])
        chances = torch.from_numpy(expected["readout"]["logits"][0, 3].values).softmax(0)
        label = int(expected["readout"]["label"][0])
    assert out[1] == f"readout over time (probability of the most probable class); the label is {label}:"
    assert out[2].split() == ["t=0", "empty"]
    assert out[5].split() == ["t=3", str(int(chances.argmax())), f"{100 * float(chances.max()):.1f}", "%"]
    assert out[6].startswith(f"saved {tmp_path / 'again.nc'}; open it with")


def test_rerun_keeps_nothing_unless_asked(noted, tmp_path, capsys):
    assert main(["rerun", str(noted)]) == 0
    assert "saved" not in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_rerun_never_overwrites(noted, tmp_path, capsys):
    (tmp_path / "again.nc").write_text("mine")
    assert "again.nc exists already" in told(capsys, "rerun", noted, "--to", tmp_path / "again.nc")
    assert (tmp_path / "again.nc").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-5], "settings.json is not JSON (Unterminated string"),
        (lambda text: "[1]", "settings must be a mapping, such as panel.settings, got list"),
        (lambda text: text.replace('"until"', '"untill"'), "unknown setting 'untill': the allowed"),
        (lambda text: text.replace('"until"', '"untill": 3, "until"'), "unknown setting 'untill'"),
        (lambda text: text.replace('"until"', '"until": 2, "until"'), "gives ['until'] more than once; give each once"),
        (lambda text: text.replace('"schema": 1', '"schema": 99'), "the settings are of schema 99"),
    ],
)
def test_wrong_settings_are_reported(noted, capsys, change, message):
    noted.write_text(change(noted.read_text()))
    text = told(capsys, "rerun", noted)
    assert text.startswith("cortexsim rerun: ")
    assert message in text


def test_missing_settings_are_reported(tmp_path, capsys):
    assert "there are no settings at" in told(capsys, "rerun", tmp_path / "settings.json")


# --- models --------------------------------------------------------------------------------------------------------


def test_models_lists_the_papers_with_their_counts(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "resnet-1-state-unshared              739,658 parameters, readout time 10 (R)" in out
    assert out.count(" parameters, readout time") == len(cs.zoo.PAPER)


def test_models_describes_one_and_draws_its_matrix(capsys):
    assert main(["models", "adjacent-4-state"]) == 0
    out = capsys.readouterr().out
    assert "208,802 parameters" in out
    assert "h1 32x32x8, h2 16x16x16, h3 8x8x32, h4 4x4x64" in out
    assert "BRDx2" in out
    assert "t = 1: populated h1, h2" in out


def test_models_describes_a_file(trained, capsys):
    assert main(["models", str(trained)]) == 0
    out = capsys.readouterr().out
    assert "readout time 3, 2 classes" in out
    assert "statistics of" in out
    assert "recipe:" in out


def test_models_shows_the_card_of_one_that_ships(capsys):
    assert main(["models", "ventral-stream"]) == 0
    out = capsys.readouterr().out
    assert "percent correct" in out
    assert "sustained, curve length 21 to 28" in out


def test_an_unknown_model_is_reported(capsys):
    assert "unknown model 'adjacent-5-state'" in told(capsys, "models", "adjacent-5-state")


# --- how presentations and silence are written ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "presentation"),
    [
        ("flash", cs.flash(1)),
        ("flash:3", cs.flash(3)),
        ("sustained", cs.sustained()),
        ("sequence:2", cs.sequence(2)),
        ("masked", cs.masked()),
        ("masked:1:2", cs.masked(1, 2)),
        ("masked:1:2:phase-scrambled:4", cs.masked(1, 2, "phase-scrambled", 4)),
        ("3*flash+sustained", cs.mixture(cs.flash(1), cs.sustained(), weights=[3, 1])),
        ("flash+sustained+masked:1:2", cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2))),
    ],
)
def test_presentations_are_read(text, presentation):
    assert read_presentation(text) == presentation


@pytest.mark.parametrize(
    "text", ["", "flsh", "flash:1:2", "sustained:1", "flash+", "masked:1:2:noise:1:1", "x*flash", "*flash", "²*flash"]
)
def test_presentations_that_cannot_be_read_are_refused(text):
    with pytest.raises(ValueError, match=r"cannot read the presentation .*: allowed are flash, flash:STEPS, sustained"):
        read_presentation(text)


@pytest.mark.parametrize("text", ["flash:0", "flash:-1", "flash:", "flash:1.5", "masked:1:x", "flash:²"])
def test_presentations_with_wrong_numbers_are_refused(text):
    with pytest.raises(ValueError, match="must be a whole number of steps, at least 1"):
        read_presentation(text)


@pytest.mark.parametrize(
    ("text", "silence"),
    [
        ("V2->V1", ("V2->V1", None)),
        ("V2->V1:3", ("V2->V1", range(3, 4))),
        ("V2->V1:3-20", ("V2->V1", range(3, 21))),
        ("feedback:3-20", ("feedback", range(3, 21))),
    ],
)
def test_silence_is_read_with_both_ends(text, silence):
    assert read_silence(text) == silence


@pytest.mark.parametrize("text", ["V2->V1:x", "V2->V1:3-", "V2->V1:-3", "V2->V1:20-3", "V2->V1:3-x", "V2->V1:²"])
def test_silence_that_cannot_be_read_is_refused(text):
    with pytest.raises(ValueError, match="write V2->V1, V2->V1:3 or V2->V1:3-20"):
        read_silence(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["models", "adjacent-4-stat"], "unknown model 'adjacent-4-stat'.*did you mean 'adjacent-4-state'"),
        (["train", "digist", "--to", "a.safetensors"], "unknown data 'digist'.*did you mean 'digits'"),
        (["train", "digits", "--to", "a.safetensors", "--features", "4,x", "--n", "20"], "features must be channels"),
        (["train", "digits", "--to", "a.safetensors", "--features", "4,²", "--n", "20"], "features must be channels"),
        (["lab", "--lesson", "²"], "unknown lesson '²'"),
    ],
)
def test_a_typo_is_refused_with_the_allowed_values(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert re.search(message, capsys.readouterr().err)


def test_a_folder_without_a_test_part_is_not_tested_on_silently(trained, animals, capsys, tmp_path):
    (tmp_path / "only" / "train").mkdir(parents=True)
    assert main(["test", str(trained), str(tmp_path / "only")]) == 1
    assert "there is no test/ next to train/" in capsys.readouterr().err


def test_a_model_of_maps_is_trained_and_tested_by_the_name_of_its_data(tmp_path, capsys):
    file = str(tmp_path / "m.safetensors")
    options = "--features 4 --size 16 --n 64 --epochs 1 --recipe tracing --normalization channel"
    assert main(["train", "paths", "--to", file, *options.split()]) == 0
    assert cs.load(file).post_net_name == "map"
    assert main(["test", "tracer", "paths", "--n", "4", "--presentation", "sustained"]) == 0
    assert "4 images from paths" in capsys.readouterr().out


def test_an_experiment_on_classes_refuses_target_maps(tmp_path, capsys):
    assert main(["experiment", "one-kernel", "--data", "paths", "--to", str(tmp_path / "run")]) == 1
    assert "paths have target maps, not classes" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["models", "--help"]])
def test_help_that_cannot_be_written_is_an_error(arguments, monkeypatch, capsys):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    assert main(arguments) == 1
    assert "No space left on device" in capsys.readouterr().err
