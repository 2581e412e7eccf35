"""The first panel: choose an image and its presentation, predict, and step through model time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim._support.checks import unknown
from cortexsim._support.hashing import checksum
from cortexsim.explore.panel.asking import Guess, HasExercises
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.jobs import Turns
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.offer import Offer
from cortexsim.explore.panel.script import Name, call, data_line, script
from cortexsim.explore.panel.settings import Saving
from cortexsim.explore.tour.accuracies import MEASURING, Accuracies
from cortexsim.explore.tour.controls import CHOICES, Controls
from cortexsim.explore.tour.fields import Fields
from cortexsim.explore.tour.film import scene
from cortexsim.explore.tour.material import N_IMAGES, Material, find_task
from cortexsim.explore.tour.prediction import Prediction
from cortexsim.explore.tour.questions import EXERCISES, Facts, first_reached
from cortexsim.explore.widgets.copyable import Copyable
from cortexsim.explore.widgets.stage import Stage
from cortexsim.graph._schedule import arrival
from cortexsim.model.cortex import Cortex
from cortexsim.recording._rerun import FORM, check, indices, rerun, stimuli, verify
from cortexsim.recording.description import settings as made_with
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.masks import MASKS, GivenMask
from cortexsim.stimuli.presentation import Presentation
from cortexsim.stimuli.text import ONE_IMAGE, one_image_from_dict

UNTIL = 12
SHOWN_AS = ("kind", "duration", "mask", "soa")


class Tour(HasExercises, Saving, Panel):
    """An image, its presentation, and the model's responses, under one time slider.

    A change of the image or of its presentation runs one stimulus. Moving the time runs nothing, because the recording
    is already in the browser. The accuracies of the model and of its feedforward control on such images are measured
    afterwards, in a thread.

    Parameters
    ----------
    task : str, optional
        A task with a pretrained model; by default the first.
    model : Cortex or str, optional
        A model of your own instead of the task's: a Cortex, the name of a pretrained one, or a path.
    data : Dataset or mapping, optional
        With `model`: images with the coordinate `label`, or a dataset's name and arguments as `rerun` reads them.
    control : Cortex or str, optional
        With `model`: a control model, whose accuracy is also drawn.
    difficulty : str, optional
    stimulus : int
        Index in the data.
    presentation : Presentation, optional
        A flash, sustained or masked.
    until : int, optional
        Last time.
    question : str
        The first question: a key of `QUESTIONS`, or "" for none.
    sibling : Cortex or str, optional
        The former name of `control`.

    Attributes
    ----------
    task, difficulty, stimulus, kind, duration, mask, soa, until : str or int
        The choices, linked with the controls in both directions.
    time : int
        Linked with the slider in both directions.
    ask : Prediction
        With `question`, `answer`, and `answered`.
    recording : DataTree
        The recording on display, of one stimulus.
    fields : Fields
        What reaches the unit that was clicked, and what matters to it: `fields.reached` and `fields.sensitivity`.
    settings : dict
        Plain values that make this recording again: `cortexsim rerun settings.json`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. Later errors are shown in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Tour("contours", presentation=cs.flash(1), question="")
    >>> panel.settings["stimulus"]
    0
    """

    EXERCISES: ClassVar[Mapping[str, Guess]] = EXERCISES
    # a choice acts at once: nothing is to be run
    READY: ClassVar[str] = "It is set: check again once the accuracies are drawn."

    task = traitlets.Unicode()
    difficulty = traitlets.Unicode()
    stimulus = traitlets.Int(0)
    kind = traitlets.Unicode("flash")
    duration = traitlets.Int(1)
    mask = traitlets.Unicode("noise")
    soa = traitlets.Int(1)
    until = traitlets.Int(UNTIL)
    time = traitlets.Int(0)
    settings = traitlets.Dict()

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, Any] | None = None,
        control: Cortex | str | None = None,
        difficulty: str | None = None,
        stimulus: int = 0,
        presentation: Presentation | None = None,
        until: int | None = None,
        question: str = "settled",
        sibling: Cortex | str | None = None,
    ) -> None:
        if sibling is not None:
            warnings.warn("Tour(sibling=...) is called control= now", DeprecationWarning, stacklevel=2)
            control = sibling if control is None else control
        self._material = Material(model, data, control)
        self._tasks = self._material.tasks
        if task is not None and task not in self._tasks:
            raise ValueError(unknown("task", task, self._tasks))
        self._lock = threading.RLock()
        self._accuracies = Accuracies(self._lock, self._show_accuracies, self._fail_to_measure)
        self._turns = Turns()
        self.stage, self.notice, self.copyable = Stage(), widgets.HTML(), Copyable()
        self.ask = Prediction(self.stage, question)
        self.controls = Controls(self._tasks, self.shuffle)
        self.fields = Fields()
        parts = [self.ask, self.controls, self.notice, self.stage, self.fields, self.copyable]
        super().__init__(parts, layout=widgets.Layout(width="100%"))
        self._choose_task(task or next(iter(self._tasks)), difficulty)
        self.stimulus = stimulus
        if until is not None:
            self.until = until
        self._show_as(one_image_from_dict(self._material.task.start) if presentation is None else presentation)
        self.controls.link(self)
        traitlets.link((self, "time"), (self.stage, "time"))
        self.stage.observe(lambda change: self._show_fields(change["new"]), names="picked")
        self.observe(lambda change: self._attempt(change["name"]), names=list(CHOICES))
        # a given presentation is refused if it cannot be shown; that of the task is replaced by one that can
        self._attempt("until" if until is None and presentation is None else "presentation")
        if presentation not in (None, self._presentation):
            raise ValueError(
                f"this panel shows a mask for as long as in the model's statistics, else to the end: "
                f"«{self._presentation}», not «{presentation}»"
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], **more: Any) -> Tour:
        """Open a panel from saved settings.

        Parameters
        ----------
        settings : mapping
            The `settings` of another Tour.
        **more
            `question`; and `model` and `data`, for settings of a panel that was opened on your own.

        Raises
        ------
        TypeError, ValueError
            If the settings are not allowed for `rerun`, or model or image differ from those that were shown.
        """
        wanted = check(settings)
        for name, own in (("seed", 0), ("noise", 0), ("repeats", 1)):
            if wanted.get(name, own) != own:
                raise ValueError(
                    f"this panel shows {name} = {own} only, but the settings have {name} = {wanted[name]!r}; "
                    "the command `cortexsim rerun` makes their recording"
                )
        shown = {
            "stimulus": wanted["stimulus"],
            "presentation": one_image_from_dict(wanted["presentation"]),
            "until": wanted["until"],
        }
        found = find_task(wanted["model"], wanted["data"])
        if found is not None:
            task, difficulty = found
            panel = cls(task, difficulty=difficulty, **shown, **more)
        else:
            named = {key: wanted[key] for key in ("model", "data") if wanted[key] is not None}
            panel = cls(**{**named, **more}, **shown)
        verify(wanted, panel._material.model, stimuli(wanted, panel._material.images))
        quantity = panel.settings.get("quantity")
        if wanted.get("quantity", quantity) != quantity:
            raise ValueError(
                f"this panel shows the {quantity} of this model, but the settings have quantity = "
                f"{wanted['quantity']!r}; the command `cortexsim rerun` makes their recording"
            )
        return panel

    @property
    def results(self) -> list[tuple[dict[str, Any], Facts]]:
        """The choices on display, which may be older than the present ones, with the facts known so far."""
        return [(self._shows, self.ask.about)] if self.settings else []

    @property
    def code(self) -> str:
        """Python lines that make the recording on display without the panel; "" before the first.

        A model or images of your own, which have no name, are the variables `model` and `data`.
        """
        if not self.settings:
            return ""
        shown = one_image_from_dict(self.settings["presentation"])
        model, data, until = (self.settings[name] for name in ("model", "data", "until"))
        seed, quantity = self.settings["seed"], self.settings["quantity"]
        chosen = call("images.isel", stimulus=indices(self.settings))
        recording = call("cs.simulate", Name("model"), Name(chosen), shown, until=until, quantity=quantity, seed=seed)
        all_images = call("cs.simulate", Name("model"), Name("images"), shown, until=until, record=[], seed=seed)
        own = "# model: your own, as it was given to the panel"
        return script(
            own if model is None else f"model = {call('cs.zoo.get', model)}",
            "images = data  # your own images" if data is None else data_line("images", data, N_IMAGES),
            f"recording = {recording}",
            f'accuracy = cs.analyse.accuracy({all_images}["readout"])',
            "figures = {",
            '    "probabilities": cs.plot.probabilities(recording, stimulus=int(recording["readout"]["stimulus"][0])),',
            '    "accuracy": cs.plot.time_course(accuracy),',
            "}",
            'figures["probabilities"]',
        )

    def worded(self, needs: Mapping[str, Any]) -> str:
        """Write choices with the labels on the screen."""
        return self.controls.worded(needs, self._tasks)

    def choose(self, **choices: Any) -> None:
        """Set choices by name.

        Raises
        ------
        ValueError
            If there is no such choice, or the value is not allowed.
        """
        for name in choices:
            if name not in CHOICES:
                raise ValueError(unknown("choice", name, CHOICES))
        # a task sets its own difficulty
        for name in (name for name in CHOICES if name in choices):
            setattr(self, name, choices[name])

    def exercise_answered(self) -> None:
        """Uncover the accuracies, which the answer contains."""
        self.ask.uncover("batch", "control")

    def shuffle(self) -> None:
        """Show another stimulus, drawn at random."""
        others = [k for k in range(len(as_images(self._material.images))) if k != self.stimulus]
        if not others:
            error = ValueError("this panel has one image")
            self.notice.value = alert("There is no other image to show", error, "Give the panel more images: data=.")
            return
        self.stimulus = int(np.random.default_rng().choice(others))

    def wait(self, timeout_s: float = 60) -> None:
        """Wait until the accuracies are measured.

        Raises
        ------
        TimeoutError
            If they are not after this many seconds.
        """
        self._accuracies.wait(timeout_s)

    # --- choices

    @traitlets.validate("task", "kind", "mask")
    def _known(self, proposal: Any) -> str:
        # the menu itself would refuse it without naming the allowed values
        name, value = proposal["trait"].name, proposal["value"]
        allowed = {"task": self._tasks, "kind": ONE_IMAGE, "mask": MASKS}[name]
        if value not in allowed:
            raise traitlets.TraitError(unknown(name, value, allowed))
        return value

    def _attempt(self, changed: str) -> None:
        """Apply a change; an error is shown in the panel, whose picture is not changed then."""
        with self._turns.take() as mine:
            if not mine:
                return
            try:
                self._follow(changed)
                self._run()
            except Exception as error:  # Jupyter shows no exception of a widget's callback
                before = "The picture below is still the previous one. " if self.settings else ""
                self.notice.value = alert("This could not be shown", error, f"{before}Change the choices above.")

    def _choose_task(self, name: str, difficulty: str | None = None) -> None:
        chosen = self._material.choose(name, difficulty)
        self.task, self.difficulty = name, chosen
        longest = max((taken.until for taken in self._material.model.statistics.values()), default=2 * UNTIL)
        self.until = min(UNTIL, longest)
        self.controls.show_difficulties(self._material.task, self.difficulty)

    def _show_as(self, presentation: Presentation) -> None:
        if not isinstance(presentation, Presentation):
            raise TypeError(
                "presentation must be a flash, sustained or masked, such as cortexsim.flash(1), got "
                f"{type(presentation).__name__}"
            )
        if presentation.kind not in ONE_IMAGE:
            raise ValueError(f"this panel shows a flash, sustained or masked image, got «{presentation}»")
        if isinstance(presentation.mask, GivenMask):
            raise ValueError(f"this panel shows masks that are generated ({', '.join(MASKS)}), not pixels of your own")
        self.kind, self.duration = presentation.kind, presentation.duration or self.duration
        self.soa, self.mask = presentation.soa or self.soa, str(presentation.mask or self.mask)

    def _follow(self, changed: str) -> None:
        """Update everything that depends on a choice."""
        if changed == "task":
            self._choose_task(self.task)
            self._show_as(one_image_from_dict(self._material.task.start))
        if changed == "difficulty":
            self._material.draw(self.difficulty)
        offer = Offer(self._material.model, self.until)
        choices = {name: getattr(self, name) for name in SHOWN_AS}
        for name, value in self.controls.show_offer(offer, choices, changed).items():
            setattr(self, name, value)
        self._presentation = offer.presentation(self.kind, self.duration, self.mask, self.soa)
        reason = offer.why_not(self._presentation)
        if reason:
            raise ValueError(f"«{self._presentation}» up to t = {self.until}: {reason}")

    # --- running

    def _run(self) -> None:
        """Run one stimulus, and send it to the stage."""
        wanted = FORM.written(
            model=self._material.task.model,
            data=self._material.task.data_for(self.difficulty),
            stimulus=self.stimulus,
            presentation=self._presentation.to_dict(),
            until=self.until,
            quantity="rate",
            seed=0,
        )
        shown = stimuli(wanted, self._material.images)
        recording = rerun(wanted, model=self._material.model, images=self._material.images)
        if recording["readout"]["logits"].ndim > 3:
            raise ValueError(
                "this panel draws the probabilities of classes, but this model answers at every pixel: draw its maps "
                "with cs.plot.film; the models that trace have the panel cs.explore.Tracer"
            )
        pixels = as_images(shown)
        frames = self._presentation.frames(pixels, self.until, seed=wanted["seed"], others=pixels)
        on_stage = scene(recording, frames, self._material.model.graph)
        with self._lock:
            self.recording = recording
            self.settings = {
                **wanted,
                "model_checksum": made_with(recording)["model"],
                "image_checksum": checksum(pixels[:1]),
            }
            self._shows = {name: getattr(self, name) for name in CHOICES}
            self._facts = self._what_happened(recording)
            # before the measurement, which shows its own errors there
            self.notice.value = ""
            # in one message, so that what a question covers is never seen
            with self.stage.hold_sync():
                self.stage.show(on_stage)
                self._shown_image = shown
                self.fields.clear()
                self.copyable.text = self.code
                self._measure()

    def _show_fields(self, picked: Mapping[str, Any]) -> None:
        """Show the fields of the unit that was clicked, of the recording on display."""
        if not picked:
            return
        if self.stage.cover == "time":
            self.fields.text.value = "Predict first, or skip the question: the fields show when signals arrive."
        else:
            presentation = one_image_from_dict(self.settings["presentation"])
            self.fields.show(self._material.model, self._shown_image, self.recording, picked, presentation)

    def _what_happened(self, recording: xr.DataTree) -> Facts:
        readout = recording["readout"].to_dataset().isel(stimulus=0)
        holds = readout["populated"].values.tolist()
        right: list[bool | None] = [None] * len(holds)
        if "label" in readout.coords:
            named = readout["logits"].fillna(-np.inf).argmax("class").values == int(readout["label"])
            right = [bool(named[time]) if there else None for time, there in enumerate(holds)]
        graph = self._material.model.graph
        return Facts(
            last=graph.last,
            n_transitions=arrival(graph),
            holds=holds,
            right=right,
            n=len(as_images(self._material.images)),
            chance=1 / self._material.model.n_classes,
            starts=graph.state(graph.last).start is not None,
        )

    def _measure(self) -> None:
        """Ask about this recording, and measure how often such images are classified correctly."""
        key = (self.task, self.difficulty, self._presentation, self.until)
        keys = {
            "arrival": (self.task, first_reached(self._facts), self.until),
            "settled": (*key, self.stimulus),
            "batch": key,
            "control": key,
        }
        self.ask.start(self._facts, control=self._material.control is not None, keys=keys)
        self._accuracies.show(key, self._material, self._presentation, self.until)

    def _show_accuracies(self, accuracy: dict[str, Any]) -> None:
        self.stage.accuracy = accuracy
        values = [one["values"] for one in accuracy.get("series", [])]
        self.ask.learn(*values, final=accuracy.get("message") != MEASURING)

    def _fail_to_measure(self, error: Exception) -> None:
        self.notice.value = alert("The accuracies could not be measured", error, "All else in the panel is valid.")
