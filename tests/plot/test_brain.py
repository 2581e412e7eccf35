"""A model compared with a brain: both baselines are always drawn."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import brain

from .conftest import TIME


@pytest.fixture
def similarity():
    values = np.arange(2 * 2 * 5, dtype=float).reshape(2, 2, 5) / 20
    values[:, 1, :2] = np.nan
    dims = ["model", "state", "time"]
    array = xr.DataArray(values, {"model": ["trained", "untrained"], "state": ["V1", "IT"], "time": TIME}, dims)
    array.attrs = {"long_name": "spearman correlation with the brain", "n_subjects": 4, "n": 92}
    array = array.assign_coords(low=(dims, values - 0.1), high=(dims, values + 0.1))
    return array.assign_coords(pixels=0.2, pixels_low=0.1, pixels_high=0.3, ceiling_low=0.5, ceiling_high=0.6)


def traces(figure, name):
    return list(figure.select_traces({"name": name}))


def test_a_panel_for_each_state_with_both_models_and_the_pixels(similarity):
    figure = brain(similarity)
    for name, place in (("trained", 0), ("untrained", 1)):
        for state, line in enumerate(traces(figure, name)):
            np.testing.assert_array_equal(line.y, similarity.values[place, state])
    assert [line.y for line in traces(figure, "pixels")] == [(0.2, 0.2)] * 2
    assert set(traces(figure, "pixels interval")[0].y) == {0.1, 0.3, None}
    assert set(traces(figure, "noise ceiling")[1].y) == {0.5, 0.6, None}


def test_a_single_matrix_is_said_to_have_no_ceiling(similarity):
    single = similarity.drop_vars(["ceiling_low", "ceiling_high"]).assign_attrs(n_subjects=1)
    figure = brain(single)
    assert not traces(figure, "noise ceiling")
    assert "a single matrix has no noise ceiling" in figure.layout.title.subtitle.text


def test_brain_time_makes_maps_with_the_pixels_as_a_column(similarity, milliseconds):
    values = np.stack([similarity.values, similarity.values + 0.1], -1)
    coordinates = {name: similarity[name] for name in ("model", "state", "time")}
    coordinates |= {"brain_time": ("brain_time", [80, 100], {"long_name": "brain time", "units": "ms"})}
    coordinates["pixels"] = ("brain_time", [0.1, 0.2])
    maps = xr.DataArray(values, coordinates, ["model", "state", "time", "brain_time"])
    figure = brain(maps, milliseconds=milliseconds)
    # a column in each row of maps, which has their axis of brain time
    assert [[row[0] for row in pixels.z] for pixels in traces(figure, "pixels")] == [[0.1, 0.2]] * 2
    (heat_map,) = traces(figure, "IT, untrained")
    assert heat_map.z[1][:2].tolist() == [None, None]
    assert heat_map.z[1][4] == pytest.approx(1.05)
    assert figure.layout.yaxis.title.text == "brain time (ms)"
    assert "model time (ms) = 66 + 25 t, assumed" in {axis.title.text for axis in figure.select_xaxes()}


def test_maps_fade_what_includes_0_and_their_colours_reach_to_the_noise_ceiling(similarity):
    values = np.stack([similarity.values, similarity.values - 0.3], -1)
    dims = ["model", "state", "time", "brain_time"]
    coordinates = {name: similarity[name] for name in ("model", "state", "time")} | {"brain_time": [80, 100]}
    for name, low, high in (("pixels", -0.1, 0.3), ("ceiling", 0.5, 0.6)):
        coordinates |= {f"{name}_low": ("brain_time", [low] * 2), f"{name}_high": ("brain_time", [high] * 2)}
    coordinates |= {"pixels": ("brain_time", [0.1, 0.1]), "low": (dims, values - 0.1), "high": (dims, values + 0.1)}
    maps = xr.DataArray(values, coordinates, dims, attrs=similarity.attrs)
    figure = brain(maps)
    assert figure.layout.coloraxis.cmax == 0.6
    clear, faded = (traces(figure, name)[0] for name in ("V1, trained", "V1, trained, faded"))
    assert clear.z[0].tolist() == [None, None, None, 0.15, 0.2]
    np.testing.assert_allclose(faded.z[0][:3].astype(float), [0, 0.05, 0.1])
    assert faded.opacity < 0.5
    assert "V1" in faded.hovertext[0][0]
    assert "(-0.1 to 0.1)" in faded.hovertext[0][0]
    assert [row[0] for row in traces(figure, "pixels, faded")[0].z] == [0.1, 0.1]
    np.testing.assert_allclose([row[0] for row in traces(figure, "ceiling")[0].z], 0.55)
    assert "faded: the interval includes 0" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_small_agreements_without_a_ceiling_do_not_fill_the_colours(similarity):
    values = np.stack([similarity.values] * 2, -1) * 0.03
    coordinates = {name: similarity[name] for name in ("model", "state", "time")} | {"brain_time": [80, 100]}
    maps = xr.DataArray(
        values, coordinates | {"pixels": ("brain_time", [0, 0])}, ["model", "state", "time", "brain_time"]
    )
    assert brain(maps).layout.coloraxis.cmax == 0.1


def test_milliseconds_are_stated(similarity, milliseconds):
    assert brain(similarity, milliseconds=milliseconds).layout.xaxis.title.text == "time (ms) = 66 + 25 t, assumed"


def test_a_comparison_without_its_baselines_is_not_drawn(similarity):
    for bare in (similarity.drop_vars("pixels"), similarity.sel(model=["trained"])):
        with pytest.raises(ValueError, match="needs both baselines: the coordinate 'pixels' and the model 'untrained'"):
            brain(bare)


def test_other_dimensions_are_refused(similarity):
    with pytest.raises(ValueError, match=r"must be \(model, state, time.*got \(state, time\)"):
        brain(similarity.isel(model=0))


def test_maps_can_show_the_difference_from_a_baseline(similarity):
    values = np.stack([similarity.values, similarity.values + 0.1], -1)
    coordinates = {name: similarity[name] for name in ("model", "state", "time")}
    coordinates |= {"brain_time": ("brain_time", [80, 100], {"long_name": "brain time", "units": "ms"})}
    coordinates["pixels"] = ("brain_time", [0.1, 0.25])
    maps = xr.DataArray(values, coordinates, ["model", "state", "time", "brain_time"], attrs=similarity.attrs)
    for minus, expected in (("pixels", values[0, 1, 4] - [0.1, 0.25]), ("untrained", [-0.5, -0.5])):
        figure = brain(maps, minus=minus)
        (heat_map,) = traces(figure, f"IT, trained - {minus}")
        np.testing.assert_allclose([row[4] for row in heat_map.z], expected)
        assert not traces(figure, "IT, untrained")
        assert f"minus {minus}" in figure.layout.title.text
    with pytest.raises(ValueError, match=r"minus.*'mean'.*pixels"):
        brain(maps, minus="mean")
    with pytest.raises(ValueError, match="for maps of model and brain time"):
        brain(similarity, minus="pixels")
