"""The cards of the models that ship: complete, labelled, and true on stimuli that are drawn again."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.resources import data_folder
from cortexsim.cli import main
from cortexsim.paper.experiments.result import machine
from cortexsim.stimuli.text import from_dict, write_presentation
from cortexsim.training.evaluate import predictions
from cortexsim.zoo import cards


def test_every_model_of_the_ventral_stream_has_a_card_and_no_card_lacks_its_model():
    shipped = {name for name in cs.zoo.pretrained() if name.startswith("ventral-stream")}
    assert shipped
    assert set(cards.names()) == shipped


def drawn(test: dict, n: int) -> xr.Dataset:
    """Draw the first of the stimuli of a test again, by the names that its record gives them."""
    if test["data"] == "half_occluded_digits":
        free = cs.datasets.digits(n - n // 2, part="test", seed=0, occlusion="none")
        occluded = cs.datasets.digits(n // 2, part="test", seed=1, occlusion=(0.05, 0.5))
        return xr.concat([free, occluded], "stimulus", combine_attrs="override")
    return getattr(cs.datasets, test["data"])(n, part="test", size=32, seed=0)


def test_a_card_is_complete():
    for name in cards.names():
        card, model = cs.zoo.card(name), cs.zoo.load(name)
        assert card["seed"].values[0] == 0, name
        assert card.attrs["parameters"] == model.n_parameters(model.readout_time, cs.sustained()), name
        for text in ("command", "machine", "date", "data", "factor"):
            assert card.attrs[text], name
        assert (card["minutes"] > 0).all(), name
        assert card["loss"].notnull().any("record").all(), name
        for presentation in model.about["recipe"]["presentation"]["components"]:
            shown = from_dict(presentation)
            accuracy = card["accuracy"].sel(presentation=write_presentation(shown))
            until = model.about["recipe"]["calibrate_until"]
            # what is brief is tested half as long
            until = until if shown.kind == "sustained" else until // 2
            known = accuracy["time"].values[accuracy.notnull().all("seed")].tolist()
            assert known == model.readable(shown, until), name
        assert (card["confusion"].sum("named") > 0).all(), name
        assert card["validation"].notnull().any("time").all(), name


def test_bins_of_a_card_average_to_its_accuracy():
    for name in cards.names():
        card = cs.zoo.card(name)
        share = card["n_by_bin"] / card["n_by_bin"].sum("bin")
        mean = (card["accuracy_by_bin"] * share).sum("bin", skipna=False)
        known = card["accuracy"].notnull()
        np.testing.assert_allclose(mean.where(known), card["accuracy"].where(known), atol=1e-3, err_msg=name)


@pytest.mark.parametrize("name", [name for name in cards.names() if "cifar10" not in name])  # its images do not ship
def test_a_model_does_what_its_card_says(name):
    # the first of the stimuli on which the card was measured; so many are enough to miss a wrong set of statistics
    n = 100
    record = json.loads((data_folder() / "models" / "runs" / f"{name}-seed0.json").read_text(encoding="utf-8"))
    model, card = cs.zoo.load(name), cs.zoo.card(name)
    data = drawn(record["test"], n)
    images, labels = torch.from_numpy(data["image"].values), torch.from_numpy(data["label"].values)
    times = [3, model.readout_time]
    right = (predictions(model, images, times, cs.sustained()) == labels).float().mean(1)
    said = card["accuracy"].sel(seed=0, presentation="sustained", time=times)
    # three standard errors of a proportion over n stimuli
    error = 3 * np.sqrt(np.maximum(said * (1 - said), 0.01) / n)
    assert (np.abs(right.numpy() - said) < error).all()


def test_recurrence_pays_with_time_and_more_for_longer_curves():
    recurrent = cs.zoo.card("ventral-stream")["accuracy_by_bin"].sel(presentation="sustained")
    forward = cs.zoo.card("ventral-stream-contours-feedforward")["accuracy_by_bin"].sel(presentation="sustained")
    gain = recurrent.sel(time=8) - recurrent.sel(time=3)
    assert (gain > 0).all()
    assert (gain.isel(bin=-1) > gain.isel(bin=0)).all()
    assert float(abs(forward.sel(time=8) - forward.sel(time=3)).max()) < 0.01


def test_digits_do_not_need_time_and_a_feedforward_control_is_no_worse():
    recurrent, forward = (
        cs.zoo.card(name)["accuracy"].sel(seed=0, presentation="sustained")
        for name in ("ventral-stream-digits", "ventral-stream-digits-feedforward")
    )
    assert float((recurrent - recurrent.sel(time=3)).max()) < 0.01
    assert float(forward.sel(time=5)) >= float(recurrent.sel(time=5))
    free = cs.zoo.card("ventral-stream-digits")["accuracy_by_bin"].sel(seed=0, presentation="sustained").isel(bin=-1)
    assert free.sel(time=slice(3, 5)).min() >= 0.97


def test_a_card_as_text_gives_every_presentation_in_percent():
    card = cs.zoo.card("ventral-stream")
    text = cards.as_text(card)
    for name in card["presentation"].values:
        assert any(line.startswith(name + " ") for line in text.splitlines())
    mean = 100 * float(card["accuracy"].sel(presentation="sustained", time=8).mean())
    assert f"{mean:.0f}" in text
    assert card.attrs["command"] in text


@pytest.fixture
def card_of(tmp_path, monkeypatch):
    """Make a card of the chosen seeds of contours, by the number that each is given."""
    monkeypatch.setattr(cards, "_folder", lambda: tmp_path)

    def make(seeds: dict[int, int]) -> tuple[xr.Dataset, dict[int, dict]]:
        runs = {}
        for number, seed in seeds.items():
            name = f"ventral-stream-contours-seed{seed}.json"
            runs[number] = json.loads((data_folder() / "models" / "runs" / name).read_text(encoding="utf-8"))
            runs[number]["seed"] = number
            text = json.dumps(runs[number])
            (tmp_path / f"ventral-stream-contours-seed{number}.json").write_text(text, encoding="utf-8")
        return cards.card("ventral-stream-contours"), runs

    return make


# seeds 0 and 1 were trained before the untrained model was recorded at step 0
@pytest.mark.parametrize("seeds", [(2,), (2, 3, 4), (0, 2)], ids=["one seed", "seeds agree", "seeds differ"])
def test_the_training_curve_is_in_the_order_of_stage_and_step(card_of, seeds):
    card, runs = card_of({seed: seed for seed in seeds})
    records = {(record["stage"], record["step"]) for run in runs.values() for record in run["training"]}
    assert list(zip(card["stage"].values, card["step"].values, strict=True)) == sorted(records)
    for seed, run in runs.items():
        for record in run["training"]:
            at = card.sel(seed=seed, record=f"{record['stage']}:{record['step']}")
            assert float(at["loss"]) == record["loss"]
            for time, value in record["accuracy"].items():
                assert float(at["training_accuracy"].sel(time=int(time))) == value
        last = {int(time): value for time, value in run["training"][-1]["validation"].items()}
        assert card["validation"].sel(seed=seed, time=list(last)).values.tolist() == list(last.values())
        assert at["validation_accuracy"].sel(time=list(last)).values.tolist() == list(last.values())


def test_a_seed_has_no_loss_at_a_step_that_only_another_recorded(card_of):
    card, _ = card_of({0: 0, 2: 2})
    assert card["loss"].sel(record="1:0").isnull().values.tolist() == [True, False]


def test_seeds_of_a_card_stand_in_their_order(card_of):
    card, _ = card_of({2: 2, 10: 3})
    assert card["seed"].values.tolist() == [2, 10]


def test_each_seed_has_its_own_command_minutes_and_beginnings(card_of):
    card, runs = card_of({0: 0, 3: 3})
    for seed, run in runs.items():
        one = card.sel(seed=seed)
        assert one["command"] == run["command"]
        assert one["minutes"] == run["minutes"]
        assert one["machine"] == f"{run['machine']}, 1 thread"
        assert one["training_data"] == "contours, training part: 40,000 of 16 x 16, then 30,000 of 32 x 32"
    assert card["beginnings"].values.tolist() == [1, 3]


def test_several_threads_are_named_so(card_of, tmp_path):
    _, runs = card_of({0: 0})
    file = tmp_path / "ventral-stream-contours-seed0.json"
    file.write_text(json.dumps({**runs[0], "threads": 2}), encoding="utf-8")
    assert cards.card("ventral-stream-contours").attrs["machine"].endswith("float32, 2 threads")


def test_minutes_next_to_a_command_are_those_of_its_seed(card_of):
    card, runs = card_of({0: 0, 3: 3})
    minutes = [run["minutes"] for run in runs.values()]
    text = cards.as_text(card)
    assert f"trained by: {runs[0]['command']} (seed 0: {minutes[0]} minutes, " in text
    mean = f"{np.mean(minutes):.1f} ({min(minutes)}-{max(minutes)})"
    assert f"minutes of training: {mean}, mean (lowest to highest) of 2 seeds" in text


def test_the_short_text_says_what_its_empty_cells_mean():
    text = cards.as_text(cs.zoo.card("ventral-stream-digits"))
    assert "an empty cell: no signal has reached the last area yet, or this time was not tested" in text


def block(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading that begins so."""
    lines = text.splitlines()
    (begin,) = (k for k, line in enumerate(lines) if line.startswith(heading))
    end = lines.index("", begin) if "" in lines[begin:] else len(lines)
    # a cell holds single spaces at most
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[begin + 1 : end]]


@pytest.mark.parametrize(
    "name", ["ventral-stream-contours", "ventral-stream-contours-feedforward", "ventral-stream-cifar10-jpeg"]
)
def test_the_full_text_gives_every_time_and_every_bin_of_every_presentation(name):
    card = cs.zoo.card(name)
    text = cards.in_full(card)
    for shown in card["presentation"].values:
        known = card.sel(presentation=shown).dropna("time", how="all", subset=["accuracy"])
        heading, *rows = block(text, f"{shown}, percent correct by {card['bin'].attrs['long_name']}")
        for cell, label, n in zip(heading[2:], card["bin"].values, card["n_by_bin"].values[0], strict=True):
            assert cell == f"{label} ({n})"
        assert [int(row[0]) for row in rows] == known["time"].values.tolist()
        for row in rows:
            at = known.sel(time=int(row[0]))
            for cell, values in zip(
                row[1:], [at["accuracy"], *at["accuracy_by_bin"].transpose("bin", ...)], strict=True
            ):
                mean, low, high = (100 * float(f(values)) for f in (np.mean, np.min, np.max))
                assert cell == (f"{mean:.1f}" if card.sizes["seed"] == 1 else f"{mean:.1f} ({low:.1f}-{high:.1f})")


@pytest.mark.parametrize("name", ["ventral-stream-contours", "ventral-stream-digits"])
def test_the_full_text_gives_the_confusion_matrix_of_every_presentation(name):
    card = cs.zoo.card(name)
    text = cards.in_full(card)
    for shown in card["presentation"].values:
        one = card.sel(presentation=shown)
        when = int(one["confusion_at"][0])
        heading, *rows = block(
            text, f"{shown}, stimuli of each class (rows) by the class that the model chose (columns) at time {when}"
        )
        assert heading[1:] == [f"as {label}" for label in card["named"].values]
        assert [row[0] for row in rows] == card["shown"].values.tolist()
        counts = one["confusion"].mean("seed").values
        assert [[int(cell.split()[0]) for cell in row[1:]] for row in rows] == counts.round().astype(int).tolist()


def test_the_full_text_gives_the_training_curve_at_steps_that_every_seed_has(card_of):
    card, runs = card_of({0: 0, 2: 2})
    text = cards.in_full(card)
    heading, *rows = block(text, "training: loss")
    assert heading == ["stage", "step", "loss", *(f"time {time}" for time in range(3, 9))]
    assert 9 <= len(rows) <= 9 + 4
    steps = [(int(row[0]), int(row[1])) for row in rows]
    assert steps == sorted(steps)
    assert (1, 0) not in steps
    assert steps[-1] == (2, 918)
    losses = [run["training"][-1]["loss"] for run in runs.values()]
    assert rows[-1][2] == f"{np.mean(losses):.3f} ({min(losses):.3f}-{max(losses):.3f})"
    heading, *rows = block(text, "validation: ")
    assert heading == ["time", "step 1:618", "step 1:1236", "step 1:1854", "step 2:918"]
    held_out = [100 * run["training"][-1]["validation"]["24"] for run in runs.values()]
    assert rows[-1][0] == "24"
    assert rows[-1][-1] == f"{np.mean(held_out):.1f} ({min(held_out):.1f}-{max(held_out):.1f})"


def test_a_training_without_validation_is_printed_without(card_of, tmp_path):
    _, runs = card_of({0: 0})
    for record in runs[0]["training"]:
        record["validation"] = None
    (tmp_path / "ventral-stream-contours-seed0.json").write_text(json.dumps(runs[0]), encoding="utf-8")
    text = cards.in_full(cards.card("ventral-stream-contours"))
    assert block(text, "training: loss")[-1][:2] == ["2", "918"]
    assert "validation: " not in text


def test_the_full_text_says_how_each_seed_was_trained_and_what_is_empty(card_of):
    card, runs = card_of({0: 0, 3: 3})
    text = cards.in_full(card)
    for seed, run in runs.items():
        assert f"seed {seed}, trained by: {run['command']}\n    {run['minutes']} minutes" in text
    assert text.count("restarted 2 times") == text.count("restarted") == 1
    assert text.count("    on contours, training part: 40,000 of 16 x 16, then 30,000 of 32 x 32\n") == 2
    assert "a time that is missing: no signal has reached the last area yet, or this time was not tested" in text
    assert "an empty cell: there is no value" in text


def test_models_prints_the_full_card_where_it_is_asked_for(capsys):
    card = cs.zoo.card("ventral-stream-digits-feedback")
    assert main(["models", "ventral-stream-digits-feedback"]) == 0
    out = capsys.readouterr().out
    assert cards.as_text(card) in out
    assert "--full prints" in out
    assert "validation: percent" not in out
    assert main(["models", "ventral-stream-digits-feedback", "--full"]) == 0
    out = capsys.readouterr().out
    assert cards.in_full(card) in out
    assert "--full" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--full prints the card of one model: name it"),
        (["adjacent-4-state"], "there is no card of 'adjacent-4-state': those with a card are "),
    ],
)
def test_a_full_card_that_does_not_exist_is_refused(capsys, arguments, message):
    assert main(["models", *arguments, "--full"]) == 1
    told = capsys.readouterr()
    assert message in told.err
    assert not told.out


@pytest.fixture
def make(monkeypatch):
    """Load the command that trains what ships."""
    spec = importlib.util.spec_from_file_location("make", Path(__file__).parents[2] / "tools" / "train_zoo.py")
    make = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "make", make)  # its dataclasses look their module up
    spec.loader.exec_module(make)
    return make


def test_a_record_says_the_recipe_that_was_run_and_not_its_tasks(make):
    for path in sorted((data_folder() / "models" / "runs").glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        name = next(task for task in make.TASKS if run["model"].startswith(f"ventral-stream-{task}"))
        task, control = make.TASKS[name], run["model"].removeprefix(f"ventral-stream-{name}").lstrip("-") or "recurrent"
        for number, (stage, told) in enumerate(zip(task.stages, run["stages"], strict=True), 1):
            precision = told["recipe"]["precision"]
            assert told["recipe"] == make.recipe_of(task, stage, control, run["seed"], precision).to_dict(), path
            # as many steps as its epochs have
            recipe = cs.Recipe.from_dict(told["recipe"])
            last = max(record["step"] for record in run["training"] if record["stage"] == number)
            learned = stage.n - round(recipe.validation * stage.n)
            assert last == recipe.epochs * (learned // recipe.batch_size), path


def test_a_model_is_recorded_with_the_processor_that_trained_it(make, monkeypatch):
    named = make.processor_and_torch(1)
    assert named == f"{machine('cpu', 1).partition(', 1 thread')[0]}, torch {torch.__version__.partition('+')[0]}"
    monkeypatch.setattr(make, "machine", lambda device, threads: f"Some, 16-Core, {threads} threads, torch 2.15.0+cpu")
    assert make.processor_and_torch(2) == "Some, 16-Core, torch 2.15.0"


def test_an_unknown_card_names_those_that_exist():
    with pytest.raises(ValueError, match="no card of 'digits-tiny': those with a card are ventral-stream-cifar10-jpeg"):
        cs.zoo.card("digits-tiny")


def test_the_numbers_of_a_card_are_those_of_its_records():
    card = cs.zoo.card("ventral-stream-digits")
    file = data_folder() / "models" / "runs" / "ventral-stream-digits-seed0.json"
    for one in json.loads(file.read_text(encoding="utf-8"))["test"]["presentations"].values():
        found = card.sel(seed=0, presentation=write_presentation(from_dict(one["shown"])), time=one["times"])
        assert found["accuracy"].values.tolist() == one["accuracy"]
        assert found["accuracy_by_bin"].transpose("time", "bin").values.tolist() == one["by_bin"]
        assert found["confusion"].transpose("shown", "named").values.tolist() == one["confusion"]


def test_every_model_but_those_of_cifar_has_an_accuracy_on_a_second_test_set():
    for name in cards.names():
        card = cs.zoo.card(name)
        assert ("fresh" in card) == ("cifar10" not in name), name
        if "fresh" in card:
            assert card["fresh"].attrs["data"] not in card.attrs["data"]
            assert "on fresh images" in cards.as_text(card)
            assert "on fresh images" in cards.in_full(card)


def test_the_accuracy_on_the_second_test_set_is_that_of_the_model():
    data = cs.datasets.contours(1000, part="test", seed=1, matched=True)
    for name in ("ventral-stream-contours", "ventral-stream-contours-feedforward"):
        named = predictions(cs.zoo.load(name), data["image"].values, [3, 8], cs.sustained(), batch_size=100)
        right = (named == torch.from_numpy(data["label"].values)).float().mean(1)
        # another processor may round otherwise: one image in a thousand
        np.testing.assert_allclose(cs.zoo.card(name)["fresh"].sel(time=[3, 8]), right, atol=0.0011)
