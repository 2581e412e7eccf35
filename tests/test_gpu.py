"""A GPU gives what the CPU gives. These tests run where there is one; `pytest -m gpu --device cpu` rehearses them."""

import copy
import gc
from dataclasses import replace

import pytest
import torch

import cortexsim as cs
from cortexsim.training._train import _Training
from cortexsim.training.captured import Gradients

pytestmark = pytest.mark.gpu
MIXTURE = cs.mixture(cs.flash(1), cs.sustained(), cs.masked(1, 2))
FEEDBACK = "IT->V2"


@pytest.fixture
def device(request) -> str:
    asked = request.config.getoption("--device")
    if asked == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    return asked


@pytest.fixture
def model() -> cs.Cortex:
    torch.manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 8, "IT": 8}, size=8, self_transitions=False), 3, readout_time=4)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand((20, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def check_equal(one, other, tolerance) -> None:
    assert set(one.children) == set(other.children)
    for name in one.children:
        variable = "logits" if name == "readout" else "activation"
        a, b = (torch.from_numpy(recording[name][variable].values) for recording in (one, other))
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-3)])
def test_a_gpu_records_what_the_cpu_records(model, images, device, dtype, tolerance, monkeypatch):
    # TF32, which torch takes for float32 by default, has 10 bits of mantissa
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    model.to(getattr(torch, dtype))
    images = images.to(getattr(torch, dtype))
    cs.calibrate(model, images, presentation=MIXTURE, until=6)
    cpu, gpu = (cs.simulate(model, images, MIXTURE, until=6, dtype=dtype, device=where) for where in ("cpu", device))
    check_equal(cpu, gpu, tolerance)
    assert next(model.parameters()).device.type == "cpu"


def test_a_batch_that_is_kept_on_a_gpu_is_the_one_that_is_moved_step_by_step(model, images, device, monkeypatch):
    cs.calibrate(model.double(), images, presentation=MIXTURE, until=6)
    kept = cs.simulate(model, images, MIXTURE, until=6, device=device)
    monkeypatch.setattr("cortexsim.recording.batch_writer.KEPT", 0)
    moved = cs.simulate(model, images, MIXTURE, until=6, device=device)
    assert all(kept[name].equals(moved[name]) for name in kept.children)


@pytest.mark.parametrize(
    "intervention",
    [
        {"silence": {FEEDBACK: [3, 4]}},
        {"gain": {FEEDBACK: (0.5, None)}},
        {"noise": 0.5, "repeats": 2},
        {"transition_noise": {FEEDBACK: (0.5, None)}},
    ],
    ids=lambda one: next(iter(one)),
)
def test_interventions_on_a_gpu_are_those_on_the_cpu(model, images, device, intervention):
    model.double()
    cs.calibrate(model, images, presentation=cs.sustained(), until=6)
    cpu, gpu = (
        cs.simulate(model, images, cs.sustained(), until=6, dtype="float64", device=where, **intervention)
        for where in ("cpu", device)
    )
    # noise is drawn in float32, whose logarithm and cosine are rounded in another way
    check_equal(cpu, gpu, 1e-4 if "noise" in next(iter(intervention)) else 1e-9)


@pytest.fixture
def tracer() -> cs.Cortex:
    """An untrained model with channel normalization, whose readout is a map."""
    return cs.zoo.tracer("tracer").build(seed=0)


def test_channel_normalization_and_a_map_readout_on_a_gpu_are_those_on_the_cpu(tracer, device):
    tracer.double()
    paths = cs.datasets.paths(6, size=24, length=(10, 10))
    large = tracer.at_size(24)
    cpu, gpu = (cs.simulate(large, paths, cs.sustained(), until=30, dtype="float64", device=w) for w in ("cpu", device))
    check_equal(cpu, gpu, 1e-9)


def test_a_tracer_trained_on_a_gpu_learns_what_one_on_the_cpu_learns(tracer, device):
    paths, losses = cs.datasets.paths(64, size=16), []
    recipe = cs.Recipe.tracing(epochs=2, batch_size=16, progressive=None)
    for where in ("cpu", device):
        *_, last = cs.train(copy.deepcopy(tracer).to(where), paths, recipe)
        losses.append(last.loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)


def test_statistics_taken_on_a_gpu_are_those_taken_on_the_cpu(model, images, device):
    model.double()
    cpu = cs.calibrate(model, images, presentation=MIXTURE, until=6)
    gpu = cs.calibrate(model.to(device), images.to(device), presentation=MIXTURE, until=6)
    for place in (*model.graph.state_names, "V1->V2"):
        assert cpu.times(place) == gpu.times(place)
        for time in cpu.times(place):
            for a, b in zip(cpu.at(place, time), gpu.at(place, time), strict=True):
                torch.testing.assert_close(a.cpu(), b.cpu(), rtol=1e-9, atol=1e-9)


def test_a_deterministic_recording_is_the_same_twice(model, device):
    images = torch.rand(20, 3, 8, 8)
    cs.calibrate(model, images, presentation=MIXTURE, until=6)
    first, second = (cs.simulate(model, images, MIXTURE, until=6, device=device, deterministic=True) for _ in range(2))
    assert first["readout"]["logits"].equals(second["readout"]["logits"])


def test_a_batch_that_is_too_large_for_a_gpus_memory_is_run_in_parts(device):
    if device != "cuda":
        pytest.skip("only the memory of a GPU can be limited")
    graph = cs.adjacent({"V1": 32, "IT": 32}, size=64)
    model = cs.Cortex(graph, 3, readout_time=3, normalization="none")
    images = torch.rand(256, 3, 64, 64)
    whole = cs.simulate(model, images, until=3, record=[], device=device, batch_size=256)
    gc.collect()
    torch.cuda.empty_cache()
    limit = (torch.cuda.memory_allocated() + 300e6) / torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(limit)
    try:
        with pytest.warns(UserWarning, match="too small for a batch of 256"):
            parts = cs.simulate(model, images, until=3, record=[], device=device, batch_size=256)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    check_equal(whole, parts, 1e-3)


# --- training --------------------------------------------------------------------------------------------------------


@pytest.fixture
def lesson() -> tuple[torch.Tensor, torch.Tensor]:
    """Images of three classes that differ in brightness."""
    labels = torch.arange(64) % 3
    pixels = torch.rand((64, 3, 8, 8), generator=torch.Generator().manual_seed(2))
    return (pixels + labels[:, None, None, None]) / 3, labels


def recipe(**changes) -> cs.Recipe:
    own = {"epochs": 2, "batch_size": 16, "learning_rate": 0.01, "presentation": MIXTURE, "precision": "float32"}
    return cs.Recipe(**{**own, "validation": 0.25, "calibration_images": 40, **changes})


def test_training_on_a_gpu_learns_what_training_on_the_cpu_learns(model, lesson, device):
    found = []
    for where in ("cpu", device):
        own = copy.deepcopy(model).to(where)
        *_, last = cs.train(own, lesson, recipe())
        assert last.done
        assert set(last.validation) == {2, 4, 6, 8}
        found.append((last, {name: value.detach().cpu() for name, value in own.named_parameters()}))
    (cpu, weights), (gpu, others) = found
    assert gpu.loss == pytest.approx(cpu.loss, rel=1e-2)
    for name, value in weights.items():
        torch.testing.assert_close(others[name], value, rtol=2e-2, atol=2e-2, msg=lambda text, name=name: name + text)


def test_a_stopped_training_resumes_on_a_gpu(model, lesson, device, tmp_path):
    pytest.importorskip("safetensors")
    *_, whole = cs.train(copy.deepcopy(model).to(device), lesson, recipe())
    model.to(device)
    for progress in cs.train(model, lesson, recipe(), checkpoint=tmp_path / "state.safetensors", report_every=1):
        if progress.step == 2:
            break
    *_, resumed = cs.train(model, lesson, recipe(), checkpoint=tmp_path / "state.safetensors")
    assert resumed.step == whole.step
    assert resumed.loss == pytest.approx(whole.loss, rel=1e-3)


def test_training_in_bfloat16_follows_training_in_float32(model, lesson, device):
    losses = []
    for precision in ("float32", "bfloat16"):
        *_, last = cs.train(copy.deepcopy(model).to(device), lesson, recipe(precision=precision))
        losses.append(last.loss)
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


@pytest.mark.parametrize("kind", ["flash", "growing", "tracing", "mixture"])
def test_a_training_by_captured_steps_learns_what_plain_steps_learn(tracer, model, lesson, device, monkeypatch, kind):
    if device != "cuda":
        pytest.skip("only a GPU captures graphs")
    data, settings, n = lesson, recipe(epochs=6, validation=0.0, presentation=cs.flash(1)), 1
    if kind == "growing":
        settings, n = replace(settings, growth=((0.0, 0.5), (0.5, 1.0)), augmentation="crop-flip"), 2
    if kind == "mixture":  # stimuli of one batch are shown different things
        settings, n = replace(settings, presentation=MIXTURE), 0
    if kind == "tracing":
        model, data = tracer, cs.datasets.paths(64, size=16)
        settings, n = cs.Recipe.tracing(epochs=8, batch_size=16, progressive=(0.5, 1)), 2
    made, n_graphs = [], []
    for plain in (2, 10**9):
        monkeypatch.setattr(Gradients, "PLAIN", plain)
        own = copy.deepcopy(model).double().to(device)
        training = _Training(own, data, settings, None, 4)
        *_, last = training.run()
        assert last.done
        n_graphs.append(training._gradients.n_graphs)
        made.append({name: value.detach() for name, value in own.named_parameters()})
    assert n_graphs == [n, 0]
    for name, value in made[0].items():
        torch.testing.assert_close(
            value, made[1][name], rtol=1e-10, atol=1e-10, msg=lambda text, name=name: name + text
        )


def test_a_frozen_weight_stays_as_it_is_in_captured_steps(model, lesson, device):
    if device != "cuda":
        pytest.skip("only a GPU captures graphs")
    own = model.to(device)
    weight = own.weights["V1->V2:0"]
    settings = recipe(epochs=6, validation=0.0, presentation=cs.flash(1))
    for progress in cs.train(own, lesson, settings, report_every=1):
        if progress.step == 8:
            weight.requires_grad_(False)
            frozen = weight.detach().clone()
    assert torch.equal(weight, frozen)


def test_a_hook_of_the_users_runs_at_every_step(model, lesson, device):
    called = []
    own = model.to(device)
    own.pre.register_forward_hook(lambda module, given, output: called.append(module.training))
    settings = recipe(epochs=4, validation=0.0, presentation=cs.flash(1))
    *_, last = cs.train(own, lesson, settings)
    assert called.count(True) == last.steps


def test_recomputation_on_a_gpu_has_the_gradients_of_a_plain_step(model, images, device):
    model.double().to(device).train()
    gradients = []
    for again in (False, True):
        model.zero_grad(set_to_none=True)
        model.readouts(images.to(device), [4], checkpointed=again).square().sum().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None])
    for kept, computed_again in zip(*gradients, strict=True):
        torch.testing.assert_close(kept, computed_again, rtol=1e-9, atol=1e-9)


# last, because a capture that fails must leave torch as it was
@pytest.mark.parametrize("waits", [False, True])
def test_a_batch_that_cannot_be_captured_is_run_and_so_are_the_next(model, lesson, device, waits):
    if device != "cuda":
        pytest.skip("only a GPU captures graphs")
    own = model.to(device)
    images, labels = (one.to(device) for one in lesson)

    def loss(images, labels):
        value = own(images).square().mean()
        if torch.cuda.is_current_stream_capturing():
            if not waits:
                raise RuntimeError("not this one")
            value.item()
        return value, labels.float().mean(0, keepdim=True)

    gradients, found = Gradients(own, capturing=True), []
    for k in range(Gradients.PLAIN + 3):
        if k == Gradients.PLAIN:
            with pytest.warns(UserWarning, match="cannot be captured as a CUDA graph"):
                gradients("any", (images, labels), loss)
        else:
            gradients("any", (images, labels), loss)
        found.append([None if one.grad is None else one.grad.clone() for one in own.parameters()])
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            torch.testing.assert_close(one, other)
    assert gradients.n_graphs == 0
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    gc.collect()
    torch.cuda.empty_cache()
    torch.ones(1 << 20, device=device).sum().item()
