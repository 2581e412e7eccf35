"""A result: mean and interval over seeds, and files that are missing, damaged or foreign."""

import pytest
import xarray as xr

from cortexsim._support.netcdf import save_dataset
from cortexsim.paper.experiments import open_result, over_seeds
from cortexsim.paper.experiments.result import combined


def errors(*by_seed):
    return xr.DataArray(list(by_seed), dims="seed", attrs={"n": 100, "units": "1"})


def test_one_seed_has_the_wilson_interval_of_its_stimuli():
    one = over_seeds(errors(0.1))
    assert one["low"].item() == pytest.approx(0.0552, abs=1e-4)
    assert one["high"].item() == pytest.approx(0.1744, abs=1e-4)
    assert one.attrs["interval"] == "95 % Wilson interval over 100 stimuli, one seed"


def test_several_seeds_have_their_lowest_and_highest():
    several = over_seeds(errors(0.1, 0.4, 0.25))
    assert several.item() == pytest.approx(0.25)
    assert (several["low"].item(), several["high"].item()) == (0.1, 0.4)
    assert several.attrs["interval"] == "lowest to highest over 3 seeds"


def test_one_seed_that_is_left_of_several_has_no_interval():
    left = over_seeds(errors(0.1, float("nan")))
    assert left.item() == 0.1
    assert (bool(left["low"].isnull()), bool(left["high"].isnull())) == (True, True)


def test_parts_stand_in_the_order_of_the_plan_and_lack_what_they_lack():
    parts = {("b", 0): xr.Dataset({"x": 1.0}), ("a", 0): xr.Dataset({"y": 2.0})}
    whole = combined(parts)
    assert whole["model"].values.tolist() == ["b", "a"]
    assert whole["x"].sel(model="b").item() == 1.0
    assert whole["x"].sel(model="a").isnull().all()


def test_a_missing_result_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no result at .*; to finish a run that was stopped, use"):
        open_result(tmp_path)


def test_a_damaged_result_is_reported(tmp_path):
    (tmp_path / "result.nc").write_text("no netCDF")
    with pytest.raises(ValueError, match=r"is damaged .*run the experiment again"):
        open_result(tmp_path)


def test_another_netcdf_is_no_result(tmp_path):
    save_dataset(xr.Dataset({"x": 1.0}), tmp_path / "other.nc")
    with pytest.raises(ValueError, match="is not the result of an experiment: it lacks the attribute 'experiment'"):
        open_result(tmp_path / "other.nc")
