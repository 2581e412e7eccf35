"""What a user's modules deliver: theirs to keep and change, and refused where it would be broadcast or converted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import cortexsim as cs


class Making(nn.Module):
    """Delivers what a function makes of its input; as one tensor, which every call overwrites, if it is `reused`."""

    def __init__(self, make=lambda h: h + 1, reused=False):
        super().__init__()
        self.make, self.reused, self.delivered = make, reused, None

    def forward(self, h, time=0):
        made = self.make(h)
        if not self.reused:
            return made
        if self.delivered is None or self.delivered.shape != made.shape:
            self.delivered = torch.empty_like(made)
        return self.delivered.copy_(made)


def readout(place: str, module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the logits of a model with a module at a place: two areas of one size, each with one input at a time."""
    states = (cs.State("V1", 4, 8, 8), cs.State("V2", 4, 8, 8))
    torch.manual_seed(0)
    # one module in both transitions, and in both areas
    kind = (lambda source, target: module) if place == "transition" else "Conv"
    graph = cs.CortexGraph(states, (cs.Transition("V1", "V2", kind), cs.Transition("V2", "V1", kind)))
    nets: dict[str, nn.Module | str] = {"pre_net": "conv", "post_net": "pool"}
    if place == "update":
        graph = graph.with_update("V1", lambda state: module).with_update("V2", lambda state: module)
    elif place == "pre-net":
        nets["pre_net"] = nn.Sequential(nn.Conv2d(3, 4, 1), module)
    elif place == "post-net":
        nets["post_net"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), module)
    model = cs.Cortex(graph, 4, 5, normalization="none", **nets).eval()
    with torch.no_grad():
        return model.readouts(images, [1, 3, 5], cs.sustained())


PLACES = ["transition", "update", "pre-net", "post-net"]


@pytest.mark.parametrize("place", PLACES)
def test_a_module_may_overwrite_what_it_delivered_before(shown_images, place):
    wanted, found = (readout(place, Making(reused=reused), shown_images) for reused in (False, True))
    assert torch.equal(wanted, found)
    assert not torch.equal(wanted[0], wanted[1])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda h: h[:1], r"for each of \d+ stimuli, got \(1, 4"),
        (lambda h: h[:, :1], r"must deliver \(stimulus, 4.*, got \(\d+, 1"),
        (lambda h: h > 0, r"got torch\.bool: convert it in the module"),
        (lambda h: (h,), r"must deliver a dense tensor on cpu, .* got tuple"),
        (lambda h: h.to_sparse(), r"got Tensor \(torch\.sparse_coo, on cpu\)"),
    ],
    ids=["one stimulus", "one channel", "truth values", "a tuple", "sparse"],
)
def test_what_would_be_broadcast_or_converted_is_refused_with_the_place_of_the_module(
    shown_images, place, make, message
):
    with pytest.raises(ValueError, match=f"the {place}.*{message}"):
        readout(place, Making(make), shown_images)


@pytest.mark.parametrize("place", PLACES[:3])
def test_a_map_of_another_size_or_precision_is_refused(shown_images, place):
    with pytest.raises(ValueError, match=rf"the {place}.* must deliver \(stimulus, 4, 8, 8\).*, got \(\d+, 4, 1, 1\)"):
        readout(place, Making(lambda h: h.mean((2, 3), keepdim=True)), shown_images)
    with pytest.raises(ValueError, match=r"must deliver torch\.float32, as its input, got torch\.float16"):
        readout(place, Making(lambda h: h.half()), shown_images)


def test_autocast_and_a_post_net_choose_their_precision(shown_images):
    assert readout("post-net", Making(lambda h: h.double()), shown_images).dtype == torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert readout("transition", Making(lambda h: h.bfloat16()), shown_images).isfinite().all()


def without_time(source, target):
    return nn.ReLU()


class Shy(nn.Module):
    """Asks for what no update gets."""

    def forward(self, h, neighbours):
        return h


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"kind": lambda source, target: 3}, TypeError, r"the kind of V2->V1 must be a torch\.nn\.Module, .* got 3"),
        ({"kind": without_time}, TypeError, r"the kind of V2->V1 \(ReLU\) must have forward\(h, time\)"),
        ({"update": lambda state: None}, TypeError, r"the update of V1 must be a torch\.nn\.Module, .* got None"),
        ({"update": 3}, TypeError, r"update of V1 must be a torch\.nn\.Module, a function of the state .* got 3"),
        ({"update": Shy()}, TypeError, r"the update of V1 \(Shy\) must have forward\(h\).*neighbours"),
        ({"pre_net": nn.LazyConv2d(4, 1)}, ValueError, r"pre_net \(LazyConv2d\) has weights without a shape yet"),
        ({"post_net": nn.Bilinear(4, 4, 3)}, TypeError, r"post_net \(Bilinear\) must have forward\(h\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_cannot_be_a_part_of_a_model_is_refused_when_it_is_made(settings, error, message):
    def made(kind="BRCx2", update=None, **nets):
        graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, feedback=False)
        graph = graph if kind == "BRCx2" else graph.with_transition("V2", "V1", kind)
        return cs.Cortex(graph if update is None else graph.with_update("V1", update), 3, 3, **nets)

    with pytest.raises(error, match=message):
        made(**settings)


def test_weights_of_a_module_in_two_places_count_once():
    def weights(module_of):
        graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, feedback=False)
        return cs.Cortex(graph.with_update("V1", module_of).with_update("V2", module_of), 3, 3).n_parameters()

    shared = nn.Conv2d(4, 4, 1)
    assert weights(lambda state: nn.Conv2d(4, 4, 1)) - weights(lambda state: shared) == 4 * 4 + 4


def halving(second):
    """V2's update halves the side of what arrives, which has V1's size; V3 -> V2 delivers what `second` makes."""
    areas = (cs.State("V1", 4, 8, 8), cs.State("V2", 4, 4, 4, lambda area: Making(lambda h: h[..., ::2, ::2])))
    areas += (cs.State("V3", 4, 4, 4),)
    transitions = (
        cs.Transition("V1", "V2", lambda source, target: Making()),
        cs.Transition("V2", "V3", "Conv"),
        cs.Transition("V3", "V2", lambda source, target: Making(second)),
    )
    return cs.Cortex(cs.CortexGraph(areas, transitions), 3, 4, normalization="none").eval()


def test_the_update_of_an_area_may_make_its_size_of_arrivals_of_another(shown_images):
    model = halving(lambda h: h.repeat_interleave(2, 2).repeat_interleave(2, 3))
    recording = cs.simulate(model, shown_images, cs.sustained(), until=4)
    assert recording["V2"]["activation"].shape[-2:] == (4, 4)


def test_arrivals_of_an_area_with_an_update_have_one_size(shown_images):
    with pytest.raises(ValueError, match=r"arrives at V2 .* one shape, got .*8, 8\) from V1->V2, .*4, 4\) from V3->V2"):
        cs.simulate(halving(lambda h: h), shown_images, cs.sustained(), until=4)
