"""The box that contains a panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from cortexsim.explore.widgets.keys import keys
from cortexsim.explore.widgets.pictures import pictures


class Panel(widgets.VBox):
    """A box whose controls receive all keys except those that run a cell or save the notebook.

    In a notebook, a picture of the panel follows it, which is visible only where the panel is not: without its kernel.
    """

    def __init__(self, children: Sequence[widgets.Widget] = (), **settings: Any) -> None:
        super().__init__(children, **settings)
        self.add_class("cortexsim-panel")
        keys()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        """Return the forms of the panel in a notebook: the widget, and a sentence for display without a kernel."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            name = type(self).__name__
            bundle["text/plain"] = f"{name}: a panel that needs its kernel. Run the cells from the top to use it."
        return bundle

    def _ipython_display_(self) -> None:
        """Display the panel, and after it an empty output for its picture."""
        from IPython import display as shown

        self.add_class("cortexsim-pictured")
        self.add_class(f"cortexsim-id-{self.model_id}")
        shown.display(self._repr_mimebundle_(), raw=True)  # type: ignore[no-untyped-call]
        picture = shown.DisplayHandle()  # type: ignore[no-untyped-call]
        picture.display({"text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
        pictures().follow(str(self.model_id), picture)
