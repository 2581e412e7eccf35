"""Whatever ends a training, its last whole step is on disk, and the same call continues to the same weights."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import cortexsim as cs
from cortexsim.model.checkpoint import read_tensors

IMAGES = torch.rand((12, 3, 8, 8), generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12) % 2
SETTINGS = {"batch_size": 4, "epochs": 4, "validation": 0.0, "growth": ((0.0, 1.0),), "precision": "float32"}


def _model() -> cs.Cortex:
    generator = torch.Generator().manual_seed(0)
    return cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 2, 3, generator=generator)


def _weights(model: cs.Cortex) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.weights_and_buffers().items()}


def _continues_to_the_same_weights(recipe: cs.Recipe, path: Path) -> None:
    whole, other = _model(), _model()
    cs.fit(whole, (IMAGES, LABELS), recipe)
    cs.fit(other, (IMAGES, LABELS), recipe, checkpoint=path)
    for name, value in _weights(whole).items():
        assert torch.equal(value, _weights(other)[name]), name


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("at", [1, 5])
def test_an_interrupt_within_the_optimizers_step_undoes_half_of_a_step(optimizer, at, tmp_path, monkeypatch):
    recipe, path = cs.Recipe.quick(**SETTINGS, optimizer=optimizer), tmp_path / "c.safetensors"
    kind = torch.optim.SGD if optimizer == "sgd" else torch.optim.AdamW
    whole, steps = kind.step, []

    def half(self, *arguments):
        steps.append(1)
        whole(self, *arguments)
        if len(steps) == at:
            # some weights are moved twice, and the step is not over
            self.param_groups[0]["params"][0].data.add_(1)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(kind, "step", half)
        with pytest.raises(KeyboardInterrupt):
            cs.fit(_model(), (IMAGES, LABELS), recipe, checkpoint=path)
    assert path.exists() == (at > 1), "nothing was learned before the first step"
    assert at == 1 or read_tensors(path)[1]["step"] == at - 1
    _continues_to_the_same_weights(recipe, path)


def test_an_interrupt_within_the_forward_pass_leaves_running_averages_as_they_were(tmp_path, monkeypatch):
    def model() -> cs.Cortex:
        torch.manual_seed(0)
        pre = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4))
        return cs.Cortex(cs.adjacent({"V1": 4, "V2": 4}, size=8), 2, 3, pre_net=pre)

    recipe, path = cs.Recipe.quick(**SETTINGS), tmp_path / "c.safetensors"
    interrupted, backward, steps = model(), torch.Tensor.backward, []

    def stopped(self):
        steps.append(_weights(interrupted))
        if len(steps) == 5:
            raise KeyboardInterrupt
        backward(self)

    with monkeypatch.context() as patched:
        patched.setattr(torch.Tensor, "backward", stopped)
        with pytest.raises(KeyboardInterrupt):
            cs.fit(interrupted, (IMAGES, LABELS), recipe, checkpoint=path)
    counted = [value for name, value in _weights(interrupted).items() if name.endswith("num_batches_tracked")]
    assert counted == [4]


@pytest.mark.parametrize("error", [ValueError, BrokenPipeError, SystemExit, MemoryError])
def test_an_error_in_the_body_of_the_loop_keeps_the_last_step(error, tmp_path):
    recipe, path = cs.Recipe.quick(**SETTINGS), tmp_path / "c.safetensors"

    def body() -> None:
        for record in cs.train(_model(), (IMAGES, LABELS), recipe, checkpoint=path, report_every=1):
            if record.step == 2:
                raise error

    with pytest.raises(error):
        body()
    assert read_tensors(path)[1]["step"] == 2
    _continues_to_the_same_weights(recipe, path)


def test_a_second_training_on_one_path_is_refused_at_the_start(tmp_path):
    recipe, path = cs.Recipe.quick(**SETTINGS), tmp_path / "c.safetensors"
    first = cs.train(_model(), (IMAGES, LABELS), recipe, checkpoint=path, report_every=1)
    next(first)
    second = _model()
    before = _weights(second)
    with pytest.raises(BlockingIOError, match=r"c\.safetensors is being written by another process"):
        cs.fit(second, (IMAGES, LABELS), recipe, checkpoint=path)
    assert all(torch.equal(value, before[name]) for name, value in _weights(second).items())
    first.close()
    cs.fit(second, (IMAGES, LABELS), recipe, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["c.safetensors"], "the lock is removed"


def test_a_checkpoint_that_cannot_be_written_is_refused_before_the_first_step(tmp_path):
    data, recipe = (IMAGES, LABELS), cs.Recipe.quick(**SETTINGS)
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "file").touch()
    for name, error, message in (
        ("missing/c.safetensors", FileNotFoundError, "missing does not exist"),
        ("file/c.safetensors", NotADirectoryError, "lies within a file"),
        ("folder.safetensors", IsADirectoryError, "is a folder"),
        ("x" * 300 + ".safetensors", OSError, "has 312 bytes; at most 255"),
        ("c.pt", ValueError, "must end in .safetensors"),
        ("a\0b.safetensors", ValueError, "null character"),
    ):
        with pytest.raises(error, match=message):
            cs.train(_model(), data, recipe, checkpoint=f"{tmp_path}/{name}")
    with pytest.raises(TypeError, match="must be text or a path, got 3"):
        cs.train(_model(), data, recipe, checkpoint=3)


def test_what_diverged_does_not_replace_the_last_good_state(tmp_path):
    recipe, path = cs.Recipe.quick(**SETTINGS), tmp_path / "c.safetensors"
    model = _model()

    def body() -> None:
        for record in cs.train(model, (IMAGES, LABELS), recipe, checkpoint=path, report_every=1):
            if record.step == 4:
                next(model.parameters()).data.fill_(torch.nan)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        body()
    tensors, meta = read_tensors(path)
    assert meta["step"] == 3
    assert all(bool(value.isfinite().all()) for value in tensors.values())


SCRIPT = """
    import os, signal, sys, torch, cortexsim as cs
    from tests.training.test_interruption import IMAGES, LABELS, SETTINGS, _model
    torch.set_num_threads(1)
    # a parent may have it ignored, as nohup does, which a training respects
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    recipe = cs.Recipe.quick(**SETTINGS)
    records = cs.train(_model(), (IMAGES, LABELS), recipe, checkpoint=sys.argv[1], report_every=1)
    for record in records:
        if record.step == 2:
            {ends}
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes without a signal")
@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        pytest.param("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP, marks=pytest.mark.slow),
        ("raise ValueError('of the user')", 1),
        pytest.param("sys.exit(5)", 5, marks=pytest.mark.slow),
    ],
)
def test_a_script_that_ends_has_its_last_step_on_disk(ends, status, tmp_path):
    path = tmp_path / "c.safetensors"
    script = textwrap.dedent(SCRIPT).format(ends=ends)
    here = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, path], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert read_tensors(path)[1]["step"] == 2


def test_signals_are_as_before_after_a_training(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    cs.fit(_model(), (IMAGES, LABELS), cs.Recipe.quick(**SETTINGS), checkpoint=tmp_path / "c.safetensors")
    assert signal.getsignal(signal.SIGTERM) is before
