"""The model: its parts, its weights, and what it refuses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.graph._schedule import EmptyStateError
from cortexsim.model.modes import undisturbed
from cortexsim.model.moments import MissingStatisticsError, by_batch, not_at_all


@pytest.fixture
def graph() -> cs.CortexGraph:
    return cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)


@pytest.fixture
def model(graph) -> cs.Cortex:
    torch.manual_seed(0)
    return cs.Cortex(graph, n_classes=3, readout_time=4).double()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_every_readout_of_one_trajectory_equals_a_run_of_its_own(model, images):
    together = model.readouts(images, times=[2, 3, 4])
    for k, time in enumerate([2, 3, 4]):
        torch.testing.assert_close(together[k], model.readouts(images, times=[time])[0], rtol=0, atol=1e-12)
    torch.testing.assert_close(model(images), together[2], rtol=0, atol=1e-12)


def test_readouts_come_in_the_order_they_were_asked_for(model, images):
    assert torch.equal(model.readouts(images, [4, 2]), model.readouts(images, [2, 4]).flip(0))


@pytest.mark.parametrize(
    "times", [torch.tensor([3, 4]), np.array([3, 4], "u1"), [np.int64(3), torch.tensor(4)], range(3, 5)]
)
def test_readout_times_of_torch_and_numpy_are_those_of_Python(model, images, times):
    assert torch.equal(model.readouts(images, times), model.readouts(images, [3, 4]))


@pytest.mark.parametrize("time", [4, np.int32(4), torch.tensor(4), np.array(4)])
def test_one_readout_time_is_a_list_of_one(model, images, time):
    assert torch.equal(model.readouts(images, time), model.readouts(images, [4]))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([3, 2.5], "a readout time must be a whole number of steps, at least 0, got 2.5"),
        ([True], "a readout time must be a whole number of steps, at least 0, got True"),
        (torch.tensor([3.0]), r"a readout time must be a whole number .* got tensor\(3\.\)"),
        ([-1], "a readout time must be a whole number .* got -1"),
        ("34", "a readout time must be a whole number .* got '34'"),
        (None, "a readout time must be a whole number .* got None"),
        ([], "times must name at least one readout time, got none"),
        (torch.tensor([], dtype=torch.int64), "times must name at least one readout time, got none"),
    ],
)
def test_what_is_no_readout_time_is_refused(model, images, times, message):
    with pytest.raises(ValueError, match=message):
        model.readouts(images, times)


def test_a_model_reads_a_Dataset_and_a_DataArray_by_their_dimensions_as_simulate_does(model, images):
    turned = xr.DataArray(images.permute(2, 0, 3, 1).numpy(), dims=("y", "stimulus", "x", "channel"))
    assert torch.equal(model(turned), model(images))
    assert torch.equal(model(turned.to_dataset(name="image")), model(images))
    assert torch.equal(model.readouts(turned, [3, 4]), model.readouts(images, [3, 4]))
    with pytest.raises(TypeError, match=r"images must be a torch\.Tensor, a Dataset, .* got dict"):
        model({"image": images})


def test_kernels_are_found_at_a_time_of_torch(model):
    assert model.kernels("V1->V2", torch.tensor(1))[0] is model.kernels("V1->V2", 1)[0]


def test_a_step_reads_only_the_step_before(model, images):
    runs = []
    model.step, step = (lambda h, time, *rest: (runs.append((time, dict(h))), step(h, time, *rest))[1]), model.step
    model(images)
    assert [time for time, _ in runs] == [0, 1, 2, 3, 4]
    assert runs[0][1] == {}
    assert [sorted(h) for _, h in runs[1:]] == [["V1"], ["V1", "V2"], ["IT", "V1", "V2"], ["IT", "V2"]]


def test_the_step_is_the_sum_over_transitions_and_the_input(model, images):
    planned = cs.schedule(model.graph, 4, cs.sustained())
    run = list(model.unroll(cs.sustained().frames(images, 4), planned, by_batch))
    transitions = {t.name: t for t in planned.at(2)}
    before, after = run[1], run[2]

    def delivered(name: str) -> torch.Tensor:
        h = before[transitions[name].source].values
        rate = F.relu(by_batch(h, transitions[name].source, 1))
        return model.deliver(transitions[name], 2, h, rate, by_batch)

    entering = F.conv2d(images, model.pre.weight, padding=1)
    expected = delivered("V1->V1") + delivered("V2->V1") + entering
    torch.testing.assert_close(after["V1"].values, expected, rtol=0, atol=1e-12)


def test_what_leaves_a_state_is_normalized_once_for_all_its_transitions(model, images):
    places = []

    def counting(x, place, time, scale=None, shift=None):
        places.append((place, time))
        return by_batch(x, place, time, scale, shift)

    planned = cs.schedule(model.graph, 4, cs.flash(1))
    list(model.unroll(cs.flash(1).frames(images, 4), planned, counting))
    assert len(places) == len(set(places))


@pytest.mark.parametrize(("shortcut", "kept"), [(True, 1.0), (0.5, 0.5), (False, 0.0)])
def test_the_shortcut_weighs_what_a_state_keeps_of_itself(images, shortcut, kept):
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8, shortcut=shortcut), 3, 2).double()
    (self_transition,) = (t for t in model.graph.transitions if t.name == "V1->V1")
    h, rate = images[:, [0, 1, 2, 0]], torch.zeros(5, 4, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(model.deliver(self_transition, 1, h, rate, not_at_all), kept * h)


def test_the_input_gain_scales_what_enters(graph, images):
    torch.manual_seed(0)
    plain = cs.Cortex(graph, 3, 4).double()
    torch.manual_seed(0)
    loud = cs.Cortex(graph, 3, 4, input_gain=3.0).double()
    torch.testing.assert_close(loud.pre_net(images), 3 * plain.pre_net(images))


def test_bytes_and_their_fractions_of_255_are_the_same_image(model, images):
    raw = (images * 255).round().to(torch.uint8)
    torch.testing.assert_close(model(raw), model(raw.double() / 255), rtol=0, atol=1e-6)


def test_the_model_runs_under_autocast_near_its_full_precision(graph):
    torch.manual_seed(0)
    model, images = cs.Cortex(graph, 3, 4), torch.rand(16, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(images)
    assert half.dtype == torch.bfloat16
    assert (half.float() - model(images)).abs().max() < 0.1 * model(images).abs().max()


def test_gradients_reach_every_weight_that_contributes(model, images):
    F.cross_entropy(model(images), torch.zeros(5, dtype=torch.long)).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_steps_that_are_computed_again_keep_the_states_alone(model, images):
    kept = {}
    for recompute in (False, True):
        sizes: dict[int, int] = {}

        def keep(tensor, sizes=sizes):
            sizes[tensor.data_ptr()] = tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model.readouts(images, [4], recompute=recompute)
        kept[recompute] = sum(sizes.values())
    assert kept[True] < kept[False] / 2


# --- first weights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pre_net", ["conv", "deep"])
@pytest.mark.parametrize("sharing", ["time", "none"])
def test_a_generator_draws_the_weights_that_its_seed_draws_globally(graph, pre_net, sharing):
    torch.manual_seed(7)
    globally = cs.Cortex(graph, 3, 4, pre_net=pre_net, sharing=sharing)
    before = torch.get_rng_state()
    drawn = cs.Cortex(graph, 3, 4, pre_net=pre_net, sharing=sharing, generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.get_rng_state(), before)
    for name, value in globally.weights_and_buffers().items():
        assert torch.equal(value, drawn.weights_and_buffers()[name])


def test_the_weights_of_a_seed_stay_those_of_earlier_versions():
    generator = torch.Generator().manual_seed(7)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 6}, size=8), 3, 3, sharing="none", generator=generator)
    first = [
        value.flatten()[0].item() for value in (model.pre.weight, model.post.linear.weight, model.post.linear.bias)
    ]
    assert first == pytest.approx([-0.601382, -0.236122, -0.354126], abs=1e-6)
    assert model.kernels("V1->V1", 1)[0].flatten()[0].item() == pytest.approx(0.03142, abs=1e-6)


@pytest.mark.parametrize("pre_net", ["conv", "deep"])
def test_pre_nets_begin_with_the_spread_of_He(pre_net):
    model = cs.Cortex(cs.adjacent({"V1": 96, "V2": 4}, size=8), 3, 2, pre_net=pre_net)
    for convolution in (part for part in model.pre.modules() if isinstance(part, nn.Conv2d)):
        wanted = (2 / (9 * convolution.in_channels)) ** 0.5
        assert float(convolution.weight.detach().std()) == pytest.approx(wanted, rel=0.06)


# --- kernels -----------------------------------------------------------------------------------------------------


def test_kernels_come_in_order_with_the_mean_of_both_widths_between():
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 8}, size=8), 3, 3)
    first, second = model.kernels("V1->IT", time=1)
    assert (first.shape, second.shape) == ((6, 4, 3, 3), (8, 6, 3, 3))
    backward, _ = model.kernels("IT->V1", time=2)
    assert backward.shape == (8, 6, 3, 3)


def test_kernels_say_why_there_are_none(graph):
    model = cs.Cortex(graph.without("V2->V2", times=[3]), 3, readout_time=4, sharing="none")
    with pytest.raises(KeyError, match="closed at time 3"):
        model.kernels("V2->V2", time=3)
    with pytest.raises(KeyError, match="does not contribute to any readout up to time 4"):
        model.kernels("V1->V1", time=4)
    with pytest.raises(ValueError, match=r"unknown transition 'V1->V3'.*did you mean"):
        model.kernels("V1->V3", time=1)
    pooled = cs.Cortex(cs.resnet({"a": 4, "b": 4}, size=8, steps=1, between="Pool"), 3, 3)
    with pytest.raises(KeyError, match=r"a->b \(Pool\) has no convolutions"):
        pooled.kernels("a->b", time=2)


def test_running_a_time_without_weights_is_refused_before_the_first_step(graph, images):
    model = cs.Cortex(graph, 3, readout_time=4, sharing="none").double()
    with pytest.raises(ValueError, match=r"V1->V1 has no weights at time 3.*readouts? up to time 4"):
        model.readouts(images, [5])


def test_all_convolutions_can_share_one_kernel_only_if_their_shapes_agree(graph):
    assert len(cs.Cortex(graph, 3, 4, sharing="all").weights) == 1
    with pytest.raises(ValueError, match="cannot share the kernel 'all'"):
        cs.Cortex(cs.adjacent({"V1": 4, "IT": 8}, size=8), 3, 4, sharing="all")


# --- modules of the user's -----------------------------------------------------------------------------------------


class Halving(nn.Module):
    """A transition of the user's: it remembers when it was called."""

    def __init__(self, source, target):
        super().__init__()
        self.convolution = nn.Conv2d(source.features, target.features, 3, stride=2, padding=1)
        self.called_at = []

    def forward(self, h, time):
        self.called_at.append(time)
        return self.convolution(h)


def test_a_callable_kind_is_called_with_the_activity_and_the_time(images):
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8, feedback=False).without("V1->V1")
    states, (self_transition,) = graph.states, [t for t in graph.transitions if t.name == "IT->IT"]
    graph = cs.CortexGraph(states, (cs.Transition("V1", "IT", Halving), self_transition))
    model = cs.Cortex(graph, 3, readout_time=3).double()
    model.readouts(images, [3], cs.sustained())
    assert model.functions["V1->IT"].called_at == [1, 2, 3]
    model.functions["V1->IT"].called_at.clear()
    model.readouts(images, [3], cs.flash(1))
    assert model.functions["V1->IT"].called_at == [1]
    assert model.n_parameters(3) == 3 * 4 * 9 + 2 * 4 * 4 * 9 + (4 * 4 * 9 + 4) + (4 * 3 + 3)


def test_an_update_is_applied_to_the_sum_of_what_arrives(graph, images):
    torch.manual_seed(0)
    model = cs.Cortex(graph.with_update("V1", nn.ReLU()), 3, 4).double()
    (at_0, *_) = model.unroll(cs.flash(1).frames(images, 4), cs.schedule(graph, 4), by_batch)
    torch.testing.assert_close(at_0["V1"].values, F.relu(F.conv2d(images, model.pre.weight, padding=1)))


def test_any_module_can_be_the_pre_net_and_choose_the_image_size(graph):
    model = cs.Cortex(graph, 3, 4, pre_net=nn.Conv2d(3, 4, 2, stride=2))
    assert model(torch.rand(5, 3, 16, 16)).shape == (5, 3)
    with pytest.raises(ValueError, match=r"must deliver \(stimulus, 4, 8, 8\) to V1, got \(5, 4, 4, 4\)"):
        model(torch.rand(5, 3, 8, 8))


def test_evaluation_mode_is_put_back_part_by_part(model):
    model.train()
    model.post.eval()
    with undisturbed(model):
        assert not model.training
    assert model.training
    assert not model.post.training


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("owner", [True, False])
def test_the_owner_of_a_model_sets_its_mode_while_other_threads_evaluate_it(model, before, owner):
    model.train(before)
    running, go_on = threading.Event(), threading.Event()

    def evaluate() -> None:
        with undisturbed(model):
            running.set()
            assert go_on.wait(10)

    with undisturbed(model), ThreadPoolExecutor(1) as pool:
        other = pool.submit(evaluate)
        assert running.wait(10)
        model.train(owner)
        assert model.training is owner
        go_on.set()
        other.result()
        with undisturbed(model):  # a user who comes later
            assert not model.training
    assert {module.training for module in model.modules()} == {owner}


def test_the_owner_sets_the_mode_of_a_part_during_an_evaluation(model):
    model.eval()
    with undisturbed(model):
        model.post.train()
        with undisturbed(model):
            assert not model.post.training
    assert model.post.training
    assert not model.training


def test_the_mode_that_is_set_from_within_a_simulation_remains(model, images):
    model.train()
    cs.calibrate(model, images, until=4)
    cs.simulate(model, images, until=4, report=lambda share, words: model.eval())
    assert not model.training


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_classes": 0}, "n_classes must be a whole number, at least 1, got 0"),
        ({"readout_time": 0}, "readout_time must be a whole number of steps, at least 1, got 0"),
        ({"readout_time": -2}, "at least 1, got -2"),
        ({"pre_net": "depp"}, "unknown pre_net 'depp'.*did you mean 'deep'"),
        ({"input_gain": 0.0}, "input_gain must be a positive number, got 0.0"),
        ({"input_gain": True}, "input_gain must be a positive number, got True"),
        ({"input_gain": "2"}, "input_gain must be a positive number, got '2'"),
        ({"input_gain": float("nan")}, "input_gain must be a positive number, got nan"),
        ({"input_gain": 10**400}, "input_gain must be a positive number, got a value of type int"),
        ({"sharing": "tim"}, "unknown sharing 'tim'.*did you mean 'time'"),
        ({"normalization": "batch"}, "unknown normalization 'batch'"),
    ],
)
def test_a_model_that_cannot_be_is_refused(graph, arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.Cortex(graph, **{"n_classes": 3, "readout_time": 4, **arguments})


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.rand(3, 8, 8), ValueError, "must have shape"),
        (torch.rand(5, 1, 8, 8), ValueError, r"must have shape .* got \(5, 1, 8, 8\)"),
        (torch.rand(5, 3, 16, 16), ValueError, "sees images of 8x8 pixels, got 16x16"),
        (torch.rand(0, 3, 8, 8), ValueError, "there are no images"),
        (torch.rand(5, 3, 8, 8) * 255, ValueError, r"pixels must lie in \[0, 1\]"),
        (torch.full((5, 3, 8, 8), float("nan")), ValueError, "must be finite, got NaN"),
        (torch.zeros((5, 3, 8, 8), dtype=torch.int64), TypeError, "floating point in .* or uint8, got torch.int64"),
        ([[0.0]], TypeError, "a list of images must have one array for each stimulus"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(graph, images, error, message):
    with pytest.raises(error, match=message):
        cs.Cortex(graph, 3, 4)(images)


def test_a_readout_of_an_empty_state_names_the_times_at_which_it_is_populated(images):
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, self_transitions=False)
    model = cs.Cortex(graph, 3, readout_time=6).double()
    with pytest.raises(EmptyStateError, match=r"IT is empty then; up to time 5 it is populated at t = 2, 4"):
        model.readouts(images, [5])
    with pytest.raises(ValueError, match="at least 0, got -1"):
        model.readouts(images, [-1])


def test_evaluation_without_statistics_is_refused_and_calibrate_named(model, images):
    with pytest.raises(MissingStatisticsError, match=r"no statistics for «flash.*calibrate\(model"):
        model.eval()(images)


def test_a_lesion_by_hand_is_noticed(model, images):
    cs.calibrate(model, images, until=4)
    model.kernels("V2->V1", 2)[0].data.zero_()
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        model.eval()(images)


def test_a_changed_input_gain_is_noticed(model, images):
    cs.calibrate(model, images, until=4)
    model.input_gain = 64.0
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        model.eval()(images)


def test_masks_from_other_images_do_not_depend_on_the_batch(model, images):
    shown = cs.masked(1, 1, "image")
    cs.calibrate(model, images, shown, until=4)
    whole = model.eval().readouts(images, [4], shown)
    index = torch.tensor([3, 1])
    part = model.readouts(images[index], [4], shown, index=index, others=images)
    torch.testing.assert_close(part, whole[:, index], rtol=0, atol=1e-12)


class Listed(nn.Module):
    """A transition that keeps its convolution where torch does not see it."""

    def __init__(self, source, target, keep):
        super().__init__()
        convolution = nn.Conv2d(source.features, target.features, 3, padding=1)
        self.layers = {"list": [convolution], "dict": {"a": convolution}, "function": lambda h: convolution(h)}[keep]

    def forward(self, h, time):
        layers = self.layers
        layer = layers if callable(layers) else layers[0] if isinstance(layers, list) else layers["a"]
        return layer(h)


@pytest.mark.parametrize("keep", ["list", "dict", "function"])
def test_a_module_that_is_hidden_from_torch_is_warned_of(graph, keep):
    hidden = graph.without("V1->V1").with_transition("V1", "V1", partial(Listed, keep=keep))
    with pytest.warns(UserWarning, match=r"V1->V1 \(Listed\) keeps a Conv2d in its attribute 'layers'"):
        cs.Cortex(hidden, 3, 4)


def test_the_size_of_images_goes_with_the_stride_of_the_pre_net():
    model = cs.zoo.cornet_rt(size=64, n_classes=3)
    assert model.image_size == (64, 64)
    assert model.at_size(96).image_size == (96, 96)
    assert model.at_size(96)(torch.rand(1, 3, 96, 96), cs.sustained()).shape == (1, 3)
    with pytest.raises(ValueError, match="size must be a multiple of 4 px, the stride of the pre-net, got 66"):
        model.at_size(66)
