"""A panel in which a person sees flashed and masked digits, and their accuracy next to the model's."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import traitlets
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.settings import Form, listed
from cortexsim.explore.masking_trials import model_curve
from cortexsim.explore.masking_trials.observed import checked, counted, table
from cortexsim.explore.masking_trials.questions import QUESTIONS
from cortexsim.explore.masking_trials.stimuli import CLASSES, N_TRIALS, NO_MASK, SOAS_MS, round_of
from cortexsim.explore.panel.asking import Asking, Guess
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.settings import Saving
from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.following import Following
from cortexsim.plot._masking_of_observer import masking_of_observer

_HERE = Path(__file__).parent
WARNING = (
    '<p style="line-height:1.4;margin:0"><b>Flashing images.</b> '
    "Do not do this if you have photosensitive epilepsy. In a square of 320 px, never on the whole screen, a digit and "
    "a noise mask appear briefly: at most two flashes in a second. Escape stops at once. Nothing leaves this machine."
    "</p>"
)
SESSION = Form({"trials": listed}, what="the settings of a session", versioned=False)


class _View(Following):
    _esm = joined("following.js") + (_HERE / "trials.js").read_text(encoding="utf-8")
    _css = styles() + (_HERE / "trials.css").read_text(encoding="utf-8")

    round = traitlets.Int(0).tag(sync=True)
    content = traitlets.Dict().tag(sync=True)
    pixels = traitlets.Bytes().tag(sync=True)
    trials: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    waits = traitlets.Bool(False).tag(sync=True)


class _Prediction(Asking):
    """The prediction; what depends on it follows a choice, and saved answers.

    Parameters
    ----------
    question : str
    follow : callable
    """

    def __init__(self, question: str, follow: Callable[[], None]) -> None:
        super().__init__(QUESTIONS, question)
        self._follow = follow
        self.observe(lambda _: follow(), names="answer")

    def recall(self, answered: Sequence[Mapping[str, Any]], exercises: Mapping[str, Guess]) -> None:
        """Take over saved answers, and show them."""
        super().recall(answered, exercises)
        self._follow()


class MaskingTrials(Saving, Panel):
    """Twenty flashed digits, most of them masked: the person at the screen is the observer.

    The timing is counted in pictures of the screen, and measured: a trial in which the browser missed one does not
    count, and another follows. Nothing leaves the machine. After a round, the accuracy by SOA is drawn next to that of
    the model that ships, on digits and masks of the same kind.

    Parameters
    ----------
    question : str
        A key of `QUESTIONS`, to be answered before the first trial, or "" for none.

    Attributes
    ----------
    trials : list of dict
        Each trial that was shown, as plain values; `missed` if it does not count.
    result : Dataset
        Accuracy by SOA with its interval, and each trial that counts; see `observed.table`.
    model_result : Dataset or None
        The model's masking curve, once the first round is finished.
    settings : dict
        Plain values that open the panel again with these trials.
    ask : Asking
        Its `answered` lists question, answer and truth of the prediction.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.MaskingTrials(question="")
    >>> len(panel.trials)  # until the first round
    0
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = {}

    def __init__(self, question: str = "yourself") -> None:
        if question and question not in QUESTIONS:
            raise ValueError(unknown("question", question, QUESTIONS))
        self.ask = _Prediction(question, self._follow)
        self.ask.menu.layout.display = "none"
        self._view = _View(layout=widgets.Layout(flex="1 1 460px", min_width="0"))
        self._place = widgets.VBox(layout=widgets.Layout(width="100%", min_width="0"))
        self.words, self.notice = widgets.HTML(), widgets.HTML()
        self.model_result: xr.Dataset | None = None
        row = widgets.Layout(flex_flow="row wrap", grid_gap="4px 20px", width="100%")
        self._beside = widgets.VBox(
            [widgets.HTML(WARNING), self._place, self.words, self.notice],
            layout=widgets.Layout(flex="1 1 460px", min_width="0"),
        )
        super().__init__([self.ask, widgets.Box([self._view, self._beside], layout=row)])
        self._send_round()
        self._view.observe(lambda _: self._send_round(), names="round")
        self._view.observe(lambda _: self._take(), names="trials")
        self._follow()

    @classmethod
    def from_settings(cls, shows: Mapping[str, Any], *, question: str = "") -> Self:
        """Open the panel with the trials of `settings`.

        Raises
        ------
        TypeError, ValueError
            If these are not settings of a session; the message says why.
        """
        panel = cls(question)
        if shows:
            trials = checked(SESSION.read(shows)["trials"])
            panel._view.round = max((trial["round"] for trial in trials), default=0)
            panel._view.trials = trials
        return panel

    @property
    def trials(self) -> list[dict[str, Any]]:
        """Each trial that was shown, as plain values."""
        return [dict(trial) for trial in self._view.trials]

    @property
    def settings(self) -> dict[str, Any]:
        """The trials as plain values."""
        return {"trials": self.trials}

    @property
    def result(self) -> xr.Dataset:
        """Accuracy by SOA with its interval, and each trial that counts."""
        return table(self.trials)

    @property
    def figure(self) -> Any:
        """The figure, once a round is finished; None before."""
        shown = self._place.children
        return shown[0].figure if shown else None

    # --- inside

    def _send_round(self) -> None:
        """Draw the present round, and send it to the browser."""
        drawn = round_of(self._view.round)
        with self._view.hold_sync():
            self._view.content = {
                "round": drawn.number,
                "size": drawn.size,
                "conditions": drawn.conditions,
                "digits": drawn.digits,
                "soas_ms": SOAS_MS,
                "no_mask": NO_MASK,
                "classes": list(CLASSES),
            }
            self._view.pixels = drawn.pixels

    def _follow(self) -> None:
        self._view.waits = self.ask.missing

    def _take(self) -> None:
        """Show the result once a round is finished."""
        try:
            if counted(self.trials) and len(counted(self.trials)) % N_TRIALS == 0:
                self.ask.compare(self.result, {})
                self.model_result = model_curve.shipped()
                self._draw()
        except Exception as error:  # exceptions in callbacks of widgets are not shown elsewhere
            self.notice.value = alert("This could not be drawn", error)

    def _draw(self) -> None:
        result = self.result
        figure = masking_of_observer(result, self.model_result)
        if self._place.children:
            self._place.children[0].take(figure)
        else:
            self._place.children = (Live(figure),)
        said = f"{int(result['n'].sum())} trials counted"
        if result.attrs["n_missed"]:
            said += f"; {result.attrs['n_missed']} did not, because the browser missed a picture"
        said += (
            f". Your screen showed a picture every {result.attrs['frame_ms']:.1f} ms; flashes lasted "
            f"{float(result['flash_ms'].min()):.0f} to {float(result['flash_ms'].max()):.0f} ms. "
            "This is the browser's count: when the screen itself lights up and fades, it cannot know."
        )
        self.words.value = f'<div role="status" style="line-height:1.4">{html.escape(said)}</div>'
