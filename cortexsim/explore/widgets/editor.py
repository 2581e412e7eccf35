"""The transition matrix and the graph unrolled in time: the browser edits, the kernel derives the rest."""

from __future__ import annotations

import traitlets

from cortexsim.explore.widgets.canvas import drawing, styles
from cortexsim.explore.widgets.following import Following


class Editor(Following):
    """A cell for each pair of states, the chosen cell's kind and open times, and the unrolled graph next to them.

    Attributes
    ----------
    transitions : list of dict
        `source`, `target`, `kind` and `times` (half-open intervals; None means no end) of each; set by the browser.
    selected : list of str
        Source and target of the chosen cell; set by the browser.
    time : int
        The present time; set by the browser.
    readout_time : int
        When the last state is read.
    picture : dict
        The consequences, as `anatomy.arrival.picture` returns them.
    cover : str
        "time" hides the consequences and locks time at 0; "" shows all.
    marks : list of dict
        Not drawn here: the graph marks the readout itself.
    """

    _esm = drawing("editor_js/1_matrix.js", "editor_js/2_unrolled.js", "editor_js/3_editor.js")
    _css = styles("stage.css", "editor.css")

    transitions = traitlets.List(traitlets.Dict()).tag(sync=True)
    selected = traitlets.List(traitlets.Unicode(), minlen=2, maxlen=2, default_value=["", ""]).tag(sync=True)
    time = traitlets.Int(0).tag(sync=True)
    readout_time = traitlets.Int(1).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)
    cover = traitlets.Enum(["", "readout", "time"], "").tag(sync=True)
    marks = traitlets.List(traitlets.Dict())
