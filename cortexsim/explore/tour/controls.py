"""The controls of the first panel: task, image, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
import traitlets

from cortexsim.explore.panel.more_settings import MoreSettings
from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.tasks import Task
from cortexsim.explore.widgets.choice import Choice, Option

CHOICES = ("task", "difficulty", "stimulus", "kind", "duration", "mask", "soa", "until")

# behind *more settings*
HIDDEN = ("task", "stimulus", "duration", "until")

_ROW = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 14px")


class Controls(widgets.VBox):
    """A control for each of `CHOICES`; options that cannot be chosen are grey, with the reason.

    Parameters
    ----------
    tasks : mapping of str to Task
    shuffle : callable
        Called when another image is requested.
    """

    def __init__(self, tasks: Mapping[str, Task], shuffle: Callable[[], None]) -> None:
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
        self.more = MoreSettings([self.task, self.stimulus, self.duration, self.until])
        first = [self.difficulty, self.kind, self.mask, self.soa, self.shuffle, self.more.button]
        super().__init__([widgets.Box(first, layout=_ROW), self.more])
        self.shuffle.on_click(lambda _: shuffle())

    def link(self, panel: traitlets.HasTraits) -> None:
        """Link every control with the panel's trait of its name."""
        for name in CHOICES:
            traitlets.link((panel, name), (getattr(self, name), "value"))

    def worded(self, choices: Mapping[str, Any], tasks: Mapping[str, Task]) -> str:
        """Write choices with the labels on the screen; those of a difficulty depend on the task."""
        task = tasks.get(choices.get("task", self.task.value))
        said = []
        for name, value in choices.items():
            control, text = getattr(self, name), str(value)
            label = control.label if isinstance(control, Choice) else control.description
            if name == "task" and task is not None:
                text = task.title
            elif name == "difficulty":
                label = name
                if task is not None and value in task.difficulties:
                    label, text = task.difficulty, task.difficulties[value].label
            said.append(f"«{label}» to «{text}»" + (" (under «more settings»)" if name in HIDDEN else ""))
        return ", ".join(said)

    def show_difficulties(self, task: Task, difficulty: str) -> None:
        """Offer the difficulties of a task."""
        self.difficulty.label = task.difficulty
        self.difficulty.offer([Option(name, one.label) for name, one in task.difficulties.items()], difficulty)

    def show_offer(self, offer: Offer, choices: Mapping[str, Any], changed: str) -> dict[str, Any]:
        """Offer the presentations that are possible, and return the choices, with possible ones in place of others.

        Parameters
        ----------
        offer : Offer
        choices : mapping
            The present `kind`, `duration`, `mask` and `soa`.
        changed : str
            The choice that has just been made; it is kept, even if it is impossible. "presentation": all of them.
        """
        chosen = dict(choices)
        masked = chosen["kind"] == "masked"
        self.kind.offer(offer.kinds(), chosen["kind"])
        # the options of each depend on the choices before it
        options: dict[str, Callable[[], list[Option]]] = {
            "duration": lambda: offer.durations(chosen["kind"]),
            "mask": lambda: offer.masks(chosen["duration"]) if masked else [],
            "soa": lambda: offer.soas(chosen["duration"], chosen["mask"]) if masked else [],
        }
        for name, listed in options.items():
            offered = listed()
            possible = [option.value for option in offered if not option.reason]
            if changed not in (name, "presentation") and possible and chosen[name] not in possible:
                chosen[name] = possible[0]
            getattr(self, name).offer(offered, chosen[name])
        for control in (self.mask, self.soa):
            control.layout.display = "" if masked else "none"
        return chosen
