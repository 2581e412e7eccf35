"""States that start as zeros or as numbers, and what updates ask for."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import cortexsim as cs
from cortexsim.graph._schedule import arrival, populate


class Shift(nn.Module):
    """An update that adds its shift to what arrives."""

    def __init__(self, state, by=1.0):
        super().__init__()
        self.by = by

    def forward(self, total):
        return total + self.by


class Asking(nn.Module):
    """An update that asks for everything, and keeps what it got."""

    def __init__(self, state):
        super().__init__()
        self.got = []

    def forward(self, total, *, arrivals, previous, time):
        self.got.append((time, total.clone(), arrivals, previous))
        return total if previous is None else total + 0.5 * previous


def chain(update=None, start=None, last=None):
    states = (cs.State("V1", 2, 4, 4), cs.State("V2", 2, 4, 4, update, start), cs.State("IT", 2, 4, 4, start=last))
    return cs.CortexGraph(states, (cs.Transition("V1", "V2", "Conv"), cs.Transition("V2", "IT", "Conv")))


def made(graph, readout_time=3):
    torch.manual_seed(0)
    return cs.Cortex(graph, n_classes=2, readout_time=readout_time, normalization="none").double()


@pytest.fixture
def images():
    return torch.rand((3, 3, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_a_state_that_starts_as_zeros_is_populated_at_all_times_and_its_update_acts_on_them(images):
    recording = cs.simulate(made(chain(Shift, "zero")), images, cs.flash(1), until=3, dtype="float64")
    v2 = recording["V2"]["activation"]
    assert recording["V2"]["populated"].values.all()
    assert (v2.sel(time=0) == 1).all()
    assert (v2.sel(time=2) == 1).all()  # nothing arrives from V1, which is empty at time 1
    assert not (v2.sel(time=1) == 1).any()
    assert recording["IT"]["populated"].values.tolist() == [False, True, True, True]


def test_a_start_is_a_number_for_each_channel_and_holds_at_time_0_only(images):
    recording = cs.simulate(made(chain(None, torch.tensor([2.0, 3.0]))), images, cs.flash(1), until=3, dtype="float64")
    v2 = recording["V2"]["activation"]
    assert (v2.sel(time=0) == [[[2.0]], [[3.0]]]).all()
    assert (v2.sel(time=2) == 0).all()
    without = cs.simulate(made(chain()), images, cs.flash(1), until=3, dtype="float64")
    np.testing.assert_allclose(v2.sel(time=1), without["V2"]["activation"].sel(time=1))


def test_the_start_of_the_first_state_is_added_to_the_image_at_time_0(images):
    graph = chain()
    begun = cs.CortexGraph((cs.State("V1", 2, 4, 4, start=[2.0, 3.0]), *graph.states[1:]), graph.transitions)
    runs = [cs.simulate(made(g), images, cs.sustained(), until=1, dtype="float64")["V1"] for g in (graph, begun)]
    difference = runs[1]["activation"] - runs[0]["activation"]
    np.testing.assert_allclose(difference.sel(time=0), np.broadcast_to([[[2.0]], [[3.0]]], (3, 2, 4, 4)))
    np.testing.assert_allclose(difference.sel(time=1), 0, atol=1e-15)


def test_a_state_with_a_start_holds_zeros_for_the_stimuli_that_lack_input(images):
    shown = cs.mixture(cs.flash(1), cs.flash(2))
    model = made(chain(Shift, "zero"))
    recording = cs.simulate(model, images.repeat(4, 1, 1, 1), shown, until=2, dtype="float64")
    v2 = recording["V2"]["activation"].sel(time=2)
    silent = recording["V1"]["activation"].sel(time=1).isnull().all(("channel", "y", "x")).values
    assert 0 < silent.sum() < 12
    assert (v2[silent] == 1).all()
    assert not (v2[~silent] == 1).all(("channel", "y", "x")).any()


def test_a_signal_arrives_when_the_image_does_not_when_zeros_do():
    graph = chain(Shift, "zero", "zero")
    assert populate(graph, None, 0) == (frozenset({"V1", "V2", "IT"}),)
    assert arrival(graph) == arrival(chain()) == 2


def test_only_what_is_needed_of_states_with_a_start_is_computed(images):
    model = made(chain(Shift, "zero"))
    planned = cs.schedule(model.graph, 3, cs.flash(1))
    states = list(model.unroll(cs.flash(1).frames(images, 3), planned, model.without_statistics))
    assert [sorted(h) for h in states] == [["V1"], [], ["V2"], ["IT"]]


@pytest.mark.parametrize("start", ["one", [1.0], torch.zeros(2, 4, 4), 0.0, ["a", "b"]])
def test_a_start_of_a_different_form_is_refused(start):
    with pytest.raises(ValueError, match=r"start of V2|could not convert"):
        chain(None, start)


def test_a_start_is_saved_and_its_graph_stays_comparable(tmp_path, images):
    graph = chain(None, torch.tensor([2.0, 3.0]))
    assert cs.CortexGraph.from_dict(graph.to_dict()) == graph
    assert chain(None, [2, 3]) == graph != chain(None, "zero")
    model = made(graph)
    cs.save(model, tmp_path / "m.safetensors")
    assert torch.equal(cs.load(tmp_path / "m.safetensors")(images), model.eval()(images))
    assert "start" not in chain().to_dict()["states"][1]


def test_an_update_gets_arrivals_by_name_its_previous_state_and_the_time(images):
    graph = chain(Asking).with_transition("IT", "V2", "Conv")
    model = made(graph, 5)
    recording = cs.simulate(model, images, cs.sustained(), until=3, dtype="float64")
    got = model.updates["V2"].got
    assert [time for time, *_ in got] == [1, 2, 3]
    assert [sorted(arrivals) for _, _, arrivals, _ in got] == [["V1->V2"], ["V1->V2"], ["IT->V2", "V1->V2"]]
    assert got[0][3] is None
    v2 = recording["V2"]["activation"]
    for time, total, arrivals, previous in got[1:]:
        np.testing.assert_allclose(sum(arrivals.values()), total)
        np.testing.assert_allclose(previous, v2.sel(time=time - 1))
        np.testing.assert_allclose(v2.sel(time=time), total + 0.5 * previous)


def test_the_previous_state_is_computed_even_where_no_transition_needs_it(images):
    # read out at time 3 alone: V2 at time 1 matters only through its own previous state
    model, everything = made(chain(Asking)), made(chain(Asking))
    alone = model.readouts(images, [3], cs.flash(2))[0]
    assert [time for time, *_ in model.updates["V2"].got] == [1, 2]
    together = everything.readouts(images, [2, 3], cs.flash(2))[1]
    torch.testing.assert_close(alone, together, rtol=0, atol=0)


def test_stimuli_that_lack_an_arrival_or_a_previous_state_get_zeros(images):
    shown = cs.mixture(cs.flash(1), cs.flash(2))
    model = made(chain(Asking, "zero"))
    cs.simulate(model, images.repeat(4, 1, 1, 1), shown, until=2, batch_size=12)
    _, total, arrivals, previous = model.updates["V2"].got[-1]
    assert total.shape == arrivals["V1->V2"].shape == previous.shape
    silent = (arrivals["V1->V2"] == 0).flatten(1).all(1)
    assert 0 < silent.sum() < 12


def test_an_update_that_hides_what_it_asks_for_from_the_graph_is_refused():
    with pytest.raises(ValueError, match="the update of V2 uses its previous state"):
        made(chain(lambda state: Asking(state)))


def test_arguments_of_an_update_are_part_of_its_name(tmp_path, images):
    graph = chain(partial(Shift, by=2.0)).with_update("IT", partial(Shift, by=3.0))
    model = made(graph, 2)
    assert graph.to_dict()["states"][1]["update"] == "Shift(by=2.0)"
    cs.save(model, tmp_path / "m.safetensors")
    modules = {"Shift(by=2.0)": partial(Shift, by=2.0), "Shift(by=3.0)": partial(Shift, by=3.0)}
    assert torch.equal(cs.load(tmp_path / "m.safetensors", modules)(images), model.eval()(images))


def test_two_transitions_of_one_pair_add_up_and_are_silenced_one_by_one(images):
    graph = chain().with_transition("V1", "V2", "Conv", label="slow")
    assert graph.transition_names == ["V1->V2", "V1->V2:slow", "V2->IT"]
    assert graph.matrix().loc["V1", "V2"] == "Conv | slow: Conv"
    assert cs.CortexGraph.from_dict(graph.to_dict()) == graph
    model = made(graph)

    def v2(**settings):
        return cs.simulate(model, images, cs.flash(1), until=2, dtype="float64", **settings)["V2"]["activation"][:, 1]

    alone = [v2(silence={name: None}) for name in ("V1->V2", "V1->V2:slow")]
    np.testing.assert_allclose(v2(), alone[0] + alone[1])
    assert not np.allclose(alone[0], alone[1])


def test_two_transitions_of_one_pair_need_a_label():
    with pytest.raises(ValueError, match=r"V1->V2 exists already.*or give the new one a different label"):
        chain().with_transition("V1", "V2", "Conv")
    with pytest.raises(ValueError, match="the label of V1->V2 must be a Python identifier"):
        chain().with_transition("V1", "V2", "Conv", label="not one")
