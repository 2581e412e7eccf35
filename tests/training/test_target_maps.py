"""Training on target maps: the loss, progressive steps, and exact resumption."""

import math

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.training.augmentation import augment, augment_with_maps
from cortexsim.training.target_maps import exactly_right, map_loss, pixel_weights


def tracer(size=8, seed=0, **settings):
    chosen = {"normalization": "channel", "post_net": "map", "initialization": "torch", **settings}
    graph = cs.CortexGraph([cs.State("V1", 4, size, size)], [cs.Transition("V1", "V1", "BRCx1")])
    return cs.Cortex(graph, n_classes=2, readout_time=4, generator=torch.Generator().manual_seed(seed), **chosen)


@pytest.fixture(scope="module")
def paths():
    return cs.datasets.paths(64, size=8, length=(3, 4), n_curves=2)


def brief(**changes):
    return cs.Recipe.tracing(**{"epochs": 2, "batch_size": 16, "progressive": (0.5, 3), "loss_at": 2, **changes})


def weights_of(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


# --- the loss --------------------------------------------------------------------------------------------------------


def test_both_classes_weigh_the_same_however_many_pixels_they_have():
    labels = torch.tensor([[[1, 0, 0], [0, -1, -1]], [[0, 0, 0], [0, -1, -1]]])
    weights = pixel_weights(labels, labels, n_classes=2, background=0.1)
    assert math.isclose(float(weights[labels == 1].sum()), 0.5, rel_tol=1e-6)
    assert math.isclose(float(weights[labels == 0].sum()), 0.5, rel_tol=1e-6)
    assert math.isclose(float(weights[labels == -1].sum()), 0.1, rel_tol=1e-6)
    assert len(weights[labels == 0].unique()) == 1


def test_the_parts_of_a_batch_add_up_to_the_whole():
    labels = torch.randint(-1, 2, (6, 4, 4), generator=torch.Generator().manual_seed(0))
    logits = torch.randn(3, 6, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    whole = map_loss(logits, labels, pixel_weights(labels, labels, 2, 0.1))
    parts = [map_loss(logits[:, k::2], labels[k::2], pixel_weights(labels[k::2], labels, 2, 0.1)) for k in (0, 1)]
    torch.testing.assert_close(sum(parts), whole)


def test_the_loss_is_the_weighted_cross_entropy_averaged_over_times():
    labels = torch.tensor([[[1, 0], [-1, -1]]])
    logits = torch.zeros(2, 1, 2, 2, 2)
    logits[1, 0, 1, 0, 0] = 3.0  # at the second time, sure of the target pixel
    loss = map_loss(logits, labels, pixel_weights(labels, labels, 2, 0.1))
    undecided = math.log(2)
    sure = math.log(1 + math.exp(-3))
    assert math.isclose(float(loss), (1.1 * undecided + 0.5 * sure + 0.6 * undecided) / 2, rel_tol=1e-5)


def test_off_the_line_the_answer_no_is_wanted():
    labels = torch.full((1, 2, 2), -1)
    weights = pixel_weights(labels, labels, 2, 0.1)
    no, yes = (torch.zeros(1, 1, 2, 2, 2) for _ in "ny")
    no[:, :, 0], yes[:, :, 1] = 5.0, 5.0
    assert map_loss(no, labels, weights) < 0.01 < map_loss(yes, labels, weights)


def test_a_map_is_right_if_every_pixel_of_the_line_is():
    labels = torch.tensor([[[1, 0], [-1, -1]]])
    named = torch.tensor([[[[1, 0], [1, 1]]], [[[1, 1], [0, 0]]]])
    assert exactly_right(named, labels).tolist() == [[True], [False]]


def test_target_maps_are_turned_and_flipped_with_their_images():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (20, 3, 6, 6), generator=generator, dtype=torch.uint8)
    labels = (images[:, 0] > 100).long() - (images[:, 0] > 200).long() * 2
    turned, maps = augment_with_maps(images, labels, "turn-flip", 3, torch.arange(20))
    assert (maps == (turned[:, 0] > 100).long() - (turned[:, 0] > 200).long() * 2).all()
    assert turned.dtype == torch.uint8
    many = images[:1].expand(64, -1, -1, -1), labels[:1].expand(64, -1, -1)
    _, maps = augment_with_maps(*many, "turn-flip", 3, torch.arange(64))
    variants = {tuple(one.flatten().tolist()) for one in maps}
    assert len(variants) == 8


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["none", "crop-flip", "turn-flip"])
def test_labels_of_any_size_survive_whatever_the_type_of_the_images(dtype, kind):
    labels = torch.randint(-1, 1000, (4, 9, 9), generator=torch.Generator().manual_seed(0))
    images = torch.ones((4, 3, 9, 9), dtype=dtype)
    changed, maps = augment_with_maps(images, labels, kind, 3, torch.arange(4))
    wanted = augment(labels[:, None].double() + 1, kind, 3, torch.arange(4))[:, 0] - 1
    assert torch.equal(maps, wanted.long())
    assert torch.equal(changed[:, 0] == 0, augment(torch.ones(4, 1, 9, 9), kind, 3, torch.arange(4))[:, 0] == 0)
    assert changed.dtype == dtype


def test_maps_smaller_than_their_images_are_flipped_and_not_cropped():
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8)
    data = torch.rand(8, 3, 8, 8), torch.arange(8 * 16).reshape(8, 4, 4) % 2
    settings = {"n_classes": 2, "readout_time": 2, "normalization": "channel", "post_net": "map"}
    with pytest.raises(ValueError, match=r"'crop-flip' shifts images of 8x8 px and their target maps of 4x4 px by"):
        cs.fit(cs.Cortex(graph, **settings), data, brief(augmentation="crop-flip", progressive=None))
    recipe = brief(epochs=1, batch_size=8, progressive=None, validation=0.0)
    assert cs.fit(cs.Cortex(graph, **settings), data, recipe).done


def test_images_that_are_not_square_are_not_turned():
    model = tracer(size=8).at_size((8, 12))
    data = torch.rand(8, 3, 8, 12), torch.zeros(8, 8, 12, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"'turn-flip' turns images by quarters, which must be square, got 8x12 px"):
        cs.fit(model, data, brief())


# --- training --------------------------------------------------------------------------------------------------------


def test_training_on_target_maps_learns(paths):
    model = tracer()
    *_, last = cs.train(model, paths, brief(epochs=20, learning_rate=1e-2))
    first = next(iter(cs.train(tracer(), paths, brief())))
    assert last.loss < first.loss - 0.1
    assert list(last.accuracy) == [3, 4]
    assert model.classes == ["another curve", "the dot's curve"]


def test_the_pair_of_images_and_maps_trains_as_the_dataset_does(paths):
    labels = torch.from_numpy(np.where(paths["line"], paths["target"].astype(int), -1))
    trained = [tracer(), tracer()]
    for model, data in zip(trained, (paths, (torch.from_numpy(paths["image"].values), labels)), strict=True):
        list(cs.train(model, data, brief(epochs=1)))
    assert torch.equal(*map(weights_of, trained))


def test_progressive_steps_are_drawn_by_the_seed_and_change_what_is_learned(paths):
    def learned(**changes):
        model = tracer()
        list(cs.train(model, paths, brief(epochs=1, **changes)))
        return weights_of(model)

    assert torch.equal(learned(), learned())
    assert not torch.equal(learned(), learned(progressive=None))
    assert not torch.equal(learned(), learned(loss_at="readout"))


def test_a_share_of_one_makes_every_batch_progressive(paths, monkeypatch):
    from cortexsim.model.cortex import Cortex

    ran = []
    read = Cortex.read

    def noting(self, frames, planned, times, normalize, **settings):
        ran.append((settings["warmup"], tuple(times), planned.until))
        return read(self, frames, planned, times, normalize, **settings)

    monkeypatch.setattr(Cortex, "read", noting)
    list(cs.train(tracer(), paths, brief(epochs=4, progressive=(1.0, 3))))
    assert {warmup for warmup, _, _ in ran} == {1, 2, 3}
    assert all(times == (3 + warmup, 4 + warmup) and until == 4 + warmup for warmup, times, until in ran)


def test_a_stopped_training_resumes_to_the_same_weights(tmp_path, paths):
    whole, stopped = tracer(), tracer()
    list(cs.train(whole, paths, brief()))
    path = tmp_path / "stopped.training.safetensors"
    for progress in cs.train(stopped, paths, brief(), checkpoint=path, report_every=1):
        if progress.step == 5:
            break
    resumed = tracer(seed=7)
    list(cs.train(resumed, paths, brief(), checkpoint=path))
    assert torch.equal(weights_of(whole), weights_of(resumed))


def test_the_gradient_is_clipped_to_the_norm_that_the_recipe_names(paths, monkeypatch):
    norms = []
    step = torch.optim.AdamW.step

    def noting(self, *arguments, **settings):
        gradients = [p.grad.flatten() for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.cat(gradients).norm()))
        return step(self, *arguments, **settings)

    monkeypatch.setattr(torch.optim.AdamW, "step", noting)
    list(cs.train(tracer(), paths, brief(epochs=1, clip_norm=0.01)))
    assert norms
    assert max(norms) < 0.0101


def test_the_cosine_rises_over_the_warmup_and_falls_to_a_fiftieth():
    recipe = cs.Recipe.tracing()
    assert recipe.learning_rate_at(0) < 0.1 * recipe.learning_rate
    assert math.isclose(recipe.learning_rate_at(1 / 32), recipe.learning_rate, rel_tol=0.01)
    assert math.isclose(recipe.learning_rate_at(0.5), 0.51 * recipe.learning_rate, rel_tol=0.01)
    assert math.isclose(recipe.learning_rate_at(1.0), 0.02 * recipe.learning_rate, rel_tol=0.01)


def test_recipes_with_maps_survive_a_dictionary_and_others_are_saved_as_before():
    assert cs.Recipe.from_dict(cs.Recipe.tracing().to_dict()) == cs.Recipe.tracing()
    assert not {"progressive", "background", "clip_norm"} & set(cs.Recipe.quick().to_dict())


def test_validation_counts_maps_that_are_right_at_every_pixel(paths):
    *_, last = cs.train(tracer(), paths, brief(epochs=1, validation=0.25))
    assert max(last.validation) == 8
    assert all(value * 16 == round(value * 16) for value in last.validation.values())


# --- what is refused -------------------------------------------------------------------------------------------------


def test_targets_that_do_not_fit_are_refused(paths):
    images = torch.from_numpy(paths["image"].values)
    with pytest.raises(ValueError, match=r"learns target maps: the data need .* missing is 'line'"):
        cs.train(tracer(), paths.drop_vars("line"), brief())
    with pytest.raises(ValueError, match=r"the targets must be maps of 8x8 px, .* got shape \(64, 4, 4\)"):
        cs.train(tracer(), (images, torch.zeros(64, 4, 4)), brief())
    with pytest.raises(ValueError, match=r"target values must be 0 to 1 .* got 0 to 5"):
        cs.train(tracer(), (images, torch.arange(64)[:, None, None].expand(-1, 8, 8) % 6), brief())
    with pytest.raises(ValueError, match="needs the coordinate 'label'"):
        cs.train(tracer(post_net="pool"), paths, brief())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda target: target.rename(y="row"),
            r"'target' must have the dimensions \(stimulus, y, x\), got \(stimulus, row, x\)",
        ),
        (lambda target: target * 0.5, r"'target' must be whole numbers, got 0.5 at [\d,]+ of [\d,]+ pixels"),
        (lambda target: target.where(target == 0), r"'target' must be whole numbers, got nan"),
        (lambda target: target.astype(str), r"'target' must be whole numbers, got values of type <U"),
    ],
)
def test_target_maps_that_are_no_classes_of_pixels_are_refused_in_training_and_analysis(paths, change, message):
    model, strange = cs.zoo.tracer("tracer").build(), paths.assign(target=change(paths["target"]))
    with pytest.raises(ValueError, match=message):
        cs.fit(model, strange, cs.Recipe.tracing(epochs=1))
    some = {"stimulus": slice(0, 2)}
    shown = cs.simulate(
        cs.zoo.load("tracer").at_size(paths.sizes["y"]), paths[some], cs.sustained(), until=2, record=[]
    )
    with pytest.raises(ValueError, match=message):
        cs.analyse.steps_needed(shown, strange[some])


def test_progressive_steps_beyond_weights_or_statistics_are_refused(paths):
    with pytest.raises(ValueError, match=r"runs up to time 7, but V1->V1 has weights up to the readout time 4 only"):
        cs.train(tracer(sharing="none"), paths, brief())
    with pytest.raises(ValueError, match=r"trains up to time 14, but statistics are taken up to time 8 only"):
        cs.train(tracer(normalization="time-specific"), paths, brief(progressive=(0.5, 10)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss_at": "late"}, "unknown loss_at 'late': the allowed values are"),
        ({"loss_at": 0}, "loss_at must be a whole number, at least 1"),
        ({"progressive": (0.0, 3)}, "progressive must be"),
        ({"progressive": (0.5, 0)}, "progressive must be"),
        ({"clip_norm": 0.0}, "clip_norm must be above 0"),
        ({"background": -1}, "background must be a number, at least 0"),
    ],
)
def test_wrong_settings_of_the_loss_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        cs.Recipe.tracing(**changes)


def test_growing_images_are_refused_with_maps(paths):
    with pytest.raises(ValueError, match="shrinks the images, but not their target maps"):
        cs.train(tracer(), paths, brief(growth=((0.0, 0.5), (0.5, 1.0))))
