"""Widgets that follow the kernel, however late a busy browser loads their code."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anywidget
import traitlets


class Following(anywidget.AnyWidget):
    """A widget that shows the kernel's present state, also if the browser took long to load its code.

    anywidget drops every message to a widget whose code took longer than 2 s; `following.js`, which has to be part of
    `_esm`, then asks for the present state, and hears each later message. Classes (`_dom_classes`) and another `layout`
    have to be given when it is made: anywidget's views do not follow them, only the values of a layout.

    Attributes
    ----------
    own_id : str
        Of the model, by which the widget's code finds it in the browser.
    """

    own_id = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        own_id = uuid4().hex
        super().__init__(model_id=own_id, own_id=own_id, **traits)
