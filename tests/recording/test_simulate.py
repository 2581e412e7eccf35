"""A recording contains what the model did, with labels; the model stays as it was."""

import copy
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.class_numbers import DifferentClassesWarning
from cortexsim.graph._schedule import EmptyStateError
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.recording.description import settings
from cortexsim.recording.dtypes import DTYPES


def values(recording, state):
    return recording[state]["activation"].values


# --- what is there, and what is empty ------------------------------------------------------------------------------


def test_a_recording_has_a_node_for_each_state_and_the_readout(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=4)
    assert list(recording.children) == ["V1", "V2", "IT", "readout"]
    assert recording["V2"]["activation"].dims == ("stimulus", "time", "channel", "y", "x")
    assert recording["V2"]["activation"].shape == (6, 5, 4, 4, 4)
    assert recording["readout"]["logits"].dims == ("stimulus", "time", "class")
    assert recording["readout"]["logits"].shape == (6, 5, 3)
    for node in recording.children.values():
        assert node["time"].values.tolist() == [0, 1, 2, 3, 4]
        assert node["stimulus"].values.tolist() == list(range(6))
        assert node["time"].attrs["units"] == "steps"


def test_at_time_0_only_the_first_state_is_populated_and_at_the_last_time_all_are(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=4)
    at = {name: recording[name]["populated"].values[[0, -1]].tolist() for name in recording.children}
    assert at == {"V1": [True, True], "V2": [False, True], "IT": [False, True], "readout": [False, True]}


def test_V1_at_time_0_is_what_the_pre_net_delivers(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=2, dtype="float64")
    np.testing.assert_allclose(values(recording, "V1")[:, 0], calibrated.pre_net(pictures).detach(), rtol=1e-12)


def test_the_recorded_logits_are_the_readouts(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=8, dtype="float64")
    wanted = calibrated.readouts(pictures, [2, 5, 8]).detach().numpy()
    np.testing.assert_allclose(recording["readout"]["logits"].values[:, [2, 5, 8]], wanted.swapaxes(0, 1), rtol=1e-12)


@pytest.mark.parametrize("fixture", ["flashed", "masked"])
def test_NaN_is_empty_and_populated_says_so(request, fixture):
    recording = request.getfixturevalue(fixture)
    for name, node in recording.children.items():
        array = node["logits" if name == "readout" else "activation"].values
        full = np.isfinite(array).all(axis=tuple(range(2, array.ndim)))
        assert (full == np.isfinite(array).any(axis=tuple(range(2, array.ndim)))).all()
        assert (full == node["populated"].values).all()


def test_a_flash_passes_through_a_forward_model_and_leaves_it_empty(flashed):
    at = {name: flashed[name]["time"].values[flashed[name]["populated"].values].tolist() for name in flashed.children}
    assert at == {"V1": [0], "V2": [1], "IT": [2], "readout": [2]}


def test_a_mask_populates_a_forward_model_again(masked):
    assert masked["IT"]["populated"].values.tolist() == [False, False, True, False, True]


def test_shown_says_image_mask_or_nothing_on_every_node(masked):
    for node in masked.children.values():
        meanings = node["shown"].attrs["flag_meanings"].split()
        assert [meanings[k] for k in node["shown"].values] == ["image", "nothing", "mask", "nothing", "nothing"]


def test_of_a_mixture_each_stimulus_is_populated_by_what_it_saw(small_model, pictures):
    mixed = cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))
    recording = cs.simulate(small_model.double(), pictures, mixed, until=4, seed=1, dtype="float64")
    drawn = recording["IT"]["component"].values
    assert set(drawn) == {0, 1}
    assert recording["IT"]["populated"].dims == ("stimulus", "time")
    rows = np.array([[False, False, True, False, False], [False, False, True, False, True]])
    assert (recording["IT"]["populated"].values == rows[drawn]).all()
    assert (recording["readout"]["populated"].values == rows[drawn]).all()
    assert (np.isfinite(values(recording, "IT")).all(axis=(2, 3, 4)) == rows[drawn]).all()
    assert (recording["V1"]["shown"].values[:, 2] == 2 * drawn).all()


def test_of_a_mixture_each_stimulus_does_what_it_does_under_its_component_alone(small_model, pictures):
    parts = cs.flash(1), cs.masked(1, 2, mask_duration=1)
    together = cs.simulate(small_model.double(), pictures, cs.mixture(*parts), until=4, seed=1, dtype="float64")
    alone = [cs.simulate(small_model, pictures, part, until=4, seed=1, dtype="float64") for part in parts]
    for stimulus, component in enumerate(together["IT"]["component"].values):
        for state in ("V1", "V2", "IT"):
            np.testing.assert_allclose(
                values(together, state)[stimulus], values(alone[component], state)[stimulus], rtol=1e-12
            )


def test_a_movie_enters_frame_by_frame(small_model):
    movies = torch.rand((2, 3, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    recording = cs.simulate(small_model, movies, cs.sequence(1), until=4)
    assert recording["V1"]["populated"].values.tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(values(recording, "V1")[:, 2], small_model.pre_net(movies[:, 2]).detach(), atol=1e-6)


# --- labels and coordinates ----------------------------------------------------------------------------------------


def test_stimulus_coordinates_are_carried_to_every_node(small_model, shown_images):
    images = shown_images.assign_coords(rotation=("stimulus", [0.0, 10.0, 20.0, 30.0, 40.0], {"units": "degree"}))
    recording = cs.simulate(small_model, images, until=3)
    for node in recording.children.values():
        assert node["label"].values.tolist() == [0, 1, 2, 0, 1]
        assert node["rotation"].attrs["units"] == "degree"
    assert settings(recording)["classes"] == ["cat", "dog", "owl"]


def test_labels_may_be_given(small_model, pictures):
    recording = cs.simulate(small_model.double(), pictures, until=2, labels=[0, 1, 2, 2, 1, 0])
    assert recording["V1"]["label"].values.tolist() == [0, 1, 2, 2, 1, 0]


def test_a_wrong_number_of_labels_is_refused(small_model, pictures):
    with pytest.raises(ValueError, match=r"labels must be one for each of the 6 stimuli, got shape \(2,\)"):
        cs.simulate(small_model.double(), pictures, until=2, labels=[0, 1])


@pytest.mark.parametrize("name", ["time", "x", "shown", "populated", "class"])
def test_coordinates_with_a_name_of_the_recordings_own_are_refused(small_model, shown_images, name):
    with pytest.raises(ValueError, match=rf"the images' coordinates \['{name}'\] have names that a recording uses"):
        cs.simulate(small_model, shown_images.assign_coords({name: ("stimulus", range(5))}), until=2)


# --- what is kept --------------------------------------------------------------------------------------------------


def test_only_the_chosen_states_are_recorded_and_the_readout_always(calibrated, pictures):
    everything = cs.simulate(calibrated, pictures, until=5, dtype="float64")
    some = cs.simulate(calibrated, pictures, until=5, record=("V2",), dtype="float64")
    assert list(some.children) == ["V2", "readout"]
    np.testing.assert_array_equal(values(some, "V2"), values(everything, "V2"))
    np.testing.assert_array_equal(some["readout"]["logits"], everything["readout"]["logits"])


def test_without_states_only_the_readout_is_recorded(calibrated, pictures):
    assert list(cs.simulate(calibrated, pictures, until=5, record=[]).children) == ["readout"]


def test_what_to_record_may_come_from_a_generator(calibrated, pictures):
    assert "V1" in cs.simulate(calibrated, pictures, until=5, record=(name for name in ["V1"])).children


def test_rate_is_relu_of_BN_of_the_state_at_its_own_time(calibrated, pictures):
    state = cs.simulate(calibrated, pictures, until=6, dtype="float64")
    rate = cs.simulate(calibrated, pictures, until=6, dtype="float64", quantity="rate")
    statistics = calibrated.statistics[cs.flash(1)]
    for name, first in (("V1", 0), ("V2", 1), ("IT", 2)):
        for time in range(first, 7):
            mean, variance = (moment.numpy()[:, None, None] for moment in statistics.at(name, time))
            wanted = np.maximum((values(state, name)[:, time] - mean) / np.sqrt(variance + 1e-5), 0)
            np.testing.assert_allclose(values(rate, name)[:, time], wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(rate["readout"]["logits"], state["readout"]["logits"])


def test_rate_without_normalization_is_what_passes_the_relu(small_model, shown_images):
    state = cs.simulate(small_model, shown_images, until=2, dtype="float64")
    rate = cs.simulate(small_model, shown_images, until=2, dtype="float64", quantity="rate")
    assert (values(state, "V1") < 0).any()
    np.testing.assert_array_equal(values(rate, "V1"), np.maximum(values(state, "V1"), 0))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_activity_is_recorded_in_the_chosen_dtype(calibrated, pictures, dtype):
    recording = cs.simulate(calibrated, pictures, until=3, dtype=dtype)
    assert recording["V1"]["activation"].dtype == recording["readout"]["logits"].dtype == dtype


def test_activity_too_large_for_float16_is_refused(small_model, shown_images):
    with torch.no_grad():
        small_model.pre.weight.mul_(1e6)
    with pytest.raises(ValueError, match=r"V1 reaches .* at time 0, too large for float16; use dtype='float32'"):
        cs.simulate(small_model, shown_images, until=2, dtype="float16")


@pytest.mark.parametrize("dtype", [name for name, form in DTYPES.items() if np.isfinite(form.overflow)])
def test_the_limit_of_a_dtype_is_where_rounding_leads_to_infinity(dtype):
    limit = np.float64(DTYPES[dtype].overflow)
    with np.errstate(over="ignore"):
        assert np.isinf(limit.astype(dtype))
    assert np.isfinite(np.nextafter(limit, 0).astype(dtype))


@pytest.mark.parametrize("sign", [1, -1])
def test_activity_that_float16_would_round_to_infinity_is_refused_and_what_is_just_below_is_recorded(pictures, sign):
    class Constant(torch.nn.Module):
        def __init__(self, value):
            super().__init__()
            self.value = value

        def forward(self, images):
            return torch.full((len(images), 4, 8, 8), self.value, dtype=images.dtype)

    def recorded(value):
        graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, lateral=False, feedback=False)
        model = cs.Cortex(graph, 3, 1, pre_net=Constant(sign * value), normalization="none").double()
        with torch.no_grad():
            for weight in model.weights.parameters():
                weight.zero_()
        return cs.simulate(model, pictures, until=1, dtype="float16")

    assert np.abs(values(recorded(65_519.0), "V1")[:, 0]).max() == np.finfo(np.float16).max
    with pytest.raises(ValueError, match=r"V1 reaches 6\.55e\+04 at time 0, too large for float16"):
        recorded(65_520.0)


def test_an_update_is_in_the_recorded_state(shown_images):
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, lateral=False, feedback=False).with_update("V2", torch.nn.ReLU())
    model = cs.Cortex(graph, n_classes=3, readout_time=1, normalization="none")
    assert float(np.nanmin(values(cs.simulate(model, shown_images, until=1), "V2"))) >= 0


# --- silence -------------------------------------------------------------------------------------------------------


def test_silence_equals_the_same_graph_without_that_transition_but_intact_statistics(calibrated, pictures):
    times = range(3, 6)
    silenced = cs.simulate(calibrated, pictures, until=8, silence={"V2->V1": times}, dtype="float64")
    graph = calibrated.graph.without("V2->V1", times=times)
    cut = cs.Cortex(graph, n_classes=3, readout_time=5).double().eval()
    cut.load_state_dict(calibrated.state_dict())
    intact = calibrated.statistics[cs.flash(1)]
    wanted = cs.simulate(cut, pictures, until=8, statistics=intact, dtype="float64")
    whole = cs.simulate(calibrated, pictures, until=8, dtype="float64")
    for state in ("V1", "V2", "IT"):
        np.testing.assert_allclose(values(silenced, state), values(wanted, state), rtol=1e-12)
        assert not np.allclose(values(silenced, state)[:, -1], values(whole, state)[:, -1])
    np.testing.assert_array_equal(values(silenced, "V1")[:, :3], values(whole, "V1")[:, :3])


def test_silence_without_times_is_for_ever(calibrated, pictures):
    always = cs.simulate(calibrated, pictures, until=6, silence={"V1->V2": None})
    assert always["V2"]["populated"].values.tolist() == [False] * 7
    assert bool(always["readout"]["logits"].isnull().all())


def test_silencing_an_unknown_transition_is_refused_with_a_suggestion(calibrated, pictures):
    with pytest.raises(ValueError, match=r"unknown transition 'V2->V11'.*did you mean 'V2->V1'\?"):
        cs.simulate(calibrated, pictures, until=4, silence={"V2->V11": None})


@pytest.mark.parametrize("times", [0, range(-1, 3)])
def test_silencing_at_time_0_or_before_is_refused(calibrated, pictures, times):
    with pytest.raises(ValueError, match="delivers must be a whole number, at least 1, got"):
        cs.simulate(calibrated, pictures, until=4, silence={"V2->V1": times})


# --- the same numbers ----------------------------------------------------------------------------------------------

TRIALS = [cs.flash(1), cs.sustained(), cs.masked(1, 2), cs.mixture(cs.flash(1), cs.masked(1, 2, "image"))]


@pytest.mark.parametrize("presentation", TRIALS, ids=lambda p: p.kind)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_the_batch_size_does_not_matter(calibrated, pictures, presentation, dtype, tolerance):
    model = calibrated.to(getattr(torch, dtype))
    images = pictures.to(getattr(torch, dtype))
    cs.calibrate(model, images, presentation, until=6)
    whole, parts = (
        cs.simulate(model, images, presentation, until=6, dtype=dtype, batch_size=n, seed=3) for n in (6, 4)
    )
    for state in ("V1", "IT"):
        np.testing.assert_allclose(values(parts, state), values(whole, state), rtol=tolerance, atol=tolerance)


def test_the_same_call_gives_the_same_numbers(calibrated, pictures):
    cs.calibrate(calibrated, pictures, cs.masked(1, 2), until=6)
    first, second = (cs.simulate(calibrated, pictures, cs.masked(1, 2), until=6, seed=5) for _ in range(2))
    xr.testing.assert_identical(first, second)


def test_a_different_seed_draws_a_different_mask(calibrated, pictures):
    cs.calibrate(calibrated, pictures, cs.masked(1, 2), until=6)
    first, second = (cs.simulate(calibrated, pictures, cs.masked(1, 2), until=6, seed=seed) for seed in (5, 6))
    assert np.allclose(values(first, "V1")[:, 1], values(second, "V1")[:, 1])
    assert not np.allclose(values(first, "V1")[:, 2], values(second, "V1")[:, 2])


def test_the_model_stays_as_it_was(calibrated, pictures):
    calibrated.train()
    calibrated.post.eval()
    calibrated.readouts(pictures, [5]).sum().backward()
    modes = {name: module.training for name, module in calibrated.named_modules()}
    weights = copy.deepcopy(calibrated.state_dict())
    gradients = {name: p.grad.clone() for name, p in calibrated.named_parameters() if p.grad is not None}
    statistics = dict(calibrated.statistics)
    moments = {key: (m.clone(), v.clone()) for key, (m, v) in statistics[cs.flash(1)].moments.items()}
    cs.simulate(calibrated, pictures, until=6)
    assert {name: module.training for name, module in calibrated.named_modules()} == modes
    assert all(torch.equal(value, weights[name]) for name, value in calibrated.state_dict().items())
    assert gradients
    assert all(torch.equal(p.grad, gradients[n]) for n, p in calibrated.named_parameters() if p.grad is not None)
    assert calibrated.statistics == statistics
    assert all(
        torch.equal(kept, is_)
        for key in moments
        for kept, is_ in zip(moments[key], statistics[cs.flash(1)].moments[key], strict=True)
    )


def test_a_model_in_training_is_simulated_with_stored_statistics(calibrated, pictures):
    evaluated = cs.simulate(calibrated, pictures[:2], until=6)
    xr.testing.assert_identical(cs.simulate(calibrated.train(), pictures[:2], until=6), evaluated)


def test_the_mode_comes_back_after_an_error(small_model, shown_images):
    with torch.no_grad():
        small_model.pre.weight.mul_(1e6)
    with pytest.raises(ValueError, match="too large for float16"):
        cs.simulate(small_model.train(), shown_images, until=2, dtype="float16")
    assert small_model.training
    assert small_model.post.training


@pytest.mark.parametrize(("before", "warn_only"), [(False, False), (True, False), (True, True)])
def test_determinism_is_for_this_call_alone(calibrated, pictures, before, warn_only):
    torch.use_deterministic_algorithms(before, warn_only=warn_only)
    try:
        recording = cs.simulate(calibrated, pictures, until=3, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled() == before
        assert torch.is_deterministic_algorithms_warn_only_enabled() == warn_only
    finally:
        torch.use_deterministic_algorithms(False)
    assert settings(recording)["deterministic"] is True


# --- statistics ----------------------------------------------------------------------------------------------------


def test_a_presentation_without_statistics_is_refused(calibrated, pictures):
    with pytest.raises(MissingStatisticsError, match=r"no statistics for «sustained.*it has \['flash.*calibrate\("):
        cs.simulate(calibrated, pictures, cs.sustained(), until=4)


def test_a_model_without_statistics_is_refused(calibrated, pictures):
    calibrated.statistics.clear()
    with pytest.raises(MissingStatisticsError, match=r"it has none\. Take them: calibrate"):
        cs.simulate(calibrated, pictures, until=4)


def test_statistics_that_end_too_early_are_refused(calibrated, pictures):
    with pytest.raises(
        MissingStatisticsError, match=r"end at time 8 .* before time 9; calibrate\(model, images, presentation, until=9"
    ):
        cs.simulate(calibrated, pictures, until=9)


def test_statistics_of_a_mixture_serve_its_components(calibrated, pictures):
    cs.calibrate(calibrated, pictures, cs.mixture(cs.sustained(), cs.masked(1, 2)), until=6)
    used = settings(cs.simulate(calibrated, pictures, cs.sustained(), until=6))["statistics"]
    assert used["presentation"]["kind"] == "mixture"
    assert used["reused"] is False


def test_statistics_reused_on_purpose_are_written_in_the_recording(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, cs.sustained(), until=6, statistics=cs.flash(1))
    used = settings(recording)["statistics"]
    assert used["reused"] is True
    assert used["presentation_text"] == "flash: image for 1 step, then nothing"
    assert "reused on purpose" in cs.summary(recording)


def test_changed_statistics_are_used_and_written_in_the_recording(calibrated, pictures):
    held = calibrated.statistics[cs.flash(1)].held(3)
    recording = cs.simulate(calibrated, pictures, until=6, statistics=held, dtype="float64")
    assert settings(recording)["statistics"]["change"] == "held from t = 3"
    wanted = calibrated.readouts(pictures, [6], statistics=held).detach().numpy()[0]
    np.testing.assert_allclose(recording["readout"]["logits"].values[:, 6], wanted, rtol=1e-12)


def test_statistics_of_other_weights_are_refused(calibrated, pictures):
    with torch.no_grad():
        calibrated.pre.weight.add_(0.01)
    with pytest.raises(MissingStatisticsError, match="the weights have changed since these statistics were taken"):
        cs.simulate(calibrated, pictures, until=4)


def test_a_recording_says_how_it_was_made(calibrated, pictures):
    made = settings(cs.simulate(calibrated, pictures, until=6, seed=4, batch_size=5, silence={"V2->V1": [3]}))
    assert cs.CortexGraph.from_dict(made["graph"]) == calibrated.graph
    assert made["model"] == calibrated.checksum()
    assert made["version"] == cs.__version__
    assert (made["until"], made["seed"], made["batch_size"], made["device"]) == (6, 4, 5, "cpu")
    assert made["silence"] == {"V2->V1": [[3, 4]]}
    assert made["presentation"] == cs.flash(1).to_dict()


# --- memory --------------------------------------------------------------------------------------------------------


def test_the_estimate_is_the_size_of_the_arrays(calibrated, pictures):
    recording = cs.simulate(calibrated, pictures, until=4, dtype="float16", record=["V1", "IT"])
    arrays = [recording[name]["activation"] for name in ("V1", "IT")] + [recording["readout"]["logits"]]
    assert cs.estimate(calibrated, 6, until=4, dtype="float16", record=["V1", "IT"]) == sum(a.nbytes for a in arrays)


def test_what_does_not_fit_in_memory_is_refused_with_the_numbers_before_it_runs(calibrated, pictures, monkeypatch):
    needed = cs.estimate(calibrated, 6, until=4)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=needed))
    monkeypatch.setattr(cs.Cortex, "unroll", None)
    with pytest.raises(
        MemoryError,
        match=r"recording 6 stimuli at 5 times of V1, V2, IT takes 0\.0 GB, but 0\.0 GB of memory is free; record "
        r"fewer states .*, dtype='float16', fewer times .* or fewer stimuli \(at most 5\)",
    ):
        cs.simulate(calibrated, pictures, until=4)


def test_a_recording_may_take_nine_tenths_of_the_free_memory(calibrated, pictures, monkeypatch):
    needed = cs.estimate(calibrated, 6, until=4)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=needed / 0.89))
    assert cs.simulate(calibrated, pictures, until=4)["V1"].sizes["stimulus"] == 6
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=needed / 0.91))
    with pytest.raises(MemoryError, match="recording 6 stimuli"):
        cs.simulate(calibrated, pictures, until=4)


# --- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("until", [0, -1, 2.5, True, None])
def test_an_end_that_is_no_number_of_steps_is_refused(calibrated, pictures, until):
    with pytest.raises(ValueError, match="until must be a whole number of steps, at least 1, got"):
        cs.simulate(calibrated, pictures, until=until)


def test_recording_unknown_states_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match=r"cannot record \['MT'\]: the states are \['V1', 'V2', 'IT'\]"):
        cs.simulate(calibrated, pictures, until=4, record=["V1", "MT"])


def test_recording_one_name_as_text_is_refused(calibrated, pictures):
    with pytest.raises(TypeError, match=r"such as \['V1'\], got 'V1'"):
        cs.simulate(calibrated, pictures, until=4, record="V1")


@pytest.mark.parametrize(("argument", "value"), [("quantity", "rates"), ("dtype", "float")])
def test_unknown_settings_are_refused_with_a_suggestion(calibrated, pictures, argument, value):
    with pytest.raises(ValueError, match=f"unknown {argument} '{value}': the allowed values are .*; did you mean"):
        cs.simulate(calibrated, pictures, until=4, **{argument: value})


@pytest.mark.parametrize("batch_size", [0, -2])
def test_a_batch_of_nothing_is_refused(calibrated, pictures, batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be a whole number, at least 1, got {batch_size}"):
        cs.simulate(calibrated, pictures, until=4, batch_size=batch_size)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_CUDA_is_refused_where_there_is_none(calibrated, pictures, device):
    with pytest.raises(ValueError, match=f"device '{device}' is not available: this machine has .*'cpu'"):
        cs.simulate(calibrated, pictures, until=4, device=device)


def test_an_unknown_device_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match="unknown device 'gpu': the allowed values are"):
        cs.simulate(calibrated, pictures, until=4, device="gpu")


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda x: x[:, :1], ValueError, "images must have shape"),
        (lambda x: x[..., :4], ValueError, "sees images of 8x8 pixels, got 8x4"),
        (lambda x: x[:0], ValueError, "there are no images"),
        (lambda x: x * 255, ValueError, r"pixels must lie in \[0, 1\]"),
        (lambda x: x / 0 * 0, ValueError, "images must be finite"),
        (lambda x: (x * 255).long(), TypeError, "floating point in .* or uint8, got torch.int64"),
        (lambda x: "a.png", TypeError, r"images must be a torch\.Tensor, a Dataset, .* got str"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(calibrated, pictures, spoil, error, message):
    with pytest.raises(error, match=message):
        cs.simulate(calibrated, spoil(pictures), until=4)


def test_a_movie_given_to_a_flash_is_refused(calibrated, pictures):
    with pytest.raises(ValueError, match="flash shows one image per stimulus"):
        cs.simulate(calibrated, pictures[:, None], until=4)


def test_recording_a_state_for_which_there_are_no_weights_is_refused(pictures):
    # V2->V1 at 2 leads to a readout at 4 at the earliest
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8)
    model = cs.Cortex(graph, n_classes=3, readout_time=3).double()
    cs.calibrate(model, pictures, until=3)
    with pytest.raises(ValueError, match="V2->V1 has no weights at time 2: it contributes to no readout up to time 3"):
        cs.simulate(model, pictures, until=3)
    assert list(cs.simulate(model, pictures, until=3, record=["IT"]).children) == ["IT", "readout"]


def test_a_readout_at_an_empty_time_is_refused_with_the_times(pictures):
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, self_transitions=False)
    model = cs.Cortex(graph, n_classes=3, readout_time=6).double()
    with pytest.raises(EmptyStateError, match=r"nothing to read at time 5: IT is empty then.*at t = 2, 4$"):
        model.readouts(pictures, [5])


def test_statistics_that_silencing_calls_for_are_missed_before_the_first_step():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"h1": 4, "h2": 4}, size=8), 3, readout_time=2)
    images = torch.rand(5, 3, 8, 8)
    cs.calibrate(model, images, until=4)
    model.step = None
    with pytest.raises(MissingStatisticsError, match="no statistics for h1->h1 at time 2"):
        cs.simulate(model, images, until=3, record=["h2"], silence={"h2->h1": range(2, 4)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"presentation": "flash"}, r"made by flash\(\), sustained\(\), .* got 'flash'"),
        ({"silence": ["V1->V2"]}, r"silence must map transitions to times, such as .* got list"),
    ],
)
def test_what_is_no_presentation_or_no_silence_is_refused(small_model, shown_images, arguments, message):
    with pytest.raises(TypeError, match=message):
        cs.simulate(small_model, shown_images, until=3, **arguments)


# --- classes of images and of models -------------------------------------------------------------------------------


def _of_classes(pictures, label, classes):
    images = xr.Dataset({"image": (("stimulus", "channel", "y", "x"), pictures.numpy())}, attrs={"classes": classes})
    return images.assign_coords(label=("stimulus", label))


def test_the_label_of_the_images_given_again_as_labels_is_matched_by_name(calibrated, pictures):
    calibrated.classes = ["ant", "bee", "cow"]
    images = _of_classes(pictures, [0, 1, 2, 0, 1, 2], ["cow", "ant", "bee"])
    for labels in (None, images["label"], images["label"].values):
        recording = cs.simulate(calibrated, images, until=4, labels=labels, record=[])
        assert recording["readout"]["label"].values.tolist() == [2, 0, 1, 2, 0, 1]


def test_other_numbers_as_labels_are_the_models_with_a_warning_if_the_images_have_other_classes(calibrated, pictures):
    calibrated.classes = ["ant", "bee", "cow"]
    images = _of_classes(pictures, [0, 1, 2, 0, 1, 2], ["cow", "ant", "bee"]).drop_vars("label")
    with pytest.warns(DifferentClassesWarning, match="taken for those of the model's classes"):
        recording = cs.simulate(calibrated, images, until=4, labels=[2, 2, 2, 1, 1, 1], record=[])
    assert recording["readout"]["label"].values.tolist() == [2, 2, 2, 1, 1, 1]


def test_a_readout_does_not_get_the_names_of_fewer_classes(calibrated, pictures):
    images = _of_classes(pictures, [0, 1, 0, 1, 0, 1], ["ant", "bee"])
    with pytest.warns(DifferentClassesWarning, match=r"2 classes, \['ant', 'bee'\], but the model reads out 3"):
        recording = cs.simulate(calibrated, images, until=4, record=[])
    assert recording.cortex.settings["classes"] is None


def test_images_without_labels_cause_no_warning_about_their_classes(calibrated, pictures, recwarn):
    images = _of_classes(pictures, [0, 1, 0, 1, 0, 1], ["ant", "bee"]).drop_vars("label")
    recording = cs.simulate(calibrated, images, until=4, record=[])
    assert recording.cortex.settings["classes"] is None
    assert not [one for one in recwarn if one.category is DifferentClassesWarning]


@pytest.mark.parametrize("word", ["no", 1, None])
def test_a_word_is_not_a_truth_value(small_model, shown_images, word):
    with pytest.raises(ValueError, match="deterministic must be True or False, got"):
        cs.simulate(small_model, shown_images, until=2, deterministic=word)
