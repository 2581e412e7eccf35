"""A panel with a slider through the time of a recording: the screen, the activity of every state and the readout."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
import torch
import traitlets
import xarray as xr

from cortexsim._support.hashing import checksum
from cortexsim._support.percentages import percent
from cortexsim.analyse.probabilities import softmax
from cortexsim.explore.panel.box import Panel
from cortexsim.explore.panel.notice import alert
from cortexsim.explore.widgets.figure import Live
from cortexsim.explore.widgets.screen import Screen
from cortexsim.plot import activity, probabilities, theme
from cortexsim.plot._activity import activity_maps
from cortexsim.plot._activity import show_time as show_activity_at
from cortexsim.plot._probabilities import show_time as mark_time
from cortexsim.recording import trial
from cortexsim.recording.description import settings
from cortexsim.recording.trial import class_names
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import SHOWN
from cortexsim.stimuli.text import from_dict


class Timeline(Panel):
    """One stimulus of a recording, over time.

    Parameters
    ----------
    recording : DataTree
        As `simulate` returns it.
    images : Tensor or Dataset, optional
        The images that were given to `simulate`, to show them next to the activity.
    classes : sequence of str, optional
        Names of the classes; by default those of the recording.

    Attributes
    ----------
    stimulus, time : int
        The stimulus and time that are shown; linked with the sliders.
    one_scale : bool
        True for one colour scale of a state at all times, False for a scale at each time; linked with the checkbox.

    Raises
    ------
    ValueError
        If the images are not those that were shown, or the number of names is not that of the classes.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.sustained(), until=8)
    >>> panel = cs.explore.Timeline(recording, images=curves)
    >>> panel.stimulus, panel.time
    (0, 0)
    """

    stimulus = traitlets.Int()
    time = traitlets.Int()
    one_scale = traitlets.Bool(True)

    def __init__(
        self,
        recording: xr.DataTree,
        images: xr.Dataset | torch.Tensor | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        self._recording, self._classes = recording, class_names(recording, classes)
        self._all = recording.children["readout"].to_dataset()
        stimuli, times = (self._all[dim].values.tolist() for dim in ("stimulus", "time"))
        self._images = None if images is None else as_images(images)
        self._made = settings(recording)
        if self._images is not None and checksum(self._images) != self._made["images"]:
            raise ValueError(
                f"these {len(self._images)} images are not the ones that were shown: give all the images that were "
                "given to simulate, unchanged"
            )
        self._load(stimuli[0])
        self.activity = Live(activity(self._trial, stimulus=stimuli[0], time=times[0]))
        self.probabilities = Live(self._draw_probabilities(stimuli[0], times[0]))
        self.screen, self.notice = Screen(), widgets.HTML()
        self.one_scale_box = widgets.Checkbox(
            value=True, description="one colour scale for all times", indent=False, layout=widgets.Layout(width="auto")
        )
        play = self._make_sliders(stimuli, times)
        row = widgets.Layout(flex_flow="row wrap", align_items="center")
        maps = widgets.VBox([self.one_scale_box, self.activity], layout=_NEXT_TO_SCREEN)
        rows = [
            widgets.Box([self.stimulus_slider, play, self.time_slider], layout=row),
            self.notice,
            widgets.Box([self.screen, maps], layout=widgets.Layout(flex_flow="row wrap")),
            widgets.Box([self.probabilities], layout=_FILL),
        ]
        super().__init__(rows, stimulus=stimuli[0], time=times[0])
        traitlets.link((self, "stimulus"), (self.stimulus_slider, "value"))
        traitlets.link((self, "time"), (self.time_slider, "value"))
        traitlets.link((self, "one_scale"), (self.one_scale_box, "value"))
        self.observe(self._change, names=["stimulus", "time", "one_scale"])
        self._show_time()

    def _make_sliders(self, stimuli: Sequence[int], times: Sequence[int]) -> widgets.Play:
        """Make the sliders, and the button that plays the time."""
        wide = {"continuous_update": True, "style": {"description_width": "initial"}}
        self.stimulus_slider = widgets.SelectionSlider(
            options=[(self._describe(stimulus), stimulus) for stimulus in stimuli],
            description="stimulus",
            layout=widgets.Layout(flex="1 1 260px", max_width="460px"),
            **wide,
        )
        self.time_slider = widgets.IntSlider(
            value=times[0],
            min=times[0],
            max=times[-1],
            description=theme.axis_title(self._all["logits"], "time"),
            layout=widgets.Layout(flex="2 1 300px"),
            **wide,
        )
        play = widgets.Play(min=times[0], max=times[-1], interval=500, layout=widgets.Layout(flex="0 0 auto"))
        widgets.jslink((play, "value"), (self.time_slider, "value"))
        return play

    def _change(self, change: Any) -> None:
        try:
            if change["name"] == "stimulus":
                self._show_stimulus()
            self._show_time()
        except Exception as error:  # exceptions of widgets are not shown elsewhere
            self.notice.value = alert("This could not be drawn", error)

    def _load(self, stimulus: int) -> None:
        """Read one stimulus, so that a step in time does not read files or reduce channels again."""
        row = int(np.flatnonzero(self._all["stimulus"].values == stimulus)[0])
        self._trial = self._recording.isel(stimulus=[row]).load()
        self._maps = {name: activity_maps(self._trial, name, stimulus=stimulus) for name in trial.states(self._trial)}
        self._readout = trial.node(self._trial, "readout", stimulus)
        self._frames = None
        if self._images is not None:
            # the stimulus coordinate of a recording counts the images that were given to simulate
            self._frames = from_dict(self._made["presentation"]).frames(
                self._images[stimulus : stimulus + 1],
                self._made["until"],
                seed=self._made["seed"],
                index=torch.tensor([stimulus]),
                others=self._images,
            )

    def _draw_probabilities(self, stimulus: int, time: int) -> Any:
        return probabilities(self._trial, stimulus=stimulus, time=time, classes=self._classes)

    def _show_stimulus(self) -> None:
        self._load(self.stimulus)
        self.activity.figure = activity(self._trial, stimulus=self.stimulus, time=self.time)
        self.probabilities.figure = self._draw_probabilities(self.stimulus, self.time)

    def _show_time(self) -> None:
        show_activity_at(self.activity.figure, self._maps, self.time, one_scale=self.one_scale)
        mark_time(self.probabilities.figure, self._readout, self.time)
        for live in (self.activity, self.probabilities):
            live.redraw()
        shown = self._shown()
        pixels = None
        if self._frames is not None:
            picture = int(self._frames.lookup[self.time, 0])
            pixels = None if picture < 0 else self._frames.images[picture].numpy()
        self.screen.show(shown, pixels)
        self.notice.value = f"<div style='line-height:1.5;min-height:3em'>{self._words(shown)}</div>"

    def _shown(self) -> str:
        return SHOWN[int(self._readout["shown"].sel(time=self.time))]

    def _words(self, shown: str) -> str:
        """Say what is on the screen, which areas are populated, and what is read out."""
        screen = {"image": "the image", "mask": "a mask", "nothing": "nothing"}[shown]
        populated, not_yet, no_more = [], [], []
        for name, maps in self._maps.items():
            over_time = maps["populated"]
            if bool(over_time.sel(time=self.time)):
                populated.append(name)
            elif bool(over_time.sel(time=slice(None, self.time)).any()):
                no_more.append(name)
            else:
                not_yet.append(name)
        parts = [f"<b>t = {self.time}</b>: {screen} is on the screen."]
        for names, state in (
            (populated, "active"),
            (not_yet, "empty: no signal has arrived yet"),
            (no_more, "empty again: no signal arrives any more"),
        ):
            if names:
                parts.append(f"{_listed(names)} {'are' if len(names) > 1 else 'is'} {state}.")
        parts.append(self._read_out())
        return " ".join(parts)

    def _read_out(self) -> str:
        chance = softmax(self._readout["logits"]).sel(time=self.time)
        if not bool(chance["populated"]):
            return "Nothing can be read out."
        if bool(chance.isnull().any()):
            return "The readout is not a number."
        best = int(chance.values.argmax())
        return f"The readout says <b>{html.escape(self._classes[best])}</b> ({percent(float(chance[best]))})."

    def _describe(self, stimulus: int) -> str:
        """Write the number of a stimulus and, where it is known, its class."""
        if "label" not in self._all.coords:
            return str(stimulus)
        label = self._all["label"].values[self._all["stimulus"].values == stimulus][0]
        if isinstance(label, str):
            return f"{stimulus}: {html.escape(label)}"
        named = 0 <= label < len(self._classes)
        return f"{stimulus}: {self._classes[int(label)]}" if named else str(stimulus)


_FILL = widgets.Layout(flex="1 1 auto", min_width="0", width="100%")
# next to the screen if there is room for four maps, else below it
_NEXT_TO_SCREEN = widgets.Layout(flex="1 1 420px", min_width="0")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
