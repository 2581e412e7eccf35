"""A panel that records to disk, resumes after a stop, and analyses the recording block by block."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import plotly.graph_objects as go
import xarray as xr

from cortexsim._support.files import as_path
from cortexsim._support.progress import Report, duration, part
from cortexsim.analyse import accuracy
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Several, Text
from cortexsim.explore.panel.notice import message_of
from cortexsim.explore.panel.subject import NeededClasses, Subject
from cortexsim.explore.panel.subject_study import SubjectStudy
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.model.cortex import Cortex
from cortexsim.plot import time_course
from cortexsim.plot.theme import in_one_line
from cortexsim.recording._simulate import estimate, simulate
from cortexsim.recording.dtypes import DTYPES
from cortexsim.recording.estimates import estimate_seconds
from cortexsim.recording.stream import written

BATCH = 50
COUNTS = (100, 200, 500, 1000)
CONTROLS = {
    "until": "«last time»",
    "record": "«areas»",
    "dtype": "«recorded as»",
    "presentation": "«shown»",
    "images": "«images»",
}
"""The controls of the panel, by the names that a recording's description has for the choices."""
TIMES_SMALLER = (1, 2, 3, 4, 5, 6, 8, 10)


def _compression(result: xr.Dataset) -> float:
    """Return the size in memory divided by the size on disk."""
    return round(result.attrs["bytes_in_memory"] / result.attrs["bytes_on_disk"], 1)


def _sizes(result: xr.Dataset) -> str:
    return (
        f"{result.attrs['n']:,} stimuli at {result.sizes['time']} times need "
        f"{result.attrs['bytes_in_memory'] / 1e6:,.1f} MB in memory ({result.attrs['dtype']}) and "
        f"{result.attrs['bytes_on_disk'] / 1e6:,.1f} MB on disk."
    )


class Recorder(SubjectStudy):
    """A recording that is streamed to disk, opened lazily, and analysed one block at a time.

    *cancel* stops it between two batches; the next run resumes there, and the result is the same byte for byte.

    Parameters
    ----------
    task, model, data, question, subject
        As for `SubjectStudy`.
    n : int, optional
        The largest number of images that the panel offers.
    to : str
        Path of the recording, ending in .zarr; by default in a new temporary folder, which the panel shows.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Recorder("contours", question="")
    >>> sorted(panel.choices)
    ['dtype', 'n', 'presentation', 'record', 'to', 'until']
    """

    N: ClassVar[int] = 1000
    CLASSES: ClassVar[NeededClasses] = NeededClasses.NONE

    QUESTIONS: ClassVar[Mapping[str, Guess]] = {
        "smaller": Guess(
            "compression",
            "Activity is compressed without loss on the way to the disk. How many times smaller is it there than in "
            "memory?",
            TIMES_SMALLER,
            _compression,
            _sizes,
            unit="times",
            within=0.5,
        )
    }
    EXERCISES: ClassVar[Mapping[str, Guess]] = {
        "float32": Guess(
            "twice the bits",
            "Record the same in float32, to another path. How many MB does it need on disk?",
            tuple(range(0, 205, 10)),
            lambda result: round(result.attrs["bytes_on_disk"] / 1e6),
            _sizes,
            unit="MB",
            needs={"dtype": "float32", "n": 100, "until": 8, "record": ("V1", "V2", "V4", "IT")},
            within=10,
        ),
        "one-state": Guess(
            "only what you need",
            "Record only IT, in float16, to another path. How many MB does it need on disk?",
            (1, 3, 8, 15, 30),
            lambda result: round(result.attrs["bytes_on_disk"] / 1e6, 1),
            _sizes,
            unit="MB",
            needs={"dtype": "float16", "n": 100, "until": 8, "record": ("IT",)},
            within=0.5,
        ),
    }
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {"presentation": unmasked.FORMER_NAMES}
    ACTION: ClassVar[str] = "record or resume"
    MORE: ClassVar[tuple[str, ...]] = ("presentation", "until", "record")

    def __init__(
        self,
        task: str | None = None,
        *,
        model: Cortex | str | None = None,
        data: xr.Dataset | Mapping[str, object] | None = None,
        n: int | None = None,
        to: str = "",
        question: str = "",
        subject: Subject | None = None,
    ) -> None:
        self._folder = None if to else tempfile.TemporaryDirectory(prefix="cortexsim-")
        self._to = to if self._folder is None else str(Path(self._folder.name) / "recording.zarr")
        self._seconds_a_step: float | None = None  # of one image; measured once
        super().__init__(task, model=model, data=data, n=n, question=question, subject=subject)

    def controls_for(self, subject: Subject) -> dict[str, Control]:
        """Declare the images, the presentation, the selection that is recorded, and the path."""
        last = subject.model.readout_time
        return {
            "n": Menu("images", [*(count for count in COUNTS if count < subject.n), subject.n], width_px=150),
            "presentation": Menu("shown", unmasked.MENU, width_px=170),
            "until": Menu("last time", range(1, 3 * last + 1), last, width_px=150),
            "dtype": Menu("recorded as", list(DTYPES), width_px=190),
            "record": Several("areas", subject.model.graph.state_names),
            "to": Text("to", self._to, width_px=520),
        }

    def why_not(self, choices: Chosen) -> str:
        """Say that no area is chosen, or that the path has no format that can be streamed to."""
        if not choices["record"]:
            return "no area is chosen, so no activity would be recorded: tick one under «areas»"
        try:
            path = as_path(choices["to"], "«to»")
        except (ValueError, OSError) as error:
            return message_of(error)
        if path.suffix.lower() != ".zarr":
            return f"«to» must end in .zarr, the format that is streamed to disk, got {choices['to']!r}"
        return ""

    def in_advance(self, choices: Chosen) -> str:
        """Say how large these choices are in memory, and about how long they take on this machine."""
        memory = f"this needs {self._bytes_in_memory(choices) / 1e6:,.1f} MB in memory"
        if self._seconds_a_step is None:
            try:
                self._seconds_a_step = self._tried(choices)
            except ValueError:
                # what cannot be run takes no time; the run says why
                return memory
        seconds = self._seconds_a_step * choices["n"] * (choices["until"] + 1)
        return f"{memory} and about {duration(max(seconds, 1.0))}"

    def _tried(self, choices: Chosen) -> float:
        """Run two images, and return the seconds that a step of one of them takes."""
        until = choices["until"]
        shown = UNMASKED[choices["presentation"]]
        return estimate_seconds(self.who.model, self.who.some(2), shown, until=until, n=1) / (until + 1)

    def cancelled(self, choices: Chosen) -> str:
        """Say how much is on disk, and how it is resumed."""
        path = as_path(choices["to"])
        done, n = written(path) if path.exists() else (0, choices["n"])
        return f"cancelled: {done:,} of {n:,} images are on disk; «{self.ACTION}» resumes there"

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Record, or resume the recording at this path, then read it block by block."""
        try:
            return self._recorded(choices, report)
        except FileExistsError as error:
            raise FileExistsError(_in_words_of_the_panel(str(error))) from error

    def _recorded(self, choices: Chosen, report: Report) -> xr.Dataset:
        model, path = self.who.model, as_path(choices["to"]).absolute()
        with simulate(
            model,
            self.who.some(choices["n"]),
            UNMASKED[choices["presentation"]],
            until=choices["until"],
            record=choices["record"],
            dtype=choices["dtype"],
            batch_size=BATCH,
            to=path,
            resume=True,
            # the last tenth of the progress is for reading
            report=part(report, 0.0, 0.9, "recorded: "),
        ) as recording:
            report(0.9, "reading block by block …")
            result = self._accuracy(recording)
            spreads = [_spread(recording[name].to_dataset()["activation"]) for name in choices["record"]]
        if spreads:
            named = xr.Variable("state", list(choices["record"]), {"long_name": "state"})
            result["spread"] = xr.concat(spreads, named).transpose("time", "state")
            result["spread"].attrs = {"long_name": "standard deviation over stimuli and units", "units": "a.u."}
        on_disk = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return result.assign_attrs(
            path=str(path),
            n=choices["n"],
            dtype=choices["dtype"],
            bytes_in_memory=self._bytes_in_memory(choices),
            bytes_on_disk=on_disk,
        )

    def _accuracy(self, recording: xr.DataTree) -> xr.Dataset:
        """Return the accuracy over time with its interval; nothing for images without a class of the model."""
        labels = self.who.images.get("label")
        if labels is None or labels.dtype.kind not in "iu":
            return xr.Dataset()
        over_time = accuracy(recording["readout"])
        ends = {end: ("time", over_time[end].values) for end in ("low", "high")}
        return xr.Dataset({"accuracy": over_time.reset_coords(drop=True)}).assign_coords(ends)

    def _bytes_in_memory(self, choices: Chosen) -> int:
        return estimate(
            self.who.model, choices["n"], until=choices["until"], record=choices["record"], dtype=choices["dtype"]
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw accuracy, if the images have the model's classes, and the spread of every state over time."""
        figures = {}
        if "accuracy" in result:
            figures["accuracy"] = in_one_line(time_course(result["accuracy"], title="accuracy, read from disk"))
        if "spread" in result:
            plain = result["spread"].drop_vars(["low", "high"], errors="ignore")
            plain.attrs["interval"] = f"over all {result.attrs['n']:,} stimuli, no interval"
            title = "standard deviation of activity over stimuli and units, read from disk block by block"
            figures["spread"] = in_one_line(time_course(plain, title=title))
            # the whole name would be longer than the axis
            figures["spread"].update_yaxes(title_text="standard deviation (a.u.)")
        return figures

    def say(self, result: xr.Dataset) -> str:
        """Report the size and the path of the recording."""
        return f"{_sizes(result)} It is at {result.attrs['path']}: cortexsim.open_recording(…) opens it lazily."


def _in_words_of_the_panel(message: str) -> str:
    """Return a message about a recording of other choices with the names of the controls of these."""
    found = re.search(r"differs in \[(.*?)\]", message)
    if found is None:
        return message
    different = [CONTROLS.get(name.strip("'"), name.strip("'")) for name in found[1].split(", ")]
    # the coordinates follow from the other choices
    named = [name for name in different if name != "coordinates"] or different
    return message.replace(found[0], f"was made with another choice of {' and of '.join(named)}")


def _spread(activity: xr.DataArray) -> xr.DataArray:
    """Return the standard deviation over stimuli and units at each time, with one block in memory at a time."""
    blocks = activity.chunk({"stimulus": BATCH, "time": 1}).astype("float32")
    units = [dim for dim in blocks.dims if dim != "time"]
    moments = xr.Dataset({"mean": blocks.mean(units), "square": (blocks**2).mean(units)})
    known = moments.compute(scheduler="synchronous").reset_coords(drop=True)
    return (known["square"] - known["mean"] ** 2) ** 0.5
