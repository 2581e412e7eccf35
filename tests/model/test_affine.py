"""Named kinds with affine normalization and another kernel size equal the modules that one would write by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import cortexsim as cs
from cortexsim.model.moments import CHANNEL_EPSILON

STATES = (cs.State("V1", 4, 8, 8), cs.State("V2", 6, 4, 4))
TRANSITIONS = (
    cs.Transition("V1", "V1", "BRCx2+0.5I", kernel_size=5, affine=True),
    cs.Transition("V1", "V2", "BRCx1", kernel_size=4, affine=True),
    cs.Transition("V2", "V1", "BRDx1", kernel_size=4, affine=True),
    cs.Transition("V2", "V2", "BRCx1", kernel_size=1),
)
NORMALIZATIONS = ("time-specific", "channel")


class LayerNorm(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))

    def forward(self, x):
        return F.layer_norm(x.movedim(1, -1), x.shape[1:2], self.weight, self.bias, CHANNEL_EPSILON).movedim(-1, 1)


def batch_norm(n: int) -> nn.Module:
    return nn.BatchNorm2d(n, track_running_stats=False)


class ByHand(nn.Module):
    """The same network in plain torch, each transition with norms of its own."""

    def __init__(self, norm) -> None:
        super().__init__()
        self.pre = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.lateral = nn.ModuleList([nn.Conv2d(4, 4, 5, padding=2, bias=False) for _ in range(2)])
        self.lateral_norm = nn.ModuleList([norm(4), norm(4)])
        self.up, self.up_norm = nn.Conv2d(4, 6, 4, stride=2, padding=1, bias=False), norm(4)
        self.down, self.down_norm = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1, bias=False), norm(6)
        self.stay, self.stay_norm = nn.Conv2d(6, 6, 1, bias=False), norm(6)
        self.last_norm, self.linear = norm(6), nn.Linear(6, 3)

    def forward(self, images):
        v1, v2 = self.pre(images), None
        for _ in range(4):
            x = self.lateral[0](F.relu(self.lateral_norm[0](v1)))
            there = self.lateral[1](F.relu(self.lateral_norm[1](x))) + 0.5 * v1
            up = self.up(F.relu(self.up_norm(v1)))
            if v2 is None:
                v1, v2 = there, up
            else:
                rate = F.relu(self.stay_norm(v2))
                v1, v2 = there + self.down(F.relu(self.down_norm(v2))), up + self.stay(rate)
        return self.linear(F.relu(self.last_norm(v2)).mean((2, 3)))


def pairs_of(model: cs.Cortex, hand: ByHand) -> list[tuple[nn.Parameter, nn.Parameter]]:
    """Pair the parameters of the two, those of the model first."""
    kernels = {
        "V1->V1:0": hand.lateral[0],
        "V1->V1:1": hand.lateral[1],
        "V1->V2:0": hand.up,
        "V2->V1:0": hand.down,
        "V2->V2:0": hand.stay,
    }
    norms = {
        "V1->V1:0": hand.lateral_norm[0],
        "V1->V1:1": hand.lateral_norm[1],
        "V1->V2:0": hand.up_norm,
        "V2->V1:0": hand.down_norm,
    }
    pairs = [(model.weights[key], layer.weight) for key, layer in kernels.items()]
    for key, norm in norms.items():
        pairs += [(model.affine.scale[key], norm.weight), (model.affine.shift[key], norm.bias)]
    pairs += [(model.post.scale, hand.last_norm.weight), (model.post.shift, hand.last_norm.bias)]
    pairs += [(model.post.linear.weight, hand.linear.weight), (model.post.linear.bias, hand.linear.bias)]
    if model.norm is not None:
        pairs += [(model.norm.scale["V2"], hand.stay_norm.weight), (model.norm.shift["V2"], hand.stay_norm.bias)]
    return [*pairs, (model.pre.weight, hand.pre.weight)]


@pytest.fixture
def graph() -> cs.CortexGraph:
    return cs.CortexGraph(STATES, TRANSITIONS)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((5, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def made(graph: cs.CortexGraph, normalization: str = "time-specific") -> cs.Cortex:
    torch.manual_seed(0)
    model = cs.Cortex(graph, n_classes=3, readout_time=4, normalization=normalization).double()
    with torch.no_grad():
        for part in (*model.affine.parameters(), model.post.scale, model.post.shift):
            part.add_(torch.rand_like(part))
    return model


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_output_and_gradients_equal_those_of_modules_written_by_hand(graph, images, normalization):
    model = made(graph, normalization)
    hand = ByHand(batch_norm if normalization == "time-specific" else LayerNorm).double()
    pairs = pairs_of(model, hand)
    with torch.no_grad():
        for ours, theirs in pairs:
            theirs.copy_(ours)
    here, there = model(images, cs.flash(1)), hand(images)
    torch.testing.assert_close(here, there, rtol=0, atol=1e-12)
    (here**2).sum().backward()
    (there**2).sum().backward()
    paired = {id(ours) for ours, _ in pairs}
    assert paired == {id(parameter) for parameter in model.parameters()}
    for ours, theirs in pairs:
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=0, atol=1e-12)


def test_statistics_are_taken_with_the_gains_and_biases(graph, images):
    model = made(graph)
    by_batch = model(images, cs.flash(1)).detach()
    cs.calibrate(model, images, cs.flash(1), until=4)
    torch.testing.assert_close(model.eval()(images, cs.flash(1)), by_batch, rtol=0, atol=1e-12)


def test_a_graph_with_them_is_counted(graph):
    model = made(graph)
    kernels = 2 * 4 * 4 * 25 + 4 * 6 * 16 + 6 * 4 * 16 + 6 * 6
    gains = 2 * (4 + 4 + 4 + 6)
    rest = 27 * 4 + 6 * 3 + 3
    assert model.n_parameters() == kernels + gains + rest
    assert cs.schedule(graph, 4).n_parameters(3) == kernels + gains + rest
    unshared = cs.Cortex(graph, n_classes=3, readout_time=2, sharing="none")
    assert unshared.n_parameters(2) == cs.schedule(graph, 2).n_parameters(3, shared=False)


def test_multiplications_follow_the_kernel_size(graph):
    assert graph.multiply_adds("V1->V1") == 2 * 4 * 4 * 25 * 64
    assert graph.multiply_adds("V1->V2") == graph.multiply_adds("V2->V1") == 4 * 6 * 16 * 16
    model = made(graph).float()
    pre, linear = 27 * 4 * 64, 18
    first = pre + graph.multiply_adds("V1->V2") + linear
    assert cs.multiply_adds(model, 1) == first
    assert cs.multiply_adds(model, 2) == first + graph.multiply_adds("V1->V1") + 36 * 16 + graph.multiply_adds("V1->V2")


@pytest.mark.parametrize("sharing", ["time", "none"])
def test_they_come_back_from_a_file(graph, images, tmp_path, sharing):
    model = cs.Cortex(graph, n_classes=3, readout_time=4, sharing=sharing)
    with torch.no_grad():
        for part in model.affine.parameters():
            part.add_(torch.rand_like(part))
    cs.calibrate(model, images.float(), cs.flash(1), until=4)
    cs.save(model, tmp_path / "m.safetensors")
    again = cs.load(tmp_path / "m.safetensors")
    assert again.graph == graph
    assert torch.equal(again(images.float()), model.eval()(images.float()))


def test_a_graph_without_them_is_written_as_before():
    graph = cs.adjacent({"V1": 4, "V2": 6}, size=8)
    assert {key for one in graph.to_dict()["transitions"] for key in one} == {
        *("source", "target", "kind", "custom", "times")
    }
    assert not [name for name in cs.Cortex(graph).state_dict() if name.startswith("affine")]


def test_kernels_that_are_shared_share_the_gain_before_them():
    both = cs.CortexGraph(
        STATES[:1], tuple(cs.Transition("V1", "V1", "BRCx1", label=label, affine=True) for label in ("a", "b"))
    )
    model = cs.Cortex(both, readout_time=2, sharing="all")
    assert list(model.affine.scale) == list(model.weights) == ["all"]


def test_kernels_of_one_shape_that_read_other_channels_are_not_shared():
    graph = cs.CortexGraph(
        STATES,
        (
            cs.Transition("V1", "V2", "BRCx1", affine=True),
            cs.Transition("V2", "V1", "BRDx1", affine=True),
        ),
    )
    with pytest.raises(ValueError, match="the normalizations before its convolutions have 4 and 6 channels"):
        cs.Cortex(graph, readout_time=3, sharing="all")


def test_a_gain_without_normalization_is_refused(graph):
    with pytest.raises(ValueError, match=r"V2->V1: affine=True is the gain and bias of a normalization, and this"):
        cs.Cortex(graph, normalization="none")
