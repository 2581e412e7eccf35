"""Films of a tag that spreads: what is painted, when, and as which file."""

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

import cortexsim as cs
from cortexsim.plot import _film
from tests.plot.look import check_look


@pytest.fixture(scope="module")
def traced():
    data = cs.datasets.paths(2, size=20, length=(14, 14), part="test")
    return cs.simulate(cs.zoo.load("tracer").at_size(20), data, cs.sustained(), until=18, record=[]), data


def painted(figure, column):
    return np.array(figure.data[column].z)


def test_the_strip_ends_with_the_tag_on_the_whole_curve_and_on_no_other(traced):
    recording, data = traced
    strip = cs.plot.film_strip(recording, data, stimulus=1)
    assert len(strip.data) == _film.N_STILLS
    last = painted(strip, -1).astype(int)
    target = (data["target"][1] == 1).values & (data["distance"][1] > 0).values
    other = data["line"][1].values & (data["target"][1] == 0).values
    assert np.abs(last[target] - _film.TAG).max() < 30
    assert np.abs(last[other] - _film.LINE).max() < 30
    assert (last[~data["line"][1].values] == _film.FIELD).all()
    assert (last[(data["distance"][1] == 0).values] == _film.CUE).all()


def test_at_first_the_far_end_is_not_tagged(traced):
    recording, data = traced
    far = painted(cs.plot.film_strip(recording, data, times=[3, 18]), 0)[int(data["end_y"][0]), int(data["end_x"][0])]
    assert np.abs(far.astype(int) - _film.LINE).max() < 30


def test_a_film_has_a_frame_for_each_time_that_is_asked(traced):
    assert [frame.name for frame in cs.plot.film(*traced, every=6).frames] == ["0", "6", "12", "18"]


def test_strip_and_film_obey_the_rules_of_all_figures(traced):
    check_look(cs.plot.film_strip(*traced).to_dict())
    check_look(cs.plot.film(*traced, every=9).to_dict())


def test_the_lines_and_the_tag_differ_in_luminance():
    luminance = {
        name: np.dot([0.2126, 0.7152, 0.0722], (np.array(colour) / 255) ** 2.2)
        for name, colour in {"line": _film.LINE, "tag": _film.TAG, "field": _film.FIELD, "cue": _film.CUE}.items()
    }
    assert luminance["tag"] > 3 * luminance["line"] > 9 * luminance["field"]
    assert luminance["cue"] > 1.5 * luminance["tag"]


@pytest.mark.parametrize("suffix", [pytest.param(".gif", marks=pytest.mark.slow), ".webp"])
def test_a_film_is_saved_as_a_moving_picture(traced, tmp_path, suffix):
    film = cs.plot.film(*traced, every=9)
    path = cs.plot.save(film, tmp_path / f"tag{suffix}", width_mm=40, height_mm=40, frame_ms=100)
    with Image.open(path) as moving:
        assert moving.n_frames == 3
        assert moving.size[0] == round(40 / 25.4 * 150)
        first = np.asarray(moving.convert("RGB")).astype(int)
        moving.seek(2)
        assert np.abs(np.asarray(moving.convert("RGB")).astype(int) - first).max() > 100


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"times": [3, 99]}, "time 99 was not recorded; recorded are 0 to 18"),
        ({"stimulus": 2}, "no stimulus 2: the recording has 2"),
    ],
)
def test_what_was_not_recorded_cannot_be_drawn(traced, asked, message):
    with pytest.raises(ValueError, match=message):
        cs.plot.film_strip(*traced, **asked)


def test_a_figure_without_frames_is_no_film(tmp_path):
    with pytest.raises(ValueError, match="this figure has no frames"):
        cs.plot.save(go.Figure(), tmp_path / "f.gif")


def test_a_readout_that_is_empty_and_a_strip_of_no_or_too_many_times_are_refused(traced):
    recording, data = traced
    empty = recording["readout"].to_dataset()
    empty = empty.assign(logits=empty["logits"] * np.nan)
    for draw in (cs.plot.film, cs.plot.film_strip):
        with pytest.raises(ValueError, match="there is nothing to draw: the readout of stimulus 0 is empty"):
            draw(empty, data)
    for times in ([], [1] * 51):
        with pytest.raises(ValueError, match=f"times must be 1 to 50 times to draw side by side, got {len(times)}"):
            cs.plot.film_strip(recording, data, times=times)
