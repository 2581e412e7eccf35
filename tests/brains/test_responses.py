"""Assemblies of the field's archives: repetitions are averaged by the stimulus's name, baselines are subtracted."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs

NAMES = ["b", "a", "c", "a", "b", "c", "a", "d"]
N_UNITS, N_BINS = 6, 4


@pytest.fixture
def assembly():
    values = np.random.default_rng(0).random((N_UNITS, len(NAMES), N_BINS))
    return xr.DataArray(
        values,
        {
            "stimulus_id": ("presentation", NAMES),
            "repetition": ("presentation", [0, 0, 0, 1, 1, 1, 2, 0]),
            "region": ("neuroid", ["V4", "IT", "IT", "IT", "V4", "IT"]),
            "time_bin_start": ("time_bin", [-50, 0, 50, 100], {"units": "ms"}),
            "time_bin_end": ("time_bin", [0, 50, 100, 150], {"units": "ms"}),
        },
        ("neuroid", "presentation", "time_bin"),
        "spikes",
    )


@pytest.fixture
def path(assembly, tmp_path):
    assembly.to_dataset().to_netcdf(tmp_path / "it.nc", engine="h5netcdf")
    return tmp_path / "it.nc"


def test_presentations_are_averaged_by_the_name_of_the_stimulus(path, assembly):
    found = cs.brains.responses(path)
    assert found.dims == ("stimulus", "time", "unit")
    assert found["stimulus_name"].values.tolist() == ["a", "b", "c", "d"]
    assert found["n_presentations"].values.tolist() == [3, 2, 2, 1]
    assert found["time"].values.tolist() == [-25, 25, 75, 125]
    assert found["time"].attrs["units"] == "ms"
    for name, one in zip("abcd", found.values, strict=True):
        which = [place for place, each in enumerate(NAMES) if each == name]
        np.testing.assert_allclose(one, assembly.values[:, which].mean(1).T)


def test_regions_are_selected(path, assembly):
    found = cs.brains.responses(path, select={"region": "IT", "repetition": [0, 1]})
    assert found["region"].values.tolist() == ["IT"] * 4
    assert found["n_presentations"].values.tolist() == [2, 2, 2, 1]
    with pytest.raises(ValueError, match=r"unknown region 'V2'.*V4"):
        cs.brains.responses(path, select={"region": "V2"})
    with pytest.raises(ValueError, match=r"unknown coordinate 'area'.*region"):
        cs.brains.responses(path, select={"area": "IT"})
    # a value that does not occur is not dropped, and a text is no number
    with pytest.raises(ValueError, match=r"unknown region 'V2'"):
        cs.brains.responses(path, select={"region": ["IT", "V2"]})
    for wrong in ("1", slice(0, 1), {"a": 1}):
        with pytest.raises((TypeError, ValueError), match=r"unknown repetition|select\['repetition'\] must be a list"):
            cs.brains.responses(path, select={"repetition": wrong})
    for given in (np.array(1), xr.DataArray([1]), {1}):
        assert cs.brains.responses(path, select={"repetition": given}).sizes["stimulus"] == 3


def test_names_and_selections_are_checked_before_a_file_is_read(tmp_path):
    for wrong, message in (
        ({"variable": ["a"]}, r"variable must be text, got \['a'\]"),
        ({"stimulus": 3}, "stimulus must be text, got 3"),
        ({"select": "IT"}, "select must be a mapping, got 'IT'"),
        ({"baseline": (2, 1)}, r"baseline must be a pair \(lowest, highest\)"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            cs.brains.responses(tmp_path / "nowhere.nc", **wrong)


def test_the_baseline_of_each_presentation_is_subtracted(path, assembly):
    found, plain = cs.brains.responses(path, baseline=(-50, 0)), cs.brains.responses(path)
    np.testing.assert_allclose(found, plain - plain.isel(time=0, drop=True))
    with pytest.raises(ValueError, match="no time bin has its centre from 200 to 300"):
        cs.brains.responses(path, baseline=(200, 300))


def test_missing_responses_are_left_out_of_a_mean(assembly, tmp_path):
    assembly[0, 1], assembly[2, 7] = np.nan, np.nan
    assembly.to_dataset().to_netcdf(tmp_path / "it.nc", engine="h5netcdf")
    found = cs.brains.responses(tmp_path / "it.nc")
    np.testing.assert_allclose(found.values[0, :, 0], assembly.values[0, [3, 6]].mean(0))
    assert np.isnan(found.values[3, :, 2]).all()
    assert int(found.isnull().sum()) == N_BINS


def test_the_matrices_are_compared_with_a_model_by_name(path):
    brain = cs.analyse.rdm(cs.brains.responses(path))
    generator = np.random.default_rng(1)
    model = brain.isel(time=2, drop=True).isel(stimulus=[2, 0, 3, 1], other_stimulus=[2, 0, 3, 1])
    noise = generator.random((4, 4)) * 1e-6
    found = cs.analyse.compare_rdms(model + (noise + noise.T) * (1 - np.eye(4)), brain, n_bootstrap=0)
    assert float(found.isel(reference_time=2)) == pytest.approx(1.0)
    assert found["reference_time"].values.tolist() == [-25, 25, 75, 125]


def test_a_file_without_an_assembly_or_names_is_refused(assembly, tmp_path):
    plain = assembly.drop_vars("stimulus_id").to_dataset()
    plain.to_netcdf(tmp_path / "unnamed.nc", engine="h5netcdf")
    with pytest.raises(
        ValueError, match=r"stimulus= must name the stimuli of the presentations, one of \['repetition'\]"
    ):
        cs.brains.responses(tmp_path / "unnamed.nc")
    assert cs.brains.responses(tmp_path / "unnamed.nc", stimulus="repetition").sizes["stimulus"] == 3
    assembly.rename(neuroid="electrode").to_dataset().to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"must have the dimensions presentation and neuroid"):
        cs.brains.responses(tmp_path / "other.nc")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        cs.brains.responses(tmp_path / "none.nc")
