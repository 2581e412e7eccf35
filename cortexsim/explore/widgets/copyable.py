"""A text that is copied with one click, such as the code of a panel."""

from __future__ import annotations

import traitlets

from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.following import Following


class Copyable(Following):
    """A button that copies a text, and the text itself, folded; nothing is shown while the text is empty.

    Attributes
    ----------
    text : str
    """

    _esm = joined("following.js", "copyable.js")
    _css = styles("copyable.css")

    text = traitlets.Unicode().tag(sync=True)
