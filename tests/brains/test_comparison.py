"""A model compared with a brain: over time, with both baselines, with a noise ceiling where there are subjects."""

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import spearmanr

import cortexsim as cs
from cortexsim import analyse
from cortexsim.brains.comparison import untrained_copy
from cortexsim.brains.matrices import labelled_matrices

from .conftest import matrices

N = 6
PAIRS = np.triu_indices(N, 1)


def brain(*shape, dims, seed=0):
    dims = [*dims, "stimulus", "other_stimulus"]
    coordinates = {"time": ("time", 50.0 * np.arange(shape[dims.index("time")]))} if "time" in dims else {}
    return labelled_matrices(matrices(*shape, n=N, seed=seed), dims, coordinates, source="drawn")


def compare(model, pictures, rdms, **settings):
    return cs.brains.compare(model, pictures, rdms, **{"until": 3, "n_bootstrap": 5, **settings})


def test_the_value_is_the_mean_over_subjects_of_rank_correlations_with_their_mean_session(calibrated, pictures):
    rdms = brain(2, 3, dims=["subject", "session"])
    found = compare(calibrated, pictures, rdms)
    cs.calibrate(calibrated, pictures, cs.sustained(), until=3)
    recording = cs.simulate(calibrated, pictures, cs.sustained(), until=3)
    ours = analyse.rdm(recording["V2"]).sel(time=2).values[PAIRS]
    each = [spearmanr(ours, rdms.values[k].mean(0)[PAIRS])[0] for k in range(2)]
    np.testing.assert_allclose(found.sel(model="trained", state="V2", time=2), np.mean(each))


def test_the_pixels_are_compared_in_the_same_way(calibrated, pictures):
    rdms = brain(dims=[])
    found = compare(calibrated, pictures, rdms)
    flat = pictures.flatten(1).numpy()
    expected = spearmanr((1 - np.corrcoef(flat))[PAIRS], rdms.values[0, 0][PAIRS])[0]
    np.testing.assert_allclose(found["pixels"], expected)
    assert found["pixels_low"] <= found["pixels_high"]


def test_a_brain_that_is_the_model_agrees_with_it_and_not_with_the_untrained_one(calibrated, pictures):
    trained = untrained_copy(calibrated, seed=7)
    cs.calibrate(trained, pictures, cs.sustained(), until=3)
    recording = cs.simulate(trained, pictures, cs.sustained(), until=3)
    copied = analyse.rdm(recording["IT"]).sel(time=3, drop=True)
    rdms = labelled_matrices(copied.values, copied.dims, {}, source="a copy")
    found = compare(trained, pictures, rdms).sel(state="IT", time=3)
    np.testing.assert_allclose(found.sel(model="trained"), 1)
    assert found.sel(model="untrained") < 0.9


def test_states_are_empty_before_anything_arrives(calibrated, pictures):
    found = compare(calibrated, pictures, brain(dims=[]))
    assert found.dims == ("model", "state", "time")
    assert found.sel(state="IT").isnull().values.tolist() == [[True, True, False, False]] * 2
    assert found["low"].dims == found.dims


def test_a_single_matrix_has_no_ceiling_and_subjects_have_one(calibrated, pictures):
    assert "ceiling_low" not in compare(calibrated, pictures, brain(dims=[])).coords
    found = compare(calibrated, pictures, brain(3, dims=["subject"]))
    assert float(found["ceiling_low"]) < float(found["ceiling_high"])


def test_brain_time_is_an_axis_of_its_own(calibrated, pictures):
    found = compare(calibrated, pictures, brain(2, 4, dims=["subject", "time"]), states=["V1"])
    assert found.dims == ("model", "state", "time", "brain_time")
    assert found["brain_time"].values.tolist() == [0, 50, 100, 150]
    assert found["pixels"].dims == found["ceiling_low"].dims == ("brain_time",)
    one = compare(calibrated, pictures, brain(2, 4, dims=["subject", "time"]).isel(time=2, drop=True), states=["V1"])
    np.testing.assert_allclose(found.isel(brain_time=2).values, one.values)


def test_the_model_stays_as_it_is(calibrated, pictures):
    weights, statistics = calibrated.checksum(), dict(calibrated.statistics)
    compare(calibrated, pictures, brain(dims=[]))
    assert calibrated.checksum() == weights
    assert calibrated.statistics == statistics


def test_new_weights_differ_and_depend_on_the_seed_alone(calibrated):
    first, again, other = (untrained_copy(calibrated, seed=seed) for seed in (4, 4, 5))
    assert first.checksum() == again.checksum()
    assert len({first.checksum(), other.checksum(), calibrated.checksum()}) == 3


def test_drawing_weights_leaves_the_random_numbers_of_the_user_alone(calibrated):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    untrained_copy(calibrated, seed=0)
    torch.testing.assert_close(torch.rand(2), expected)


def test_the_weights_of_a_users_modules_are_drawn_again_as_their_layers_draw_them():
    model = cs.zoo.cornet_rt(size=32, n_classes=3)
    first, again, other = (untrained_copy(model, seed=seed) for seed in (4, 4, 5))
    assert first.checksum() == again.checksum()
    assert len({first.checksum(), other.checksum(), model.checksum()}) == 3
    assert all(not torch.equal(a, b) for a, b in zip(first.parameters(), model.parameters(), strict=True) if a.ndim > 1)


def test_modules_that_a_graph_contains_are_drawn_again_with_their_learned_weights():
    class Own(torch.nn.Conv2d):
        def forward(self, h, time=None):
            return super().forward(h)

    learned = Own(4, 4, 3, padding=1)
    graph = cs.CortexGraph(
        (cs.State("V1", 4, 8, 8, update=learned), cs.State("V2", 4, 8, 8)),
        (cs.Transition("V1", "V1", learned), cs.Transition("V1", "V2", "BRCx1")),
    )
    model = cs.Cortex(graph, n_classes=3, readout_time=3)
    copies = [untrained_copy(model, seed=seed) for seed in (0, 0, 1)]
    for part in ("functions.V1->V1", "updates.V1"):
        first, again, other = (copy.get_submodule(part).weight for copy in copies)
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
        assert not torch.equal(first, learned.weight)
    assert torch.equal(model.updates["V1"].weight, learned.weight)


def test_weights_that_no_layer_draws_cannot_be_drawn_again():
    class Scaled(torch.nn.Conv2d):
        def __init__(self):
            super().__init__(3, 4, 3, padding=1)
            self.inner = torch.nn.ParameterList([torch.ones(4)])

    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, n_classes=3, readout_time=2, pre_net=Scaled())
    with pytest.raises(ValueError, match=r"the weights of inner \(ParameterList\) cannot be drawn again"):
        untrained_copy(model, seed=0)


def test_an_untrained_copy_has_the_same_readout():
    graph = cs.adjacent({"V1": 4, "IT": 4}, size=8)
    model = cs.Cortex(
        graph, n_classes=3, readout_time=2, post_net="map", initialization="torch", normalization="channel"
    )
    drawn = untrained_copy(model, seed=0)
    assert drawn.readout_shape == model.readout_shape
    assert drawn.initialization == "torch"


def test_more_stimuli_than_images_are_refused(calibrated, pictures):
    with pytest.raises(ValueError, match="matrices are of 6 stimuli, but there are 5 images: pass the same"):
        compare(calibrated, pictures[:5], brain(dims=[]))


def test_matrices_must_be_labelled(calibrated, pictures):
    with pytest.raises(TypeError, match=r"must be a DataArray, as brains\.read returns it, got ndarray"):
        compare(calibrated, pictures, matrices(n=N))
    with pytest.raises(ValueError, match="need the dimensions stimulus and other_stimulus, got"):
        compare(calibrated, pictures, xr.DataArray(matrices(n=N), dims=["a", "b"]))


def test_what_training_changes_is_a_paired_difference_with_an_interval(calibrated, pictures):
    found = compare(calibrated, pictures, brain(3, dims=["subject"]), n_bootstrap=20)
    assert found["training"].dims == ("state", "time")
    expected = found.sel(model="trained") - found.sel(model="untrained")
    np.testing.assert_allclose(found["training"], expected)
    there = found["training"].notnull()
    assert (
        ((found["training_low"] <= found["training"]) & (found["training"] <= found["training_high"]))
        .where(there, True)
        .all()
    )
    assert "stimuli and 3 subjects" in found["training"].attrs["interval"]


def test_over_brain_time_training_changes_every_time(calibrated, pictures):
    found = compare(calibrated, pictures, brain(4, dims=["time"]))
    assert found["training"].dims == ("state", "time", "brain_time")


def test_without_resamples_there_is_no_interval_of_the_difference(calibrated, pictures):
    assert "training" not in compare(calibrated, pictures, brain(dims=[]), n_bootstrap=0).coords


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"metric": "crossnobis"},
            r"unknown metric 'crossnobis': the allowed values are \['correlation', 'euclidean'\]",
        ),
        ({"method": "spaerman"}, "did you mean 'spearman'"),
        ({"states": ["V2", "MT"]}, "unknown state 'MT'"),
        ({"states": []}, "states must be at least one, each of them once"),
        ({"states": ["V2", "V2"]}, "states must be at least one, each of them once"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"n_bootstrap": 0.5}, "n_bootstrap must be a whole number"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_is_shown(calibrated, pictures, wrong, message):
    reported = []
    with pytest.raises(ValueError, match=message):
        compare(calibrated, pictures, brain(dims=[]), report=lambda *step: reported.append(step), **wrong)
    assert reported == []


def test_a_state_by_name_alone_is_refused(calibrated, pictures):
    with pytest.raises(TypeError, match=r"states must be a list of names, such as \['IT'\], got 'IT'"):
        compare(calibrated, pictures, brain(dims=[]), states="IT")
