"""What a signal reaches is worked out from change to change, and runs of any length are refused at once."""

import itertools
import random
import time

import pytest
import torch

import cortexsim as cs
from cortexsim.graph._schedule import arrival, populate
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.reach import MOST_STEPS, Links
from cortexsim.graph.transitions import Times, Transition
from cortexsim.training.recipe import Recipe

FAR = 10**12


@pytest.fixture
def at_once():
    """Fail if the test takes longer than a second, as the work of 10**12 steps would."""
    begun = time.process_time()
    yield
    assert time.process_time() - begun < 1


@pytest.fixture(scope="module")
def model():
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 3, 3, normalization="none")


def test_the_states_after_many_steps_are_those_of_single_steps():
    drawn = random.Random(0)
    for _ in range(20):
        names = [f"h{k}" for k in range(drawn.randint(2, 7))]
        pairs = {(drawn.choice(names), drawn.choice(names)) for _ in range(8)}
        links = Links(Transition(source, target, "Conv") for source, target in pairs)
        now = frozenset(drawn.sample(names, 2))
        visited, one_by_one = now, now
        for _ in range(13):
            one_by_one = frozenset(target for source, target in pairs if source in one_by_one)
            visited |= one_by_one
        assert links.after(now, 13) == one_by_one
        assert links.within(now, 13) | now == visited


def test_the_arrival_is_that_of_a_run_step_by_step():
    drawn = random.Random(1)
    for _ in range(20):
        graph = cs.fully_recurrent({"V1": 2, "V2": 2, "V4": 2}, size=8)
        for name in drawn.sample(graph.transition_names, 3):
            start = drawn.randint(1, 4)
            graph = graph.without(name, range(start, start + drawn.randint(1, 3)))
        reached = [t for t, states in enumerate(populate(graph, None, 20)) if graph.last in states]
        assert arrival(graph) == reached[0]


@pytest.mark.usefixtures("at_once")
def test_a_transition_that_changes_late_costs_no_time():
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8).without("V2->V1", FAR)
    assert graph.transition("V2->V1").times == Times(((1, FAR), (FAR + 1, None)))
    late = cs.adjacent({"V1": 4, "V2": 4}, size=8).without("V1->V2", range(1, FAR))
    assert arrival(late) == FAR


@pytest.mark.usefixtures("at_once")
def test_states_that_take_turns_for_millions_of_steps_cost_no_time():
    # rings of different lengths, in which a signal goes round: together they recur after 9,699,690 steps
    graph = cs.adjacent({"V1": 1, "V2": 1}, size=2)
    states, transitions = list(graph.states[:1]), []
    for length in (2, 3, 5, 7, 11, 13, 17, 19):
        ring = [cs.State(f"r{length}_{k}", 1, 2, 2) for k in range(length)]
        states += ring
        names = [state.name for state in ring]
        transitions.append(Transition("V1", names[0], "Conv", Times(((1, 2),))))
        transitions += [Transition(a, b, "Conv") for a, b in itertools.pairwise([*names, names[0]])]
    states.append(graph.states[-1])
    transitions.append(Transition("r19_3", "V2", "Conv", Times(((FAR, None),))))
    assert CortexGraph(tuple(states), tuple(transitions)).last == "V2"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("until", [MOST_STEPS + 1, FAR, 2**63, 10**400])
def test_runs_that_would_take_for_ever_are_refused_with_the_limit(model, until):
    picture = torch.rand(1, 3, 8, 8)
    for run in (
        lambda: cs.simulate(model, picture, until=until),
        lambda: cs.calibrate(cs.Cortex(model.graph, 3, 3), picture, until=until),
        lambda: cs.Cortex(model.graph, 3, readout_time=until),
        lambda: cs.schedule(model.graph, until),
        lambda: cs.schedule(model.graph, until=until, record=["V1"]),
        lambda: model.n_parameters(readout_time=until),
        lambda: model.readouts(picture, times=range(until - 5, until + 1)),
    ):
        with pytest.raises(ValueError, match="at most 10,000"):
            run()


@pytest.mark.usefixtures("at_once")
def test_times_that_are_no_interval_are_not_listed_without_end():
    for times in (range(1, FAR, 3), itertools.count(1)):
        with pytest.raises(ValueError, match="at most 100,000 times can be listed"):
            Times.of(times)
    assert Times.of(range(4, FAR)) == Times(((4, FAR),))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": 2**63},
        {"batch_size": FAR},
        {"loss_at": FAR},
        {"progressive": (0.5, FAR)},
        {"unfolding": ((0.0, FAR), (0.5, None))},
    ],
)
def test_recipes_that_would_take_for_ever_are_refused(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        Recipe(**setting)
