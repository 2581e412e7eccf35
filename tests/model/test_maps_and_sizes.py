"""Map readouts, normalization over channels, models at other sizes, initialization, steps without gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.graph._schedule import EmptyStateError, schedule
from cortexsim.model.moments import MissingStatisticsError


def one_state(size=8):
    return cs.CortexGraph([cs.State("V1", 4, size, size)], [cs.Transition("V1", "V1", "BRCx1")])


def tracer(size=8, **settings):
    chosen = {"normalization": "channel", "post_net": "map", "initialization": "torch", **settings}
    return cs.Cortex(
        one_state(size), n_classes=2, readout_time=3, generator=torch.Generator().manual_seed(0), **chosen
    ).double()


def images(n=2, size=8):
    return torch.rand(n, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


class Doubled(nn.Module):
    """A post-net that works in place, which must not change what the model continues with."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Conv2d(4, 2, 1)

    def forward(self, h):
        return self.linear(h.mul_(2))


# --- normalization over channels -------------------------------------------------------------------------------------


def test_channel_normalization_is_layer_norm_over_the_channels_of_each_pixel():
    model = tracer()
    x = images()[:, :1].expand(-1, 4, -1, -1) * torch.arange(1, 5, dtype=torch.float64)[:, None, None]
    got = model.without_statistics(x, "V1", 3)
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    torch.testing.assert_close(got, (x - mean) / torch.sqrt(variance + 1e-2))


def test_channel_normalization_has_a_scale_and_a_shift_for_each_place():
    model = tracer()
    with torch.no_grad():
        model.norm.scale["V1"][1], model.norm.shift["V1"][1] = 3.0, 0.5
    h = images().new_ones(1, 4, 8, 8) * torch.arange(4, dtype=torch.float64)[:, None, None]
    plain = F.layer_norm(torch.arange(4, dtype=torch.float64), (4,), eps=1e-2)
    torch.testing.assert_close(model.without_statistics(h, "V1", 1)[0, 1, 0, 0], 3 * plain[1] + 0.5)


def test_what_happens_elsewhere_or_to_other_stimuli_changes_nothing_within_reach_of_the_kernels():
    model = tracer(size=16).eval()
    shown = images(2, 16)
    changed = shown.clone()
    changed[0, :, 12:] = 0
    changed[1] = 0
    before, after = (model(one, cs.sustained()) for one in (shown, changed))
    # three steps and the pre-net reach four pixels
    torch.testing.assert_close(before[0, :, :8], after[0, :, :8], rtol=0, atol=0)
    assert not torch.equal(before[0, :, 8:], after[0, :, 8:])


def test_channel_normalization_needs_no_statistics_and_is_the_same_in_training():
    model = tracer()
    shown = images()
    torch.testing.assert_close(model.train()(shown), model.eval()(shown), rtol=0, atol=0)
    with pytest.raises(ValueError, match="no statistics"):
        cs.calibrate(model, shown, cs.sustained(), until=3)


def test_channel_normalization_serves_two_convolutions_and_a_deep_pre_net():
    graph = cs.fully_recurrent({"V1": 4, "V2": 6}, size=8, shortcut=True, lateral=True, feedback=True, convolutions=2)
    model = cs.Cortex(graph, 2, 3, pre_net="deep", normalization="channel", post_net="map")
    assert {"V1", "V2", "V1->V2", "V2->V1", "pre_net:0", "pre_net:1"} <= set(model.norm.scale)
    model(images().float(), cs.sustained()).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


# --- map readouts ----------------------------------------------------------------------------------------------------


def test_a_map_readout_is_one_linear_layer_at_each_position():
    model = tracer().eval()
    h = images()[:, :1].expand(-1, 4, -1, -1) + torch.arange(4, dtype=torch.float64)[:, None, None]
    got = model.post_net(h, time=2)
    rate = F.relu(F.layer_norm(h[0, :, 3, 5], (4,), model.post.scale, model.post.shift, 1e-2))
    expected = model.post.linear.weight[:, :, 0, 0] @ rate + model.post.linear.bias
    assert got.shape == (2, 2, 8, 8)
    torch.testing.assert_close(got[0, :, 3, 5], expected)


def test_maps_are_recorded_with_the_dimensions_of_the_last_state():
    model = tracer().float()
    data = cs.datasets.paths(3, size=8, length=(3, 4), n_curves=2)
    recording = cs.simulate(model, data, cs.sustained(), until=4, record=[])
    logits = recording["readout"]["logits"]
    assert logits.dims == ("stimulus", "time", "class", "y", "x")
    pixels = torch.from_numpy(data["image"].values).float() / 255
    read = model.eval().readouts(pixels, [4], cs.sustained())[0]
    torch.testing.assert_close(torch.from_numpy(logits.values[:, 4]), read.detach())
    assert (recording["readout"]["end_y"] == data["end_y"]).all()


def test_maps_stream_to_disk(tmp_path):
    model = tracer().float()
    data = cs.datasets.paths(3, size=8, length=(3, 4), n_curves=2)
    kept = cs.simulate(model, data, cs.sustained(), until=4)
    streamed = cs.simulate(model, data, cs.sustained(), until=4, to=tmp_path / "maps.zarr")
    assert kept["readout"]["logits"].equals(streamed["readout"]["logits"].compute())


def test_the_weights_of_a_map_readout_are_counted():
    assert tracer().n_parameters(presentation=cs.sustained()) == 27 * 4 + 9 * 4 * 4 + 4 * 2 + 2


def test_maps_are_saved_and_loaded(tmp_path):
    model = tracer().float().eval()
    with torch.no_grad():
        model.norm.scale["V1"][:] = torch.tensor([0.5, 1.0, 1.5, 2.0])
    cs.save(model, tmp_path / "tracer.safetensors")
    loaded = cs.load(tmp_path / "tracer.safetensors")
    shown = images().float()
    assert torch.equal(model(shown, cs.sustained()), loaded(shown, cs.sustained()))
    assert (loaded.post_net_name, loaded.normalization, loaded.initialization) == ("map", "channel", "torch")


def test_a_post_net_of_ones_own_reads_a_copy_of_the_last_state(tmp_path):
    model = tracer(post_net=Doubled()).eval()
    shown = images()
    first, second = model.readouts(shown, [2, 3], cs.sustained())
    alone = model.readouts(shown, [3], cs.sustained())[0]
    assert not torch.equal(first, second)
    torch.testing.assert_close(second, alone, rtol=0, atol=0)
    cs.save(model, tmp_path / "own.safetensors")
    loaded = cs.load(tmp_path / "own.safetensors", {model.post_net_name: Doubled})
    torch.testing.assert_close(loaded(shown, cs.sustained()), model(shown, cs.sustained()), rtol=0, atol=0)
    with pytest.raises(ValueError, match="post-net"):
        cs.load(tmp_path / "own.safetensors")


def test_a_post_net_with_another_number_of_classes_is_refused():
    model = tracer(post_net=nn.Conv2d(4, 3, 1)).float()
    data = cs.datasets.paths(2, size=8, length=(3, 4), n_curves=2)
    with pytest.raises(ValueError, match=r"the post-net must deliver \(stimulus, 2\) or \(stimulus, 2, y, x\) from V1"):
        cs.simulate(model, data, cs.sustained(), until=3)


def test_unknown_post_nets_and_initializations_are_refused():
    with pytest.raises(ValueError, match=r"unknown post_net 'maps'.*'pool', 'map'"):
        tracer(post_net="maps")
    with pytest.raises(ValueError, match="unknown initialization 'xavier'"):
        tracer(initialization="xavier")


def test_a_map_of_a_state_that_is_empty_is_refused():
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8)
    model = cs.Cortex(graph, 2, 3, normalization="channel", post_net="map")
    with pytest.raises(EmptyStateError, match="V2 is empty then"):
        model.readouts(images().float(), [0])


# --- other sizes -----------------------------------------------------------------------------------------------------


def test_a_model_at_another_size_has_the_same_weights_and_answers():
    small, large = tracer(size=16).eval(), tracer(size=16).at_size(32).eval()
    assert [state.size for state in large.graph.states] == [(32, 32)]
    shown = images(1, 32)
    # in the middle of a part of the larger image, the edges of the smaller one are out of reach
    torch.testing.assert_close(
        small(shown[..., 8:24, 8:24], cs.sustained())[..., 4:12, 4:12], large(shown, cs.sustained())[..., 12:20, 12:20]
    )


def test_states_grow_in_proportion():
    graph = cs.adjacent({"V1": 4, "V2": 4, "V4": 4}, size=32)
    assert [state.size for state in graph.at_size(48).states] == [(48, 48), (24, 24), (12, 12)]
    assert [state.size for state in graph.at_size((16, 32)).states] == [(16, 32), (8, 16), (4, 8)]


def test_a_size_that_strides_do_not_divide_is_refused_with_those_that_they_do():
    graph = cs.adjacent({"V1": 4, "V2": 4, "V4": 4}, size=32)
    with pytest.raises(ValueError, match=r"50x50 px would make V4 12.5x12.5 px: allowed are multiples of 4"):
        graph.at_size(50)
    with pytest.raises(ValueError, match="size must be a whole number of px"):
        tracer().at_size(8.5)


def test_statistics_of_one_size_do_not_serve_another():
    model = cs.Cortex(one_state(), 2, 3, post_net="map")
    cs.calibrate(model, torch.rand(8, 3, 8, 8), cs.sustained(), until=3)
    larger = model.at_size(16).eval()
    with pytest.raises(MissingStatisticsError, match="calibrate"):
        larger(torch.rand(1, 3, 16, 16), cs.sustained())
    assert model.statistics


# --- initialization --------------------------------------------------------------------------------------------------


def test_initial_kernels_have_the_spread_that_the_initialization_names():
    graph = cs.CortexGraph([cs.State("V1", 64, 8, 8)], [cs.Transition("V1", "V1", "BRCx1")])
    fan_in = 9 * 64
    for initialization, variance in (("he", 2 / fan_in), ("torch", 1 / (3 * fan_in))):
        kernel = cs.Cortex(graph, 2, 3, initialization=initialization).kernels("V1->V1", 1)[0]
        assert abs(float(kernel.var().detach()) / variance - 1) < 0.05, initialization
    bound = fan_in**-0.5
    assert float(kernel.abs().max().detach()) <= bound


def test_the_pre_net_is_initialised_alike():
    graph = cs.CortexGraph([cs.State("V1", 512, 8, 8)], [cs.Transition("V1", "V1", "BRCx1")])
    for initialization, variance in (("he", 2 / 27), ("torch", 1 / 81)):
        spread = cs.Cortex(graph, 2, 2, initialization=initialization).pre.weight.var()
        assert abs(float(spread.detach()) / variance - 1) < 0.05, initialization


# --- steps without gradients -----------------------------------------------------------------------------------------


def gradient(model, warmup):
    frames = cs.sustained().frames(images(), 5, seed=0)
    planned = schedule(model.graph, [5], cs.sustained())
    model.zero_grad()
    logits = model.read(frames, planned, [5], model.without_statistics, warmup=warmup)
    logits.square().sum().backward()
    return logits.detach(), model.weights["V1->V1:0"].grad.clone()


def test_warmup_changes_gradients_and_nothing_else():
    model = tracer().train()
    (logits, whole), (same, short) = gradient(model, 0), gradient(model, 3)
    torch.testing.assert_close(logits, same, rtol=0, atol=0)
    assert not torch.allclose(whole, short)


def test_gradients_after_warmup_are_those_of_the_steps_that_follow():
    model = tracer().train()
    frames, planned = cs.sustained().frames(images(), 5, seed=0), schedule(model.graph, [5], cs.sustained())
    with torch.no_grad():
        states = list(model.unroll(frames, planned, model.without_statistics))
        entered = model.pre_net(images())
    h = states[3]["V1"].values
    kernel = model.weights["V1->V1:0"]
    for _ in range(2):
        rate = F.relu(model.without_statistics(h, "V1", 0))
        h = F.conv2d(rate, kernel, padding=1) + entered
    expected = torch.autograd.grad(model.post_net(h, time=5).square().sum(), kernel)[0]
    torch.testing.assert_close(gradient(model, 3)[1], expected)
