"""Everything that changes with time, in one widget: its films are sent once, and its slider needs no kernel."""

from __future__ import annotations

import traitlets

from cortexsim.explore.tour.film import Scene
from cortexsim.explore.widgets.canvas import drawing, styles
from cortexsim.explore.widgets.following import Following


class Stage(Following):
    """The screen, every state's map, class probabilities and accuracy over time, under one time slider.

    Attributes
    ----------
    time : int
        Linked with the slider in both directions.
    view : str
        "mean" of the channels, or "all" of them side by side.
    scene, movie, screen
        See `Scene`; set by `show`.
    accuracy : dict
        `title`, `series` (each `name`, `values`, `low` and `high` at every time, None where there is no readout),
        `chance`, `message`.
    cover : str
        "readout": a question is asked; "time" locks time at 0 as well; "": none is.
    covers : dict of str to str
        What is written over "probability" or "accuracy", which are covered; "control": the control model's line is not
        drawn.
    picked : dict
        The unit that was clicked: `state`, `time`, `y`, `x`, and `channel`, which is None in the view "mean".
    clickable : bool
        Whether a click picks a unit; an exported page, which has no kernel, lacks it.
    marks : list of dict
        `time`, `label` and `on` ("probability" or "accuracy"): vertical lines.
    """

    _esm = drawing("stage_js/3_sketch.js", "stage_js/4_stage.js")
    _css = styles("stage.css")

    time = traitlets.Int(0).tag(sync=True)
    view = traitlets.Enum(["mean", "all"], "mean").tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    movie = traitlets.Bytes().tag(sync=True)
    screen = traitlets.Bytes().tag(sync=True)
    accuracy = traitlets.Dict().tag(sync=True)
    cover = traitlets.Enum(["", "readout", "time"], "").tag(sync=True)
    covers = traitlets.Dict().tag(sync=True)
    picked = traitlets.Dict().tag(sync=True)
    clickable = traitlets.Bool(True).tag(sync=True)
    marks = traitlets.List(traitlets.Dict()).tag(sync=True)

    def show(self, scene: Scene) -> None:
        """Show another stimulus, in one message, so that the browser never shows a part of it."""
        with self.hold_sync():
            self.picked = {}
            self.movie, self.screen = scene.movie, scene.screen
            self.scene = scene.described
            self.time = min(self.time, scene.described["times"][-1])
