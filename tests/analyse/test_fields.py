"""Fields by construction are where the gradients of random models are not zero, at every time."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.graph.fields import PRE_NET_REACH

SIDE = 16


def random_model(graph, *, pre_net="conv", normalization="none", sharing="time", until=4):
    torch.manual_seed(0)
    model = cs.Cortex(graph, 2, until, pre_net=pre_net, normalization=normalization, sharing=sharing).double().eval()
    if normalization == "none":
        # every rectifier is open, and no two paths cancel
        with torch.no_grad():
            for weight in model.parameters():
                weight.abs_()
    return model


def graph_of(*transitions, sizes=(16, 8), features=3):
    states = tuple(cs.State(f"V{k + 1}", features, size, size) for k, size in enumerate(sizes))
    return cs.CortexGraph(states, tuple(cs.Transition(*one) for one in transitions))


GRAPHS = {
    "all kinds of neighbours": cs.adjacent({"V1": 3, "V2": 4, "IT": 4}, size=SIDE, convolutions=2, shortcut=0.5),
    "one convolution": cs.adjacent({"V1": 3, "V2": 4}, size=SIDE, convolutions=1),
    "pooled": graph_of(("V1", "V2", "Pool"), ("V1", "V1", "BRCx1")),
    "a convolution that skips pixels": graph_of(("V1", "V2", "Conv"), ("V2", "V1", "BRDx1"), sizes=(16, 4)),
    "large and even kernels": cs.CortexGraph(
        (cs.State("V1", 3, 16, 16), cs.State("V2", 3, 8, 8)),
        (
            cs.Transition("V1", "V1", "BRCx1", kernel_size=5),
            cs.Transition("V1", "V2", "BRCx1", kernel_size=2),
            cs.Transition("V2", "V1", "BRDx1", kernel_size=4),
        ),
    ),
    "closed at a time": cs.adjacent({"V1": 3, "V2": 4}, size=SIDE, convolutions=1).without("V1->V2", [2]),
}


@pytest.fixture(scope="module")
def noise():
    return torch.rand(16, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def images_for(name, noise):
    """Return enough images for each position to be the largest of its pool once."""
    return noise if name == "pooled" else noise[:1]


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("shown", [cs.sustained(), cs.flash(1), cs.masked(1, 2)], ids=str)
def test_a_receptive_field_is_where_gradients_are_not_zero(name, shown, noise):
    graph = GRAPHS[name]
    model = random_model(graph)
    for time in (1, 3):
        place = {"time": time, "y": 1, "x": 2, "presentation": shown}
        found = cs.analyse.receptive_field(model, graph.last, **place)
        slope = cs.protocols.sensitivity(model, images_for(name, noise), graph.last, **place)
        if bool(slope.isnull().any()):
            assert not found.any()
            continue
        np.testing.assert_array_equal((slope > 0).any("stimulus"), found)
        assert found.equals(cs.analyse.receptive_field(graph, graph.last, **place))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_projective_field_is_where_a_change_of_the_unit_arrives(name, noise):
    graph = GRAPHS[name]
    model = random_model(graph)
    place = {"time": 1, "until": 4, "y": 3, "x": 2}
    found = cs.analyse.projective_field(model, "V1", **place)
    slopes = cs.protocols.influence(model, images_for(name, noise), "V1", **place)
    for state in graph.state_names:
        arrived = (slopes[state]["influence"].fillna(0) > 0).any("stimulus")
        np.testing.assert_array_equal(arrived, found[state]["field"])
    assert int(found["V1"]["field"].sel(time=1).sum()) == 1
    assert not found["V1"]["field"].sel(time=0).any()


@pytest.mark.parametrize("pre_net", PRE_NET_REACH)
def test_the_reach_of_each_pre_net_is_that_of_its_gradients(pre_net):
    size = 2 * PRE_NET_REACH[pre_net] + 5
    graph = cs.CortexGraph((cs.State("V1", 4, size, size),), (cs.Transition("V1", "V1", "BRCx1"),))
    model = random_model(graph, pre_net=pre_net, until=1, normalization="channel")
    images = torch.rand(2, 3, size, size, dtype=torch.float64)
    found = cs.analyse.receptive_field(model, "V1", time=0)
    slope = cs.protocols.sensitivity(model, images, "V1", time=0)
    np.testing.assert_array_equal((slope > 0).any("stimulus"), found)
    assert int(found.any("x").sum()) == 2 * PRE_NET_REACH[pre_net] + 1


def test_normalizations_do_not_link_positions(noise):
    graph = GRAPHS["one convolution"]
    wanted = cs.analyse.receptive_field(graph, "V2", time=2)
    for normalization in ("channel", "time-specific"):
        model = random_model(graph, normalization=normalization)
        if model.needs_statistics:
            cs.calibrate(model, noise, cs.sustained(), until=4)
        slope = cs.protocols.sensitivity(model, noise, "V2", time=2)
        np.testing.assert_array_equal((slope > 0).any("stimulus"), wanted)


def test_the_sensitivity_is_the_slope_of_the_activity(noise):
    model = random_model(GRAPHS["one convolution"])
    place = {"time": 2, "y": 3, "x": 3, "channels": [1]}
    slope = cs.protocols.sensitivity(model, noise[:1], "V2", **place)
    for time in (0, 1):
        frames = noise[:1, None].repeat(1, 3, 1, 1, 1)
        pixel = (0, time, slice(None), 5, 6)
        colours = []
        for colour in range(3):
            heights = []
            for step in (-1e-6, 1e-6):
                changed = frames.clone()
                changed[(*pixel[:2], colour, *pixel[3:])] += step
                read = cs.simulate(model, changed, cs.sequence(1), until=2, dtype="float64")
                heights.append(float(read["V2"]["activation"][0, 2, 1, 3, 3]))
            colours.append((heights[1] - heights[0]) / 2e-6)
        expected = np.sqrt(np.mean(np.square(colours)))
        np.testing.assert_allclose(float(slope.sel(time=time)[0, 5, 6]), expected, rtol=1e-5)


def test_the_influence_is_the_slope_of_later_activity(noise):
    class Added:
        def on_delivery(self, delivered, transition, time):
            return delivered

        def on_state(self, activity, state, time):
            if (state, time) == ("V1", 1):
                activity.values[:, 2, 4, 4] += self.step
            return activity

    model, hook = random_model(GRAPHS["one convolution"]), Added()
    found = cs.protocols.influence(model, noise[:1], "V1", time=1, until=2, y=4, x=4, channels=[2])
    from cortexsim.model.plan import plan_run, resolve

    pixels, shown = resolve(model, noise[:1], cs.sustained())
    plan = plan_run(model, pixels, shown, until=2, record={"V2": [2]}).normalized_by(None)
    heights = []
    for hook.step in (-1e-6, 1e-6):
        with torch.no_grad():
            *_, last = plan.run(plan.frames(torch.arange(1)), hook)
        heights.append(last["V2"].values[0])
    slope = ((heights[1] - heights[0]) / 2e-6).square().mean(0).sqrt()
    np.testing.assert_allclose(found["V2"]["influence"][0, 2], slope, atol=1e-7)


def test_an_empty_unit_has_no_field():
    graph = cs.adjacent({"V1": 3, "V2": 4}, size=SIDE)
    assert not cs.analyse.receptive_field(graph, "V2", time=0).any()
    model = random_model(graph)
    assert cs.protocols.sensitivity(model, torch.rand(2, 3, SIDE, SIDE), "V2", time=0).isnull().all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"state": "V3"}, r"state.*'V3'"),
        ({"y": 16}, r"y in V1 must be .* 0 to 15, got 16"),
        ({"time": -1}, r"time must be"),
    ],
)
def test_a_unit_that_does_not_exist_is_refused(changed, message):
    graph = cs.adjacent({"V1": 3, "V2": 4}, size=SIDE)
    with pytest.raises(ValueError, match=message):
        cs.analyse.receptive_field(graph, **{"state": "V1", "time": 2, **changed})
    with pytest.raises(ValueError, match=message):
        cs.protocols.sensitivity(random_model(graph), torch.rand(1, 3, 16, 16), **{"state": "V1", "time": 2, **changed})


def test_callables_have_no_known_reach():
    with pytest.raises(ValueError, match=r"how far .* can reach is not known.*sensitivity"):
        cs.analyse.receptive_field(cs.zoo.blt(size=32), "L1", time=2)
