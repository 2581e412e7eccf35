"""What is added to a registry is offered everywhere: by the command line, by panels and by messages.

Each test registers one entry and touches no other file.
"""

from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.cli import main
from cortexsim.cli.train import _recipe
from cortexsim.datasets.registry import SOURCES, Source
from cortexsim.explore.anatomy.draft import allowed as allowed_kinds
from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.tasks import shipped
from cortexsim.graph.transitions import KINDS, Convolution, Layer, TransitionFunction
from cortexsim.model.moments import NORMALIZATIONS
from cortexsim.model.nets import POST_NETS, PostNet
from cortexsim.recording.dtypes import DTYPES, NumberFormat
from cortexsim.stimuli.masks import MASKS, Mask
from cortexsim.stimuli.text import read_presentation, write_presentation
from cortexsim.zoo.models import PAPER, PaperModel


def help_of(command: str) -> str:
    """Return the help of a command on one line, without the breaks within words."""
    out = StringIO()
    with redirect_stdout(out), pytest.raises(SystemExit):
        main([command, "--help"])
    return " ".join(out.getvalue().split()).replace("- ", "-")


@pytest.fixture
def small() -> cs.Cortex:
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 6}, size=8)
    return cs.Cortex(graph, n_classes=2, readout_time=3, normalization="none").eval()


def test_a_mask_is_one_entry(monkeypatch, small):
    grey = Mask("grey mask", lambda targets, others, seed, index: torch.full_like(targets, 0.5), has_contrast=True)
    monkeypatch.setitem(MASKS, "grey", grey)
    shown = cs.masked(1, 2, "grey")
    assert "grey mask from t = 2" in str(shown)
    assert read_presentation(write_presentation(shown)) == shown
    assert float(shown.frames(torch.rand(2, 3, 8, 8), 3).images[-1].mean()) == 0.5
    assert "target, grey" in help_of("simulate")
    assert "grey" in [option.value for option in Offer(small, 6).masks(1)]
    cs.explore.Masking("digits-tiny", n=4).choose(mask="grey")  # its menu refuses what it does not offer
    with pytest.raises(ValueError, match="'target', 'grey'"):
        cs.masked(1, 2, "gray scale")


def test_a_kind_of_transition_is_one_entry(monkeypatch):
    separable = TransitionFunction("BN, ReLU, depthwise, BN, ReLU, pointwise", (Layer(depthwise=True), Layer(size=1)))
    monkeypatch.setitem(KINDS, "BRSx1", separable)
    states = cs.adjacent({"V1": 4, "V2": 6}, size=8).states
    graph = cs.CortexGraph(states, (cs.Transition("V1", "V2", "BRSx1"),))
    torch.manual_seed(0)
    model = cs.Cortex(graph, n_classes=2, readout_time=1)
    assert [tuple(kernel.shape) for kernel in model.kernels("V1->V2", time=1)] == [(4, 1, 3, 3), (6, 4, 1, 1)]
    images = torch.rand(4, 3, 8, 8)
    cs.calibrate(model, images, cs.flash(1), until=1)
    assert model.eval()(images).shape == (4, 2)
    assert cs.schedule(graph, 1).multiply_adds == 4 * 9 * 16 + 4 * 6 * 16
    assert "BRSx1" in allowed_kinds(*states)
    with pytest.raises(ValueError, match=r"unknown kind of transition 'BRS'.*BRSx1"):
        cs.CortexGraph(states, (cs.Transition("V1", "V2", "BRS"),))


def test_a_dataset_is_one_entry(monkeypatch, capsys):
    def bars(n, *, part="train", seed=0, size=32):
        return cs.datasets.digits(n, part=part, seed=seed, size=size).assign_attrs(name="bars")

    monkeypatch.setitem(SOURCES, "bars", Source("bars, made on the spot", bars, model="digits-tiny"))
    assert cs.datasets.get("bars", 3, part="test", size=(16, 16)).attrs["name"] == "bars"
    assert "bars (bars, made on the spot)" in help_of("train")
    assert "bars" in help_of("experiment")
    assert main(["test", "digits-tiny", "bars", "--n", "4"]) == 0
    assert "4 images from bars" in capsys.readouterr().out
    assert "bars" in shipped()
    assert cs.explore.Masking("bars", n=4).subject.images.attrs["name"] == "bars"
    with pytest.raises(ValueError, match=r"unknown data 'bar'.*did you mean 'bars'"):
        cs.datasets.get({"name": "bar"}, 3)
    with pytest.raises(FileNotFoundError, match="'bars'"):
        cs.datasets.get("no-such-folder", 3)


def test_a_model_is_one_entry(monkeypatch, capsys):
    entry = PaperModel(
        description="a model of a test",
        graph=lambda: cs.adjacent({"h1": 4}, size=8),
        readout_time=2,
        n_parameters=1,
        confidence="I",
    )
    monkeypatch.setitem(PAPER, "one-of-a-test", entry)
    assert cs.zoo.build("one-of-a-test").readout_time == 2
    assert main(["models"]) == 0
    assert "one-of-a-test" in capsys.readouterr().out
    with pytest.raises(ValueError, match="did you mean 'one-of-a-test'"):
        cs.zoo.get("one-of-a-tast")


def test_a_post_net_is_one_entry(monkeypatch):
    monkeypatch.setitem(POST_NETS, "loud", PostNet)
    graph = cs.adjacent({"V1": 4}, size=8)
    assert cs.Cortex(graph, n_classes=2, readout_time=1, post_net="loud").post_net_name == "loud"
    assert ",loud}" in help_of("train")
    with pytest.raises(ValueError, match=r"unknown post_net 'laud'.*did you mean 'loud'"):
        cs.Cortex(graph, n_classes=2, readout_time=1, post_net="laud")


def test_a_normalization_is_one_entry(monkeypatch):
    monkeypatch.setitem(NORMALIZATIONS, "nothing-at-all", NORMALIZATIONS["none"])
    graph = cs.adjacent({"V1": 4}, size=8)
    model = cs.Cortex(graph, n_classes=2, readout_time=1, normalization="nothing-at-all").eval()
    assert model(torch.rand(1, 3, 8, 8)).shape == (1, 2)
    assert ",nothing-at-all}" in help_of("train")
    with pytest.raises(ValueError, match="did you mean 'nothing-at-all'"):
        cs.Cortex(graph, n_classes=2, readout_time=1, normalization="nothing-at-al")


def test_a_number_format_of_recordings_is_one_entry(monkeypatch, small, tmp_path):
    # numpy has no bfloat16
    monkeypatch.setitem(DTYPES, "bfloat16", NumberFormat("float32", overflow=3.396e38, rounded=torch.bfloat16))
    assert ",bfloat16}" in help_of("simulate")
    images = torch.rand(2, 3, 8, 8)
    exact, rounded = (cs.simulate(small, images, until=2, dtype=dtype) for dtype in ("float32", "bfloat16"))
    wanted = torch.from_numpy(exact["V1"]["activation"].values).to(torch.bfloat16).float().numpy()
    np.testing.assert_array_equal(rounded["V1"]["activation"].values, wanted)
    assert rounded.cortex.settings["dtype"] == "bfloat16"
    streamed = cs.simulate(small, images, until=2, dtype="bfloat16", to=tmp_path / "recording.zarr")
    np.testing.assert_array_equal(streamed["V1"]["activation"].values, wanted)
    assert cs.estimate(small, 2, until=2, dtype="bfloat16") == cs.estimate(small, 2, until=2, dtype="float32")
    cs.explore.Recorder("digits-tiny").choose(dtype="bfloat16")  # its menu refuses what it does not offer
    with pytest.raises(ValueError, match=r"unknown dtype 'bfloat15': .*'bfloat16'"):
        cs.simulate(small, images, until=1, dtype="bfloat15")


@pytest.mark.parametrize(("data", "augmentation"), [("digits", "none"), ("contours", "flip"), ("photos", "crop-flip")])
def test_training_augments_images_without_changing_their_labels(data, augmentation):
    """A mirrored digit is no digit, and a curve that is moved out of the image no curve."""
    assert _recipe("quick", {}, data).augmentation == augmentation
    assert _recipe("quick", {"augmentation": "crop"}, data).augmentation == "crop"


def test_a_depthwise_kernel_is_scaled_by_its_own_inputs():
    assert Convolution(8, 8, 1, False, groups=8).fan_in == 9
    assert Convolution(8, 4, 1, False).fan_in == 72
