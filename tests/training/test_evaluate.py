"""What is measured of a model is what it says, stimulus by stimulus."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.training.evaluate import accuracies, asked_times, labels_at, measure, predictions

SHOWN = cs.mixture(cs.flash(1), cs.sustained())


@pytest.fixture(scope="module")
def model() -> cs.Cortex:
    torch.manual_seed(0)
    made = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=8), n_classes=2, readout_time=3)
    cs.calibrate(made, stimuli(), SHOWN, until=5)
    return made


def stimuli(n: int = 30) -> xr.Dataset:
    images = np.random.default_rng(0).random((n, 3, 8, 8)).astype("float32")
    coordinates = {"label": ("stimulus", np.arange(n) % 2), "length": ("stimulus", np.linspace(0, 10, n))}
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), images)}, coordinates, {"classes": '["different", "same"]'}
    )


def test_measured_accuracy_is_that_of_the_readouts(model):
    data = stimuli()
    found = measure(model, data, {"flash": cs.flash(1)}, factor="length", edges=(0, 5, 10), until=5)
    images, labels = torch.from_numpy(data["image"].values), torch.from_numpy(data["label"].values)
    one = found["presentations"]["flash"]
    assert one["times"] == [1, 2, 3, 4, 5]
    model.eval()
    with torch.no_grad():
        named = model.readouts(images, times=one["times"], presentation=cs.flash(1)).argmax(-1)
    assert one["accuracy"] == pytest.approx((named == labels).float().mean(1).tolist(), abs=1e-4)
    assert accuracies(model, images, labels, [1, 5], cs.flash(1))[5] == pytest.approx(one["accuracy"][-1], abs=1e-4)
    assert torch.equal(predictions(model, images, one["times"], cs.flash(1), batch_size=7), named)


def test_bins_hold_every_stimulus_once_and_average_to_the_whole(model):
    found = measure(model, stimuli(), {"flash": cs.flash(1)}, factor="length", edges=(0, 2, 10), until=5)
    one, share = found["presentations"]["flash"], np.array(found["n_by_bin"]) / 30
    assert sum(found["n_by_bin"]) == 30
    assert np.allclose(np.array(one["by_bin"]) @ share, one["accuracy"], atol=1e-3)


def test_the_confusion_matrix_is_of_the_readout_time(model):
    found = measure(model, stimuli(), {"flash": cs.flash(1)}, factor="length", edges=(0, 10), until=5)
    one = found["presentations"]["flash"]
    assert one["confusion_at"] == 3
    assert np.array(one["confusion"]).sum(1).tolist() == [15, 15]
    assert np.trace(one["confusion"]) / 30 == pytest.approx(one["accuracy"][one["times"].index(3)], abs=1e-4)


def test_a_factor_that_the_data_lack_is_named(model):
    with pytest.raises(ValueError, match=r"no coordinate 'size', only \['label', 'length'\]"):
        measure(model, stimuli(), {"flash": cs.flash(1)}, factor="size", edges=(0, 10), until=5)


def test_labels_may_differ_from_time_to_time():
    labels = torch.tensor([[-1, 4, 5], [-1, 6, -1]])
    assert asked_times(labels) == [1, 2]
    assert asked_times(torch.tensor([4, 6])) is None
    assert labels_at(labels, [1, 2, 3]).tolist() == [[4, 6], [5, -1], [-1, -1]]
    assert labels_at(torch.tensor([4, 6]), [1, 2]).tolist() == [[4, 6], [4, 6]]
