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


def changed(recording, change):
    """A recording whose readout is changed."""
    readout = change(recording["readout"].to_dataset())
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=recording.attrs), "/readout": readout})


def test_the_order_of_dimensions_and_times_does_not_change_the_table(recording):
    turned = changed(recording, lambda node: node.isel(time=[3, 1, 0, 2]).transpose("class", "time", "stimulus"))
    pd.testing.assert_frame_equal(cs.tidy(turned), cs.tidy(recording))


def test_labels_in_text_are_matched_by_the_names_of_the_classes(recording):
    names = recording.cortex.settings["classes"]
    named = changed(
        recording, lambda node: node.assign_coords(label=("stimulus", [names[k] for k in node["label"].values]))
    )
    assert cs.tidy(named)["correct"].tolist() == cs.tidy(recording)["correct"].tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([np.nan] + [1.0] * 11, r"label is missing \(NaN\) for 1 of 12 stimuli"),
        ([7] * 12, r"the labels \[7\] are not among the classes"),
        ([True] * 12, "got booleans"),
        (["seven"] * 12, "unknown class in labels 'seven'"),
    ],
)
def test_labels_that_are_no_classes_are_not_counted_as_wrong(recording, labels, message):
    with pytest.raises(ValueError, match=message):
        cs.tidy(changed(recording, lambda node: node.assign_coords(label=("stimulus", labels))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda node: node.isel(time=[1, 1]), "a node needs each time once"),
        (lambda node: node.isel(time=[]), "both longer than 0"),
        (lambda node: node.isel(stimulus=0), "needs the dimensions stimulus and time"),
        (lambda node: node.drop_vars("logits"), "a node needs the variable activation or logits"),
        (lambda node: node.assign_coords({"class": [1, 1]}), "the readout has each class once"),
        (
            lambda node: node.assign_coords(trial=("stimulus", [9] * 12)),
            r"the coordinates \['trial'\], which are columns",
        ),
        (lambda node: node.assign_coords(logit_0=("stimulus", [9] * 12)), r"the coordinates \['logit_0'\]"),
    ],
)
def test_a_readout_that_makes_no_table_is_refused(recording, change, message):
    with pytest.raises(ValueError, match=message):
        cs.tidy(changed(recording, change))


def test_times_and_files_are_checked_before_a_table_is_made(recording, tmp_path):
    for time in (True, [1], 1.5, np.array([1, 2])):
        with pytest.raises(ValueError, match="time must be a whole number, got"):
            cs.tidy(recording, time=time)
    assert cs.tidy(recording, time=xr.DataArray(2))["time"].tolist() == [2] * 12
    with pytest.raises(TypeError, match="to must be text or a path, got 3"):
        cs.tidy(recording, to=3)
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        cs.tidy(None, to=tmp_path / "none" / "table.csv")
    cs.tidy(recording, to=tmp_path / "TABLE.CSV")
    assert len(pd.read_csv(tmp_path / "TABLE.CSV")) == 12


def test_a_column_that_parquet_cannot_contain_is_named(tmp_path):
    mixed = xr.DataArray(np.array(["a", 1], dtype=object), dims=["row"], name="mixed")
    with pytest.raises(
        ValueError, match=r"parquet cannot contain this table .*mixed.* change the column, or write .csv"
    ):
        cs.tidy(mixed, to=tmp_path / "table.parquet")
    assert not list(tmp_path.iterdir())


def test_recordings_and_results_are_not_mixed_and_a_name_is_used_once(recording):
    accuracy = cs.analyse.accuracy(recording["readout"])
    with pytest.raises(TypeError, match="recordings, or results of analyses, but not both, got"):
        cs.tidy({"a": recording, "b": accuracy})
    with pytest.raises(ValueError, match="the array and its coordinate are both called 'time'"):
        cs.tidy(accuracy.rename("time"))
