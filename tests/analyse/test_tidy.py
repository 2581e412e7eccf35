"""A table for other programs: a row for each trial, a column for each coordinate."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import cortexsim as cs

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "tables.md"


@pytest.fixture(scope="module")
def images():
    return cs.datasets.contours(12, size=16, length=(6, 8), part="test")


@pytest.fixture(scope="module")
def recording(images):
    model = cs.Cortex(cs.adjacent({"V1": 2, "IT": 3}, size=16), n_classes=2, readout_time=3)
    cs.calibrate(model, images, cs.sustained(), until=3)
    return cs.simulate(model, images, cs.sustained(), until=3, record=[])


def test_a_trial_is_a_row_and_a_coordinate_a_column(recording, images):
    table = cs.tidy(recording)
    assert len(table) == 12
    assert table["trial"].tolist() == list(range(12))
    assert {"label", "dot_distance", "stimulus", "presentation", "seed"} <= {*table.columns}
    np.testing.assert_array_equal(table["dot_distance"], images["dot_distance"])
    assert not any(isinstance(value, list | dict | np.ndarray) for value in table.iloc[0])


def test_the_decision_is_that_of_the_readout(recording):
    table, logits = cs.tidy(recording), recording["readout"]["logits"].sel(time=3).values
    np.testing.assert_array_equal(table["decision"], logits.argmax(1))
    np.testing.assert_allclose(table["logit_1"], logits[:, 1])
    assert table["correct"].mean() == cs.analyse.accuracy(recording["readout"]).sel(time=3).item()
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(table["confidence"], abs(probability[:, 0] - probability[:, 1]), rtol=1e-4)


def test_every_time_is_a_row_and_an_empty_readout_a_missing_value(recording):
    table = cs.tidy(recording, every_time=True)
    n_times = recording["readout"].sizes["time"]
    assert len(table) == 12 * n_times
    assert not table.duplicated(["trial", "time"]).any()
    empty = table[table["time"] == recording["readout"]["time"].values[0]]
    if not recording["readout"]["populated"].values.reshape(-1, n_times)[0, 0]:
        assert empty[["decision", "correct", "confidence"]].isna().all(axis=None)


def test_the_table_can_be_of_another_time(recording):
    assert (cs.tidy(recording, time=2)["time"] == 2).all()


def test_recordings_by_name_are_one_table(recording):
    table = cs.tidy({"one": recording, "other": recording})
    assert len(table) == 24
    assert table["recording"].value_counts().to_dict() == {"one": 12, "other": 12}


def test_a_result_is_a_table_with_its_interval(recording):
    accuracy = cs.analyse.accuracy(recording["readout"])
    table = cs.tidy(accuracy)
    assert {"time", "accuracy", "low", "high"} <= {*table.columns}
    np.testing.assert_allclose(table["low"], accuracy["low"])
    assert len(cs.tidy(accuracy.mean())) == 1


@pytest.mark.parametrize(("name", "read"), [("t.csv", pd.read_csv), ("t.parquet", pd.read_parquet)])
def test_a_written_table_is_read_back(recording, tmp_path, name, read):
    table = cs.tidy(recording, to=tmp_path / name)
    pd.testing.assert_frame_equal(read(tmp_path / name), table, check_dtype=False, check_exact=False)


def test_a_map_has_its_stimuli_alone():
    paths = cs.datasets.paths(3, size=12, length=(3, 5), part="test")
    graph = cs.adjacent({"V1": 4}, size=12, self_transitions=True)
    model = cs.Cortex(graph, n_classes=2, readout_time=2, post_net="map", normalization="none")
    table = cs.tidy(cs.simulate(model, paths, cs.sustained(), until=2, record=[]))
    assert len(table) == 3
    assert "length" in table
    assert "decision" not in table


def test_the_columns_of_the_guide_for_r_are_in_the_table(recording):
    text = re.search(r"```r\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.S).group(1)
    named = {"correct", "recording", "dot_distance", "stimulus", "time"}
    assert all(re.search(rf"\b{name}\b", text) for name in named)
    assert named <= {*cs.tidy({"intact": recording}, every_time=True).columns}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time": 99}, "there is no time 99: the times are"),
        ({"time": 2, "every_time": True}, "pass time= or every_time=True, not both"),
        ({"to": "table.xlsx"}, r"a table is written as \.csv or \.parquet, got 'table\.xlsx'"),
    ],
)
def test_a_table_that_cannot_be_written_is_refused(recording, arguments, message):
    with pytest.raises(ValueError, match=message):
        cs.tidy(recording, **arguments)


def test_times_of_a_result_are_refused(recording):
    with pytest.raises(ValueError, match="are for recordings; select the times of a result"):
        cs.tidy(cs.analyse.accuracy(recording["readout"]), time=2)


def test_an_empty_mapping_is_refused():
    with pytest.raises(ValueError, match="there is nothing to write"):
        cs.tidy({})


def test_names_that_hide_a_column_are_refused(recording):
    one = xr.DataArray([1.0], {"recording": ["x"]}, ("recording",), "value")
    with pytest.raises(ValueError, match="'a' has such a column already"):
        cs.tidy({"a": one})


def test_an_array_of_numpy_is_refused():
    with pytest.raises(TypeError, match="a table is made of a recording, a Dataset or a DataArray, got ndarray"):
        cs.tidy(np.zeros(3))
