"""Published numbers: what is there, how exact it says it is, and correction for chance."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.brains import human

EXACTNESS = {"computed from the authors' trials", "recalled", "quoted"}


def test_every_number_has_a_citation_and_an_exactness():
    table = human.table()
    assert set(table["exactness"].values) == EXACTNESS
    assert all(len(citation) > 40 for citation in table["citation"].values)
    assert set(table["study"].values) == set(human.studies())


def test_every_number_of_the_table_is_found_by_its_study():
    table = human.table()
    for study in human.studies():
        array = human.numbers(study)
        rows = table.isel(row=table["study"].values == study)
        # nothing lost, nothing doubled
        assert array.size == rows.sizes["row"], study
        assert np.isnan(array.values).sum() == np.isnan(rows["value"].values).sum()
        np.testing.assert_allclose(np.nansum(array.values), np.nansum(rows["value"].values))
        assert array.attrs["exactness"] in EXACTNESS
        assert (np.isfinite(array.values) | np.isfinite(array["low"].values)).all()


def test_masked_and_unmasked_accuracy_of_humans_against_soa():
    tang = human.numbers("tang-2018")
    assert tang.dims == ("mask", "soa_ms")
    assert tang.sel(mask="mask", soa_ms=50).item() == 0.45
    assert tang.sel(mask="none").values.tolist() == [0.57, 0.65, 0.72, 0.73, 0.74]
    assert (tang.attrs["chance"], tang.attrs["n"]) == (0.2, 21)
    assert tang["soa_ms"].attrs["units"] == "ms"


def test_latencies_are_recalled_and_include_no_it():
    latency = human.numbers("schmolesky-1998")
    assert latency.attrs["exactness"] == "recalled"
    assert latency["area"].values.tolist() == ["LGN M", "LGN P", "V1", "V2", "V4"]
    assert (latency.sel(area="V1").item(), float(latency["high"].sel(area="V1"))) == (66, 77)


def test_a_range_is_not_turned_into_a_number():
    firing = human.numbers("rolls-1994")
    assert np.isnan(firing.values).all()
    assert firing["low"].values.tolist() == [200, 20]
    assert firing.attrs["interval"] == "the range; nothing else is known"


def test_forced_responses_say_that_they_have_an_axis_of_their_own():
    assert "never laid on model time" in human.numbers("kumbhar-2020").attrs["note"]


def test_chance_becomes_0_and_perfect_stays_1():
    ends = {"low": ("soa", [0.1, 0.9]), "high": ("soa", [0.3, 1.0])}
    accuracy = xr.DataArray([0.2, 1.0], {"soa": [1, 2], **ends}, ["soa"], attrs={"chance": 0.2})
    corrected = human.chance_corrected(accuracy)
    np.testing.assert_allclose(corrected.values, [0, 1])
    np.testing.assert_allclose(corrected["low"].values, [-0.125, 0.875])
    assert (corrected.attrs["chance"], corrected.attrs["corrected_for_chance"]) == (0.0, 0.2)


def test_accuracy_is_corrected_once():
    with pytest.raises(ValueError, match="already corrected for chance"):
        human.chance_corrected(human.chance_corrected(human.numbers("tang-2018")))


def test_accuracy_without_a_known_chance_level_is_not_corrected():
    with pytest.raises(ValueError, match="chance level is not known: pass chance="):
        human.chance_corrected(xr.DataArray([0.5]))


def test_a_chance_level_of_1_is_refused():
    with pytest.raises(ValueError, match=r"chance must be in \[0, 1\), got 1"):
        human.chance_corrected(xr.DataArray([0.5]), chance=1)


def test_an_unknown_study_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown study 'tang-2019'.*did you mean 'tang-2018'"):
        cs.human.numbers("tang-2019")


@pytest.mark.parametrize("chance", ["0.5", True, float("nan"), [0.5]])
def test_a_chance_level_that_is_no_number_is_refused(chance):
    for call in (
        lambda: human.chance_corrected(xr.DataArray([0.5]), chance=chance),
        lambda: human.chance_corrected(xr.DataArray([0.5], attrs={"chance": chance})),
    ):
        with pytest.raises(ValueError, match="chance must be a finite number, got"):
            call()


def test_only_fractions_are_corrected_for_chance():
    with pytest.raises(TypeError, match=r"an accuracy must be a DataArray, got 0\.5"):
        human.chance_corrected(0.5, chance=0.5)
    with pytest.raises(ValueError, match="must be fractions from 0 to 1, got 75; divide percentages by 100"):
        human.chance_corrected(xr.DataArray([75.0, 0.5]), chance=0.5)
    with pytest.raises(ValueError, match="an accuracy must be numbers, got the dtype <U3"):
        human.chance_corrected(xr.DataArray(["0.5"]), chance=0.5)
