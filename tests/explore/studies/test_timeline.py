"""The timeline follows its traits, says in words what it shows, and shows its errors."""

import numpy as np
import pytest

import cortexsim as cs
from cortexsim.explore import Timeline


@pytest.fixture
def panel(flashed, shown_images):
    return Timeline(flashed, shown_images)


def maps(panel):
    return {trace.name: trace.z for trace in panel.activity.figure.data if trace.type == "heatmap"}


def test_moving_time_changes_the_maps_in_place(panel, flashed):
    trace = panel.activity.figure.data[2]
    panel.time = 1
    expected = np.abs(flashed["V2"]["activation"].sel(stimulus=0, time=1).values).mean(0)
    np.testing.assert_allclose(maps(panel)["V2"], expected, rtol=1e-6)
    assert panel.activity.figure.data[2] is trace


def test_the_slider_moves_time_and_the_mark(panel):
    panel.time_slider.value = 3
    assert panel.time == 3
    (now,) = panel.probabilities.figure.select_shapes({"name": "now"})
    assert now.x0 == 3


def test_another_stimulus_changes_maps_lines_and_scales(panel, flashed):
    before = panel.activity.figure.data[0].zmax
    panel.stimulus = 4
    expected = np.abs(flashed["V1"]["activation"].sel(stimulus=4, time=0).values).mean(0)
    np.testing.assert_allclose(maps(panel)["V1"], expected, rtol=1e-6)
    assert panel.activity.figure.data[0].zmax != before
    assert panel.probabilities.figure.layout.title.text == "class probabilities of stimulus 4"


def test_the_box_gives_each_time_a_colour_scale_of_its_own(masked, shown_images):
    panel = Timeline(masked, shown_images)
    panel.time = 2
    before = panel.activity.figure.data[0].zmax
    panel.one_scale_box.value = False
    assert panel.activity.figure.data[0].zmax == np.max(maps(panel)["V1"])
    panel.one_scale_box.value = True
    assert panel.activity.figure.data[0].zmax == before


def test_words_say_what_is_shown_and_which_states_are_empty(panel):
    assert "the image is on the screen" in panel.notice.value
    assert "V1 is active" in panel.notice.value
    assert "V2 and IT are empty: no signal has arrived yet" in panel.notice.value
    assert "Nothing can be read out" in panel.notice.value


def test_words_distinguish_a_state_that_became_empty_from_one_that_was_never_reached(panel):
    panel.time = 1
    assert "nothing is on the screen" in panel.notice.value
    assert "V1 is empty again: no signal arrives any more" in panel.notice.value
    assert "IT is empty: no signal has arrived yet" in panel.notice.value


def test_the_screen_shows_the_image_then_nothing(panel):
    assert "data:image/png" in panel.screen.value
    panel.time = 1
    assert "data:image/png" not in panel.screen.value
    assert "nothing enters" in panel.screen.value


def test_the_screen_shows_the_mask_that_was_shown(masked, shown_images):
    panel = Timeline(masked, shown_images)
    image = panel.screen.value
    panel.time = 2
    assert 'alt="mask"' in panel.screen.value
    assert panel.screen.value != image


def test_without_images_the_panel_says_that_it_has_no_picture(flashed):
    assert "no picture was given" in Timeline(flashed).screen.value


def test_stimuli_are_listed_with_their_classes(panel):
    assert [text for text, _ in panel.stimulus_slider.options][:3] == ["0: cat", "1: dog", "2: owl"]


def test_a_selection_of_a_recording_has_the_numbers_of_its_stimuli(flashed, shown_images):
    panel = Timeline(flashed.isel(stimulus=[1, 3]), shown_images)
    panel.stimulus = 3
    expected = np.abs(flashed["V1"]["activation"].sel(stimulus=3, time=0).values).mean(0)
    np.testing.assert_allclose(maps(panel)["V1"], expected, rtol=1e-6)


def test_a_mixture_shows_each_stimulus_its_own_component(small_model, shown_images):
    mixed = cs.mixture(cs.flash(1), cs.sustained())
    recording = cs.simulate(small_model, shown_images, mixed, until=3)
    panel = Timeline(recording, shown_images)
    words = set()
    for stimulus in range(5):
        panel.stimulus, panel.time = stimulus, 2
        words.add("the image is on the screen" in panel.notice.value)
    assert words == {True, False}


def test_a_recording_that_was_opened_from_disk_is_shown(flashed, shown_images, tmp_path):
    cs.save_recording(flashed, tmp_path / "flashed.zarr")
    with cs.open_recording(tmp_path / "flashed.zarr") as opened:
        panel = Timeline(opened, shown_images)
        panel.time = 2
        assert not np.isnan(np.asarray(maps(panel)["IT"], float)).any()


def test_an_error_while_drawing_is_shown_in_the_panel(panel, flashed):
    del flashed["V2"]["activation"]
    panel.stimulus = 1
    assert 'role="alert"' in panel.notice.value
    assert "This could not be drawn" in panel.notice.value
    assert "activation" in panel.notice.value


def test_the_panel_recovers_after_an_error(panel):
    panel.time = 99
    assert "has no time 99" in panel.notice.value
    panel.time = 1
    assert 'role="alert"' not in panel.notice.value


def test_other_images_than_those_that_were_shown_are_refused(flashed, shown_images):
    with pytest.raises(ValueError, match="these 4 images are not the ones that were shown"):
        Timeline(flashed, shown_images.isel(stimulus=slice(0, 4)))


def test_figures_follow_page_and_theme(panel):
    for live in (panel.activity, panel.probabilities):
        assert live.figure.layout.width is None
        assert "--jp-ui-font-color1" in live._css
