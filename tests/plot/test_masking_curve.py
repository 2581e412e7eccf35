"""Masking curves: what is an effect, what came too late, and human accuracy next to the model."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.plot import masking_curve


def trace(figure, name):
    (found,) = figure.select_traces({"name": name})
    return found


def test_a_line_for_each_mask_and_one_without(masking):
    figure = masking_curve(masking)
    np.testing.assert_allclose(trace(figure, "itself").y[:3], [0.5, 0.6, 0.7])
    np.testing.assert_allclose(trace(figure, "no mask").y, [0.6, 0.7, 0.8, 0.9])


def test_a_mask_that_comes_too_late_is_grey_open_and_not_joined(masking):
    figure = masking_curve(masking)
    assert np.isnan(trace(figure, "noise").y).tolist() == [False, False, False, True]
    late = trace(figure, "noise, too late")
    assert np.isnan(late.y).tolist() == [True, True, True, False]
    assert late.marker.symbol == "circle-open"
    assert "cannot have reached" in late.hovertext[3]
    assert "no effect" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_soas_at_which_no_mask_arrives_are_shaded(masking):
    spans = [(shape.x0, shape.x1) for shape in masking_curve(masking).select_shapes({"name": "too late"})]
    assert spans == [(3.5, 4.5)]


def test_the_blank_control_is_the_line_without_a_mask(masking):
    plain = masking.drop_vars("unmasked").assign_coords(mask=["noise", "blank"])
    figure = masking_curve(plain)
    np.testing.assert_allclose(trace(figure, "no mask").y, [0.5, 0.6, 0.7, 0.8])
    assert not list(figure.select_traces({"name": "blank"}))
    np.testing.assert_allclose(trace(figure, "no mask interval").y[0], 0.45)


def test_a_model_that_holds_nothing_without_a_mask_has_no_such_line(masking):
    nothing = masking.assign(unmasked=masking["unmasked"] * np.nan)
    assert not list(masking_curve(nothing).select_traces({"name": "no mask"}))


def test_points_that_are_not_drawn_are_not_explained(masking):
    reaches = (("mask", "soa"), [[True] * 4, [False] * 4])
    figure = masking_curve(
        masking.drop_vars(["unmasked", "reaches"]).assign(reaches=reaches).assign_coords(mask=["noise", "blank"])
    )
    assert "grey points" not in figure.layout.title.subtitle.text


def test_there_are_ticks_at_the_soas_alone(masking):
    assert list(masking_curve(masking.isel(soa=[0, 1, 3])).layout.xaxis.tickvals) == [1, 2, 4]


def test_one_duration_needs_no_choice_and_two_do(masking):
    one = masking.drop_vars("duration").expand_dims(duration=[1])
    np.testing.assert_allclose(trace(masking_curve(one), "itself").y[:3], [0.5, 0.6, 0.7])
    with pytest.raises(ValueError, match=r"the dimensions of a masking curve must be \(soa and at most 1 more\)"):
        masking_curve(xr.concat([one, one.assign_coords(duration=[2])], "duration"))


def test_reaching_can_differ_from_mask_to_mask(masking):
    reaches = (("mask", "soa"), [[True] * 4, [True, True, False, False]])
    figure = masking_curve(masking.drop_vars("reaches").assign_coords(reaches=reaches))
    assert np.isfinite(trace(figure, "noise").y).all()
    assert np.isnan(trace(figure, "itself").y).tolist() == [False, False, True, True]


def test_one_unmasked_number_is_drawn_over_all_soas(masking):
    masking["unmasked"] = 0.9
    assert trace(masking_curve(masking), "no mask").y.tolist() == [0.9] * 4


def test_humans_are_a_band_from_50_to_20_ms_per_step(masking):
    band = trace(masking_curve(masking, humans="tang-2018"), "humans, mask")
    # 25 ms is 0.5 to 1.25 steps, 150 ms is 3 to 7.5
    assert (band.x[0], band.x[4], band.x[5], band.x[9]) == (0.5, 3, 7.5, 1.25)
    np.testing.assert_allclose(band.y[:5], [0.0625, 0.3125, 0.4375, 0.5375, 0.65])


def test_next_to_humans_the_model_is_corrected_for_its_own_chance_too(masking):
    figure = masking_curve(masking, humans="tang-2018")
    np.testing.assert_allclose(trace(figure, "noise").y[:2], [(0.2 - 0.1) / 0.9, (0.4 - 0.1) / 0.9])
    np.testing.assert_allclose(trace(figure, "noise interval").y[0], (0.15 - 0.1) / 0.9)
    np.testing.assert_allclose(trace(figure, "no mask").y[3], (0.9 - 0.1) / 0.9)
    assert trace(figure, "chance").y == (0, 0)
    assert figure.layout.yaxis.title.text == "accuracy, corrected for chance"
    assert "computed from the authors' trials" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_with_an_assumed_step_humans_are_at_their_own_soa(masking, milliseconds):
    figure = masking_curve(masking, humans="tang-2018", milliseconds=milliseconds)
    assert trace(figure, "humans, mask at 25 ms per step").x.tolist() == [25, 50, 75, 100, 150]
    assert trace(figure, "noise").x.tolist() == [25, 50, 75, 100]
    assert figure.layout.xaxis.title.text == "SOA (ms) = 25 × steps, assumed"


def test_a_published_range_is_drawn_by_its_middle(masking):
    band = trace(masking_curve(masking, humans="tang-2018-whole"), "humans, no mask")
    np.testing.assert_allclose(band.y, (0.985 - 0.2) / 0.8)


def test_humans_saw_the_target_until_the_mask(masking):
    masking["duration"] = 1
    with pytest.raises(ValueError, match=r"only duration = soa can be compared with them, got durations \[1\]"):
        masking_curve(masking, humans="tang-2018")


def test_next_to_humans_the_duration_must_be_known(masking):
    with pytest.raises(ValueError, match="give the coordinate 'duration', equal to 'soa'"):
        masking_curve(masking.drop_vars("duration"), humans="tang-2018")


def test_next_to_humans_chance_must_be_known(masking):
    del masking["accuracy"].attrs["chance"]
    with pytest.raises(ValueError, match=r"give accuracy\.attrs\['chance'\]"):
        masking_curve(masking, humans="tang-2018")


def test_latencies_are_no_masking_curve(masking):
    with pytest.raises(ValueError, match="'schmolesky-1998' is not a masking curve"):
        masking_curve(masking, humans="schmolesky-1998")


def test_a_result_without_accuracy_is_refused(masking):
    with pytest.raises(ValueError, match=r"needs the variable 'accuracy', got \['unmasked'\]"):
        masking_curve(masking.drop_vars("accuracy"))
