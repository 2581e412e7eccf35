"""Every experiment, end to end at the smallest scale: by command, from Python, stopped, resumed, damaged, refused."""

import errno
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim import plot
from cortexsim.cli import main
from cortexsim.paper import experiments
from cortexsim.paper.experiments import equivalence, part
from cortexsim.paper.experiments.result import NAMED
from cortexsim.paper.experiments.running import measure

MADE: dict[str, Path] = {}
# what differs from run to run of the same numbers
CLOCK = ["seconds", "training_seconds"]


# other tests here run these anyway
RUN_ANYWAY = ("equivalence", "one-kernel", "generalization", "normalization", "inhomogeneous")
EACH = [pytest.param(name, marks=() if name in RUN_ANYWAY else pytest.mark.slow) for name in experiments.EXPERIMENTS]


@pytest.fixture
def made(tmp_path_factory):
    """Run an experiment by command, once for all tests."""

    def make(name: str) -> Path:
        if name not in MADE:
            folder = tmp_path_factory.mktemp("runs") / name
            assert main(["experiment", name, "--scale", "smoke", "--threads", "1", "--to", str(folder)]) == 0
            MADE[name] = folder
        return MADE[name]

    return make


@pytest.fixture
def copied(made, tmp_path):
    def copy(name: str) -> Path:
        return Path(shutil.copytree(made(name), tmp_path / name))

    return copy


def refusal(capsys, *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 1
    text = capsys.readouterr().err
    assert "Traceback" not in text
    assert text.count("\n") == 1
    return text


def numbers(result):
    return result.drop_vars(CLOCK, errors="ignore")


@pytest.mark.parametrize("name", EACH)
def test_every_experiment_runs_by_command_and_leaves_one_labelled_result(made, name):
    folder = made(name)
    result = experiments.open_result(folder)
    assert all(str(result.attrs[what]) for what in NAMED)
    assert result.attrs["experiment"] == name
    about = experiments.EXPERIMENTS[name]
    drawn = f"{about.own_name or 'digits in debris'}, 16x16 px, 60 training and 40 test images"
    assert result.attrs["data"] == (about.about_data or drawn)
    plan = experiments.EXPERIMENTS[name].parts(experiments.SCALES["smoke"], 0)
    assert result["model"].values.tolist() == [one.label for one in plan]
    if "training_error" in result:
        # of 60 training images a sixth is held out
        assert [result[f"{what}_error"].attrs["n"] for what in ("training", "validation", "test")] == [50, 10, 40]
    assert {"settings.json", "records", "models", "parts", "result.nc", "figures.html"} == {
        path.name for path in folder.iterdir()
    }
    assert not list(folder.glob("models/*.training.safetensors"))
    for one in plan:
        if name == "equivalence" or one.label.startswith("linear"):
            assert one.label not in json.loads(result.attrs.get("recipe_of_each", "{}"))
            continue
        model = folder / "models" / f"{part.file_name(one)}.safetensors"
        if one.label.startswith("no normalization") and bool(result["diverged"].sel(model=one.label)):
            # as it may without normalization; it has no weights to keep then
            assert not model.exists()
            continue
        trained = cs.load(model)
        recipe = json.loads(result.attrs["recipe"]) | json.loads(result.attrs["recipe_of_each"])[one.label]
        assert recipe | {"seed": 0} == trained.about["recipe"]
        if name in ("sequences", "extrapolation"):
            continue
        assert trained.n_parameters(presentation=part.SHOWN[one.shown]) == int(
            result["n_parameters"].sel(model=one.label).item()
        )
        error = result["error"].sel(model=one.label).item()
        assert 0 <= error <= 1
        lines = (folder / "records" / f"{part.file_name(one)}.jsonl").read_text().splitlines()
        assert json.loads(lines[0])["step"] == 0
        assert json.loads(lines[-1])["done"]


@pytest.mark.parametrize("name", EACH)
def test_from_python_the_same_run_resumes_and_repeats_nothing(made, name, monkeypatch):
    folder = made(name)
    before = experiments.open_result(folder)

    def again(*_, **__):
        raise AssertionError("a finished part was done again")

    monkeypatch.setattr(part, "train", again)
    monkeypatch.setattr(equivalence.Comparison, "_run", again)
    assert experiments.run(name, to=folder, resume=True).identical(before)


@pytest.mark.parametrize("name", EACH)
def test_a_result_file_alone_redraws_its_figures(made, name, tmp_path):
    alone = tmp_path / "alone.nc"
    shutil.copy(made(name) / "result.nc", alone)
    figures = plot.experiment(experiments.open_result(alone))
    assert list(figures) == list(experiments.EXPERIMENTS[name].figures)
    for figure in figures.values():
        (caption,) = figure.select_annotations({"name": "caption"})
        text = caption.text.replace("<br>", " ")
        sizes = figure.layout.title.subtitle.text.replace("<br>", " ")
        assert (experiments.EXPERIMENTS[name].own_name or "digits in debris") in sizes
        assert experiments.EXPERIMENTS[name].paper in text
        assert any(trace.y is not None and len(trace.y) for trace in figure.data)
        # plots that share an axis of time have its title below the last of them
        assert any(axis.title.text for axis in figure.select_xaxes())
        # bars are labelled by their models, and dots by their rows
        rows = figure.layout.yaxis
        assert rows.title.text or rows.visible is False or rows.ticktext


def test_a_run_from_python_without_a_folder_writes_nothing(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = experiments.run("one-kernel")
    assert not list(tmp_path.iterdir())
    assert numbers(result).equals(numbers(experiments.open_result(made("one-kernel"))))


# in the first of two parts, at its last epoch, when it is done, and in the second part
@pytest.mark.parametrize("stop_at", [3, 5, 6, 10])
def test_a_stopped_run_resumed_equals_an_unstopped_one(made, tmp_path, stop_at):
    lines = []

    def report(fraction, line):
        lines.append(line)
        if len(lines) == stop_at:
            raise KeyboardInterrupt

    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        experiments.run("one-kernel", to=folder, report=report)
    assert not (folder / "result.nc").exists()
    resumed = experiments.run("one-kernel", to=folder, resume=True)
    whole = made("one-kernel")
    assert numbers(resumed).equals(numbers(experiments.open_result(whole)))
    for file in sorted(whole.glob("records/*")):
        there, here = (
            [
                {k: v for k, v in json.loads(line).items() if "seconds" not in k}
                for line in path.read_text().splitlines()
            ]
            for path in (file, folder / "records" / file.name)
        )
        assert here == there
    for file in whole.glob("models/*"):
        assert cs.load(folder / "models" / file.name).checksum() == cs.load(file).checksum()


def test_several_seeds_give_a_mean_and_what_is_between_them():
    result = experiments.run("plain-or-residual", seeds=2)
    assert result.sizes["seed"] == 2
    errors = experiments.over_seeds(result["validation_error"])
    assert errors.attrs["interval"] == "lowest to highest over 2 seeds"
    assert not result["training_error"].sel(seed=0).equals(result["training_error"].sel(seed=1))


def test_a_run_grows_by_seeds_and_what_is_done_stays_done(copied):
    folder = copied("plain-or-residual")
    before = {file.name: file.stat().st_mtime_ns for file in folder.glob("parts/*")}
    one = experiments.open_result(folder)
    two = experiments.run("plain-or-residual", seeds=2, to=folder, resume=True)
    assert two.sizes["seed"] == 2
    assert two["validation_error"].sel(seed=0).equals(one["validation_error"].sel(seed=0))
    assert before.items() <= {file.name: file.stat().st_mtime_ns for file in folder.glob("parts/*")}.items()
    with pytest.raises(ValueError, match="belongs to another run: seeds was 2 and is now 1"):
        experiments.run("plain-or-residual", seeds=1, to=folder, resume=True)


def test_a_part_that_was_trained_but_not_tested_is_not_trained_again(copied, monkeypatch):
    folder = copied("one-kernel")
    before = experiments.open_result(folder)
    for file in folder.glob("parts/*"):
        file.unlink()

    def again(*_, **__):
        raise AssertionError("a finished training was done again")

    monkeypatch.setattr(part, "train", again)
    assert numbers(experiments.run("one-kernel", to=folder, resume=True)).equals(numbers(before))


def test_a_full_disk_is_reported_and_finished_parts_stay_whole(copied, monkeypatch):
    folder = copied("one-kernel")
    (folder / "result.nc").unlink()
    with monkeypatch.context() as patch:

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OSError, match=r"could not write .*result\.nc: No space left.*no partial file remains"):
            experiments.run("one-kernel", to=folder, resume=True)
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
    assert experiments.run("one-kernel", to=folder, resume=True).sizes["model"] == 2


def test_a_disk_that_is_full_from_the_start_leaves_nothing_and_an_empty_folder_is_begun(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:

        def full(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            experiments.run("one-kernel", to=folder)
    assert not folder.exists()
    # what a kill between two calls leaves
    folder.mkdir()
    assert experiments.run("one-kernel", to=folder, resume=True).sizes["model"] == 2


def test_other_labels_are_another_run(tmp_path):
    train, test = cs.datasets.digits(100, size=16), cs.datasets.digits(50, part="test", size=16)

    def stopping(fraction, message):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiments.run("one-kernel", data=(train, test), to=tmp_path / "run", report=stopping)
    moved = train.assign_coords(label=(train["label"] + 1) % 10)
    with pytest.raises(ValueError, match="belongs to another run: data changed"):
        experiments.run("one-kernel", data=(moved, test), to=tmp_path / "run", resume=True)


def test_parameters_of_equivalence_are_those_of_the_networks_that_were_trained():
    five = [
        data.isel(stimulus=data["label"].values < 5).assign_attrs(classes=json.dumps(list("01234")))
        for data in (cs.datasets.digits(200, size=16), cs.datasets.digits(100, part="test", size=16))
    ]
    found = experiments.run("equivalence", data=five)["n_parameters"].sel(model="1-state, shared").item()
    scale = experiments.SCALES["smoke"]
    assert found == part.built("resnet-1-state", scale, 5).n_parameters()
    assert found < part.built("resnet-1-state", scale).n_parameters()


def test_fewer_images_than_classes_are_refused():
    many = [
        data.assign_coords(label=("stimulus", np.arange(data.sizes["stimulus"]) % 50)).assign_attrs(
            classes=json.dumps([str(k) for k in range(50)])
        )
        for data in (cs.datasets.digits(200, size=16), cs.datasets.digits(100, part="test", size=16))
    ]
    with pytest.raises(ValueError, match="40 test images at smoke scale are too few for 50 classes; choose a larger"):
        experiments.run("one-kernel", data=many)


def test_an_experiment_of_which_every_training_diverges_is_whole_and_drawn(monkeypatch, tmp_path, capsys):
    def diverging(*_, **__):
        raise cs.TrainingDivergedError("the loss was not a finite number at step 1")
        yield

    monkeypatch.setattr(part, "train", diverging)
    for name in ("generalization", "normalization", "more-states", "sequences"):
        assert main(["experiment", name, "--to", str(tmp_path / name)]) == 0
        result = experiments.open_result(tmp_path / name)
        assert bool(result["error"].isnull().all())
        assert bool((result["diverged"] == 1).all())
        assert (tmp_path / name / "figures.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["one-kernal"], "unknown experiment 'one-kernal'.*did you mean 'one-kernel'"),
        (["one-kernel", "--scale", "lap"], "unknown scale 'lap'.*'smoke', 'laptop', 'workstation', 'paper'"),
        (
            ["one-kernel", "--data", "nowhere"],
            "there is no folder 'nowhere'.*'digits', 'contours', 'paths', 'mazes', 'cifar10'",
        ),
        (["one-kernel", "--data", "."], r"there is no train/ in \.: an experiment needs train/ and test/"),
        (["one-kernel", "--seeds", "0"], "seeds must be a whole number, at least 1, got 0"),
        (["one-kernel", "--epochs", "0"], "epochs must be a whole number, at least 1, got 0"),
        (["one-kernel", "--device", "tpu9"], "device"),
        (["equivalence", "--epochs", "7"], "equivalence trains by steps, not by epochs; leave epochs out"),
        (
            ["one-kernel", "--data-name", "mine"],
            "data_name names the images of a folder, got 'mine' for 'digits'",
        ),
        (["sequences", "--data", "cifar10"], r"sequences makes its own data \(digits\); leave data out"),
    ],
)
def test_what_is_not_allowed_is_refused_in_one_sentence_and_leaves_no_file(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert re.search(message, refusal(capsys, "experiment", *arguments, "--to", "run"))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_refused_without_resume(made, capsys):
    folder = made("one-kernel")
    assert "exists already; continue it with resume=True (--resume)" in refusal(
        capsys, "experiment", "one-kernel", "--to", folder
    )


def test_the_folder_of_another_run_is_refused_and_left_alone(made, capsys):
    folder = made("one-kernel")
    before = (folder / "result.nc").read_bytes()
    text = refusal(capsys, "experiment", "readout-time", "--to", folder, "--resume")
    assert "belongs to another run: experiment was 'one-kernel' and is now 'readout-time'" in text
    text = refusal(capsys, "experiment", "one-kernel", "--to", folder, "--resume", "--epochs", "3")
    assert "belongs to another run: recipe changed" in text
    assert (folder / "result.nc").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("settings.json", "settings.json is damaged .*; choose another folder, or remove this one"),
        ("parts/one-kernel-the-paper-s-16-features-seed0.nc", "damaged .*; remove it to run this part again"),
    ],
)
def test_a_damaged_folder_is_reported_with_a_remedy(copied, file, message):
    folder = copied("one-kernel")
    (folder / file).write_text("{ not what was here")
    with pytest.raises(ValueError, match=message):
        experiments.run("one-kernel", to=folder, resume=True)


FIRST = "one-kernel-the-paper-s-16-features-seed0"


@pytest.mark.parametrize("text", ['{"step": 0', "3"])
def test_damaged_records_are_reported_with_a_remedy(copied, text):
    folder = copied("one-kernel")
    (folder / "parts" / f"{FIRST}.nc").unlink()
    (folder / "records" / f"{FIRST}.jsonl").write_text(text)
    with pytest.raises(ValueError, match=r"seed0\.jsonl is damaged .*to run this part again"):
        experiments.run("one-kernel", to=folder, resume=True)


def test_a_part_that_is_another_file_is_reported_with_a_remedy(copied):
    folder = copied("one-kernel")
    cs.datasets.digits(10).to_netcdf(folder / "parts" / f"{FIRST}.nc")
    with pytest.raises(
        ValueError, match=r"seed0\.nc contains no part of an experiment; remove it to run this part again"
    ):
        experiments.run("one-kernel", to=folder, resume=True)


@pytest.mark.parametrize("kind", ["cut", "of another part"])
def test_a_damaged_or_foreign_model_is_reported_with_a_remedy(copied, kind):
    folder = copied("plain-or-residual")
    (folder / "parts" / "1-state-residual-seed0.nc").unlink()
    model, other = (folder / "models" / f"1-state-{which}-seed0.safetensors" for which in ("residual", "plain"))
    model.write_bytes(model.read_bytes()[:500] if kind == "cut" else other.read_bytes())
    with pytest.raises(ValueError, match=r"residual-seed0\.safetensors.*; remove .* to train this part again"):
        experiments.run("plain-or-residual", to=folder, resume=True)


def test_a_model_that_shares_its_weights_is_not_taken_for_one_that_does_not(copied):
    folder = copied("weight-sharing")
    shared, not_shared = (f"1-state-resnet-{which}-seed0" for which in ("shared", "not-shared"))
    (folder / "parts" / f"{shared}.nc").unlink()
    shutil.copy(folder / "models" / f"{not_shared}.safetensors", folder / "models" / f"{shared}.safetensors")
    with pytest.raises(ValueError, match=r"is not the model of this part; remove it to train this part again"):
        experiments.run("weight-sharing", to=folder, resume=True)


def test_a_damaged_state_of_a_training_is_reported_with_a_remedy(copied):
    folder = copied("one-kernel")
    (folder / "parts" / f"{FIRST}.nc").unlink()
    (folder / "models" / f"{FIRST}.safetensors").unlink()
    (folder / "models" / f"{FIRST}.training.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"training\.safetensors.*; remove .* to train this part again"):
        experiments.run("one-kernel", to=folder, resume=True)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    (tmp_path / "holiday.txt").write_text("sun")
    with pytest.raises(ValueError, match=r"is not the folder of an experiment: it has no settings\.json"):
        experiments.run("one-kernel", to=tmp_path, resume=True)


def test_without_a_name_the_experiments_are_listed(capsys):
    assert main(["experiment"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in experiments.EXPERIMENTS)


# --- what single experiments must find -------------------------------------------------------------------------------


def test_folded_and_unfolded_residual_networks_differ_by_rounding_only(made):
    differences = experiments.open_result(made("equivalence"))["difference"]
    assert float(differences.sel(precision="float64").max()) < 1e-10
    assert float(differences.sel(precision="float32").max()) < 1e-2
    assert bool(differences.notnull().all())


def test_one_changed_weight_is_seen_in_the_comparison():
    folded = part.built("resnet-1-state", experiments.SCALES["smoke"]).train()
    unfolded = equivalence.Unfolded(folded).train()
    images = torch.rand((8, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(folded(images), unfolded(images), rtol=0, atol=1e-5)
    with torch.no_grad():
        unfolded.layers[4].second.weight[0, 0, 1, 1] += 0.1
    assert float((folded(images) - unfolded(images)).detach().abs().max()) > 1e-4


def test_the_linear_system_is_its_closed_form(made):
    result = experiments.open_result(made("inhomogeneous"))
    linear = result["closed_form_difference"].dropna("model", how="all").dropna("time", how="all")
    assert linear["model"].values.tolist() == ["linear, image at t = 0 only", "linear, image at every t"]
    assert linear["time"].values.tolist() == list(range(11))
    assert float(linear.max()) < 1e-13


def test_the_last_state_is_empty_at_odd_times_without_self_transitions(made):
    errors = experiments.open_result(made("generalization"))["test_error"].isel(model=0, seed=0)
    read = errors["time"].values[errors.sel(statistics="calibrated").notnull()]
    assert read.tolist() == [2, 4, 6, 8, 10]


def test_held_and_own_statistics_agree_until_the_trained_readout_time(made):
    errors = experiments.open_result(made("generalization"))["test_error"].sel(seed=0)
    own, held = (errors.sel(model="2-state fully recurrent, t = 5", statistics=kind) for kind in ("calibrated", "held"))
    np.testing.assert_array_equal(own.sel(time=slice(1, 5)), held.sel(time=slice(1, 5)))


def test_fewer_images_calibrate_too(made):
    result = experiments.open_result(made("normalization"))
    counted = result["error_by_images"].sel(model="batch normalization", seed=0)
    assert counted["images"].values.tolist() == [10, 20, 50]
    assert bool(counted.notnull().all())
    assert bool(result["error_by_images"].sel(model="no normalization").isnull().all())


def test_a_part_leaves_the_generator_of_torch_to_the_caller():
    drawing = SimpleNamespace(do=lambda bench: xr.Dataset({"drawn": float(torch.rand(()))}))
    before = torch.random.get_rng_state()
    measure(drawing, SimpleNamespace(device="cpu"))
    assert torch.equal(torch.random.get_rng_state(), before)
