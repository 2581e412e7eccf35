"""Modes of a model are restored, even if an interrupt arrives while they are set or restored."""

import sys

import pytest
import torch

import cortexsim as cs
from cortexsim.model import modes
from cortexsim.model.modes import mode_restored, undisturbed

MOST = 2000  # lines, for a loop that must end


@pytest.fixture
def model():
    return cs.Cortex(cs.adjacent({"V1": 2, "V2": 2}, size=8), 2, 3, generator=torch.Generator().manual_seed(0))


def _interrupted_at(line, call):
    """Raise KeyboardInterrupt when the room of modes reaches its n-th line; return whether it did."""
    left = line

    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename != modes.__file__:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


@pytest.mark.parametrize("context", [undisturbed, mode_restored])
def test_an_interrupt_at_any_line_leaves_the_mode_as_it_was(model, context):
    model.train()
    model.post.eval()
    before = {module: module.training for module in model.modules()}

    def evaluate():
        with context(model):
            torch.nn.Module.train(model, False)

    for line in range(MOST):
        interrupted = _interrupted_at(line, evaluate)
        assert {module: module.training for module in model.modules()} == before, line
        with undisturbed(model):
            assert not model.training
        assert {module: module.training for module in model.modules()} == before, line
        if not interrupted:
            break
    assert 10 < line < MOST - 1
