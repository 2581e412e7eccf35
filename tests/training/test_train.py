"""Training: it learns, stops and resumes exactly, reports its progress, and refuses what does not fit."""

import importlib
import json
import math
from dataclasses import replace

import pytest
import torch
import xarray as xr
from torch import nn

import cortexsim as cs
from cortexsim.training.augmentation import augment, shrink
from cortexsim.training.setup import optimizer_of

TRAIN = importlib.import_module("cortexsim.training._train")  # the package has a function of this name

RECIPE = cs.Recipe(
    epochs=3,
    batch_size=8,
    learning_rate=0.05,
    augmentation="none",
    precision="float32",
    validation=0.2,
    calibration_images=40,
)


def data(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose class is their colour."""
    labels = torch.arange(n) % 3
    images = torch.rand((n, 3, 8, 8), generator=torch.Generator().manual_seed(1)) * 0.5
    images[torch.arange(n), labels] += 0.5
    return images, labels


def made() -> cs.Cortex:
    torch.manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), n_classes=3, readout_time=3)


def weights(model: cs.Cortex) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.weights_and_buffers().items()}


def test_training_learns_and_ends_calibrated_to_twice_the_readout_time():
    model = made()
    *_, last = cs.train(model, data(), replace(RECIPE, epochs=10))
    assert last.done
    assert sorted(last.validation) == [1, 2, 3, 4, 5, 6]
    assert min(last.validation[t] for t in (1, 2, 3)) > 0.9
    assert model.find_statistics(cs.flash(1)).until == 6
    assert cs.simulate(model, data()[0], until=6)["readout"]["logits"].notnull().sum() == 60 * 6 * 3


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_interrupted_and_resumed_run_equals_the_uninterrupted_one(tmp_path, optimizer):
    recipe = replace(RECIPE, optimizer=optimizer, augmentation="crop-flip", precision="bfloat16")
    whole = made()
    list(cs.train(whole, data(), recipe))

    for record in cs.train(made(), data(), recipe, checkpoint=tmp_path / "state.safetensors", report_every=1):
        if record.step == 8:  # in the middle of the second epoch
            break
    resumed = made()
    records = list(cs.train(resumed, data(), recipe, checkpoint=tmp_path / "state.safetensors", report_every=1))
    assert records[0].step == 9
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())
    assert all(
        torch.equal(whole.find_statistics(cs.flash(1)).moments[place][0], mean)
        for place, (mean, _) in resumed.find_statistics(cs.flash(1)).moments.items()
    )


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_an_optimizer_kept_is_laid_out_like_its_weights_again(optimizer, tmp_path):
    recipe = replace(RECIPE, optimizer=optimizer)
    for record in cs.train(made(), data(), recipe, checkpoint=tmp_path / "state.safetensors", report_every=1):
        if record.step == 2:
            break
    training = TRAIN._Training(made(), data(), recipe, tmp_path / "state.safetensors", 1)
    training._resume(training.path)
    kept = [
        (weight, value)
        for weight, entries in training.optimizer.state.items()
        for value in entries.values()
        if value.shape == weight.shape
    ]
    assert len(kept) == (2 if optimizer == "adamw" else 1) * len(list(training.model.parameters()))
    # a fused optimizer takes both as plain memory
    assert all(weight.stride() == value.stride() for weight, value in kept)


@pytest.mark.parametrize("presentation", [cs.flash(1), cs.mixture(cs.flash(1), cs.masked(1, 2))])
def test_steps_that_are_computed_again_give_the_same_gradients(presentation, monkeypatch):
    recipe = replace(RECIPE, epochs=1, presentation=presentation, augmentation="crop-flip")
    gradients, steps = {}, []
    original = cs.Cortex.step
    monkeypatch.setattr(
        cs.Cortex, "step", lambda self, h, time, *rest: steps.append(time) or original(self, h, time, *rest)
    )
    for recompute in (False, True):
        model = made().double()
        steps.clear()
        training = TRAIN._Training(model, data(), replace(recipe, recompute=recompute), None, 1)
        training._one_step()
        assert steps.count(3) == 1 + recompute
        gradients[recompute] = {name: value.grad for name, value in model.named_parameters()}
        assert all(value is not None for value in gradients[recompute].values())
    for name, value in gradients[True].items():
        torch.testing.assert_close(value, gradients[False][name], rtol=1e-10, atol=1e-10)


def test_a_training_that_ran_out_of_memory_may_resume_with_recomputed_steps(tmp_path):
    state = tmp_path / "state.safetensors"
    whole = made()
    list(cs.train(whole, data(), RECIPE))
    for record in cs.train(made(), data(), RECIPE, checkpoint=state, report_every=1):
        if record.step == 8:
            break
    resumed = made()
    list(cs.train(resumed, data(), replace(RECIPE, recompute=True), checkpoint=state))
    for name, value in weights(whole).items():
        torch.testing.assert_close(value, weights(resumed)[name], rtol=1e-5, atol=1e-6)
    assert resumed.about["recipe"]["recompute"] is True


def test_recompute_is_yes_or_no_and_saved_only_where_it_is_yes():
    with pytest.raises(ValueError, match="recompute must be True or False, got 1"):
        replace(RECIPE, recompute=1)
    again = replace(RECIPE, recompute=True)
    assert cs.Recipe.from_dict(json.loads(json.dumps(again.to_dict()))) == again
    assert "recompute" not in RECIPE.to_dict()


def test_reporting_more_often_changes_nothing():
    models = made(), made()
    for model, every in zip(models, (1, 100), strict=True):
        list(cs.train(model, data(), RECIPE, report_every=every))
    assert all(torch.equal(value, weights(models[1])[name]) for name, value in weights(models[0]).items())


def test_records_report_the_progress_of_the_training():
    records = list(cs.train(made(), data(), RECIPE, report_every=2))
    steps = [record.step for record in records]
    assert steps == sorted(steps)
    assert records[-1].step == records[-1].steps == 3 * (48 // 8)
    assert [record.epoch for record in records if record.validation and not record.done] == [1, 2, 3]
    assert set(records[0].accuracy) == {1, 2, 3}
    assert math.isnan(records[0].seconds_left)
    assert all(record.seconds_left >= 0 for record in records[1:])
    assert "left" in str(records[1])
    assert "validation" in str(records[-1])


def test_the_loss_can_be_taken_at_the_readout_time_only():
    first = next(iter(cs.train(made(), data(), replace(RECIPE, loss_at="readout"))))
    assert set(first.accuracy) == {3}


def test_training_on_a_mixture_ends_calibrated_on_it():
    model, mixture = made(), cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 1))
    list(cs.train(model, data(), replace(RECIPE, presentation=mixture)))
    assert model.find_statistics(cs.masked(1, 1)).presentation == mixture


def test_held_out_images_are_balanced_and_never_trained_on(monkeypatch):
    images, labels = data()
    validated, trained = [], []
    evaluate, changed = TRAIN.accuracies, TRAIN.augment
    monkeypatch.setattr(
        TRAIN, "accuracies", lambda model, x, *rest, **more: validated.append(x) or evaluate(model, x, *rest, **more)
    )
    monkeypatch.setattr(TRAIN, "augment", lambda x, *rest: trained.append(x) or changed(x, *rest))
    list(cs.train(made(), (images, labels), RECIPE))

    def known(found: list[torch.Tensor]) -> set[int]:
        return {int((images == x).flatten(1).all(1).nonzero()[0]) for x in torch.cat(found)}

    assert labels[sorted(known(validated))].bincount().tolist() == [4, 4, 4]
    assert known(trained) == set(range(60)) - known(validated)


def test_a_loss_that_is_no_number_stops_with_an_explanation(tmp_path):
    state = tmp_path / "state.safetensors"
    with pytest.raises(cs.TrainingDivergedError, match=r"not a finite number at step \d+ of 18.*lower learning_rate"):
        list(cs.train(made(), data(), replace(RECIPE, learning_rate=1e30, warmup=0.0), checkpoint=state))


def test_leaving_the_loop_leaves_the_mode_as_it_was():
    model = made().eval()
    for _ in cs.train(model, data(), RECIPE):
        break
    assert not model.training


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    state = tmp_path / "state.safetensors"
    list(cs.train(made(), data(), RECIPE, checkpoint=state))
    with pytest.raises(ValueError, match="belongs to a different training: seed was 0 and is now 1; use the same"):
        list(cs.train(made(), data(), replace(RECIPE, seed=1), checkpoint=state))
    images, labels = data()
    with pytest.raises(ValueError, match="belongs to a different training: the labels differ"):
        list(cs.train(made(), (images, (labels + 1) % 3), RECIPE, checkpoint=state))
    cs.save(made(), tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="contains no training"):
        list(cs.train(made(), data(), RECIPE, checkpoint=tmp_path / "model.safetensors"))


def test_a_refused_resume_names_every_setting_that_differs_with_both_values(tmp_path):
    state = tmp_path / "state.safetensors"
    for record in cs.train(made(), data(), RECIPE, checkpoint=state, report_every=1):
        if record.step:
            break
    changed = replace(RECIPE, learning_rate=0.5, presentation=cs.sustained())
    message = (
        rf"learning_rate was {RECIPE.learning_rate} and is now 0\.5; "
        "presentation was «flash: image for 1 step, then nothing» and is now «sustained»"
    )
    with pytest.raises(ValueError, match=message):
        list(cs.train(made(), data(), changed, checkpoint=state))


def test_a_refused_resume_says_that_images_or_graph_differ(tmp_path):
    state = tmp_path / "state.safetensors"
    for record in cs.train(made(), data(), RECIPE, checkpoint=state, report_every=1):
        if record.step:
            break
    images, labels = data()
    with pytest.raises(ValueError, match="different training: the images differ; use"):
        list(cs.train(made(), (images / 2, labels), RECIPE, checkpoint=state))
    with pytest.raises(ValueError, match="different training: there were 60 images and are now 50; use"):
        list(cs.train(made(), (images[:50], labels[:50]), RECIPE, checkpoint=state))
    other = cs.Cortex(cs.adjacent({"V1": 4, "IT": 8}, size=8), n_classes=3, readout_time=3)
    with pytest.raises(ValueError, match="different training: the graph differs; use"):
        list(cs.train(other, data(), RECIPE, checkpoint=state))


class _Largest(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scores = nn.Linear(4, 3)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return self.scores(h.amax((2, 3)))


def test_a_refused_resume_says_that_difficulty_post_net_or_frozen_weights_differ(tmp_path):
    state = tmp_path / "state.safetensors"
    given = graded()
    recipe = replace(RECIPE, difficulty="difficulty", curriculum=((0.0, 0.5), (0.5, 1.0)))
    for record in cs.train(made(), given, recipe, checkpoint=state, report_every=1):
        if record.step:
            break
    with pytest.raises(ValueError, match="different training: the order of the images by difficulty differs; use"):
        cs.fit(made(), given.assign_coords(difficulty=-given["difficulty"]), recipe, checkpoint=state)
    other = cs.Cortex(made().graph, 3, 3, post_net=_Largest())
    with pytest.raises(ValueError, match='different training: post_net was "pool" and is now "_Largest"; use'):
        cs.fit(other, given, recipe, checkpoint=state)
    frozen = made()
    frozen.post.shift.requires_grad_(False)
    with pytest.raises(ValueError, match=r'different training: frozen was \[\] and is now \["post.shift"\]; use'):
        cs.fit(frozen, given, recipe, checkpoint=state)


def test_growing_images_train_the_same_weights_at_several_sizes():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=16), 3, 3)
    images = nn.functional.interpolate(data()[0], 16)
    sizes = []
    model.pre.register_forward_pre_hook(lambda _, args: sizes.append(args[0].shape[-1]))
    list(cs.train(model, (images, data()[1]), replace(RECIPE, growth=((0.0, 0.5), (0.5, 1.0)))))
    assert set(sizes) == {8, 16}
    own = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3, pre_net=nn.Conv2d(3, 4, 1))
    with pytest.raises(ValueError, match=r"set growth=\(\(0.0, 1.0\),\)"):
        next(iter(cs.train(own, data(), replace(RECIPE, growth=((0.0, 0.5), (0.5, 1.0))))))


@pytest.mark.parametrize("mask", ["texture", "image", "noise"])
def test_masks_of_growing_images_are_taken_from_the_images_as_they_are_shown(mask):
    images, labels = torch.rand((16, 3, 16, 16), generator=torch.Generator().manual_seed(3)), torch.arange(16) % 3
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=16), n_classes=3, readout_time=3)
    recipe = replace(RECIPE, growth=((0.0, 0.5), (0.5, 1.0)), validation=0.0, presentation=cs.masked(1, 2, mask))
    training = TRAIN._Training(model, (images, labels), recipe, None, 1)
    for step, shown in ((0, shrink(images, 0.5, 2)), (training.steps - 1, images)):
        training.step = step
        batch = training._draw()
        within = step % training.steps_per_epoch * 8
        index = training._order(batch.plan.seed)[within : within + 8]
        wanted = recipe.presentation.frames(shown[index], 3, seed=batch.plan.seed, index=index, others=shown)
        assert torch.equal(batch.tensors[0], wanted.images)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((torch.rand(9, 3, 8, 8), torch.arange(9)), ValueError, "labels must be 0 to 2 .* got 0 to 8"),
        (
            (torch.rand(9, 3, 8, 8), torch.zeros(4)),
            ValueError,
            r"labels must be one for each of the 9 stimuli, got shape \(4,\)",
        ),
        ((torch.rand(9, 3, 8, 8), torch.zeros(9)), ValueError, "do not fill a batch of 8"),
        (torch.rand(9, 3, 8, 8), TypeError, r"Dataset or a pair \(images, labels\), got Tensor"),
        (
            xr.Dataset({"image": (("stimulus", "channel", "y", "x"), torch.rand(9, 3, 8, 8).numpy())}),
            ValueError,
            "label",
        ),
    ],
)
def test_data_that_do_not_fit_are_refused(given, error, message):
    with pytest.raises(error, match=message):
        next(iter(cs.train(made(), given, RECIPE)))


# --- the recipe --------------------------------------------------------------------------------------------------


def test_the_papers_recipe_is_the_papers():
    recipe = cs.Recipe.paper()
    assert (recipe.epochs, recipe.batch_size, recipe.momentum, recipe.nesterov) == (60, 64, 0.9, False)
    assert recipe.augmentation == "crop-flip"
    rates = [recipe.learning_rate_at(epoch / 60) for epoch in (0, 39.9, 40, 49.9, 50, 59.9)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001])


def test_one_cycle_rises_and_falls_to_nothing():
    recipe = cs.Recipe(learning_rate=1.0, warmup=0.25)
    assert recipe.learning_rate_at(0.125) == 0.5
    assert recipe.learning_rate_at(0.25) == 1.0
    assert recipe.learning_rate_at(1.0) < 0.001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "adam"}, "unknown optimizer 'adam'.*did you mean 'adamw'"),
        ({"epochs": 0}, "epochs must be a whole number, at least 1, got 0"),
        ({"learning_rate": -1.0}, "learning_rate must be positive, got -1.0"),
        ({"validation": 1.0}, "validation must be at least 0 and below 1, got 1.0"),
        ({"growth": ((0.0, 0.5),)}, "the last one 1"),
    ],
)
def test_recipes_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        cs.Recipe(**changes)


def test_a_recipe_survives_json():
    recipe = cs.Recipe.quick(presentation=cs.mixture(cs.flash(1), cs.masked(1, 2)))
    assert cs.Recipe.from_dict(recipe.to_dict()) == recipe
    with pytest.raises(ValueError, match="unknown recipe setting 'epoch'"):
        cs.Recipe.from_dict({**recipe.to_dict(), "epoch": 3})


def test_augmentation_depends_on_seed_and_image_alone():
    images, index = data()[0], torch.arange(60)
    whole = augment(images, "crop-flip", 3, index)
    assert torch.equal(augment(images[20:30], "crop-flip", 3, index[20:30]), whole[20:30])
    assert not torch.equal(augment(images, "crop-flip", 4, index), whole)
    assert torch.equal(augment(images, "none", 3, index), images)


def test_a_flip_is_a_mirror_and_a_crop_a_shift_with_black_beyond_the_edge():
    images, index = data()[0], torch.arange(60)
    flipped = augment(images, "flip", 0, index)
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(flipped, images, strict=True)]
    assert all(torch.equal(a, b) or m for a, b, m in zip(flipped, images, mirrored, strict=True))
    assert 15 < sum(mirrored) < 45
    padded = nn.functional.pad(images, (4,) * 4)
    for cropped, source in zip(augment(images, "crop", 0, index), padded, strict=True):
        places = [source[:, i : i + 8, j : j + 8] for i in range(9) for j in range(9)]
        assert any(torch.equal(cropped, place) for place in places)


def test_shrinking_keeps_the_mean_and_a_side_that_halves():
    images = torch.rand(4, 3, 32, 32)
    small = shrink(images, 0.7, 8)
    assert small.shape[-1] % 8 == 0
    assert math.isclose(float(small.mean()), float(images.mean()), abs_tol=0.01)


def graded(n: int = 60) -> xr.Dataset:
    """Images with a difficulty, which falls from the first to the last."""
    images, labels = data(n)
    coordinates = {"label": ("stimulus", labels.numpy()), "difficulty": ("stimulus", range(n, 0, -1))}
    names = {"classes": '["red", "green", "blue"]'}
    return xr.Dataset({"image": (("stimulus", "channel", "y", "x"), images.numpy())}, coordinates, names)


def test_a_curriculum_begins_with_the_easiest_images(monkeypatch):
    shown = []
    monkeypatch.setattr(TRAIN, "augment", lambda images, *rest: shown.append(images) or images)
    recipe = replace(RECIPE, validation=0.0, curriculum=((0.0, 0.25), (0.5, 1.0)), difficulty="difficulty", epochs=4)
    list(cs.train(made(), graded(), recipe))
    every, (images, _) = len(shown) // 2, data()

    def which(batches):
        return {int((images == x).flatten(1).all(1).nonzero()[0]) for batch in batches for x in batch}

    assert which(shown[:every]) == set(range(45, 60))  # the easiest quarter, all of it
    assert which(shown[every:]) == set(range(60))


def test_a_curriculum_without_a_known_difficulty_is_refused():
    with pytest.raises(ValueError, match=r"curriculum .* needs difficulty"):
        replace(RECIPE, curriculum=((0.0, 0.5), (0.5, 1.0)))
    with pytest.raises(ValueError, match=r"curriculum must be \(from, share\) pairs"):
        replace(RECIPE, curriculum=((0.0, 0.5),), difficulty="difficulty")
    with pytest.raises(ValueError, match=r"'length' is not a coordinate of the data, .* \['difficulty', 'label'\]"):
        list(cs.train(made(), graded(), replace(RECIPE, difficulty="length")))
    with pytest.raises(ValueError, match=r"is not a coordinate of the data, which has \[\]"):
        list(cs.train(made(), data(), replace(RECIPE, difficulty="difficulty")))


@pytest.mark.parametrize(("native", "expected"), [(True, "bfloat16"), (False, "float32")])
def test_automatic_precision_is_bfloat16_only_where_the_processor_computes_with_it(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    model = made()
    list(cs.train(model, data(), replace(RECIPE, precision="auto", epochs=1)))
    assert model.about["precision"] == expected


def test_without_held_out_images_statistics_are_taken_only_at_the_end(monkeypatch):
    taken = []
    monkeypatch.setattr(TRAIN, "calibrate", lambda *rest, **more: taken.append(rest))
    list(cs.train(made(), data(), replace(RECIPE, validation=0.0)))
    assert len(taken) == 1


def test_unfolding_trains_short_paths_first():
    recipe = replace(RECIPE, epochs=4, unfolding=((0.0, 1), (0.5, None)))
    model = made()
    before = weights(model)
    records = list(cs.train(model, data(), recipe, report_every=1))
    half = len(records) // 2
    assert [set(record.accuracy) for record in records[: half - 1]] == [{1}] * (half - 1)
    assert set(records[-2].accuracy) == {1, 2, 3}
    # up to its first readout nothing has come back, so only what leads up may have changed by then
    model = made()
    for record in cs.train(model, data(), recipe, report_every=1):
        if record.step == 3:
            break
    changed = {name for name, value in weights(model).items() if not torch.equal(value, before[name])}
    assert any("V1->IT" in name for name in changed)
    assert not any("IT->V1" in name or "V1->V1" in name for name in changed)


def test_an_unfolding_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"unfolding must be \(from, time\) pairs .* with increasing times"):
        replace(RECIPE, unfolding=((0.0, 3), (0.2, 2), (0.5, None)))
    with pytest.raises(ValueError, match="unfolding must be"):
        replace(RECIPE, unfolding=((0.0, 3),))
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8), n_classes=3, readout_time=4)
    with pytest.raises(ValueError, match="unfolds up to time 1, but this model can be read out from time 2 to 4"):
        list(cs.train(model, data(), replace(RECIPE, unfolding=((0.0, 1), (0.5, None)))))


def test_a_resumed_training_continues_its_unfolding(tmp_path):
    recipe = replace(RECIPE, unfolding=((0.0, 1), (0.5, None)), optimizer="adamw")
    whole, resumed = made(), made()
    list(cs.train(whole, data(), recipe))
    for record in cs.train(made(), data(), recipe, checkpoint=tmp_path / "state.safetensors", report_every=1):
        if record.step == 5:
            break
    list(cs.train(resumed, data(), recipe, checkpoint=tmp_path / "state.safetensors"))
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole).items())


def test_a_resumed_training_keeps_its_input_gain(tmp_path):
    state = tmp_path / "state.safetensors"
    for record in cs.train(made(), data(), RECIPE, checkpoint=state, report_every=1):
        if record.step:
            break
    torch.manual_seed(0)
    louder = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), n_classes=3, readout_time=3, input_gain=2.0)
    with pytest.raises(ValueError, match=r"input_gain was 1.0 and is now 2.0"):
        list(cs.train(louder, data(), RECIPE, checkpoint=state))


@pytest.mark.parametrize("recipe", [cs.Recipe.contours(seed=3), cs.Recipe.digits(seed=3)])
def test_a_recipe_comes_back_from_its_plain_values(recipe):
    assert cs.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_the_first_record_comes_before_anything_is_learned():
    model = made()
    before = weights(model)
    first = next(iter(cs.train(model, data(), RECIPE)))
    assert first.step == 0
    assert set(first.accuracy) == {1, 2, 3}
    assert math.isfinite(first.loss)
    assert "not trained yet" in str(first)
    assert all(torch.equal(value, before[name]) for name, value in weights(model).items())


# --- movies, and labels that differ from time to time -------------------------------------------------------------


def movies(n: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    """Movies of three frames of one colour each; asked at each time for the colour of the frame before."""
    colour = torch.randint(3, (n, 3), generator=torch.Generator().manual_seed(4))
    frames = torch.zeros((n, 3, 3, 8, 8))
    frames[torch.arange(n)[:, None], torch.arange(3), colour] = 1
    labels = torch.full((n, 5), -1)
    labels[:, 1:4] = colour
    return frames, labels


def test_movies_are_trained_for_what_each_time_asks():
    recipe = replace(RECIPE, epochs=15, presentation=cs.sequence(), calibrate_until=3)
    model = made()
    first, *_, last = cs.train(model, movies(96), recipe)
    assert sorted(first.accuracy) == sorted(last.validation) == [1, 2, 3]
    assert min(last.validation.values()) > 0.9
    (presentation,) = model.statistics
    assert presentation.n_frames == 3


@pytest.mark.parametrize("kind", ["crop-flip", "turn-flip"])
def test_movies_are_augmented_and_shrunk_frame_by_frame_alike(kind):
    frames, index = torch.rand((8, 2, 3, 8, 8), generator=torch.Generator().manual_seed(2)), torch.arange(8)
    recipe = replace(RECIPE, augmentation=kind, growth=((0.0, 0.5), (0.5, 1.0)), presentation=cs.sequence())
    training = TRAIN._Training(made(), (frames, index % 3), replace(recipe, validation=0.0), None, 1)
    batch = training._draw()
    order = training._order(batch.plan.seed)[:8]
    alike = [shrink(augment(frames[order, k], kind, batch.plan.seed, order), 0.5, 2) for k in range(2)]
    assert torch.equal(batch.tensors[0], torch.cat(alike))
    assert batch.tensors[0].shape == (16, 3, 4, 4)


def test_the_accuracy_of_steps_is_the_fraction_of_their_answers(monkeypatch):
    images, labels = data(12)
    by_time = torch.full((12, 4), -1)
    by_time[:, 2] = labels
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    few = order[[0, 1, 2, 3, 4]]  # four are asked in the first step, one in the second, nobody in the third
    by_time[few, 3] = torch.tensor([0, 0, 0, 0, 1])
    monkeypatch.setattr(cs.Cortex, "read", lambda self, *rest, **more: self.post.linear.bias.expand(2, 4, -1))
    model = made()
    model.post.linear.bias.data = torch.tensor([9.0, 0.0, 0.0])
    recipe = replace(RECIPE, epochs=1, batch_size=4, validation=0.0, learning_rate=1e-9, calibration_images=12)
    *_, last = cs.train(model, (images, by_time), recipe, report_every=3)
    assert last.accuracy[3] == pytest.approx(4 / 5)


def test_a_batch_in_which_nobody_is_asked_is_no_divergence():
    images, labels = data(16)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    by_time = torch.full((16, 4), -1)
    by_time[order[:8], 3] = labels[order[:8]]
    last = cs.fit(made(), (images, by_time), replace(RECIPE, epochs=1, validation=0.0, calibration_images=16))
    assert 0 <= last.accuracy[3] <= 1
    assert math.isfinite(last.loss)


def test_labels_that_ask_for_nothing_when_it_is_read_are_refused():
    frames, labels = movies()
    labels[:, 1:4] = -1
    labels[:, 4] = 0
    with pytest.raises(ValueError, match=r"ask for nothing at the trained readout times \[1, 2, 3\], only at \[4\]"):
        list(cs.train(made(), (frames, labels), replace(RECIPE, presentation=cs.sequence())))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_does_not_matter(mode):
    models = made(), made()
    list(cs.train(models[0], data(), replace(RECIPE, epochs=1)))
    with mode():
        list(cs.train(models[1], data(), replace(RECIPE, epochs=1)))
    assert all(torch.equal(value, weights(models[1])[name]) for name, value in weights(models[0]).items())


# --- the ways to give data, and to run to the end ------------------------------------------------------------------


def test_fit_runs_to_the_end_and_returns_the_last_record_of_train():
    fitted, trained, records = made(), made(), []
    last = cs.fit(fitted, data(), RECIPE, report=records.append)
    *_, wanted = cs.train(trained, data(), RECIPE)
    assert last.done
    assert records[-1] is last
    assert last.validation == wanted.validation
    assert all(torch.equal(value, weights(trained)[name]) for name, value in weights(fitted).items())


def test_a_fit_that_its_report_stops_continues_from_its_checkpoint(tmp_path):
    def stop(record: cs.Progress) -> None:
        if record.epoch == 2:
            raise KeyboardInterrupt

    whole_run, stopped = made(), made()
    cs.fit(whole_run, data(), RECIPE)
    with pytest.raises(KeyboardInterrupt):
        cs.fit(stopped, data(), RECIPE, checkpoint=tmp_path / "state.safetensors", report=stop)
    resumed, steps, state = made(), [], tmp_path / "state.safetensors"
    cs.fit(resumed, data(), RECIPE, checkpoint=state, report=lambda record: steps.append(record.step))
    assert steps[0] > 12
    assert all(torch.equal(value, weights(resumed)[name]) for name, value in weights(whole_run).items())


@pytest.mark.parametrize(
    "as_data",
    [
        lambda pair: torch.utils.data.TensorDataset(*pair),
        lambda pair: torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*pair), batch_size=7),
        lambda pair: zip(pair[0].split(9), pair[1].split(9), strict=True),
        lambda pair: [(pair[0][:50], pair[1][:50].tolist()), (pair[0][50:], pair[1][50:].numpy())],
    ],
)
def test_batches_a_loader_and_a_torch_dataset_train_as_the_arrays_do(as_data):
    one, other = made(), made()
    cs.fit(one, data(), replace(RECIPE, epochs=1))
    cs.fit(other, as_data(data()), replace(RECIPE, epochs=1))
    assert all(torch.equal(value, weights(other)[name]) for name, value in weights(one).items())


def test_a_loader_that_shuffles_cannot_continue_a_training(tmp_path):
    generator = torch.Generator().manual_seed(0)
    dataset = torch.utils.data.TensorDataset(*data())
    loader = torch.utils.data.DataLoader(dataset, batch_size=8, shuffle=True, generator=generator)
    state = tmp_path / "state.safetensors"
    for record in cs.train(made(), loader, RECIPE, checkpoint=state):
        if record.epoch == 1:
            break
    with pytest.raises(ValueError, match="belongs to a different training: the images"):
        cs.fit(made(), loader, RECIPE, checkpoint=state)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ([torch.rand(4, 3, 8, 8)], TypeError, r"each batch must be a pair \(images, labels\).*got Tensor"),
        ([(torch.rand(4, 3, 8, 8),) * 3], TypeError, "got tuple of 3"),
        ([], ValueError, "the data contain no batch"),
        (torch.rand(4, 3, 8, 8), TypeError, r"an iterable such as a DataLoader.*got Tensor"),
    ],
)
def test_what_is_no_training_data_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        cs.fit(made(), given, RECIPE)


# --- what the recipe promises ---------------------------------------------------------------------------------------


def test_weight_decay_is_on_kernels_and_the_final_layer_only():
    model = made()
    decayed, others = optimizer_of(model, replace(RECIPE, weight_decay=0.1)).param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert {names[id(parameter)] for parameter in others["params"]} == {"post.scale", "post.shift", "post.linear.bias"}
    assert len(decayed["params"]) + 3 == len(names)


def test_adamw_has_the_recipes_momentum_and_averages_squares_over_a_hundred_steps():
    optimizer = optimizer_of(made(), replace(RECIPE, optimizer="adamw", momentum=0.8))
    assert {group["betas"] for group in optimizer.param_groups} == {(0.8, 0.99)}


def test_the_time_left_counts_the_area_of_the_images_and_the_transitions_that_run():
    recipe = replace(RECIPE, epochs=4, growth=((0.0, 0.5), (0.5, 1.0)), unfolding=((0.0, 1), (0.75, None)))
    training = TRAIN._Training(made(), data(), recipe, None, 1)
    steps, short, long = training.steps, *(len(training._plan(training.times[to]).schedule) for to in (1, None))
    assert short < long
    half, three_quarters = steps // 2, 3 * steps // 4
    assert training._work(0, half) == pytest.approx(half * 0.25 * short)
    assert training._work(half, three_quarters) == pytest.approx((three_quarters - half) * short)
    assert training._work(three_quarters, steps) == pytest.approx((steps - three_quarters) * long)


def test_a_training_ends_with_statistics_of_as_many_images_as_the_recipe_says():
    model = made()
    cs.fit(model, data(), replace(RECIPE, epochs=1, calibration_images=45))
    assert model.find_statistics(cs.flash(1)).n_images == 45


@pytest.mark.parametrize("recipe", ["quick", {}, 0, cs.Recipe])
def test_what_is_no_recipe_is_refused_and_not_taken_for_the_default(recipe):
    with pytest.raises(TypeError, match=r"recipe must be a Recipe, such as Recipe.quick\(\), got"):
        cs.train(made(), data(), recipe)


def test_a_report_that_cannot_be_called_is_refused_before_the_training():
    model = made()
    before = model.checksum()
    with pytest.raises(TypeError, match="report must be a function of a progress record, such as print, got 5"):
        cs.fit(model, data(), RECIPE, report=5)
    assert model.checksum() == before
