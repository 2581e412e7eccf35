"""The model under what torch offers for modules: compile, derivatives of functions, wrappers, modules in place."""

import pytest
import torch
from torch import nn

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError

# what torch itself warns of while it compiles and transforms
pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning:torch"
)


def test_a_compiled_model_gives_the_same_logits_and_runs_all_times_as_one_graph(calibrated, pictures, tmp_path):
    graphs = []

    def backend(module, inputs):
        graphs.append(module)
        return module.forward

    compiled = torch.compile(calibrated, backend=backend)
    torch.testing.assert_close(compiled(pictures), calibrated(pictures), rtol=1e-12, atol=1e-12)
    convolutions = [sum("conv" in str(node.target) for node in graph.graph.nodes) for graph in graphs]
    # the pre-net, and two convolutions of each transition at each time
    assert max(convolutions) == 1 + 2 * len(cs.schedule(calibrated.graph, 5, cs.flash(1)))
    cs.save(compiled, tmp_path / "model.safetensors")
    assert torch.equal(cs.load(tmp_path / "model.safetensors")(pictures), calibrated(pictures))


@pytest.mark.parametrize("jacobian", [torch.func.jacrev, torch.func.jacfwd])
def test_the_jacobian_of_the_logits_is_that_of_autograd(calibrated, pictures, tmp_path, jacobian):
    cs.save(calibrated, tmp_path / "model.safetensors")
    # nothing was evaluated before, so that even the checksum is computed within the transform
    fresh = cs.load(tmp_path / "model.safetensors")
    found = jacobian(lambda images: fresh(images))(pictures[:2])
    wanted = torch.autograd.functional.jacobian(calibrated, pictures[:2])
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_functional_call_uses_the_weights_that_it_is_given(calibrated, pictures):
    weights = dict(calibrated.named_parameters())
    assert torch.equal(torch.func.functional_call(calibrated, weights, (pictures,)), calibrated(pictures))
    louder = weights | {"weights.V1->V2:0": weights["weights.V1->V2:0"] * 1.5}
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        torch.func.functional_call(calibrated, louder, (pictures,))
    calibrated.train()
    gradients = torch.func.grad(lambda given: torch.func.functional_call(calibrated, given, (pictures,)).sum())(weights)
    calibrated(pictures).sum().backward()
    for name, parameter in calibrated.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, rtol=1e-9, atol=1e-12)


def test_vmap_over_images_gives_the_logits_of_the_whole_batch(calibrated, pictures):
    found = torch.func.vmap(lambda image: calibrated(image[None])[0])(pictures)
    torch.testing.assert_close(found, calibrated(pictures), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match=r"pixels must lie in \[0, 1\] .* got .* to 3"):
        torch.func.vmap(lambda image: calibrated(image[None])[0])(pictures.index_fill(0, torch.tensor([5]), 3.0))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_trace_of_a_calibrated_model_computes_its_logits_on_other_images(calibrated, pictures):
    # a check of the trace repeats it, and this model then computes its checksum no more
    traced = torch.jit.trace(calibrated, pictures, check_trace=False)
    torch.testing.assert_close(traced(pictures.flip(3)), calibrated(pictures.flip(3)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "convert"),
    [("torch.jit.script", lambda model, _: torch.jit.script(model)),
     ("torch.export", lambda model, images: torch.export.export(model, (images,))),
     ("torch.export", lambda model, images: torch.export.export(model, (images,), strict=True))],
)  # fmt: skip
def test_what_needs_a_graph_without_values_is_refused_with_what_works_instead(calibrated, pictures, name, convert):
    with pytest.raises(TypeError, match=rf"{name} cannot .* a model, .* use torch\.compile .* torch\.onnx\.export"):
        convert(calibrated, pictures)


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.optim.swa_utils.AveragedModel])
def test_a_wrapped_model_is_refused_with_where_the_cortex_is(calibrated, pictures, tmp_path, wrap):
    wrapped = wrap(calibrated)
    calls = [
        lambda: cs.save(wrapped, tmp_path / "model.safetensors"),
        lambda: cs.simulate(wrapped, pictures, until=4),
        lambda: cs.calibrate(wrapped, pictures, until=4),
        lambda: cs.train(wrapped, (pictures, torch.zeros(6))),
        lambda: cs.with_shortcut(wrapped, 0.5),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"needs a Cortex, got .*; pass the Cortex inside it: model\.module"):
            call()
    with pytest.raises(TypeError, match=r"save needs a Cortex, got Linear$"):
        cs.save(nn.Linear(2, 2), tmp_path / "model.safetensors")


# --- modules of the user's that work in place ------------------------------------------------------------


class Doubling(nn.Module):
    """Doubles activity, in place or not."""

    def __init__(self, inplace):
        super().__init__()
        self.inplace = inplace

    def forward(self, h, time=0):
        return h.mul_(2) if self.inplace else h * 2


def activities(inplace: bool, place: str, images: torch.Tensor) -> list[torch.Tensor]:
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, feedback=False)
    pre_net: nn.Module = nn.Sequential(nn.Conv2d(3, 4, 1, bias=False))
    if place == "update":
        graph = graph.with_update("V1", Doubling(inplace))
    elif place == "transition":
        graph = graph.without("V1->V1").with_transition("V1", "V1", lambda source, target: Doubling(inplace))
    else:
        pre_net = nn.Sequential(Doubling(inplace), *pre_net)
    torch.manual_seed(0)
    torch.nn.init.normal_(pre_net[-1].weight)
    model = cs.Cortex(graph, 2, 4, pre_net=pre_net, normalization="none", generator=torch.Generator().manual_seed(1))
    recording = cs.simulate(model.double().eval(), images, cs.sustained(), until=4, dtype="float64")
    return [torch.from_numpy(recording[state]["activation"].values) for state in ("V1", "V2")]


@pytest.mark.parametrize("place", ["update", "transition", "pre-net"])
def test_a_module_that_works_in_place_changes_nothing_that_others_read(pictures, place):
    before = pictures.clone()
    wanted, found = (activities(inplace, place, pictures) for inplace in (False, True))
    assert torch.equal(pictures, before)
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


# --- a frozen pre-net ------------------------------------------------------------------------------------


def test_a_frozen_pre_net_is_unchanged_by_training():
    pre_net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout(0.5)).requires_grad_(False)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 2, 2, pre_net=pre_net)
    before = {name: value.clone() for name, value in pre_net.state_dict().items()}
    images, labels = torch.rand(20, 3, 8, 8), torch.arange(20) % 2
    recipe = cs.Recipe(epochs=1, batch_size=5, validation=0.0, augmentation="none", calibration_images=20)
    list(cs.train(model, (images, labels), recipe))
    assert all(torch.equal(value, before[name]) for name, value in pre_net.state_dict().items())


def test_a_pre_net_that_is_trained_keeps_its_running_statistics():
    pre_net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    pre_net[1].requires_grad_(False)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 2, 2, pre_net=pre_net).train()
    assert pre_net.training
    # a frozen part of a module that is trained
    assert not pre_net[1].training
    pre_net[1].requires_grad_(True)
    model.train()(torch.rand(4, 3, 8, 8))
    assert int(pre_net[1].num_batches_tracked) == 1
