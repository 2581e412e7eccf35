"""The transition matrix and the graph unrolled in time: the browser edits, the kernel says what follows."""

from __future__ import annotations

import anywidget
import traitlets

from cortexsim.explore.widgets.canvas import drawing, joined


class Editor(anywidget.AnyWidget):
    """A cell for each pair of states, the chosen cell's kind and open times, and the unrolled graph beside it.

    Attributes
    ----------
    transitions : list of dict
        `source`, `target`, `kind` and `times` (half-open intervals; None is for ever) of each; the browser leads.
    selected : list of str
        Source and target of the chosen cell; the browser leads.
    time : int
        How far data have travelled; the browser leads.
    readout_time : int
        When the last state is read.
    picture : dict
        What follows, as `picture.picture` makes it.
    cover : str
        "time" hides what follows and holds time at 0; "" shows all.
    marks : list of dict
        Not drawn here: the readout's mark is the graph's own.
    """

    _esm = drawing("editor_js/1_matrix.js", "editor_js/2_unrolled.js", "editor_js/3_editor.js")
    _css = joined("stage.css", "editor.css")

    transitions = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode(), minlen=2, maxlen=2, default_value=["", ""]).tag(sync=True)
    time = traitlets.Int(0).tag(sync=True)
    readout_time = traitlets.Int(1).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    cover = traitlets.Enum(["", "readout", "time"], "").tag(sync=True)
    marks = traitlets.List(traitlets.Dict())
