"""Films over time on a canvas: sent to the browser once, and moved by a slider that needs no kernel."""

from __future__ import annotations

import traitlets

from cortexsim.explore.changes.film import Film
from cortexsim.explore.widgets.canvas import drawing, styles
from cortexsim.explore.widgets.following import Following


class Movie(Following):
    """A map for each state and a matrix of dissimilarities, with play, step and loop; a click pins a time course.

    It also draws the cursors of plotly figures in the same container of the class "cortexsim-linked", see
    `plot.hide_cursor`: a kernel and plotly would take most of a second to move five of them.

    Attributes
    ----------
    time : int
        Linked with the slider in both directions.
    shown : int
        The image, or mean of a class, of the maps: an index into the scene's `shown`.
    pinned : list of dict
        Places with a time course: `film` (index into the scene's `films`), `y` and `x`.
    scene, movie, screen
        See `Film`; set by `show`.
    """

    _esm = drawing("cursors.js", "movie.js")
    _css = styles("stage.css", "movie.css")

    time = traitlets.Int(0).tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)
    pinned = traitlets.List(traitlets.Dict()).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    movie = traitlets.Bytes().tag(sync=True)
    screen = traitlets.Bytes().tag(sync=True)

    def show(self, film: Film) -> None:
        """Show another film, in one message, so that the browser never shows a part of it."""
        with self.hold_sync():
            self.movie, self.screen = film.movie, film.screen
            self.scene = film.described
            self.shown = min(self.shown, len(film.described["shown"]) - 1)
            times = film.described["times"]
            self.time = min(max(self.time, times[0]), times[-1])
