"""Films over time on a canvas: sent to the browser once, moved there by one slider without asking the kernel."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from cortexsim.explore.film import Film

_HERE = Path(__file__).parent


class Movie(anywidget.AnyWidget):
    """A map for each state and a matrix of dissimilarities, with play, step and loop; a click pins a time course.

    Attributes
    ----------
    time : int
        The slider follows, and leads.
    shown : int
        Which picture, or mean of a class, the maps are of: a place in the scene's `shown`.
    pinned : list of dict
        What has a time course: `film` (its place in the scene's `films`), `y` and `x`.
    scene, movie, screen
        See `Film`; set by `show`.
    """

    _esm = "\n".join(
        (_HERE / name).read_text(encoding="utf-8") for name in (Path("stage_js", "1_draw.js"), Path("movie.js"))
    )
    _css = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in ("stage.css", "movie.css"))

    time = traitlets.Int(0).tag(sync=True)
    shown = traitlets.Int(0).tag(sync=True)
    pinned = traitlets.List(traitlets.Dict()).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    movie = traitlets.Bytes().tag(sync=True)
    screen = traitlets.Bytes().tag(sync=True)

    def show(self, film: Film) -> None:
        """Show another film; in one message, so that the browser never sees half of it."""
        with self.hold_sync():
            self.movie, self.screen = film.movie, film.screen
            self.scene = film.described
            self.shown = min(self.shown, len(film.described["shown"]) - 1)
            times = film.described["times"]
            self.time = min(max(self.time, times[0]), times[-1])
