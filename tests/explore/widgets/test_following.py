"""Widgets that follow the kernel: each is found by its own name in the browser, and has the code that looks for it."""

import importlib
import pkgutil

import anywidget
import pytest

from cortexsim import explore
from cortexsim.explore.widgets.choice import Choice
from cortexsim.explore.widgets.following import Following


def _kinds(kind):
    return [one for own in kind.__subclasses__() for one in (own, *_kinds(own))]


def test_every_widget_that_shows_what_the_kernel_says_follows_it():
    for module in pkgutil.walk_packages(explore.__path__, "cortexsim.explore."):
        importlib.import_module(module.name)
    # without the classes that traitlets derives when a widget is made
    kinds = [one for one in _kinds(anywidget.AnyWidget) if isinstance(vars(one).get("_esm"), str)]
    own = [one for one in kinds if one.__module__.startswith("cortexsim")]
    # these two say something once
    assert {one.__name__ for one in own if not issubclass(one, Following)} == {"Keys", "Engine"}
    following = [one for one in own if issubclass(one, Following)]
    assert len(following) > 10
    for one in following:
        assert one._esm.count("export default following({") == 1, one.__name__
        assert "function following(" in one._esm, one.__name__


def test_a_widget_is_found_by_its_own_id():
    one, other = Choice(label="one"), Choice(label="other")
    assert one.own_id == one.model_id != other.model_id
    assert (one.label, other.label) == ("one", "other")


def test_another_id_is_refused():
    with pytest.raises(TypeError, match="own_id"):
        Choice(own_id="mine")
