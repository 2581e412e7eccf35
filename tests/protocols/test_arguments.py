"""Lists of values are read from any library; what is none of them is refused in words, before anything runs."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

import cortexsim as cs

N = 6


@pytest.fixture(scope="module")
def model():
    graph = cs.fully_recurrent({"V1": 3, "V2": 3, "IT": 4}, size=8)
    return cs.Cortex(graph, 3, 4, normalization="channel", generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def data():
    pixels = torch.rand((N, 3, 8, 8), generator=torch.Generator().manual_seed(1)).numpy()
    coordinates = {"label": ("stimulus", np.arange(N) % 3), "size": ("stimulus", np.arange(N) / N)}
    return xr.Dataset({"image": (("stimulus", "channel", "y", "x"), pixels)}, coordinates)


@pytest.mark.parametrize(
    "soas",
    [xr.DataArray([1, 2], dims="soa"), pd.Index([1, 2]), [np.array(1), torch.tensor(2)], np.array([1, 2], ">i2")],
)
def test_soas_of_any_library_are_what_they_are_worth(model, data, soas):
    found, wanted = (cs.protocols.masking(model, data, soas=one, durations=(1,)) for one in (soas, (1, 2)))
    xr.testing.assert_identical(found, wanted)
    assert found["soa"].values.tolist() == [1, 2]


@pytest.mark.parametrize("values", [xr.DataArray([0.5, 1.0]), torch.tensor([0.5, 1.0], dtype=torch.bfloat16)])
def test_degrees_of_any_library_are_what_they_are_worth(model, data, values):
    for protocol, name in ((cs.protocols.contrast, "contrasts"), (cs.protocols.noise, "levels")):
        found, wanted = (protocol(model, data, **{name: one}) for one in (values, [0.5, 1.0]))
        xr.testing.assert_identical(found, wanted)


@pytest.mark.parametrize("record", [np.array(["IT"]), xr.DataArray(["IT"]), pd.Series(["IT"]), ["IT"]])
def test_states_of_any_library_are_recorded(model, data, record):
    assert list(cs.simulate(model, data, until=2, record=record)) == ["IT", "readout"]
    assert list(cs.protocols.masking(model, data, soas=[1], record=record)) == ["IT", "readout"]


@pytest.mark.parametrize("record", [np.array([1, 2]), pd.Series([1, 2]), xr.DataArray([1, 2]), 0, "", pd.NA])
def test_a_protocol_refuses_what_names_no_states(model, data, record):
    with pytest.raises((TypeError, ValueError), match=r"record must be a sequence of states|cannot record"):
        cs.protocols.contrast(model, data, record=record)


@pytest.mark.parametrize("statistics", [np.arange(3), pd.Series([1]), xr.DataArray([1.0]), "flash", True])
def test_what_is_no_statistics_is_refused_also_by_a_model_that_needs_none(model, data, statistics):
    normalized = cs.Cortex(model.graph, 3, 4)
    cs.calibrate(normalized, data, until=5)
    for one in (model, normalized):
        for call in (
            lambda one: cs.simulate(one, data, until=3, statistics=statistics),
            lambda one: cs.protocols.masking(one, data, soas=[1], statistics=statistics),
            lambda one: cs.protocols.rapid_sequence(one, data, n_frames=2, statistics=statistics),
        ):
            with pytest.raises(TypeError, match=r"statistics must be what calibrate\(\) returns, or a presentation"):
                call(one)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"soas": {1: 2}}, TypeError, "soas must be a list of values"),
        ({"soas": np.ones((2, 2))}, TypeError, "soas must be a list of values"),
        ({"soas": np.array(["2020-01-01"], "M8[ns]")}, ValueError, "soa must be a whole number of steps"),
        ({"device": True}, ValueError, "unknown device True"),
        ({"device": 10**30}, ValueError, "unknown device 1"),
        ({"report": None}, TypeError, "report must be a function of a fraction and a message"),
        ({"calibrate_on": "training"}, TypeError, "images must be a torch.Tensor"),
    ],
)
def test_masking_refuses_other_arguments(model, data, change, kind, message):
    with pytest.raises(kind, match=message):
        cs.protocols.masking(model, data, **{"soas": [1], **change})


def test_lesions_refuse_what_names_no_connection_cut_or_time(model, data):
    of_one = {"until": 3, "calibrate_on": data}
    with pytest.raises(TypeError, match="gain must map transitions"):
        cs.protocols.lesion(model, data, gain=np.ones(3), **of_one)
    with pytest.raises(TypeError, match="connections must be a list of values"):
        cs.protocols.each_lesion(model, data, "V2->V1", **of_one)
    with pytest.raises(TypeError, match="cuts must map names to what is silenced"):
        cs.protocols.lesion_decoding(model, data, ["V2->V1"], state="IT", **of_one)
    cut = {"feedback": {"V2->V1": None}}
    with pytest.raises(ValueError, match="a time must be a whole number, at least 0"):
        cs.protocols.lesion_decoding(model, data, cut, state="IT", times=[0.5], **of_one)
    with pytest.raises(ValueError, match="until must be a whole number of steps"):
        cs.protocols.lesion_decoding(model, data, cut, state="IT", **of_one | {"until": 1.5})


def test_degraded_images_must_be_images(model):
    with pytest.raises(ValueError, match=r"images must have shape \(stimulus, 3, height, width\)"):
        cs.protocols.noise(model, np.array(2))


def _never(fraction, message):
    raise AssertionError(message)


def test_lesions_check_all_images_before_anything_runs(model, data):
    for images in (np.array(2), np.empty(0)):
        with pytest.raises(ValueError, match=r"images must have shape \(stimulus, 3, height, width\)"):
            cs.protocols.each_lesion(model, data, ["V2->V1"], until=3, calibrate_on=images, report=_never)


def test_a_stream_without_end_is_refused_at_once(model, data):
    with pytest.raises(ValueError, match="n_frames must be at most 10,000"):
        cs.protocols.rapid_sequence(model, data, n_frames=10**12)


CUT = {"silence": {"V2->V1": None}, "until": 4}


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (np.arange(N) % 3 - 1, "label must be 0 to 2 for a model of 3 classes, got -1 to 1"),
        (np.arange(N) % 3 + 5, "label must be 0 to 2"),
        (np.arange(N) % 3 + 0.5, "got numbers such as 0.5"),
        (np.where(np.arange(N) == 2, np.nan, 1.0), "label is missing"),
        (np.array(list("abcabc")), "got text such as 'a', and no class names"),
        (np.eye(3)[np.arange(N) % 3], "one class number for each stimulus, but 'label' has the dimensions"),
    ],
)
def test_labels_that_are_no_classes_are_refused_before_any_run(model, data, label, message):
    dims = ("stimulus", "column")[: label.ndim]
    odd = data.drop_vars("label").assign_coords(label=(dims, label))
    for call in (
        lambda: cs.protocols.lesion(model, odd, calibrate_on=odd, report=_never, **CUT),
        lambda: cs.protocols.each_lesion(model, odd, ["V2->V1"], until=4, calibrate_on=odd, report=_never),
        lambda: cs.protocols.masking(model, odd, soas=[1], report=_never),
        lambda: cs.protocols.occlusion(model, odd, factor="size", report=_never),
        lambda: cs.protocols.rapid_sequence(model, odd, n_frames=2, report=_never),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_whole_numbers_as_floats_are_classes_for_a_lesion(model, data):
    floats = data.assign_coords(label=data["label"].astype(float))
    found, wanted = (cs.protocols.lesion(model, one, calibrate_on=data, **CUT) for one in (floats, data))
    np.testing.assert_array_equal(found["accuracy"], wanted["accuracy"])
    np.testing.assert_array_equal(found["log_odds_change"], wanted["log_odds_change"])


def test_an_effect_is_over_all_stimuli_although_their_names_are_the_same(model, data):
    same = data.assign_coords(stimulus=np.zeros(N, int), target=("stimulus", np.zeros(N, int)))
    found, wanted = (cs.protocols.lesion(model, one, calibrate_on=data, **CUT) for one in (same, data))
    assert found.attrs["n"] == wanted.attrs["n"] == N
    np.testing.assert_array_equal(found["accuracy_difference_low"], wanted["accuracy_difference_low"])


def test_an_effect_on_labels_that_are_no_classes_is_refused(model, data):
    odd = data.assign_coords(label=data["label"] - 1)
    intact, cut = (cs.simulate(model, odd, until=4, silence=one) for one in (None, CUT["silence"]))
    with pytest.raises(ValueError, match=r"the labels \[-1\] are not among the classes of the readout"):
        cs.analyse.effect(cut, intact)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("n", lambda m, d: cs.protocols.occlusion(m, d, factor="size")),
        ("version", lambda m, d: cs.protocols.each_lesion(m, d, ["V2->V1"], until=3, calibrate_on=d)),
        ("accuracy", lambda m, d: cs.protocols.lesion(m, d, calibrate_on=d, **CUT)),
        ("lag", lambda m, d: cs.protocols.rapid_sequence(m, d, n_frames=2)),
    ],
)
def test_coordinates_with_names_of_the_result_are_refused(model, data, name, call):
    with pytest.raises(ValueError, match=rf"the data's coordinates \['{name}'\] have names that the protocol uses"):
        call(model, data.assign_coords({name: ("stimulus", np.arange(N))}))


def test_movies_are_refused_where_single_images_are_shown(model, data):
    with pytest.raises(ValueError, match="this protocol shows single images, but the data are movies"):
        cs.protocols.masking(model, data.expand_dims(frame=2), soas=[1])


def test_decoding_needs_labelled_images(model, data):
    for images in (data["image"].values, data["image"], data.drop_vars("label")):
        with pytest.raises(ValueError, match="the data must be a Dataset with the coordinate 'label'"):
            cs.protocols.lesion_decoding(model, images, {"a": CUT["silence"]}, state="IT", until=3, calibrate_on=data)


@pytest.mark.parametrize("name", ["masking", "contrast", "noise", "occlusion", "flash_duration"])
def test_an_argument_that_a_protocol_lacks_is_refused_in_its_own_words(name, model, data):
    with pytest.raises(TypeError, match=f"unknown argument of {name} 'until'.*'readout_time'"):
        getattr(cs.protocols, name)(model, data, until=4)
