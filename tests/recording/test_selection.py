"""Recording less of a state gives what reducing the whole recording gives, in memory and on disk."""

import json

import numpy as np
import pandas as pd
import psutil
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.recording.description import settings
from cortexsim.recording.selection import as_record, selections
from cortexsim.recording.stream import Stream

LESS = {"V1": "spatial_mean", "V2": "all", "IT": [5, (3, 1, 0)]}
SHOWS = {"flash": cs.flash(1), "mixture": cs.mixture(cs.flash(1), cs.masked(1, 2, mask_duration=1))}


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in path.rglob("*") if file.is_file()}


@pytest.mark.parametrize("quantity", ["state", "rate"])
def test_reducing_while_recording_equals_reducing_afterwards(calibrated, pictures, quantity):
    call = {"until": 4, "dtype": "float64", "quantity": quantity}
    whole = cs.simulate(calibrated, pictures, **call)
    less = cs.simulate(calibrated, pictures, **call, record=LESS)
    assert list(less.children) == list(whole.children)
    mean = whole["V1"]["activation"].mean(("y", "x"), skipna=False)
    xr.testing.assert_allclose(less["V1"]["activation"], mean, rtol=1e-12)
    xr.testing.assert_identical(less["V2"].to_dataset(), whole["V2"].to_dataset())
    flat = whole["IT"]["activation"].values.reshape(6, 5, -1)
    np.testing.assert_array_equal(less["IT"]["activation"].values, flat[:, :, [5, 3 * 4 + 2]])
    xr.testing.assert_identical(less["readout"].to_dataset(), whole["readout"].to_dataset())


def test_what_is_reduced_has_fewer_dimensions_and_says_so(calibrated, pictures):
    less = cs.simulate(calibrated, pictures, until=3, record=LESS)
    assert less["V1"]["activation"].dims == ("stimulus", "time", "channel")
    assert less["V1"]["activation"].attrs["long_name"] == "spatial mean of the activation of V1"
    units = less["IT"]["activation"]
    assert units.dims == ("stimulus", "time", "unit")
    assert units["unit"].values.tolist() == [5, 14]
    assert [units[name].values.tolist() for name in ("channel", "y", "x")] == [[1, 3], [0, 1], [1, 0]]
    assert "h of V1 (its spatial mean), V2, IT (2 units), and the readout" in cs.summary(less)


def test_the_stimuli_of_a_mixture_are_reduced_each_when_it_is_populated(small_model, pictures):
    call = {"until": 4, "dtype": "float64", "seed": 1}
    whole = cs.simulate(small_model.double(), pictures, SHOWS["mixture"], **call)
    less = cs.simulate(small_model, pictures, SHOWS["mixture"], **call, record={"IT": "spatial_mean"})
    assert np.isnan(less["IT"]["activation"].values[:, 4]).any()
    mean = whole["IT"]["activation"].mean(("y", "x"), skipna=False)
    xr.testing.assert_allclose(less["IT"]["activation"], mean, rtol=1e-12)


def test_sums_that_float16_cannot_hold_are_added_up_before_it_is_converted(calibrated, pictures):
    model = cs.Cortex(calibrated.graph, 3, 5, normalization="none", input_gain=1e4).double()
    kept = cs.simulate(model, pictures, until=1, record={"V1": "spatial_mean"}, dtype="float16", batch_size=6)
    wanted = model.pre_net(pictures).mean((2, 3)).detach().numpy()
    assert np.abs(wanted).max() > 1000
    np.testing.assert_allclose(kept["V1"]["activation"].values[:, 0], wanted, rtol=1e-3)


# --- on disk -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".zarr", ".nc"])
def test_on_disk_it_is_what_it_is_in_memory(small_model, shown_images, tmp_path, suffix):
    in_memory = cs.simulate(small_model, shown_images, until=4, record=LESS)
    with cs.simulate(small_model, shown_images, until=4, record=LESS, to=tmp_path / f"a{suffix}") as opened:
        xr.testing.assert_equal(opened.load(), in_memory)
        assert settings(opened)["record"] == json.loads(json.dumps(LESS | {"IT": [5, 14]}))


def test_a_stopped_run_resumes_to_the_same_bytes(small_model, shown_images, tmp_path, monkeypatch):
    call = {"until": 4, "batch_size": 2, "record": LESS}
    cs.simulate(small_model, shown_images, **call, to=tmp_path / "whole.zarr").close()
    whole, run = Stream.write, []

    def stopping(self, batch, arrays):
        if run:
            raise KeyboardInterrupt
        run.append(batch)
        whole(self, batch, arrays)

    monkeypatch.setattr(Stream, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        cs.simulate(small_model, shown_images, **call, to=tmp_path / "a.zarr")
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match=r"the recording at .* differs in \['record'\]"):
        cs.simulate(small_model, shown_images, **call | {"record": None}, to=tmp_path / "a.zarr", resume=True)
    cs.simulate(small_model, shown_images, **call, to=tmp_path / "a.zarr", resume=True).close()
    assert contents(tmp_path / "a.zarr") == contents(tmp_path / "whole.zarr")


def test_what_has_no_place_in_space_is_one_chunk_over_time(small_model, shown_images, tmp_path):
    import zarr

    cs.simulate(small_model, shown_images, until=4, record=LESS, batch_size=2, to=tmp_path / "a.zarr").close()
    root = zarr.open_group(tmp_path / "a.zarr", mode="r")
    names = ("V1/activation", "V2/activation", "IT/activation", "readout/logits")
    assert [root[name].chunks for name in names] == [(2, 5, 4), (2, 1, 4, 4, 4), (2, 5, 2), (2, 5, 3)]


def test_less_takes_less_memory(small_model, shown_images, monkeypatch):
    assert cs.estimate(small_model, 100, until=4, record=LESS) == 100 * 5 * (4 + 64 + 2 + 3) * 4
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 3000})())
    with pytest.raises(MemoryError, match=r"of V1, V2, IT takes .* or less of each \(record="):
        cs.simulate(small_model, shown_images, until=4)
    cs.simulate(small_model, shown_images, until=4, record={"V1": "spatial_mean", "IT": [0]})


# --- what reads it -------------------------------------------------------------------------------------------------

ANALYSES = {
    "decode": lambda node: cs.analyse.decode(node, cv=3),
    "temporal_generalization": lambda node: cs.analyse.temporal_generalization(node, cv=3),
    "rdm": cs.analyse.rdm,
    "cka": cs.analyse.cka,
    "trajectory": cs.analyse.trajectory,
    "dimensionality": cs.analyse.dimensionality,
    "settling": cs.analyse.settling,
    "selectivity": cs.analyse.selectivity,
}


@pytest.fixture(scope="module")
def two() -> xr.DataTree:
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=4), 3, readout_time=4, normalization="none")
    images = torch.rand((24, 3, 4, 4), generator=torch.Generator().manual_seed(1))
    record = {"V1": "spatial_mean", "IT": [0, 3, 9]}
    return cs.simulate(model, images, cs.sustained(), until=3, record=record, labels=[0, 1, 2] * 8)


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("state", ["V1", "IT"])
def test_every_analysis_takes_what_is_left(two, name, state):
    result = ANALYSES[name](two[state])
    assert "time" in result.coords or "train_time" in result.coords
    if name == "selectivity":
        assert result.sizes == {"time": 4, **({"channel": 4} if state == "V1" else {"unit": 3})}


def test_the_effect_of_a_lesion_can_be_measured_on_what_is_left(calibrated, pictures):
    call = {"until": 4, "record": LESS, "labels": [0, 1, 2, 0, 1, 2], "dtype": "float64"}
    intact = cs.simulate(calibrated, pictures, **call)
    cut = cs.simulate(calibrated, pictures, **call, silence={"V2->V1": None})
    found = cs.analyse.effect(cut, intact)["distance"].sel(state="V1", time=4)
    wide = [one["V1"]["activation"].sel(time=4).values for one in (cut, intact)]
    lengths = np.linalg.norm(wide[0] - wide[1], axis=1) / np.linalg.norm(wide[1], axis=1)
    assert float(found) == pytest.approx(lengths.mean())
    other = cs.simulate(calibrated, pictures, **call | {"record": None})
    with pytest.raises(ValueError, match=r"contain different selections of \['V1', 'IT'\]"):
        cs.analyse.effect(cut, other)


def test_a_map_of_what_has_no_place_in_space_is_refused(two):
    with pytest.raises(ValueError, match=r"V1 was recorded without y and x \(only time, channel\)"):
        cs.plot.activity(two, stimulus=0, time=1)


# --- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "kind", "message"),
    [
        ({"MT": "all"}, ValueError, r"cannot record \['MT'\]: the states are \['V1', 'V2', 'IT'\]"),
        ({"V1": "spatial-mean"}, ValueError, "unknown part of V1 'spatial-mean'.*did you mean 'spatial_mean'"),
        ({"V1": 3}, TypeError, "what is recorded of V1 must be 'all' or 'spatial_mean', or at least one unit"),
        ({"V1": []}, TypeError, "or at least one unit"),
        ({"V1": [0.5]}, TypeError, r"a unit of V1 is its number, or \(channel, y, x\), got 0.5"),
        ({"V1": [(0, 1)]}, TypeError, r"a unit of V1 is its number, or \(channel, y, x\), got \(0, 1\)"),
        ({"V1": [256]}, ValueError, r"V1 has no unit 256: its units are 0 to 255, or \(channel, y, x\) within"),
        ({"V1": [-1]}, ValueError, "V1 has no unit -1"),
        ({"V1": [(4, 0, 0)]}, ValueError, r"V1 has no unit \(4, 0, 0\)"),
        ({"V1": [9, (0, 1, 1)]}, ValueError, r"units \[9\] of V1 are named twice"),
        ("V1", TypeError, r"record must be a sequence of states, such as \['V1'\]"),
    ],
)
def test_what_cannot_be_recorded_is_refused(calibrated, record, kind, message):
    with pytest.raises(kind, match=message):
        selections(calibrated.graph, record)


def test_its_description_makes_the_same(calibrated):
    graph = calibrated.graph
    assert selections(graph, as_record(selections(graph, LESS))) == selections(graph, LESS)
    assert as_record(selections(graph, {"IT": "all", "V1": "all"})) == ["V1", "IT"]


@pytest.mark.parametrize("record", [3, 1j, torch.tensor(2)])
def test_what_is_no_sequence_of_states_is_refused(record):
    with pytest.raises(TypeError, match="record must be a sequence of states, or a mapping of states to parts, got"):
        selections(cs.adjacent({"V1": 4, "IT": 4}, size=8), record)


@pytest.mark.parametrize("unit", [np.array(3), np.int64(3), torch.tensor(3)])
def test_a_unit_is_a_number_of_any_kind(small_model, shown_images, unit):
    found, wanted = (
        cs.simulate(small_model, shown_images, until=2, record={"V1": [one]})["V1"]["activation"] for one in (unit, 3)
    )
    xr.testing.assert_identical(found, wanted)


@pytest.mark.parametrize("unit", [b"3", pd.Series([3, 1])])
def test_a_unit_that_is_no_number_is_refused_in_one_line(small_model, shown_images, unit):
    with pytest.raises(TypeError, match=r"a unit of V1 is its number, or \(channel, y, x\), got") as caught:
        cs.simulate(small_model, shown_images, until=2, record={"V1": [unit]})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "units", [xr.DataArray([3, 1]), pd.Series([3, 1], index=[1, 0]), torch.tensor([[0, 0, 3], [0, 0, 1]])]
)
def test_units_of_any_library_are_recorded_in_their_order(small_model, units):
    assert selections(small_model.graph, {"V1": units})["V1"].part == (3, 1)


@pytest.mark.parametrize("units", [{3, 1}, {3: 1}, pd.DataFrame({"unit": [3]})])
def test_units_without_an_order_are_refused(small_model, units):
    with pytest.raises(TypeError, match=r"a unit of V1|what is recorded of V1"):
        selections(small_model.graph, {"V1": units})
