"""What Liao & Poggio (2016) say of the model, checked in float64 against code that knows nothing of cortexsim."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.graph._schedule import populate
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.states import State
from cortexsim.graph.transitions import Kind, Times, Transition
from cortexsim.model.moments import EPSILON, by_batch


def images(n: int = 6, side: int = 8) -> torch.Tensor:
    return torch.rand((n, 3, side, side), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def normalized(x: torch.Tensor) -> torch.Tensor:
    mean = x.mean((0, 2, 3), keepdim=True)
    variance = (x - mean).square().mean((0, 2, 3), keepdim=True)
    return (x - mean) / torch.sqrt(variance + EPSILON)


def residual_block(x: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    hidden = F.conv2d(F.relu(normalized(x)), first, padding=1)
    return x + F.conv2d(F.relu(normalized(hidden)), second, padding=1)


def classify(model: cs.Cortex, h: torch.Tensor) -> torch.Tensor:
    post = model.post
    rate = F.relu(normalized(h) * post.scale[:, None, None] + post.shift[:, None, None])
    return F.linear(rate.mean((2, 3)), post.linear.weight, post.linear.bias)


@pytest.mark.parametrize("sharing", ["time", "none"])
def test_a_residual_network_unrolled_by_hand_equals_its_recurrent_form(sharing):
    torch.manual_seed(0)
    graph = cs.resnet({"h1": 4, "h2": 6, "h3": 8}, size=8, steps=2)
    model = cs.Cortex(graph, 5, readout_time=8, sharing=sharing).double()
    x = images()

    h = F.conv2d(x, model.pre.weight, padding=1)
    for time in (1, 2):
        h = residual_block(h, *model.kernels("h1->h1", time))
    h = F.conv2d(h, *model.kernels("h1->h2", 3), stride=2, padding=1)
    for time in (4, 5):
        h = residual_block(h, *model.kernels("h2->h2", time))
    h = F.conv2d(h, *model.kernels("h2->h3", 6), stride=2, padding=1)
    for time in (7, 8):
        h = residual_block(h, *model.kernels("h3->h3", time))

    torch.testing.assert_close(model.train()(x), classify(model, h), rtol=0, atol=1e-12)


def test_a_shared_residual_network_has_one_block_and_an_ordinary_one_has_a_block_for_each_time():
    graph = cs.resnet({"h1": 4}, size=8, steps=5)
    shared, ordinary = (cs.Cortex(graph, 5, readout_time=5, sharing=rule) for rule in ("time", "none"))
    assert shared.kernels("h1->h1", 1)[0] is shared.kernels("h1->h1", 5)[0]
    assert ordinary.kernels("h1->h1", 1)[0] is not ordinary.kernels("h1->h1", 5)[0]


def test_gradients_of_tied_weights_are_the_sums_of_their_members():
    torch.manual_seed(0)
    graph = cs.fully_recurrent({"V1": 3, "IT": 3}, size=(8, 8))
    tied = cs.Cortex(graph, 4, readout_time=4).double()
    untied = cs.Cortex(graph, 4, readout_time=4, sharing="none").double()
    with torch.no_grad():
        for key, kernel in untied.weights.items():
            kernel.copy_(tied.weights[key.split("@")[0]])
        untied.pre.load_state_dict(tied.pre.state_dict())
        untied.post.load_state_dict(tied.post.state_dict())
    for model in (tied, untied):
        F.cross_entropy(model.train()(images()), torch.arange(6) % 4).backward()

    for key, kernel in tied.weights.items():
        members = [member.grad for name, member in untied.weights.items() if name.split("@")[0] == key]
        assert len(members) > 1
        torch.testing.assert_close(kernel.grad, sum(members), rtol=0, atol=1e-13)


def test_the_set_S_can_tie_across_states_and_times():
    graph = cs.fully_recurrent({"V1": 3, "IT": 3}, size=(8, 8))
    model = cs.Cortex(graph, 4, readout_time=4, sharing=lambda name, time, which: f"{time % 2}-{which}")
    assert model.kernels("V1->V1", 1)[0] is model.kernels("V1->IT", 3)[0]
    assert model.kernels("V1->V1", 1)[0] is not model.kernels("V1->V1", 2)[0]
    assert len(model.weights) == 4


def test_time_specific_statistics_equal_one_batchnorm_for_each_time():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), 4, readout_time=3).double()
    x = images(20)
    taken = cs.calibrate(model, x, until=3, batch_size=7)

    norms = {(place, time): nn.BatchNorm2d(4, momentum=1.0, affine=False).double() for place, time in taken}

    def normalize(activity, place, time, scale=None, shift=None):
        out = norms[place, time](activity)
        return out if scale is None else out * scale[:, None, None] + shift[:, None, None]

    frames = cs.flash(1).frames(x, 3)
    planned = cs.schedule(model.graph, 3, record=["V1", "IT"], until=3)
    for time, h in enumerate(model.unroll(frames, planned, normalize)):
        for state, activity in h.items():
            if time == 3:
                normalize(activity.values, state, time)
    for (place, time), (mean, variance) in taken.moments.items():
        side = 4 if place in ("IT", "V1->IT", "IT->IT") else 8
        n = len(x) * side**2
        torch.testing.assert_close(mean, norms[place, time].running_mean, rtol=0, atol=1e-12)
        torch.testing.assert_close(variance, norms[place, time].running_var * (n - 1) / n, rtol=0, atol=1e-12)
    assert len({round(float(taken.at("V1", time)[1].mean()), 6) for time in range(4)}) == 4


COUNTS = {
    "resnet-1-state": 76_106,
    "resnet-1-state-unshared": 739_658,
    "resnet-3-state": 120_890,
    "resnet-3-state-unshared": 314_426,
    "fully-recurrent-2-state": 297_290,
    "fully-recurrent-2-state-unshared": 2_656_586,
    "fully-recurrent-3-state": 4_206_794,
    "adjacent-3-state": 3_285_194,
    "fully-recurrent-4-state": 327_458,
    "adjacent-4-state": 208_802,
    "one-kernel-16": 2_906,
    "one-kernel-32": 10_410,
}


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_parameter_counts_are_the_papers(name, count):
    assert cs.zoo.build(name).n_parameters() == count


@pytest.mark.parametrize(("readout_time", "count"), [(1, 76_106), (2, 223_562), (3, 297_290)])
def test_only_what_contributes_at_its_readout_time_counts(readout_time, count):
    graph = cs.fully_recurrent({"h1": 64, "h2": 64}, size=(32, 32))
    assert cs.Cortex(graph, 10, readout_time).n_parameters() == count
    assert cs.zoo.build("fully-recurrent-2-state").n_parameters(readout_time) == count


def test_the_2_state_network_has_36_transition_times():
    assert len(cs.schedule(cs.fully_recurrent({"h1": 64, "h2": 64}, size=(32, 32)), 10)) == 36


# --- the schedule computes what a brute-force run computes -------------------------------------------------------


@st.composite
def random_graphs(draw) -> CortexGraph:
    n = draw(st.integers(2, 4))
    sides = draw(st.lists(st.sampled_from([2, 4]), min_size=n, max_size=n))
    features = draw(st.lists(st.integers(1, 3), min_size=n, max_size=n))
    states = tuple(State(f"s{k}", f, side, side) for k, (f, side) in enumerate(zip(features, sides, strict=True)))
    transitions = []
    for source in states:
        for target in states:
            kinds = ["BRDx1", "BRDx2"] if source.height < target.height else ["BRCx1", "BRCx2", "Conv"]
            if source.size == target.size and source.features == target.features:
                kinds += ["BRCx2+I", "BRCx2+0.5I"]
            if source.height == 2 * target.height and source.features == target.features:
                kinds.append("Pool")
            start = draw(st.integers(1, 4))
            windows = [Times(), Times(((start, None),)), Times(((start, start + 2),))]
            chain = source is not states[-1] and target is states[states.index(source) + 1]
            if chain or draw(st.booleans()):
                times = Times() if chain else draw(st.sampled_from(windows))
                transitions.append(Transition(source.name, target.name, draw(st.sampled_from(kinds)), times))
    return CortexGraph(states, tuple(transitions))


def brute_force(model: cs.Cortex, x: torch.Tensor, presentation: cs.Presentation, times: list[int]) -> torch.Tensor:
    """Every open transition at every time, a convolution each; where the model has no weights, any will do."""
    graph = model.graph
    frames = presentation.frames(x, max(times), seed=3)
    h: dict[str, torch.Tensor] = {}
    logits = []
    for time in range(max(times) + 1):
        arriving: dict[str, list[torch.Tensor]] = {}
        for transition in graph.transitions:
            if transition.source not in h or time not in transition.times:
                continue
            kind, source = Kind.parse(transition.kind), h[transition.source]
            try:
                kernels = list(model.kernels(transition.name, time)) if not kind.function.pools else []
            except KeyError:
                kernels = [torch.randn(c.kernel_shape).double() for c in graph.convolutions(transition.name)]
            y = source
            if kind.function.pools:
                y = F.max_pool2d(y, 2)
            for convolution, kernel in zip(graph.convolutions(transition.name), kernels, strict=True):
                if kind.normalized:
                    y = F.relu(normalized(y))
                if convolution.transposed:
                    y = F.conv_transpose2d(y, kernel, None, convolution.stride, 1, convolution.stride - 1)
                else:
                    y = F.conv2d(y, kernel, None, convolution.stride, 1)
            arriving.setdefault(transition.target, []).append(y + kind.shortcut * source if kind.shortcut else y)
        shown = frames.lookup[time]
        if (shown >= 0).all():
            arriving.setdefault(graph.first, []).append(F.conv2d(frames.images[shown], model.pre.weight, padding=1))
        h = {state: sum(terms) for state, terms in arriving.items()}
        if time in times:
            logits.append(classify(model, h[graph.last]))
    return torch.stack(logits)


PRESENTATIONS = [cs.flash(1), cs.flash(2), cs.sustained(), cs.masked(1, 2), cs.masked(2, 3, mask_duration=1)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(graph=random_graphs(), presentation=st.sampled_from(PRESENTATIONS))
def test_over_random_graphs_the_schedule_computes_what_brute_force_computes(graph, presentation):
    front = populate(graph, presentation, 6)
    times = [time for time, states in enumerate(front) if graph.last in states and time > 0]
    if not times:
        return
    torch.manual_seed(0)
    model = cs.Cortex(graph, 3, readout_time=max(times)).double().train()
    x = images(4, graph.states[0].height)
    expected = brute_force(model, x, presentation, times)
    torch.testing.assert_close(model.readouts(x, times, presentation, seed=3), expected, rtol=0, atol=1e-8)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(graph=random_graphs())
def test_over_random_graphs_a_mixture_is_each_stimulus_under_its_own_presentation(graph):
    mixture = cs.mixture(*PRESENTATIONS)
    fronts = [populate(graph, part, 6) for part in mixture.components]
    times = [time for time in range(1, 7) if all(graph.last in front[time] for front in fronts)]
    if not times:
        return
    torch.manual_seed(0)
    # without normalization the stimuli of a batch do not meet, so each can be checked by itself
    model = cs.Cortex(graph, 3, readout_time=max(times), normalization="none").double()
    x = images(8, graph.states[0].height)
    together = model.readouts(x, times, mixture, seed=5)
    drawn = mixture.draw(5, torch.arange(8))
    for k in range(8):
        alone = model.readouts(x[[k]], times, mixture.components[drawn[k]], seed=5, index=torch.tensor([k]))
        torch.testing.assert_close(together[:, [k]], alone, rtol=1e-9, atol=1e-9)


# --- what saves memory computes what the plain run computes ----------------------------------------------------------


def readout_and_gradients(model: cs.Cortex, *run, **how) -> list[torch.Tensor]:
    model.zero_grad()
    logits = model.read(*run, **how)
    logits.square().sum().backward()
    return [logits.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(graph=random_graphs(), presentation=st.sampled_from(PRESENTATIONS))
def test_over_random_graphs_steps_that_are_computed_again_give_the_same_gradients(graph, presentation):
    front = populate(graph, presentation, 6)
    times = [time for time, states in enumerate(front) if graph.last in states and time > 0]
    if not times:
        return
    torch.manual_seed(0)
    model = cs.Cortex(graph, 3, readout_time=max(times)).double().train()
    x = images(4, graph.states[0].height)
    run = presentation.frames(x, max(times), seed=3), cs.schedule(graph, times, presentation), times, by_batch
    plain = readout_and_gradients(model, *run)
    for one, other in zip(readout_and_gradients(model, *run, recompute=True), plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
