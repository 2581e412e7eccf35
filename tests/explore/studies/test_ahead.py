"""Results of panels that ship: shown at once, and only for the model, the images and the choices they are of."""

import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.explore.panel.ahead import measured_ahead, path_of
from cortexsim.explore.studies.masking_questions import FLASHES

# what notebooks 04 and 05 ask for
ASKED = [
    ("HowLong", {}),
    ("HowLong", {"until": 24}),
    ("HowLong", {"held_from": 3}),
    ("HowLong", {"calibration": "10 images"}),
    ("Masking", {}),
    ("Masking", {"shortcut": "0.25"}),
    ("Masking", {"readout_time": 12}),
    ("Masking", {"statistics": FLASHES}),
    ("Masking", {"targets": "duration = SOA, as for people", "statistics": "these trials"}),
]


@pytest.fixture(scope="module")
def panels():
    return {name: getattr(cs.explore, name)("contours", question="") for name in ("HowLong", "Masking")}


@pytest.mark.parametrize(("name", "choices"), ASKED)
def test_what_the_notebooks_ask_for_is_there_at_once(panels, name, choices):
    panel = panels[name]
    opened = panel.choices
    panel.choose(**choices)
    try:
        panel.run()
        assert not panel.busy
        assert "Measured ahead." in panel.finding.value
    finally:
        panel.choose(**opened)


def test_other_choices_images_or_models_are_measured(panels):
    panel = panels["Masking"]
    own = panel.choices
    assert measured_ahead(path_of("Masking", panel.subject, {**own, "mask": "texture"})) is None
    fewer = cs.explore.Masking("contours", n=10, question="")
    assert fewer.ahead(fewer.choices) is None
    other = cs.explore.Masking("digits", question="")
    assert other.ahead(other.choices) is None


@pytest.mark.slow
def test_a_result_that_ships_is_what_is_measured_here(panels):
    panel = panels["HowLong"]
    ships = panel.ahead(panel.choices)
    found = panel.compute()
    # rounding on another machine may move one of 200 images
    xr.testing.assert_allclose(found["accuracy"], ships["accuracy"], atol=0.0051)
