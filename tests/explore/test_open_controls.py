"""The controls that a panel shows when it opens: few, because everything else is behind *more settings*."""

import ipywidgets as widgets
import pytest

import cortexsim as cs
from cortexsim.explore.panel.asking import Asking
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.more_settings import MoreSettings
from cortexsim.explore.panel.study import Study
from cortexsim.explore.widgets.choice import Choice

MOST = 3
CONTROLS = (
    widgets.Dropdown,
    widgets.Text,
    widgets.IntText,
    widgets.FloatText,
    widgets.SelectMultiple,
    widgets.IntSlider,
    widgets.IntRangeSlider,
    widgets.SelectionSlider,
    widgets.ToggleButtons,
    widgets.Checkbox,
    Choice,
)
TASKS = {name: "contours" for name in ("Drift", "HowLong", "Lesions", "EachLesion", "Masking", "Recorder", "Tour")}
ARGUMENTS = {
    **TASKS,
    "Changes": "digits",
    "Sequences": "digits",
    "Training": "contours",
    "Experiment": "weight-sharing",
}
PANELS = [name for name in cs.explore.__all__ if isinstance(getattr(cs.explore, name), type)]
PANELS = [name for name in PANELS if issubclass(getattr(cs.explore, name), Panel)]
# panels that measure, with the number of images where it can be small
STUDIES = {name: {} for name in PANELS if issubclass(getattr(cs.explore, name), Study) and name != "Timeline"}
STUDIES["Sweep"] = {"study": {"models": ["digits-tiny"], "data": "digits", "n": 4, "until": 4}}
STUDIES |= {"Changes": {"n": 60}, "HowLong": {"n": 2}, "Masking": {"n": 2}}
STUDIES |= {name: {"n": 4} for name in ("Drift", "EachLesion", "Lesions", "Sequences")}
LONG = ("Brains", "Changes", "EachLesion", "Lesions", "Recorder", "Sequences")


def in_the_open(widget):
    """Return the controls that are visible, without those that ask and answer."""
    if isinstance(widget, Asking) or widget.layout.display == "none":
        return []
    if isinstance(widget, CONTROLS):
        return [widget]
    return [one for child in getattr(widget, "children", ()) for one in in_the_open(child)]


def opened(name, **given):
    if name == "Timeline":
        curves = cs.datasets.contours(2, part="test")
        return cs.explore.Timeline(cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=3))
    first = [ARGUMENTS[name]] if name in ARGUMENTS else []
    return getattr(cs.explore, name)(*first, **given)


def labels_of(panel):
    return [getattr(one, "description", "") or getattr(one, "label", "") for one in in_the_open(panel)]


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_opens_with_few_controls(name):
    labels = labels_of(opened(name))
    assert len(labels) <= MOST, f"{name} shows {len(labels)} controls: {', '.join(labels)}"


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in LONG)) for one in STUDIES])
def test_after_a_run_a_panel_has_few_controls_too(name):
    panel = opened(name, **STUDIES[name])
    panel.ask.question = ""
    panel.run()
    panel.wait(240)
    assert panel.result is not None, panel.notice.value
    labels = labels_of(panel)
    assert len(labels) <= MOST, f"{name} shows {len(labels)} controls after a run: {', '.join(labels)}"


def test_the_button_shows_the_other_controls_and_hides_them_again():
    panel = opened("HowLong")
    before = in_the_open(panel)
    panel.more_settings.button.value = True
    added = [one for one in in_the_open(panel) if one not in before]
    assert [one.description for one in added] == ["task", "shown", "statistics", "taken from"]
    panel.more_settings.button.value = False
    assert in_the_open(panel) == before


def test_a_setting_that_an_answer_needs_is_named_with_its_place():
    panel = opened("HowLong")
    hidden, visible = panel.worded({"statistics": "as trained"}), panel.worded({"until": 24})
    assert hidden.endswith("(under «more settings»)")
    assert "more settings" not in visible
    assert isinstance(panel.more_settings, MoreSettings)
