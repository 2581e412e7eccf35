"""Statistics belong to weights: they travel in the state_dict, survive a change of dtype, and a lesion is noticed."""

import copy
import io
from dataclasses import replace

import pytest
import torch
from torch import nn

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError, Stored


def untrained(model: cs.Cortex) -> cs.Cortex:
    """Return a model of the same graph with weights of its own."""
    return cs.Cortex(model.graph, model.n_classes, model.readout_time).double().eval()


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


# --- in the state_dict ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("through", [lambda state: state, copy.deepcopy, through_a_file])
def test_a_loaded_state_dict_gives_a_calibrated_model(calibrated, pictures, through):
    cs.calibrate(calibrated, pictures, until=6, presentation=cs.mixture(cs.flash(1), cs.masked(1, 2)), seed=3)
    loaded = untrained(calibrated)
    loaded.load_state_dict(through(calibrated.state_dict()))
    assert torch.equal(loaded(pictures), calibrated(pictures))
    assert list(loaded.statistics) == list(calibrated.statistics)
    assert str(loaded.statistics) == str(calibrated.statistics)


def test_a_state_dict_contains_tensors_only_so_that_it_can_be_cloned_and_saved(calibrated, pictures, tmp_path):
    from safetensors.torch import load_file, save_file

    state = {
        name: value.clone(memory_format=torch.contiguous_format) for name, value in calibrated.state_dict().items()
    }
    save_file(state, tmp_path / "state.safetensors")
    loaded = untrained(calibrated)
    loaded.load_state_dict(load_file(tmp_path / "state.safetensors"))
    assert torch.equal(loaded(pictures), calibrated(pictures))


def test_copies_and_wrappers_of_torch_keep_the_statistics(calibrated, pictures):
    wanted = calibrated(pictures)
    assert torch.equal(copy.deepcopy(calibrated)(pictures), wanted)
    averaged, other = (torch.optim.swa_utils.AveragedModel(model) for model in (calibrated, untrained(calibrated)))
    other.load_state_dict(averaged.state_dict())
    assert torch.equal(other(pictures), wanted)
    parallel, other = (nn.DataParallel(model) for model in (calibrated, untrained(calibrated)))
    other.load_state_dict(parallel.state_dict())
    assert torch.equal(other(pictures), wanted)


def test_averaged_weights_need_statistics_of_their_own_and_then_carry_them(calibrated, pictures):
    averaged = torch.optim.swa_utils.AveragedModel(calibrated)
    averaged.update_parameters(calibrated)
    averaged.update_parameters(untrained(calibrated))
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        averaged(pictures)
    cs.calibrate(averaged.module, pictures, until=6)
    other = torch.optim.swa_utils.AveragedModel(untrained(calibrated))
    other.load_state_dict(averaged.state_dict())
    assert torch.equal(other(pictures), averaged(pictures))


def test_weights_alone_are_loaded_too_and_leave_the_model_without_valid_statistics(calibrated, pictures):
    loaded = untrained(calibrated)
    cs.calibrate(loaded, pictures, until=6)
    loaded.load_state_dict(calibrated.weights_and_buffers())
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        loaded(pictures)


@pytest.mark.parametrize(
    "other", [lambda model: model.graph.with_shortcut(0.25), lambda model: model.graph.without("V2->V1", times=[4])]
)
def test_statistics_are_not_loaded_into_a_different_graph(calibrated, pictures, other):
    loaded = cs.Cortex(other(calibrated), 3, 5).double().eval()
    loaded.load_state_dict(calibrated.state_dict())
    with pytest.raises(MissingStatisticsError, match=r"no statistics for «flash.*it has none"):
        loaded(pictures)


def test_statistics_are_not_loaded_into_a_different_normalization(calibrated, pictures):
    loaded = cs.Cortex(calibrated.graph, 3, 5, normalization="shared").double().eval()
    loaded.load_state_dict(calibrated.state_dict())
    assert not loaded.statistics


def test_foreign_bytes_in_a_state_dict_are_refused(calibrated):
    state = calibrated.state_dict()
    state["_extra_state"] = state["_extra_state"][:100]
    with pytest.raises(ValueError, match="'_extra_state' contains no statistics of a Cortex"):
        calibrated.load_state_dict(state)


# --- through a change of dtype ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_a_cast_model_keeps_its_statistics_evaluates_and_is_saved(calibrated, pictures, tmp_path, dtype):
    wanted = calibrated(pictures)
    cast = copy.deepcopy(calibrated).to(dtype)
    got = cast(pictures)
    assert got.dtype == dtype
    tolerance = {torch.bfloat16: 0.1, torch.float16: 0.01, torch.float32: 1e-5}[dtype]
    assert (got.double() - wanted).abs().max() < tolerance * wanted.abs().max()
    cs.save(cast, tmp_path / "cast.safetensors")
    loaded = cs.load(tmp_path / "cast.safetensors")
    assert torch.equal(loaded(pictures), got)
    state = untrained(calibrated).to(dtype)
    state.load_state_dict(through_a_file(cast.state_dict()))
    assert torch.equal(state(pictures), got)


def test_casting_there_and_back_keeps_the_statistics(calibrated, pictures):
    wanted = calibrated(pictures)
    back = calibrated.bfloat16().double()
    assert (back(pictures) - wanted).abs().max() < 0.1 * wanted.abs().max()


def test_weights_that_are_cast_as_they_are_loaded_keep_their_statistics(calibrated, pictures):
    loaded = untrained(calibrated).float()
    loaded.load_state_dict(calibrated.state_dict())
    torch.testing.assert_close(loaded(pictures).double(), calibrated(pictures), rtol=1e-4, atol=1e-4)


def test_weights_that_were_changed_and_cast_as_they_are_loaded_are_noticed(calibrated, pictures):
    state = {name: value.clone() for name, value in calibrated.state_dict().items()}
    state["weights.V2->V1:0"].zero_()
    loaded = untrained(calibrated).float()
    loaded.load_state_dict(state)
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        loaded(pictures)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_a_lesion_of_one_weight_is_noticed_in_every_dtype_and_its_repair_too(calibrated, pictures, dtype):
    model = calibrated.to(dtype)
    intact = model(pictures)
    weight = model.kernels("V2->V1", 2)[0].data
    before = weight[1, 2, 0, 1].clone()
    weight[1, 2, 0, 1] = 0
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        model(pictures)
    weight[1, 2, 0, 1] = before
    assert torch.equal(model(pictures), intact)


def test_a_lesion_before_a_cast_is_noticed_after_it(calibrated, pictures):
    calibrated.kernels("V2->V1", 2)[0].data.zero_()
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        calibrated.float()(pictures)


def test_exchanged_kernels_are_noticed(calibrated, pictures):
    one, other = (kernel.data for kernel in calibrated.kernels("V1->V1", 1))
    kept = one.clone()
    one.copy_(other)
    other.copy_(kept)
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        calibrated(pictures)


def test_emptied_memory_is_no_cast(calibrated, pictures):
    calibrated.to_empty(device="cpu")
    for parameter in calibrated.parameters():
        parameter.data.fill_(0.1)
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        calibrated(pictures)


def test_moments_taken_in_inference_mode_serve_gradients_later(calibrated, pictures):
    with torch.inference_mode():
        cs.calibrate(calibrated, pictures, until=6)
        calibrated(pictures)
    images = pictures.clone().requires_grad_()
    calibrated(images).sum().backward()
    assert images.grad.abs().sum() > 0


def test_half_precision_keeps_variances_beyond_its_range(calibrated, pictures):
    loud = cs.Cortex(calibrated.graph, 3, 5, input_gain=2000.0).double().eval()
    loud.load_state_dict(calibrated.weights_and_buffers())
    cs.calibrate(loud, pictures, until=5)
    assert max(float(variance.max()) for _, variance in loud.statistics[cs.flash(1)].moments.values()) > 65_504
    wanted = loud(pictures)
    assert (loud.half()(pictures).double() - wanted).abs().max() < 0.02 * wanted.abs().max()


# --- the user's own modules ------------------------------------------------------------------------------------------


def test_the_checksum_covers_the_users_own_modules(calibrated):
    graphs = [
        calibrated.graph.with_update("V1", update) for update in (nn.LeakyReLU(0.1), nn.LeakyReLU(0.2), nn.Tanh())
    ]
    models = [cs.Cortex(graph, 3, 5) for graph in graphs]
    for model in models[1:]:
        model.load_state_dict(models[0].state_dict())
    assert len({model.checksum() for model in models}) == 3


def test_an_exchanged_module_of_the_users_is_noticed(calibrated, pictures):
    model = cs.Cortex(calibrated.graph.with_update("V1", nn.LeakyReLU(0.1)), 3, 5).double().eval()
    cs.calibrate(model, pictures, until=6)
    model.updates["V1"] = nn.LeakyReLU(0.2)
    with pytest.raises(MissingStatisticsError, match="weights have changed"):
        model(pictures)


def test_a_file_from_before_modules_were_in_the_checksum_still_serves(calibrated, pictures, tmp_path):
    relu = nn.ReLU()
    model = cs.Cortex(calibrated.graph.with_update("V1", relu), 3, 5).double().eval()
    cs.calibrate(model, pictures, until=6)
    wanted = model(pictures)
    plain = cs.Cortex(calibrated.graph, 3, 5).double()
    plain.load_state_dict(model.weights_and_buffers())
    (taken,) = model.statistics.values()
    # a model without modules of the user's has the checksum of that time
    model.statistics[cs.flash(1)] = replace(taken, weights=plain.checksum())
    cs.save(model, tmp_path / "model.safetensors")
    loaded = cs.load(tmp_path / "model.safetensors", {"ReLU": relu})
    assert torch.equal(loaded(pictures), wanted)


def test_a_thread_gets_its_statistics_also_if_another_chooses_others_at_the_same_moment(calibrated, monkeypatch):
    (own,) = calibrated.statistics.values()
    others = own.pooled()
    serves = Stored.serves

    def interrupted(stored, *wanted):
        result = serves(stored, *wanted)
        calibrated._stored = Stored(others, *wanted[1:])
        return result

    calibrated.normalized_by(own)
    monkeypatch.setattr(Stored, "serves", interrupted)
    assert calibrated.normalized_by(own).statistics is own
