"""Recipes are checked when they are made, and taken for nothing else."""

import json

import numpy as np
import pytest

import cortexsim as cs

NAN = float("nan")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"calibrate_until": 0}, "calibrate_until must be a whole number of steps, at least 1, got 0"),
        ({"calibrate_until": 2.5}, "calibrate_until must be a whole number"),
        ({"calibrate_until": True}, "calibrate_until must be a whole number"),
        ({"weight_decay": -0.1}, "weight_decay must be a number, at least 0, got -0.1"),
        ({"weight_decay": NAN}, "weight_decay must be a number, at least 0, got nan"),
        ({"seed": "7"}, "seed must be a whole number"),
        ({"seed": None}, "seed must be a whole number"),
        ({"seed": 2**62}, "seed must be a whole number from"),
        ({"unfolding": ((0.0, 2.5), (0.5, None))}, "unfolding must be"),
        ({"unfolding": 3}, "unfolding must be"),
        ({"growth": ((0.0, 0.5), (NAN, 1.0))}, "growth must be"),
        ({"growth": ((0.0, "half"), (0.5, 1.0))}, "growth must be"),
        ({"curriculum": [0.5, 1.0]}, "curriculum must be"),
        ({"nesterov": 1}, "nesterov must be True or False, got 1"),
        ({"momentum": 0.0}, "nesterov=True needs momentum above 0"),
        ({"learning_rate": True}, "learning_rate must be a finite number, got True"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"progressive": (0.5, 1.5)}, "progressive must be"),
        ({"progressive": 4}, "progressive must be"),
        ({"optimizer": ["sgd"]}, "unknown optimizer"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_when_it_is_made(changes, message):
    with pytest.raises(ValueError, match=message):
        cs.Recipe(**changes)


@pytest.mark.parametrize("presentation", ["flash", None, cs.flash])
def test_a_presentation_must_be_one(presentation):
    with pytest.raises(TypeError, match="presentation must be a Presentation or Mixture, such as flash"):
        cs.Recipe(presentation=presentation)


def test_a_recipe_of_numpys_numbers_and_lists_is_the_same_through_json():
    recipe = cs.Recipe(
        growth=[[0, np.float32(0.5)], [0.5, 1]],
        unfolding=[(0.0, np.int64(2)), (np.float64(0.5), None)],
        seed=np.int64(4),
        learning_rate=np.float32(0.5),
        calibrate_until=np.int32(6),
        progressive=[0.5, np.int64(3)],
    )
    assert cs.Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert recipe.growth == ((0.0, 0.5), (0.5, 1.0))


def test_what_does_not_suit_the_model_or_the_images_is_refused_before_the_first_step():
    import torch
    import xarray as xr

    model = cs.Cortex(cs.adjacent({"V1": 2, "V2": 2, "IT": 2}, size=8), 2, 4)
    data = torch.rand(8, 3, 8, 8), torch.arange(8) % 2
    plain = {"batch_size": 4, "validation": 0.0}
    with pytest.raises(ValueError, match="calibrate_until=3 ends before the model's readout time 4"):
        cs.train(model, data, cs.Recipe.quick(**plain, calibrate_until=3))
    with pytest.raises(ValueError, match=r"shrinks images of 8 px to a scale of 0\.01, less than a pixel"):
        cs.train(model, data, cs.Recipe.quick(**plain, growth=((0.0, 0.01), (0.5, 1.0))))
    images = xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), data[0].numpy())},
        {"label": ("stimulus", data[1].numpy()), "hardness": ("stimulus", np.arange(8))},
    )
    recipe = cs.Recipe.quick(**plain, growth=((0.0, 1.0),), difficulty="hardness", curriculum=((0.0, 1e-6), (0.5, 1.0)))
    with pytest.raises(ValueError, match="begins with a share of 1e-06 of 8 images, which is none"):
        cs.train(model, images, recipe)


@pytest.mark.parametrize("name", ["lateral", "feedback", "self_transitions"])
def test_a_text_is_no_yes_or_no(name):
    with pytest.raises(ValueError, match=f"{name} must be True or False, got 'no'"):
        cs.adjacent({"V1": 2, "V2": 2}, size=8, **{name: "no"})


@pytest.mark.parametrize("shortcut", ["0.5", None, NAN, -0.1, 1.5])
def test_a_shortcut_is_a_number_from_0_to_1(shortcut):
    with pytest.raises(ValueError, match="shortcut must be a number from 0 to 1"):
        cs.fully_recurrent({"V1": 2, "V2": 2}, size=8, shortcut=shortcut)
