"""Pictures of panels in the saved notebook, for a reader without a kernel."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

import traitlets

from cortexsim.explore.widgets.canvas import joined
from cortexsim.explore.widgets.following import Following


class Pictures(Following):
    """An invisible widget that takes a picture of each panel of its kernel a moment after the panel has changed.

    Attributes
    ----------
    panels : list of str
        The model ids of the panels that are on display in a notebook.
    """

    _esm = joined("following.js", "pictures.js")
    _css = joined("pictures.css")

    panels = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.handles: dict[str, Any] = {}
        self.on_msg(self._receive)

    def follow(self, panel: str, handle: Any) -> None:
        """Show pictures of a panel in an output of the notebook.

        Parameters
        ----------
        panel : str
            The panel's model id.
        handle : IPython.display.DisplayHandle
            The output.
        """
        self.handles[panel] = handle
        self.panels = list(self.handles)

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        handle = self.handles.get(content.get("panel", ""))
        if handle is not None and buffers:
            picture = base64.b64encode(bytes(buffers[0])).decode("ascii")
            handle.update({"image/png": picture, "text/plain": "The panel as it was last seen."}, raw=True)


@cache
def pictures() -> Pictures:
    """Return the widget of this kernel; it is made when the first panel is displayed."""
    return Pictures()
