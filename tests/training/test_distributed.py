"""Processes that share every batch learn what one process learns."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
import torch.distributed as dist

import cortexsim as cs
from cortexsim.model.moments import by_batch
from cortexsim.training import distributed as ranks

RECIPE = cs.Recipe(
    epochs=2,
    batch_size=8,
    learning_rate=0.05,
    augmentation="crop-flip",
    precision="float32",
    validation=0.2,
    calibration_images=40,
)


def data(n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose class is their colour."""
    labels = torch.arange(n) % 3
    images = torch.rand((n, 3, 8, 8), generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.5
    images[torch.arange(n), labels] += 0.5
    return images, labels


def made() -> cs.Cortex:
    torch.manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), n_classes=3, readout_time=3).double()


@pytest.fixture
def group(tmp_path):
    """This process as a group of its own."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'group'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_normalizing_over_one_process_is_normalizing_over_the_batch(group):
    x = torch.randn(6, 4, 5, 5, dtype=torch.float64, requires_grad=True)
    scale, shift = torch.randn(2, 4, dtype=torch.float64).requires_grad_().unbind()
    weight = torch.randn(6, 4, 5, 5, dtype=torch.float64)
    found = []
    for normalize in (by_batch, ranks.by_whole_batch):
        y = normalize(x, "V1", 0, scale, shift)
        found.append((y, *torch.autograd.grad((y * weight).sum(), (x, scale, shift))))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=1e-10)


def test_a_group_of_one_learns_what_a_process_without_a_group_does(tmp_path, group):
    together = made()
    records = list(cs.train(together, data(), RECIPE, report_every=1))
    dist.destroy_process_group()
    alone = made()
    expected = list(cs.train(alone, data(), RECIPE, report_every=1))
    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'again'}", rank=0, world_size=1)
    torch.testing.assert_close(together.weights_and_buffers(), alone.weights_and_buffers(), rtol=0, atol=1e-9)
    assert [r.loss for r in records] == pytest.approx([r.loss for r in expected], abs=1e-9)
    assert [r.accuracy for r in records] == [pytest.approx(r.accuracy) for r in expected]


def test_a_batch_that_cannot_be_shared_evenly_is_refused(group, monkeypatch):
    monkeypatch.setattr(ranks, "n_ranks", lambda: 3)
    with pytest.raises(ValueError, match="a batch of 8 does not divide among 3 processes"):
        cs.train(made(), data(), RECIPE)


def test_a_mixture_that_populates_states_at_different_times_is_refused(group):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2))
    one_way = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8, lateral=False, feedback=False), 3, readout_time=3)
    with pytest.raises(ValueError, match=r"every stimulus must populate the same states at the same times"):
        cs.train(one_way, data(), replace(RECIPE, presentation=mixed))


TWO = """
import sys
import torch
import torch.distributed as dist
import cortexsim as cs
from dataclasses import replace
from tests.training.test_distributed import RECIPE, data, made

torch.set_num_threads(1)
folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2)
torch.manual_seed(rank)
model = made()
if rank:  # what a process begins with does not matter
    for value in model.parameters():
        value.data += 1
recipe = replace(RECIPE, recompute=sys.argv[3] == "True")
records = list(cs.train(model, data(), recipe, report_every=1))
losses = [record.loss for record in records]
accuracies = [list(record.accuracy.values()) for record in records]
moments = model.find_statistics(cs.flash(1)).moments
torch.save({"weights": model.weights_and_buffers(), "losses": losses, "accuracies": accuracies,
            "moments": {f"{place}": value for place, value in moments.items()}}, f"{folder}/{rank}.pt")
dist.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.timeout(900)  # a process loads torch, which takes a while where others work, too
@pytest.mark.parametrize("recompute", [False, True])
def test_two_processes_learn_what_one_does(tmp_path, recompute):
    commands = [[sys.executable, "-c", TWO, str(tmp_path), str(rank), str(recompute)] for rank in range(2)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in running:
        _, told = process.communicate(timeout=800)
        assert process.returncode == 0, told
    alone = made()
    records = list(cs.train(alone, data(), RECIPE, report_every=1))
    moments = alone.find_statistics(cs.flash(1)).moments
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(found["weights"], alone.weights_and_buffers(), rtol=0, atol=1e-9)
        assert found["losses"] == pytest.approx([record.loss for record in records], abs=1e-6)  # in float32
        assert found["accuracies"] == [pytest.approx(list(record.accuracy.values())) for record in records]
        for place, expected in moments.items():
            torch.testing.assert_close(found["moments"][f"{place}"], expected, rtol=0, atol=1e-9)


TRACING = cs.Recipe.tracing(epochs=2, batch_size=8, progressive=(0.5, 3), loss_at=2)
TWO_OF_MAPS = """
import sys
import torch
import torch.distributed as dist
import cortexsim as cs
from tests.training.test_distributed import TRACING, mapped, traced

torch.set_num_threads(1)
folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=2)
model = mapped()
losses = [record.loss for record in cs.train(model, traced(), TRACING, report_every=1)]
stopped, resumed, state = mapped(), mapped(), f"{folder}/state.training.safetensors"
for record in cs.train(stopped, traced(), TRACING, checkpoint=state, report_every=1):
    if record.step == 3:
        break
dist.barrier()  # the first process writes the state, all read it
later = [record.loss for record in cs.train(resumed, traced(), TRACING, checkpoint=state, report_every=1)]
torch.save({"weights": model.weights_and_buffers(), "losses": losses,
            "resumed": resumed.weights_and_buffers(), "later": later}, f"{folder}/{rank}.pt")
dist.destroy_process_group()
"""


def mapped() -> cs.Cortex:
    """Make a model whose readout is a map."""
    graph = cs.CortexGraph((cs.State("V1", 4, 8, 8),), (cs.Transition("V1", "V1", "BRCx1"),))
    settings = {"normalization": "channel", "post_net": "map", "generator": torch.Generator().manual_seed(0)}
    return cs.Cortex(graph, n_classes=2, readout_time=3, **settings).double()


def traced():
    return cs.datasets.paths(32, size=8, length=(3, 4), n_curves=2)


@pytest.mark.slow
@pytest.mark.timeout(300)  # a process loads torch, which takes a while where others work, too
def test_progressive_steps_are_the_same_on_two_processes_and_after_a_stop(tmp_path):
    commands = [[sys.executable, "-c", TWO_OF_MAPS, str(tmp_path), str(rank)] for rank in range(2)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in running:
        _, told = process.communicate(timeout=280)
        assert process.returncode == 0, told
    alone = mapped()
    losses = [record.loss for record in cs.train(alone, traced(), TRACING, report_every=1)]
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        torch.testing.assert_close(found["weights"], alone.weights_and_buffers(), rtol=0, atol=1e-9)
        assert found["losses"] == pytest.approx(losses, abs=1e-6)  # in float32
        torch.testing.assert_close(found["resumed"], found["weights"], rtol=0, atol=0)
        assert found["later"] == found["losses"][4:]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_command_runs_under_torchrun(tmp_path):
    train = (
        f"train digits --n 200 --size 16 --features 4,4 --epochs 1 --batch-size 20 --to {tmp_path}/model.safetensors "
        "--readout-time 3 --validation 0 --device cpu --threads 1"
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    where = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launcher, "-m", "--", "cortexsim.cli", *train.split()], capture_output=True, text=True, timeout=800, env=where
    )
    assert done.returncode == 0, done.stderr
    assert "shared by 2 processes" in done.stdout
    assert done.stdout.count("saved ") == 1
    assert cs.load(tmp_path / "model.safetensors").find_statistics(cs.flash(1)).until == 6
