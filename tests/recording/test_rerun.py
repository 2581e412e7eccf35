"""Saved settings reproduce a recording, and errors in them are reported."""

import base64
import json

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.recording._rerun import rerun, stimuli
from cortexsim.stimuli.masks import GivenMask
from cortexsim.stimuli.text import one_image_from_dict


def settings(**changes):
    return {
        "schema": 1,
        "model": "digits-tiny",
        "data": {"name": "digits", "part": "test", "seed": 3, "occlusion": [0.3, 0.5]},
        "stimulus": 4,
        "presentation": {"kind": "masked", "duration": 1, "soa": 2, "mask": "noise"},
        "until": 5,
        **changes,
    }


def test_settings_give_the_recording_that_the_same_calls_give():
    images = cs.datasets.digits(5, part="test", seed=3, occlusion=(0.3, 0.5)).isel(stimulus=[4])
    model = cs.zoo.load("digits-tiny")
    expected = cs.simulate(model, images, cs.masked(1, soa=2), until=5, quantity="rate")
    xr.testing.assert_identical(rerun(settings()), expected)


def test_settings_survive_json(tmp_path):
    xr.testing.assert_identical(rerun(json.loads(json.dumps(settings()))), rerun(settings()))


def test_a_recording_made_again_can_be_written(tmp_path):
    written = rerun(settings(), to=tmp_path / "again.zarr")
    xr.testing.assert_equal(written["IT"].to_dataset().load(), rerun(settings())["IT"].to_dataset())
    written.close()


def test_a_model_may_be_a_file(tmp_path):
    cs.save(cs.zoo.load("digits-tiny"), tmp_path / "own.safetensors")
    again = rerun(settings(model=str(tmp_path / "own.safetensors")))
    xr.testing.assert_identical(again, rerun(settings()))


def test_a_given_model_and_given_images_take_the_place_of_names(small_model, shown_images):
    own = settings(model=None, data=None, stimulus=1, presentation={"kind": "flash"}, quantity="state")
    recording = rerun(own, model=small_model, images=shown_images)
    assert recording["readout"]["label"].item() == 1


def test_a_mask_from_the_data_is_the_image_before():
    shown = settings(presentation={"kind": "masked", "soa": 2, "mask": "image"}, stimulus=2)
    chosen = stimuli(shown)
    expected = cs.datasets.digits(3, part="test", seed=3, occlusion=(0.3, 0.5)).isel(stimulus=[2, 1])
    xr.testing.assert_identical(chosen, expected)


def test_the_model_of_other_settings_is_refused():
    with pytest.raises(ValueError, match=r"the model differs from these settings: its checksum is \w+, .*'0'"):
        rerun(settings(model_checksum="0"))


def test_the_image_of_other_settings_is_refused():
    with pytest.raises(ValueError, match=r"the image differs from these settings: its checksum is \w+, .*'0'"):
        rerun(settings(image_checksum="0"))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"untl": 3}, "unknown setting 'untl': .* did you mean 'until'"),
        ({"schema": 2, "version": "9.9"}, r"of schema 2 \(written by cortexsim 9.9\), but cortexsim .* reads schema 1"),
        ({"model": "digits-tyni"}, "unknown model 'digits-tyni': .* did you mean 'digits-tiny'"),
        ({"model": None}, "pass the same model again: model="),
        ({"data": None}, "name no dataset: pass the same images as images="),
        ({"data": {"name": "digit"}}, "unknown data 'digit': .* did you mean 'digits'"),
        ({"data": {"name": "digits", "oclusion": "light"}}, r"argument of digits\(\) 'oclusion': .*'occlusion'"),
        ({"data": {"name": "digits", "n": 3}}, r"unknown argument of digits\(\) 'n'"),
        ({"presentation": {"kind": "flasch"}}, "unknown kind of presentation 'flasch': .* did you mean 'flash'"),
        ({"presentation": {"kind": "flash", "soa": 2}}, r"unknown argument of flash\(\) 'soa'"),
        ({"presentation": {"kind": "masked", "duration": 3, "soa": 2}}, "SOA 2 is shorter than duration 3"),
        ({"until": 0}, "until must be a whole number from 1 to 1,000, got 0"),
        ({"until": 10**30}, "until must be a whole number from 1 to 1,000, got 10+"),
        ({"schema": True}, "of schema True"),
        ({"repeats": 10**9, "noise": 1}, "repeats must be a whole number from 1 to 100,000, got 10+"),
        (
            {"noise": 10**400},
            "noise must be a number of standard deviations from 0 to 1,000,000, got a value of type int",
        ),
        ({"noise": float("nan")}, "noise must be a number of standard deviations from 0 to 1,000,000, got nan"),
        ({"noise": "a"}, "noise must be a number of standard deviations from 0 to 1,000,000, got 'a'"),
        ({"stimulus": 10**9}, "there is no stimulus 1000000000: at most 10,000 are drawn, allowed is 0 to 9999"),
        ({"stimulus": 10**30}, "there is no stimulus 10+: at most 10,000 are drawn, allowed is 0 to 9999"),
        ({"data": {}}, r"data lacks 'name': the allowed values are \['digits', 'contours', 'paths', 'mazes'\], got {}"),
        ({"data": {"name": ["digits"]}}, r"unknown data \['digits'\]: the allowed values are \['digits', 'contours'"),
        ({"data": {"name": "digits", "seed": "a"}}, r"the seed of digits\(\) must be a whole number, got 'a'"),
        ({"data": {"name": "digits", "seed": None}}, r"the seed of digits\(\) must be a whole number, got None"),
        ({"data": {"name": "digits", "seed": True}}, r"the seed of digits\(\) must be a whole number, got True"),
        ({"data": {"name": "digits", "occlusion": ["a", 1]}}, r"occlusion of digits\(\) is \['a', 1\]: .* two numbers"),
        ({"data": {"name": "digits", "debris": [True, 2]}}, r"debris of digits\(\) is \[True, 2\]: .* two numbers"),
        (
            {"data": {"name": "contours", "length": [[1], 20]}},
            r"length of contours\(\) is \[\[1\], 20\]: .* two numbers",
        ),
        ({"data": {"name": "contours", "length": []}}, r"length of contours\(\) is \[\]: .* two numbers"),
        ({"data": {"name": "contours", "length": 0}}, r"length of contours\(\) is 0: allowed are two numbers"),
        ({"presentation": {}}, r"presentation lacks 'kind': the allowed values are \['flash', 'sustained', .*, got {}"),
        ({"presentation": {"kind": ["flash"]}}, r"unknown kind of presentation \['flash'\]: the allowed values are"),
        ({"stimulus": -1}, "stimulus must be a whole number, at least 0, got -1"),
        ({"seed": 0.5}, "seed must be a whole number, at least 0, got 0.5"),
        ({"quantity": "rates"}, "unknown quantity 'rates'"),
    ],
)
def test_wrong_settings_are_refused_with_what_is_allowed(changes, match):
    with pytest.raises(ValueError, match=match):
        rerun(settings(**changes))


def pixels(values, shape=(3, 32, 32)):
    """Pixels as `Presentation.to_dict` writes them; one value, or all of them."""
    data = np.broadcast_to(np.float32(values), shape).tobytes()
    return {"shape": list(shape), "data": base64.b64encode(data).decode()}


@pytest.mark.parametrize(
    ("mask", "match"),
    [
        ({"x": 1}, r"mask must be one of \['noise', .*'shape': \[3, height, width\].* with the keys \['x'\]"),
        ({"shape": [3, 8, 8]}, r"or pixels as .* with the keys \['shape'\]"),
        ({**pixels(0.5), "x": 1}, r"or pixels as .* with the keys \['shape', 'data', 'x'\]"),
        ({"shape": 3, "data": ""}, r"the shape of a mask must be \[3, height, width\], in pixels, got 3"),
        ({"shape": [3, -8, 8], "data": ""}, r"the shape of a mask must be .*, got \[3, -8, 8\]"),
        ({"shape": [1, 8, 8], "data": ""}, r"the shape of a mask must be .*, got \[1, 8, 8\]"),
        (
            {"shape": [3, 8, 8], "data": "!!"},
            r"mask of shape \[3, 8, 8\] must be 768 bytes of float32 pixels in base64",
        ),
        ({"shape": [3, 8, 8], "data": 5}, r"mask of shape \[3, 8, 8\] must be 768 bytes of float32 pixels in base64"),
        ({"shape": [3, 8, 8], "data": "AAAA"}, r"must be 768 bytes of float32 pixels, got 3"),
        (pixels(np.nan), r"a mask's pixels must lie in \[0, 1\]"),
        (pixels(7), r"a mask's pixels must lie in \[0, 1\]"),
    ],
)
def test_damaged_pixels_of_a_mask_are_refused(mask, match):
    with pytest.raises(ValueError, match=match):
        one_image_from_dict({"kind": "masked", "mask": mask})


def test_pixels_of_a_mask_are_read_as_they_were_written():
    written = cs.masked(1, soa=2, mask=GivenMask(**{**pixels(0.25), "shape": (3, 32, 32)}))
    assert one_image_from_dict(json.loads(json.dumps(written.to_dict()))) == written


def test_a_missing_setting_is_named():
    incomplete = settings()
    del incomplete["until"]
    with pytest.raises(ValueError, match=r"the settings lack \['until'\]: required are"):
        rerun(incomplete)


def test_a_stimulus_that_given_images_lack_is_refused(shown_images):
    with pytest.raises(ValueError, match="there is no stimulus 9: there are 5, allowed is 0 to 4"):
        rerun(settings(data=None, stimulus=9), images=shown_images)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ("settings.json", "settings must be a mapping, such as panel.settings, got str"),
        (settings(model=3), "model must be a name or a path, got 3"),
        (settings(data="digits"), "data must be a mapping, got 'digits'"),
        (settings(presentation="flash"), "presentation must be a mapping, got 'flash'"),
        (settings(version=1.5), "version must be text, got 1.5"),
        (settings(model_checksum=[1]), r"model_checksum must be text, got \[1\]"),
        (settings(image_checksum=3), "image_checksum must be text, got 3"),
    ],
)
def test_settings_of_a_wrong_type_are_refused(wrong, match):
    with pytest.raises(TypeError, match=match):
        rerun(wrong)


def test_a_presentation_of_a_wrong_type_is_refused():
    with pytest.raises(TypeError, match="presentation must be a mapping, got 'flash'"):
        one_image_from_dict("flash")
