"""The first panel: choose a picture and how it is shown, predict, and hold time in your hand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import ipywidgets as widgets
import numpy as np
import traitlets
import xarray as xr

from cortexsim import zoo
from cortexsim._support.checks import unknown
from cortexsim._support.hashing import checksum
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.batch import as_series, right_over_time
from cortexsim.explore.panel.exercise import Exercising
from cortexsim.explore.panel.jobs import Behind, Wanted
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.panel.offer import KINDS, Offer, arrival
from cortexsim.explore.panel.settings import Saving
from cortexsim.explore.panel.tasks import Difficulty, Task, shipped
from cortexsim.explore.panel.turns import Turns
from cortexsim.explore.tour.controls import Controls
from cortexsim.explore.tour.film import scene
from cortexsim.explore.tour.prediction import Prediction
from cortexsim.explore.tour.questions import EXERCISES, Facts
from cortexsim.explore.widgets.shortcuts import Panel
from cortexsim.explore.widgets.stage import Stage
from cortexsim.model.checkpoint import load as load_file
from cortexsim.model.cortex import Cortex
from cortexsim.recording._rerun import FORM, check, draw, presentation_from, rerun, stimuli, verify
from cortexsim.recording.io import settings as made_with
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.masks import MASKS, GivenMask
from cortexsim.stimuli.presentation import Presentation

N_BATCH = 200
UNTIL = 12
MEASURING = "measuring …"
CHOICES = ("task", "difficulty", "stimulus", "kind", "duration", "mask", "soa", "until")


class Tour(Exercising, Saving, Panel):
    """Choose an image and how it is shown; move one time slider over all that happens then.

    Changing the image or how it is shown runs one stimulus. Moving time runs nothing: what was recorded is in the
    browser already. How often the model and its feedforward sibling are right on images like this one is measured
    afterwards, in a thread.

    Parameters
    ----------
    task : str, optional
        One of those whose models ship; by default the first.
    model : Cortex or str, optional
        A model of your own instead of the task's: a Cortex, the name of a pretrained one, or a path.
    data : Dataset or mapping, optional
        With `model`: images with the coordinate `label`, or a dataset's name and arguments as `rerun` reads them.
    sibling : Cortex or str, optional
        With `model`: what to draw beside it.
    difficulty : str, optional
    stimulus : int
        Index in the data.
    presentation : Presentation, optional
        A flash, sustained or masked.
    until : int, optional
        Last time.
    question : str
        What to predict first: a key of `QUESTIONS`, or "" to just look.

    Attributes
    ----------
    task, difficulty, stimulus, kind, duration, mask, soa, until : str or int
        What is shown; the controls follow, and lead.
    time : int
        The slider follows, and leads.
    ask : Prediction
        Its `question`, `answer`, and what was `told`.
    recording : DataTree
        What is on display, of one stimulus.
    settings : dict
        What makes this recording again: `cortexsim rerun settings.json`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not allowed. What goes wrong later is shown in the panel.
    """

    EXERCISES: ClassVar[Mapping[str, Guess]] = EXERCISES

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
        sibling: Cortex | str | None = None,
        difficulty: str | None = None,
        stimulus: int = 0,
        presentation: Presentation | None = None,
        until: int | None = None,
        question: str = "settled",
    ) -> None:
        if model is None and (data is not None or sibling is not None):
            what = "data" if data is not None else "sibling"
            raise ValueError(f"{what} goes with a model of your own: give model=, too, or choose one of the tasks")
        self._tasks = shipped() if model is None else {"own": _own_task(model, data, sibling)}
        if task is not None and task not in self._tasks:
            raise ValueError(unknown("task", task, self._tasks))
        self._given: dict[str, Any] = {"model": model, "sibling": sibling, "data": data}
        self._models: dict[str, Cortex] = {}
        self._measured: dict[Any, dict[str, Any]] = {}
        self._lock, self._behind = threading.RLock(), Behind()
        self._turns = Turns()
        self.stage, self.notice = Stage(), widgets.HTML()
        self.ask = Prediction(self.stage, question)
        self.controls = Controls(self._tasks)
        super().__init__([self.controls, self.notice, self.ask, self.stage], layout=widgets.Layout(width="100%"))
        self._choose_task(task or next(iter(self._tasks)), difficulty)
        self.stimulus = stimulus
        if until is not None:
            self.until = until
        self._show_as(presentation_from(self._task.start) if presentation is None else presentation)
        self.controls.lead(self)
        traitlets.link((self, "time"), (self.stage, "time"))
        self.observe(lambda change: self._attempt(change["name"]), names=list(CHOICES))
        # what was asked for is refused if it cannot be shown; what a task begins with gives way to what can
        self._attempt("until" if until is None and presentation is None else "presentation")
        if presentation not in (None, self._presentation):
            raise ValueError(
                f"this panel shows masks for as long as the model's statistics know them, else to the end: "
                f"«{self._presentation}», not «{presentation}»"
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], **more: Any) -> Tour:
        """Open a panel on what settings describe.

        Parameters
        ----------
        settings : mapping
            As another panel's `settings`.
        **more
            `question`; and `model`, `data` where the settings name none.

        Raises
        ------
        TypeError, ValueError
            If the settings are not as `rerun` wants them, or model or image are not the ones that were shown.
        """
        wanted = check(settings)
        for name, own in (("seed", 0), ("noise", 0), ("repeats", 1)):
            if wanted.get(name, own) != own:
                raise ValueError(
                    f"this panel shows {name} = {own} only, but the settings have {name} = {wanted[name]!r}; "
                    "cortexsim.recording._rerun.rerun(settings) makes their recording"
                )
        shown = {
            "stimulus": wanted["stimulus"],
            "presentation": presentation_from(wanted["presentation"]),
            "until": wanted["until"],
        }
        for name, task in shipped().items():
            for difficulty in task.difficulties:
                if (task.model, task.data_for(difficulty)) == (wanted["model"], wanted["data"]):
                    panel = cls(name, difficulty=difficulty, **shown, **more)
                    break
            else:
                continue
            break
        else:
            named = {key: wanted[key] for key in ("model", "data") if wanted[key] is not None}
            panel = cls(**{**named, **more}, **shown)
        verify(wanted, panel._model, stimuli(wanted, panel._images))
        quantity = panel.settings.get("quantity")
        if wanted.get("quantity", quantity) != quantity:
            raise ValueError(
                f"this panel shows the {quantity} of this model, but the settings have quantity = "
                f"{wanted['quantity']!r}; cortexsim.rerun.rerun(settings) makes their recording"
            )
        return panel

    @property
    def results(self) -> list[tuple[dict[str, Any], Facts]]:
        """What is shown, which may be less than what is chosen, and what is known of it so far."""
        return [(self._shows, self.ask.about)] if self.settings else []

    def shuffle(self) -> None:
        """Show another stimulus, drawn at random."""
        others = [k for k in range(len(as_images(self._images))) if k != self.stimulus]
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
            If they are not after so many seconds.
        """
        self._behind.wait(timeout_s)

    # --- what is chosen

    @traitlets.validate("task", "kind", "mask")
    def _known(self, proposal: Any) -> str:
        # before a menu refuses it in words that do not help
        name, value = proposal["trait"].name, proposal["value"]
        allowed = {"task": self._tasks, "kind": KINDS, "mask": MASKS}[name]
        if value not in allowed:
            raise traitlets.TraitError(unknown(name, value, allowed))
        return value

    def _attempt(self, changed: str) -> None:
        """Follow a change; what goes wrong is said in the panel, which keeps what it showed."""
        with self._turns.take() as mine:
            if not mine:
                return
            try:
                self._follow(changed)
                self._run()
            except Exception as error:  # a widget's exception would show nowhere else
                kept = "What is drawn below is still the one before. " if self.settings else ""
                self.notice.value = alert("This could not be shown", error, f"{kept}Choose something else above.")

    def _choose_task(self, name: str, difficulty: str | None = None) -> None:
        task = self._tasks[name]
        if difficulty is not None and difficulty not in task.difficulties:
            raise ValueError(unknown(task.difficulty, difficulty, task.difficulties))
        self._task = task
        model = self._load("model", task.model)
        assert model is not None
        self._model: Cortex = model
        self._sibling = self._load("sibling", task.sibling)
        self.task, self.difficulty = name, difficulty or next(iter(task.difficulties))
        self._draw()
        longest = max((taken.until for taken in self._model.statistics.values()), default=2 * UNTIL)
        self.until = min(UNTIL, longest)
        self.controls.fit(task, self.difficulty)

    def _load(self, role: str, name: str | None) -> Cortex | None:
        given = self._given[role]
        if isinstance(given, Cortex) or name is None:
            return given
        if name not in self._models:
            self._models[name] = load_file(name) if Path(name).suffix == ".safetensors" else zoo.load(name)
        return self._models[name]

    def _draw(self) -> None:
        data = self._given["data"]
        self._images = data if isinstance(data, xr.Dataset) else draw(self._task.data_for(self.difficulty), N_BATCH)

    def _show_as(self, presentation: Presentation) -> None:
        if not isinstance(presentation, Presentation):
            raise TypeError(
                "presentation must be a flash, sustained or masked, such as cortexsim.flash(1), got "
                f"{type(presentation).__name__}"
            )
        if presentation.kind not in KINDS:
            raise ValueError(f"this panel shows a flash, sustained or masked image, got «{presentation}»")
        if isinstance(presentation.mask, GivenMask):
            raise ValueError(f"this panel shows masks that are made on the spot ({', '.join(MASKS)}), not given ones")
        self.kind, self.duration = presentation.kind, presentation.duration or self.duration
        self.soa, self.mask = presentation.soa or self.soa, str(presentation.mask or self.mask)

    def _follow(self, changed: str) -> None:
        """Bring what depends on a change in line with it."""
        if changed == "task":
            self._choose_task(self.task)
            self._show_as(presentation_from(self._task.start))
        if changed == "difficulty":
            if self.difficulty not in self._task.difficulties:
                raise ValueError(unknown(self._task.difficulty, self.difficulty, self._task.difficulties))
            self._draw()
        offer = Offer(self._model, self.until)
        self.controls.offer(self, offer, changed)
        self._presentation = offer.presentation(self.kind, self.duration, self.mask, self.soa)
        reason = offer.why_not(self._presentation)
        if reason:
            raise ValueError(f"«{self._presentation}» up to t = {self.until}: {reason}")

    # --- what is run

    def _run(self) -> None:
        """Run one stimulus, and send it to the stage."""
        wanted = FORM.written(
            model=self._task.model,
            data=self._task.data_for(self.difficulty),
            stimulus=self.stimulus,
            presentation=self._presentation.to_dict(),
            until=self.until,
            quantity="state" if self._model.normalization == "none" else "rate",
            seed=0,
        )
        shown = stimuli(wanted, self._images)
        recording = rerun(wanted, model=self._model, images=self._images)
        pixels = as_images(shown)
        frames = self._presentation.frames(pixels, self.until, seed=wanted["seed"], others=pixels)
        on_stage = scene(recording, frames, self._model.graph)
        with self._lock:
            self.recording = recording
            self.settings = {
                **wanted,
                "model_checksum": made_with(recording)["model"],
                "image_checksum": checksum(pixels[:1]),
            }
            self._shows = {name: getattr(self, name) for name in CHOICES}
            self.stage.show(on_stage)
            self._facts = self._what_happened(recording)
            # before the measuring, which has a word of its own there if it fails
            self.notice.value = ""
            self._measure()

    def _what_happened(self, recording: xr.DataTree) -> Facts:
        readout = recording["readout"].to_dataset().isel(stimulus=0)
        holds = readout["populated"].values.tolist()
        right: list[bool | None] = [None] * len(holds)
        if "label" in readout.coords:
            named = readout["logits"].fillna(-np.inf).argmax("class").values == int(readout["label"])
            right = [bool(named[time]) if there else None for time, there in enumerate(holds)]
        graph = self._model.graph
        return Facts(
            last=graph.last,
            n_transitions=arrival(graph),
            holds=holds,
            right=right,
            n=len(as_images(self._images)),
            chance=1 / self._model.n_classes,
        )

    def _measure(self) -> None:
        """Measure accuracy over time behind the panel, unless it is known."""
        key = (self.task, self.difficulty, self._presentation, self.until)
        n = self._facts.n
        title = f"accuracy over time, {n} such images (bars: 95 %)"
        self.ask.start(self._facts, sibling=self._sibling is not None)
        if key in self._measured:
            self._behind.forget()
            self._publish(self._measured[key])
        elif "label" not in self._images.coords:
            self._publish({"title": title, "message": "these images have no labels"})
        else:
            self._publish({"title": title, "message": MEASURING})
            self._behind.do(self._job(key, title, self._images, self._model, self._sibling, self._presentation))

    def _job(
        self,
        key: Any,
        title: str,
        images: xr.Dataset,
        model: Cortex,
        sibling: Cortex | None,
        presentation: Presentation,
    ) -> Any:
        until, n = self.until, len(as_images(images))
        result: dict[str, Any] = {"title": title, "chance": 1 / model.n_classes, "series": []}

        def measure(wanted: Wanted) -> None:
            try:
                for name, one in (("recurrent", model), ("feedforward", sibling)):
                    if one is not None:
                        right = right_over_time(one, images, presentation, until, wanted=wanted)
                        result["series"] = [*result["series"], as_series(name, right, n)]
            except InterruptedError:
                return
            except Exception as error:  # shown in the panel: nobody reads what a thread has to say
                with self._lock:
                    if wanted():
                        self.notice.value = alert(
                            "The accuracies could not be measured", error, "All else in the panel holds."
                        )
                        self._publish({**result, "message": "could not be measured (see above)"})
                return
            with self._lock:
                self._measured[key] = result
                if wanted():
                    self._publish(result)

        return measure

    def _publish(self, accuracy: dict[str, Any]) -> None:
        self.stage.accuracy = accuracy
        values = [one["values"] for one in accuracy.get("series", [])]
        self.ask.learn(*values, final=accuracy.get("message") != MEASURING)


def _own_task(model: Any, data: Any, sibling: Any) -> Task:
    """Describe a model and data that were given."""
    if not isinstance(model, Cortex | str):
        raise TypeError(f"model must be a Cortex, a name or a path, got {type(model).__name__}")
    if not isinstance(data, xr.Dataset | Mapping):
        raise TypeError(
            "with a model of your own, data must be a Dataset with `image` (and `label`), or a mapping such as "
            f"{{'name': 'digits', 'part': 'test'}}, got {type(data).__name__}"
        )
    return Task(
        title="your own model",
        data=None if isinstance(data, xr.Dataset) else dict(data),
        difficulty="data",
        difficulties={"as given": Difficulty("as given", {})},
        model=model if isinstance(model, str) else None,
        sibling=sibling if isinstance(sibling, str) else None,
    )
