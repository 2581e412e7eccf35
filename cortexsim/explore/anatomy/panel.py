"""The anatomy panel: build a graph of areas, and see arrival times and costs at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import ipywidgets as widgets
import traitlets

from cortexsim._support.checks import unknown
from cortexsim._support.settings import Form, mapping, whole_number
from cortexsim.explore.anatomy.arrival import ANATOMY, TO_BUILD, Reach, facts_for, picture, reach
from cortexsim.explore.anatomy.draft import STARTS, Draft, as_transitions
from cortexsim.explore.panel.asking import Exercise, Guess, HasExercises
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.jobs import Turns
from cortexsim.explore.panel.more_settings import MoreSettings
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.settings import Saving
from cortexsim.explore.tour.prediction import Prediction
from cortexsim.explore.widgets.choice import Choice, Option
from cortexsim.explore.widgets.editor import Editor
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.presentation import Presentation, flash, sustained
from cortexsim.stimuli.text import one_image_from_dict

LONGEST = 24
SHOWN = {"flash": flash(1), "sustained": sustained()}
OWN = "own"
SINCE = "The graph has changed since then."
# the panel checks the ranges
FORM = Form(
    {
        "graph": mapping,
        "presentation": mapping,
        "readout_time": whole_number(),
        "until": whole_number(),
        "n_classes": whole_number(1),
    }
)
_ROW = widgets.Layout(flex_flow="row wrap", align_items="center", grid_gap="0 12px")


class Anatomy(HasExercises, Saving, Panel):
    """A transition matrix to edit, with the graph unrolled in time, arrival times, parameters and multiply-adds.

    Nothing is run, and no model is made: everything follows from `cs.schedule`.

    Parameters
    ----------
    graph : CortexGraph, Draft or str
        The start; a text is one of `STARTS`.
    presentation : Presentation, optional
        `flash(1)` (the default) or `sustained()`.
    readout_time : int, optional
        By default that of the start, or the first possible time.
    until : int, optional
        The last time that is drawn.
    n_classes : int
        Of the final layer, whose parameters are also counted.
    question : str
        The first question: "arrival", "readable", or "" for none.
    exercise : str
        A key of `EXERCISES`, which then replaces the question in the panel; "" for none.

    Attributes
    ----------
    draft : Draft
        The present graph, which may be impossible: `panel.draft = panel.draft.linked("V1", "IT", "BRCx2")` edits it.
    start, shown : str
        The start graph ("own" for a given one), and "flash" or "sustained"; linked with the controls.
    readout_time, until, time : int
    reach : Reach
        The consequences.
    settings : dict
        Plain values, for `from_settings`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. Later errors are shown in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Anatomy("adjacent", question="")
    >>> type(panel.graph).__name__
    'CortexGraph'
    """

    EXERCISES: ClassVar[Mapping[str, Guess]] = TO_BUILD

    draft = traitlets.Instance(Draft)
    start = traitlets.Unicode()
    shown = traitlets.Unicode("flash")
    readout_time = traitlets.Int()
    until = traitlets.Int()
    time = traitlets.Int(0)
    settings = traitlets.Dict()

    def __init__(
        self,
        graph: CortexGraph | Draft | str = "adjacent",
        *,
        presentation: Presentation | None = None,
        readout_time: int | None = None,
        until: int | None = None,
        n_classes: int = 10,
        question: str = "",
        exercise: str = "",
    ) -> None:
        self._turns, self._history = Turns(), list[tuple[str, dict[str, Any]]]()
        self._exercises: list[Exercise] = []
        self._own = None if isinstance(graph, str) else _as_draft(graph)
        self.n_classes = n_classes
        self.editor, self.notice = Editor(), widgets.HTML()
        self.ask = Prediction(self.editor, question, ANATOMY)
        self._make_controls()
        asks = self.exercise(exercise) if exercise else self.ask
        super().__init__([asks, self._controls, self.notice, self.editor], layout=widgets.Layout(width="100%"))
        with self._turns.take():
            self._begin(OWN if self._own else str(graph))
            if presentation is not None:
                self.shown = _name_of(presentation)
            if until is not None:
                self.until = until
            if readout_time is not None:
                self.readout_time = readout_time
            self._lead()
            self._follow(asks=True)
            self.time = self.editor.time = 0 if question else self.readout_time
            traitlets.link((self, "time"), (self.editor, "time"))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], **more: Any) -> Anatomy:
        """Open a panel from the `settings` of another.

        Raises
        ------
        ValueError
            If a setting is missing, unknown or not allowed.
        """
        settings = FORM.read(settings)
        return cls(
            Draft.from_dict(settings["graph"]),
            presentation=one_image_from_dict(settings["presentation"]),
            **{name: settings[name] for name in ("readout_time", "until", "n_classes")},
            **more,
        )

    @property
    def graph(self) -> CortexGraph:
        """The graph.

        Raises
        ------
        ValueError
            If it is impossible; the message says why.
        """
        return self.draft.graph

    def model(self, **more: Any) -> Cortex:
        """Make a model of the graph, with random weights: `cs.Cortex` with this readout time.

        Parameters
        ----------
        **more
            As for `cs.Cortex`.

        Raises
        ------
        ValueError
            If the graph is impossible, or nothing can be read at the readout time.
        """
        if self.reach.refused:
            raise ValueError(f"no model of this graph at readout time {self.readout_time}: {self.reach.refused}")
        return Cortex(self.graph, **{"n_classes": self.n_classes, "readout_time": self.readout_time, **more})

    @property
    def results(self) -> list[tuple[dict[str, Any], Reach]]:
        """The consequences of the present graph."""
        return [({}, self.reach)]

    def exercise(self, name: str) -> Exercise:
        """Return an exercise whose verdict follows the graph; see `HasExercises.exercise`."""
        self._exercises.append(super().exercise(name))
        return self._exercises[-1]

    def undo(self) -> None:
        """Undo the last change."""
        if self._history:
            self._restore(*self._history.pop())

    def reset(self) -> None:
        """Return to the start graph; this can be undone, too."""
        self._attempt(lambda: self._begin(self.start), asks=False)

    # --- the controls

    def _make_controls(self) -> None:
        wide: dict[str, Any] = {"style": {"description_width": "initial"}}
        starts = [(start.title, name) for name, start in STARTS.items()]
        if self._own:
            starts.append(("the graph that was given", OWN))
        self.start_menu = widgets.Dropdown(
            options=starts, description="start from", layout=widgets.Layout(width="330px"), **wide
        )
        self.shown_choice = Choice(label="image shown")
        self.shown_choice.offer([Option("flash", "flash"), Option("sustained", "sustained")], "flash")
        narrow = widgets.Layout(width="155px")
        self.readout_text = widgets.IntText(description="readout time T", layout=narrow, **wide)
        self.until_text = widgets.IntText(description="last time", layout=widgets.Layout(width="120px"), **wide)
        button = widgets.Layout(width="70px")
        self.undo_button = widgets.Button(description="undo", tooltip="take the last change back", layout=button)
        self.undo_button.disabled = True
        self.reset_button = widgets.Button(description="reset", tooltip="back to the start", layout=button)
        parts = [self.start_menu, self.undo_button, self.reset_button]
        more = MoreSettings([self.until_text])
        parts += [self.shown_choice, self.readout_text, more.button]
        self._controls = widgets.VBox([widgets.Box(parts, layout=_ROW), more])

    def _lead(self) -> None:
        """Link every control with the trait of its name, and observe all traits."""
        for name, control in (
            ("start", self.start_menu),
            ("shown", self.shown_choice),
            ("readout_time", self.readout_text),
            ("until", self.until_text),
        ):
            self._link(name, control)
        traitlets.link((self, "readout_time"), (self.editor, "readout_time"))
        self.undo_button.on_click(lambda _: self.undo())
        self.reset_button.on_click(lambda _: self.reset())
        self.editor.on_msg(lambda _, content, __: self.undo() if content.get("act") == "undo" else None)
        self.editor.observe(self._edited, names="transitions")
        self.observe(self._changed, names=["draft", "start", "shown", "readout_time", "until"])

    def _link(self, name: str, control: widgets.Widget) -> None:
        """Link a trait with a control, which returns to the trait's value when what was entered is refused."""
        # traitlets.link ignores what changes while it carries a change over
        control.value = getattr(self, name)
        control.observe(lambda change: setattr(self, name, change["new"]), names="value")
        self.observe(lambda change: setattr(control, "value", change["new"]), names=name)

    def _edited(self, change: Any) -> None:
        """Take the transitions that the browser has edited."""
        self._attempt(lambda: self._take(change["new"]), asks=False)

    def _take(self, transitions: list[dict[str, Any]]) -> None:
        self.draft = Draft(self.draft.states, as_transitions(transitions))

    def _changed(self, change: Any) -> None:
        name = change["name"]
        self._attempt(lambda: self._begin(self.start) if name == "start" else None, asks=name == "start")

    @property
    def _starts(self) -> list[str]:
        return [*STARTS, *([OWN] if self._own else [])]

    @traitlets.validate("start")
    def _known(self, proposal: Any) -> str:
        # the menu itself would refuse it without naming the start graphs
        if proposal["value"] not in self._starts:
            raise traitlets.TraitError(unknown("start", proposal["value"], self._starts))
        return proposal["value"]

    # --- consequences

    def _begin(self, name: str) -> None:
        """Set the draft to a start graph, or to the given one."""
        if name not in self._starts:
            raise ValueError(unknown("start", name, self._starts))
        self.start = name
        if name in STARTS:
            self.draft, self.readout_time = Draft.of(STARTS[name].graph()), STARTS[name].readout_time
        else:
            assert self._own is not None
            self.draft = self._own
            whole = reach(self.draft, SHOWN[self.shown], 1, LONGEST)
            self.readout_time = next((time for time in whole.readable if time), 1)
        self.until = min(max(8, self.readout_time + 2, self.draft.last_change), LONGEST)

    def _attempt(self, change: Any, *, asks: bool) -> None:
        """Apply a change; an error is shown in the panel, which is not changed then."""
        with self._turns.take() as mine:
            if not mine:
                return
            before = self._shows
            try:
                change()
                self._follow(asks=asks)
                if self._shows != before:
                    self._history.append(before)
            except Exception as error:  # Jupyter shows no exception of a widget's callback
                # otherwise this change would make the panel refuse the next one
                self._set(*before)
                self.editor.transitions = self.draft.listed()
                self.notice.value = alert("This is not possible", error, "The panel is as it was before.")
            finally:
                self.undo_button.disabled = not self._history

    def _restore(self, start: str, settings: Mapping[str, Any]) -> None:
        before = self._history.copy()
        self._attempt(lambda: self._set(start, settings), asks=False)
        self._history = before
        self.undo_button.disabled = not before

    def _set(self, start: str, settings: Mapping[str, Any]) -> None:
        self.start, self.draft = start, Draft.from_dict(settings["graph"])
        self.shown = settings["presentation"]["kind"]
        self.readout_time, self.until = settings["readout_time"], settings["until"]

    @property
    def _shows(self) -> tuple[str, dict[str, Any]]:
        return self._began, self.settings

    def _follow(self, *, asks: bool) -> None:
        """Derive the consequences, and send them to the browser."""
        self._check()
        self.time = min(self.time, self.until)
        self.reach: Reach = reach(self.draft, SHOWN[self.shown], self.readout_time, self.until)
        self._began = self.start
        self.settings = FORM.written(
            graph=self.draft.to_dict(),
            presentation=SHOWN[self.shown].to_dict(),
            readout_time=self.readout_time,
            until=self.until,
            n_classes=self.n_classes,
        )
        # in one message, so that the browser never draws a part of it
        with self.editor.hold_sync():
            self.editor.transitions = self.draft.listed()
            names = [state.name for state in self.draft.states]
            if not set(self.editor.selected) <= set(names):
                self.editor.selected = [names[0], names[min(1, len(names) - 1)]]
            self.editor.picture = picture(self.reach, self.n_classes)
            if asks or self.editor.cover:
                self.ask.start(facts_for(self.reach), control=False)
            else:
                self.ask.update(facts_for(self.reach))
                self.ask.qualify(facts_for(self.reach), SINCE)
        for exercise in self._exercises:
            exercise.ask.qualify(self.reach, SINCE)
        self.notice.value = ""

    def _check(self) -> None:
        if self.shown not in SHOWN:
            raise ValueError(unknown("presentation", self.shown, SHOWN))
        if not 1 <= self.until <= LONGEST:
            raise ValueError(f"the last time must be 1 to {LONGEST}, got {self.until}")
        if not 1 <= self.readout_time <= self.until:
            raise ValueError(f"the readout time must be 1 to the last time, {self.until}, got {self.readout_time}")
        if self.draft.last_change > self.until:
            raise ValueError(
                f"transitions open or close up to t = {self.draft.last_change}, so the last time must be at least "
                f"that, got {self.until}"
            )


def _as_draft(graph: Any) -> Draft:
    if isinstance(graph, Draft):
        return graph
    if not isinstance(graph, CortexGraph):
        raise TypeError(f"graph must be a CortexGraph, or one of {list(STARTS)}, got {type(graph).__name__}")
    return Draft.of(graph)


def _name_of(presentation: Presentation) -> str:
    for name, one in SHOWN.items():
        if one == presentation:
            return name
    raise ValueError(f"this panel shows {[str(one) for one in SHOWN.values()]}, got {presentation}")
