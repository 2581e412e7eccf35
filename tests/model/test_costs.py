"""Multiplications and memory are known before a run."""

import numpy as np
import pytest
import torch
from torch import nn

import cortexsim as cs
from cortexsim.model.costs import batch_in_memory, bytes_running


class Twice(nn.Module):
    """A transition of two convolutions, one of them pointwise."""

    def __init__(self, source, target):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(source.features, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, target.features, 1)
        )

    def forward(self, h, time):
        return self.layers(h)


def test_a_models_multiplications_are_those_of_its_schedule_pre_net_and_readout():
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, 3, 4)
    pre_net, post_net = 27 * 4 * 64, 4 * 3
    assert cs.multiply_adds(model) == cs.schedule(graph, 4, cs.flash(1)).multiply_adds + pre_net + post_net
    assert cs.multiply_adds(model, [3, 4]) == cs.schedule(graph, [3, 4]).multiply_adds + pre_net + 2 * post_net


def test_the_multiplications_of_callables_are_counted_by_the_model_and_refused_by_the_graph():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8, self_transitions=False).with_transition("V1", "V1", Twice)
    model = cs.Cortex(graph, 3, 2)
    counted = cs.multiply_adds(model, 2)
    runs = [name for name, _ in cs.schedule(graph, 2)]
    twice = (9 * 4 * 5 + 5 * 4) * 64
    native = sum(graph.multiply_adds(name) for name in runs if name != "V1->V1")
    assert "V1->V1" in runs
    assert counted == native + runs.count("V1->V1") * twice + 27 * 4 * 64 + 4 * 3
    with pytest.raises(ValueError, match=r"V1->V1 \(Twice\) is a callable.*cs.multiply_adds\(model\) counts them"):
        graph.multiply_adds("V1->V1")
    with pytest.raises(ValueError, match="is a callable"):
        _ = cs.schedule(graph, 2).multiply_adds


def test_counting_leaves_the_model_as_it_was():
    model = cs.zoo.blt(size=32, n_classes=3).train()
    before = model.checksum()
    assert cs.multiply_adds(model, 6, cs.sustained()) > cs.multiply_adds(model, 5, cs.sustained())
    assert model.training
    assert model.checksum() == before
    assert next(model.parameters()).device == torch.device("cpu")


def test_fewer_stimuli_of_a_large_model_run_at_once(monkeypatch):
    small, large = cs.zoo.blt(size=32, n_classes=3), cs.zoo.blt(size=64, n_classes=3)
    assert bytes_running(large) == 4 * bytes_running(small)
    monkeypatch.setattr("cortexsim.model.costs.available", lambda: 20 * bytes_running(small))
    assert batch_in_memory(small, 100) == 10
    assert batch_in_memory(large, 100) == 2
    assert batch_in_memory(small, 3) == 3


@pytest.mark.parametrize("given", [{"features": {"V1": 4, "IT": 10**9}}, {"n_classes": 10**15}])
def test_a_model_that_does_not_fit_in_memory_is_refused_before_it_is_made(given):
    graph = cs.adjacent(given.get("features", {"V1": 4, "IT": 4}), size=8)
    with pytest.raises(MemoryError, match=r"a model with [\d,]+ weights takes .* GB of memory is free"):
        cs.Cortex(graph, given.get("n_classes", 10))


@pytest.mark.parametrize("time", [np.array(3), torch.tensor(3), np.int8(3)])
def test_times_of_any_kind_are_what_they_are_worth(time):
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, 3, 3)
    assert cs.multiply_adds(model, time) == cs.multiply_adds(model, 3)
    assert model.n_parameters(time) == model.n_parameters(3)
    assert cs.schedule(graph, readout_time=time).pairs == cs.schedule(graph, readout_time=3).pairs
    assert model.at_size(torch.tensor(16)).image_size == (16, 16)


@pytest.mark.parametrize("time", [b"3", "3", 2.5, [[3]]])
def test_times_that_are_no_numbers_of_steps_are_refused(time):
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 3, 3)
    with pytest.raises(ValueError, match="must be a whole number"):
        cs.multiply_adds(model, time)
    with pytest.raises(ValueError, match="must be a whole number"):
        model.n_parameters(time)
    with pytest.raises(ValueError, match="must be a whole number"):
        cs.schedule(model.graph, readout_time=time)
