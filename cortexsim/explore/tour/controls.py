"""What a person chooses in the first panel: task, image, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ipywidgets as widgets
import traitlets

from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.tasks import Task
from cortexsim.explore.widgets.choice import Choice, Option

if TYPE_CHECKING:
    from cortexsim.explore.tour.panel import Tour

_ROW = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 14px")


class Controls(widgets.VBox):
    """The controls of a `Tour`; what cannot be chosen is greyed out with the reason.

    Parameters
    ----------
    tasks : mapping of str to Task
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        wide = {"style": {"description_width": "initial"}}
        self.task = widgets.Dropdown(
            options=[(task.title, name) for name, task in tasks.items()],
            description="task",
            layout=widgets.Layout(width="350px"),
            **wide,
        )
        self.stimulus = widgets.IntText(description="image", layout=widgets.Layout(width="120px"), **wide)
        self.shuffle = widgets.Button(
            description="shuffle", tooltip="another image, drawn at random", layout=widgets.Layout(width="80px")
        )
        self.until = widgets.IntText(description="last time (steps)", layout=widgets.Layout(width="165px"), **wide)
        self.difficulty, self.kind = Choice(), Choice(label="shown")
        self.duration, self.mask = Choice(label="for (steps)"), Choice(label="mask")
        self.soa = Choice(label="SOA (steps)")
        super().__init__(
            [
                widgets.Box([self.task, self.stimulus, self.shuffle, self.until], layout=_ROW),
                widgets.Box([self.difficulty, self.kind, self.duration, self.mask, self.soa], layout=_ROW),
            ]
        )

    def lead(self, tour: Tour) -> None:
        """Link every control with the trait of its name, and the button with the draw."""
        for name in ("task", "difficulty", "stimulus", "kind", "duration", "mask", "soa", "until"):
            traitlets.link((tour, name), (getattr(self, name), "value"))
        self.shuffle.on_click(lambda _: tour.shuffle())

    def fit(self, task: Task, difficulty: str) -> None:
        """Offer a task's difficulties."""
        self.difficulty.label = task.difficulty
        self.difficulty.offer([Option(name, one.label) for name, one in task.difficulties.items()], difficulty)

    def offer(self, tour: Tour, offer: Offer, changed: str) -> None:
        """Offer what the model can be shown; what was not chosen just now gives way to what was.

        Parameters
        ----------
        tour : Tour
        offer : Offer
        changed : str
            What was chosen just now; it stays, though it may not be possible.
        """
        self.kind.offer(offer.kinds(), tour.kind)
        brief = tour.kind == "masked"
        for name, options in self._details(tour, offer):
            listed = options()
            possible = [option.value for option in listed if not option.reason]
            if name != changed and changed != "presentation" and possible and getattr(tour, name) not in possible:
                setattr(tour, name, possible[0])
            getattr(self, name).offer(listed, getattr(tour, name))
        for control in (self.mask, self.soa):
            control.layout.display = "" if brief else "none"

    def _details(self, tour: Tour, offer: Offer) -> list[tuple[str, Callable[[], list[Option]]]]:
        """Name the choices that depend on the ones before them."""
        return [
            ("duration", lambda: offer.durations(tour.kind)),
            ("mask", lambda: offer.masks(tour.duration) if tour.kind == "masked" else []),
            ("soa", lambda: offer.soas(tour.duration, tour.mask) if tour.kind == "masked" else []),
        ]
