"""The controls of a panel, declared as data: the label, the options and the width of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import ipywidgets as widgets

from cortexsim.explore.widgets.checks import Checks
from cortexsim.explore.widgets.chooser import Chooser, PathBox

Value = str | int | float | bool
Chosen = Mapping[str, Any]
"""The values of a panel's controls, by the names of the choices; each control defines the type of its value."""

Options = Sequence[Value] | Sequence[tuple[str, Value]] | Mapping[str, Value]


class Control(Protocol):
    """The declaration of a control."""

    def widget(self) -> widgets.DOMWidget:
        """Make the widget, which has a `value`."""
        ...


@dataclass(frozen=True)
class Menu:
    """One of several options.

    Parameters
    ----------
    label : str
    options : sequence or mapping
        Values, or (text, value) pairs, or a mapping of texts to values.
    value : optional
        By default the first option.
    width_px : int
    """

    label: str
    options: Options
    value: Value | None = None
    width_px: int = 200

    def widget(self) -> widgets.Dropdown:
        """Make the widget."""
        return widgets.Dropdown(options=_pairs(self.options), **_set(self.value), **_look(self.label, self.width_px))


@dataclass(frozen=True)
class Several:
    """Any number of several options, each with a box to tick.

    Parameters
    ----------
    label : str
    options : sequence of str
    """

    label: str
    options: Sequence[str]

    def widget(self) -> Checks:
        """Make the widget, with all options ticked."""
        return Checks(self.options, self.label)


@dataclass(frozen=True)
class Slider:
    """A whole number.

    Parameters
    ----------
    label : str
    first, last : int
    value : int
    width_px : int
    continuous : bool
        Report each value while the slider moves, not only the one at which it is released.
    """

    label: str
    first: int
    last: int
    value: int
    width_px: int = 330
    continuous: bool = True

    def widget(self) -> widgets.IntSlider:
        """Make the widget."""
        limits = {"value": self.value, "min": self.first, "max": self.last}
        return widgets.IntSlider(continuous_update=self.continuous, **limits, **_look(self.label, self.width_px))


@dataclass(frozen=True)
class Range:
    """Two whole numbers, from one to another, both included; all of the range when it opens."""

    label: str
    first: int
    last: int
    width_px: int = 330

    def widget(self) -> widgets.IntRangeSlider:
        """Make the widget."""
        limits = {"value": (self.first, self.last), "min": self.first, "max": self.last}
        return widgets.IntRangeSlider(**limits, **_look(self.label, self.width_px))


@dataclass(frozen=True)
class Scale:
    """One of several values in their order, on a slider."""

    label: str
    options: Options
    value: Value
    width_px: int = 460

    def widget(self) -> widgets.SelectionSlider:
        """Make the widget."""
        options = {"options": _pairs(self.options), "value": self.value, "continuous_update": True}
        return widgets.SelectionSlider(**options, **_look(self.label, self.width_px))


@dataclass(frozen=True)
class Text:
    """A text, reported when it is complete.

    Parameters
    ----------
    label : str
    value : str
    hint : str
        Shown while the text is empty.
    width_px : int
    """

    label: str
    value: str = ""
    hint: str = ""
    width_px: int = 400

    def widget(self) -> widgets.Text:
        """Make the widget."""
        options = {"value": self.value, "placeholder": self.hint, "continuous_update": False}
        return widgets.Text(**options, **_look(self.label, self.width_px))


@dataclass(frozen=True)
class PathText:
    """A path, which is typed, chosen with a button, or dropped on it.

    Parameters
    ----------
    text : Text
    button : str
        Text of the button.
    folder : bool
        The button chooses a folder.
    accept : str
        Endings of the files that the button offers.
    """

    text: Text
    button: str
    folder: bool = False
    accept: str = ""

    def widget(self) -> PathBox:
        """Make the widget."""
        return PathBox(self.text.widget(), Chooser(self.button, folder=self.folder, accept=self.accept))


@dataclass(frozen=True)
class Buttons:
    """One of a few options, all of them visible."""

    options: Options

    def widget(self) -> widgets.ToggleButtons:
        """Make the widget."""
        return widgets.ToggleButtons(options=_pairs(self.options))


@dataclass(frozen=True)
class Fixed:
    """A value in the settings of a panel that cannot be changed in the panel."""

    value: Value | tuple[Value, ...]

    def widget(self) -> widgets.DOMWidget:
        """Make an invisible widget that accepts no other value."""
        hidden = widgets.Layout(display="none")
        if isinstance(self.value, tuple):
            return widgets.SelectMultiple(options=self.value, value=self.value, layout=hidden)
        return widgets.Dropdown(options=[self.value], layout=hidden)


def label_of(control: Any, name: str) -> str:
    """Return the label of a control on the screen."""
    return str(getattr(control, "description", "") or name.replace("_", " ")).strip()


def option_of(control: Any, value: Any) -> str:
    """Return the text of an option, as its menu shows it."""
    options = getattr(control, "options", ())
    pairs = options.items() if isinstance(options, Mapping) else options
    texts = [str(one[0]) for one in pairs if isinstance(one, tuple) and len(one) == 2 and one[1] == value]
    if texts or not isinstance(value, tuple):
        return texts[0] if texts else str(value)
    return (", " if options else " to ").join(map(str, value))


def allowed_by(control: Any) -> str:
    """Return the values that a control allows, as text."""
    options = getattr(control, "options", None)
    if options is not None:
        pairs = list(options.items()) if isinstance(options, Mapping) else list(options)
        values = [one[1] if isinstance(one, tuple) and len(one) == 2 else one for one in pairs]
        return f"{'some' if isinstance(control.value, tuple) else 'one'} of {values}"
    if hasattr(control, "min"):
        return f"a number from {control.min} to {control.max}"
    return f"of the type {type(control.value).__name__}"


def _look(label: str, width_px: int) -> dict[str, Any]:
    """Return the arguments that all widgets have in common; a label is never cut."""
    layout = widgets.Layout(width=f"{width_px}px")
    return {"description": label, "layout": layout, "style": {"description_width": "initial"}}


def _pairs(options: Options) -> list[Value | tuple[str, Value]]:
    return list(options.items()) if isinstance(options, Mapping) else list(options)


def _set(value: Value | None) -> dict[str, Value]:
    return {} if value is None else {"value": value}
