"""Declared controls become widgets with the label, the options and the value that were declared."""

import pytest
import traitlets

from cortexsim.explore.panel.controls import Buttons, Fixed, Menu, Range, Scale, Several, Slider, Text


@pytest.mark.parametrize(
    ("control", "value"),
    [
        (Menu("mask", ["noise", "texture"]), "noise"),
        (Menu("mask", ["noise", "texture"], "texture"), "texture"),
        (Menu("shown", {"flash, 1 step": "flash"}), "flash"),
        (Menu("shown", [("sustained", "sustained"), ("flash, 1 step", "flash")], "flash"), "flash"),
        (Several("areas", ["V1", "IT"]), ("V1", "IT")),
        (Slider("place", 1, 4, 2), 2),
        (Range("from t to t", 1, 5), (1, 5)),
        (Scale("confidence", [0.5, 0.9], 0.9), 0.9),
        (Text("to", "a.zarr"), "a.zarr"),
        (Buttons(["a loop", "a stack"]), "a loop"),
        (Fixed(("first", "second")), ("first", "second")),
    ],
)
def test_a_control_opens_at_its_value_and_with_its_whole_label(control, value):
    widget = control.widget()
    assert widget.value == value
    if hasattr(control, "label"):
        assert widget.description == control.label
    if hasattr(control, "width_px"):
        assert widget.style.description_width == "initial"
        assert widget.layout.width == f"{control.width_px}px"


def test_several_options_are_ticked_one_by_one():
    areas = Several("areas", ["V1", "V2", "IT"]).widget()
    areas.boxes[0].value = False
    assert areas.value == ("V2", "IT")
    seen = []
    areas.observe(lambda change: seen.append(change.new), names="value")
    areas.value = ("V1",)
    assert [box.value for box in areas.boxes] == [True, False, False]
    # one change, though three boxes follow
    assert seen == [("V1",)]
    with pytest.raises(traitlets.TraitError, match=r"some of \['V1', 'V2', 'IT'\] are needed, got \['V4'\]"):
        areas.value = ("V4",)


def test_a_fixed_value_is_invisible_and_accepts_no_other():
    widget = Fixed("equivalence").widget()
    assert widget.layout.display == "none"
    with pytest.raises(traitlets.TraitError):
        widget.value = "one-kernel"


def test_a_slider_that_is_not_continuous_reports_only_its_release():
    assert Slider("steps", 1, 8, 4, continuous=False).widget().continuous_update is False
    assert Slider("steps", 1, 8, 4).widget().continuous_update is True
