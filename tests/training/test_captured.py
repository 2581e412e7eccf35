"""What may be captured as a CUDA graph is decided without a GPU; tests/test_gpu.py captures and replays."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import cortexsim as cs
from cortexsim.training._train import _Training
from cortexsim.training.captured import Gradients, can_be_captured

MIXTURE = cs.mixture(cs.flash(1), cs.masked(1, 2))
RECIPE = cs.Recipe(epochs=2, batch_size=16, validation=0.0, calibration_images=32, precision="float32")


def made(**settings) -> cs.Cortex:
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), 10, readout_time=3, **settings)


def kinds(recipe: cs.Recipe) -> list:
    training = _Training(made(), cs.datasets.digits(64, size=16), recipe, None, 1)
    found = []
    while training.step < training.steps:
        found.append(training._draw().kind)
        training._one_step()
    return found


@pytest.mark.parametrize("presentation", [cs.flash(1), cs.flash(2), cs.sustained()])
def test_all_batches_of_one_presentation_are_of_one_kind(presentation):
    found = kinds(replace(RECIPE, presentation=presentation))
    assert None not in found
    assert len(set(found)) == 1


def test_images_that_grow_and_times_that_unfold_make_other_kinds():
    found = kinds(replace(RECIPE, growth=((0.0, 0.5), (0.5, 1.0)), unfolding=((0.0, 2), (0.25, None))))
    assert [found.index(kind) for kind in found] == [0, 0, 2, 2, 4, 4, 4, 4]


@pytest.mark.parametrize("presentation", [MIXTURE, cs.masked(1, 2)])
def test_a_batch_whose_stimuli_have_pictures_of_their_own_is_not_captured(presentation):
    assert set(kinds(replace(RECIPE, presentation=presentation))) == {None}


def test_a_model_that_runs_python_of_its_users_is_not_captured():
    assert can_be_captured(made())
    hooked = made()
    handle = hooked.pre.register_forward_hook(lambda module, given, output: None)
    assert not can_be_captured(hooked)
    handle.remove()
    assert can_be_captured(hooked)
    handle = nn.modules.module.register_module_forward_hook(lambda module, given, output: None)
    assert not can_be_captured(hooked)
    handle.remove()
    with torch.autograd.set_detect_anomaly(True):
        assert not can_be_captured(hooked)
    assert can_be_captured(hooked)
    next(hooked.parameters()).register_hook(lambda gradient: gradient)
    assert not can_be_captured(hooked)
    parametrized = made()
    nn.utils.parametrizations.weight_norm(parametrized.post.linear)
    assert not can_be_captured(parametrized)
    assert not can_be_captured(made(pre_net=nn.Conv2d(3, 4, 3, padding=1)))


def test_without_capturing_the_gradients_are_those_of_the_loss():
    model = made()
    images, labels = torch.rand(4, 3, 16, 16), torch.arange(4)

    def loss(images, labels):
        return nn.functional.cross_entropy(model(images), labels), torch.zeros(1)

    gradients = Gradients(model, capturing=False)
    for _ in range(2):  # they are not added up
        value, _ = gradients("any", (images, labels), loss)
    assert not value.requires_grad
    again, _ = loss(images, labels)
    wanted = torch.autograd.grad(again, list(model.parameters()))
    for parameter, gradient in zip(model.parameters(), wanted, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
