"""Maps of activity: the figure draws the values of the recording."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.plot import activity


def heat_map(figure, state):
    (found,) = figure.select_traces({"type": "heatmap", "name": state})
    return found


def hatching(figure, state):
    (found,) = figure.select_traces({"name": f"{state} empty"})
    return found


def test_a_map_shows_the_mean_absolute_activation_over_channels(flashed):
    figure = activity(flashed, stimulus=2, time=1)
    expected = np.abs(flashed["V2"]["activation"].sel(stimulus=2, time=1).values).mean(0)
    np.testing.assert_allclose(heat_map(figure, "V2").z, expected, rtol=1e-6)


def test_one_channel_is_drawn_with_its_sign(flashed):
    figure = activity(flashed, stimulus=2, time=0, channel=3)
    expected = flashed["V1"]["activation"].sel(stimulus=2, time=0).values[3]
    np.testing.assert_array_equal(heat_map(figure, "V1").z, expected)
    assert heat_map(figure, "V1").zmin == -heat_map(figure, "V1").zmax


def test_an_empty_state_is_hatched_and_named_empty_and_not_drawn_as_zeros(flashed):
    figure = activity(flashed, stimulus=0, time=0)
    assert all(value is None for value in np.ravel(heat_map(figure, "IT").z))
    assert hatching(figure, "IT").visible
    assert hatching(figure, "IT").fillpattern.shape == "/"
    assert figure.layout.xaxis3.title.text == "<b>IT</b>  empty"
    assert not hatching(figure, "V1").visible


def test_populated_decides_what_is_empty_and_not_the_numbers(flashed):
    flashed["IT"]["activation"][:, 0] = 0.0
    assert hatching(activity(flashed, stimulus=0, time=0), "IT").visible


def test_the_colour_scale_of_a_state_is_the_same_at_every_time(masked):
    scales = {
        (heat_map(figure, "V1").zmin, heat_map(figure, "V1").zmax)
        for figure in (activity(masked, stimulus=0, time=time) for time in range(5))
    }
    assert len(scales) == 1


def test_a_colour_scale_can_span_this_time_alone(masked):
    figure = activity(masked, stimulus=0, time=2, one_scale=False)
    assert heat_map(figure, "V1").zmax == np.max(heat_map(figure, "V1").z)
    assert heat_map(figure, "V1").colorbar.tickvals == (0, heat_map(figure, "V1").zmax)


def test_a_number_that_is_none_is_a_gap_in_a_state_that_is_not_empty(flashed):
    flashed["V1"]["activation"][0, 0, 1, 2, 3] = np.nan
    figure = activity(flashed, stimulus=0, time=0)
    assert heat_map(figure, "V1").z[2, 3] is None
    assert not hatching(figure, "V1").visible


def test_a_state_that_was_not_recorded_is_not_drawn(small_model, shown_images):
    recording = cs.simulate(small_model, shown_images, until=2, record=["IT"])
    assert [trace.name for trace in activity(recording, stimulus=0, time=2).data] == ["IT", "IT empty"]


def test_the_title_names_quantity_and_units(flashed):
    title = activity(flashed, stimulus=0, time=0).layout.title.text
    assert title.startswith("mean |activation| over channels (a.u.)")


def test_the_figure_lets_the_page_shine_through(flashed):
    layout = activity(flashed, stimulus=0, time=0).layout.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0, 0, 0, 0)"


def test_a_time_that_was_not_recorded_is_refused(flashed):
    with pytest.raises(ValueError, match="has no time 5: it has 0 to 4"):
        activity(flashed, stimulus=0, time=5)


def test_a_stimulus_that_was_not_recorded_is_refused(flashed):
    with pytest.raises(ValueError, match="has no stimulus 9: it has 0 to 4"):
        activity(flashed, stimulus=9, time=0)


def test_a_state_that_the_recording_lacks_is_refused(flashed):
    with pytest.raises(ValueError, match=r"has no 'MT', only \['V1', 'V2', 'IT', 'readout'\]"):
        activity(flashed, stimulus=0, time=0, states=["MT"])


def test_a_channel_that_the_state_lacks_is_refused(flashed):
    with pytest.raises(ValueError, match="V1 has no channel 4: its channels are 0 to 3"):
        activity(flashed, stimulus=0, time=0, channel=4)


def test_a_recording_of_the_readout_alone_has_no_maps(small_model, shown_images):
    recording = cs.simulate(small_model, shown_images, until=2, record=[])
    with pytest.raises(ValueError, match="contains no state, only the readout"):
        activity(recording, stimulus=0, time=0)
