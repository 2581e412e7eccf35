"""Descriptions of recordings: provenance as a dictionary and as text; the accessor `recording.cortex`."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from cortexsim._support.documents import parse_json
from cortexsim._support.settings import Form, listed, mapping, mapping_or_none, text, whole_number
from cortexsim.graph.transitions import Times

ATTRIBUTE = "cortexsim"
# texts of presentations in recordings of earlier versions
FORMER_TEXTS = {"sustained: the image stays": "sustained"}


def _names(value: Any, key: str) -> None:
    """Accept the recorded states: a list, or a mapping to the recorded part of each."""
    (mapping if isinstance(value, dict) else listed)(value, key)
    if not all(isinstance(name, str) for name in value):
        raise TypeError(f"{key} must be names of states, got {value!r}")


FORM = Form(
    {
        "record": _names,
        "until": whole_number(1),
        "quantity": text,
        "presentation_text": text,
        "presentation": mapping,
        "statistics": mapping_or_none,
        "silence": mapping,
    },
    what="the settings of the recording",
    versioned=False,
    more=True,
)


@xr.register_datatree_accessor("cortex")
class Description:
    """The description of a recording: `recording.cortex`, on the recording or on one of its nodes.

    Parameters
    ----------
    recording : DataTree
        As `simulate` or `open_recording` returns it.
    """

    def __init__(self, recording: xr.DataTree) -> None:
        self._recording = recording.root

    @property
    def settings(self) -> dict[str, Any]:
        """How the recording was made: graph, presentation, statistics used, seed, batch size, checksums and version."""
        return settings(self._recording)

    def summary(self) -> str:
        """Describe in a paragraph the content of the recording, and the reasons for NaN."""
        return summary(self._recording)

    def __repr__(self) -> str:
        return self.summary()


def settings(recording: xr.DataTree) -> dict[str, Any]:
    """Return how a recording was made: graph, presentation, statistics used, seed, batch size, checksums and version.

    Raises
    ------
    TypeError, ValueError
        If it is not a recording of cortexsim, is only a node, or its description cannot be read.
    """
    if not isinstance(recording, xr.DataTree):
        raise TypeError(f"a recording is a DataTree, as simulate returns it, got {type(recording).__name__}")
    if ATTRIBUTE not in recording.attrs:
        if ATTRIBUTE in recording.root.attrs:
            raise ValueError(f"a whole recording is needed, got its node {recording.name!r}; pass the recording itself")
        raise ValueError(f"this DataTree is not a recording of cortexsim: its root lacks the attribute {ATTRIBUTE!r}")
    made: dict[str, Any] = read_settings(recording.attrs[ATTRIBUTE])
    return made


def read_settings(written: object) -> Any:
    """Read the attribute that describes a recording, with presentations in the words of this version.

    Raises
    ------
    ValueError
        If it is not JSON.
    """
    made = parse_json(str(written), f"the attribute {ATTRIBUTE!r}")
    for part in (made, made.get("statistics")) if isinstance(made, dict) else ():
        if isinstance(part, dict) and isinstance(part.get("presentation_text"), str):
            part["presentation_text"] = _in_present_words(part["presentation_text"])
    return made


def _in_present_words(text: str) -> str:
    for former, present in FORMER_TEXTS.items():
        text = text.replace(former, present)
    return text


def described(recording: xr.DataTree) -> dict[str, Any]:
    """Return the settings of a recording from a file, after checking their form.

    Raises
    ------
    ValueError
        If a value is missing or of another type.
    """
    return FORM.read(settings(recording))


def narrowed(recording: xr.DataTree) -> xr.DataTree:
    """Return a recording whose description lists only the states that it still contains."""
    made = settings(recording)
    left = [name for name in made["record"] if name in recording.children]
    if len(left) == len(made["record"]):
        return recording
    record = made["record"]
    made["record"] = {name: record[name] for name in left} if isinstance(record, dict) else left
    copied = recording.copy()
    copied.attrs = {**recording.attrs, ATTRIBUTE: json.dumps(made)}
    return copied


def summary(recording: xr.DataTree) -> str:
    """Describe in a paragraph the content of a recording, and the reasons for NaN.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(4, part="test")
    >>> recording = cs.simulate(cs.zoo.load("ventral-stream"), curves, cs.flash(1), until=4, record=["IT"])
    >>> print(cs.summary(recording).partition(".")[0])
    4 stimuli at times 0 to 4: flash: image for 1 step, then nothing
    """
    made = settings(recording)
    n = recording["readout"].sizes["stimulus"]
    states = [name for name in recording.children if name != "readout"]
    kind = "relu(BN(h))" if made["quantity"] == "rate" else "h"
    recorded = [_recorded(made["record"], name) for name in states]
    texts = [
        f"{n} {'stimulus' if n == 1 else 'stimuli'} at times 0 to {made['until']}: {made['presentation_text']}.",
        f"Recorded: {kind} of {', '.join(recorded)}, and the readout's logits." if states else "Recorded: the logits.",
    ]
    if made["statistics"]:
        used = made["statistics"]
        texts.append(
            f"Normalized with the moments of {used['n_images']} images, {_taken_on(made)}"
            + (f", {used['change']}" if used["change"] else "")
            + (", reused on purpose." if used["reused"] else ".")
        )
    for transition, intervals in made["silence"].items():
        texts.append(f"{transition} was silenced: {_times(intervals)}.")
    texts.extend(_interventions(made))
    texts.extend(_emptiness(recording, [*states, "readout"]))
    return " ".join(texts)


def _recorded(record: list[str] | dict[str, Any], name: str) -> str:
    """Name a recorded state, and the recorded part if it is not the whole state."""
    part = record[name] if isinstance(record, dict) else "all"
    if isinstance(part, list):
        return f"{name} ({len(part)} {'unit' if len(part) == 1 else 'units'})"
    return name if part == "all" else f"{name} (its {part.replace('_', ' ')})"


def _interventions(made: dict[str, Any]) -> list[str]:
    """Describe the version of the lesion, gains and noise; older recordings have none."""
    texts = []
    lesion = made.get("lesion") or {"kind": "acute"}
    if lesion["kind"] == "recalibrated":
        texts.append("The lesion is recalibrated: the moments were taken with it in place.")
    if lesion["kind"] == "mean-replaced":
        texts.append(
            "The lesion is mean-replaced: what silence or a gain removes is replaced by the transition's mean delivery "
            f"over {lesion['n_images']} images."
        )
    texts += [
        f"{name} was multiplied by {amount:g}: {_times(t)}." for name, (amount, t) in made.get("gain", {}).items()
    ]
    for name, (amount, times) in made.get("transition_noise", {}).items():
        texts.append(f"{name} had noise of {amount:g} standard deviations: {_times(times)}.")
    if made.get("noise"):
        texts.append(f"Every state had noise of {made['noise']:g} standard deviations at every time.")
    if made.get("repeats", 1) > 1:
        texts.append(f"Each stimulus was shown {made['repeats']} times, row after row; only the noise differs.")
    return texts


def _times(intervals: list[list[int | None]]) -> Times:
    return Times(tuple((start, stop) for start, stop in intervals))  # type: ignore[misc]


def _emptiness(recording: xr.DataTree, nodes: list[str]) -> list[str]:
    """Describe the NaN values and the reasons for them."""
    texts, spans = [], []
    for name in nodes:
        populated = np.asarray(recording[name]["populated"])
        ever = populated if populated.ndim == 1 else populated.any(0)
        empty = [int(time) for time in np.asarray(recording[name]["time"])[~ever]]
        if empty:
            spans.append(f"{name} {'throughout' if not ever.any() else 'at ' + _spans(empty)}")
        if populated.ndim == 2 and bool((ever & ~populated.all(0)).any()):
            texts.append(f"{name} is populated at different times for different stimuli; see `populated`.")
    if spans:
        texts.insert(0, f"NaN because empty (no signal has arrived): {', '.join(spans)}.")
    return texts


def _taken_on(made: dict[str, Any]) -> str:
    """Describe the presentation of the statistics, without repeating a long mixture."""
    used = made["statistics"]
    if used["presentation"] == made["presentation"]:
        return "shown in the same way"
    if used["presentation"]["kind"] == "mixture":
        return f"shown in a mixture of {len(used['presentation']['components'])} presentations"
    return f"«{used['presentation_text']}»"


def _spans(times: list[int]) -> str:
    """Write [0, 1, 2, 5] as "times 0-2, 5"."""
    spans: list[list[int]] = []
    for time in times:
        if spans and spans[-1][-1] == time - 1:
            spans[-1].append(time)
        else:
            spans.append([time])
    texts = [str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in spans]
    return ("time " if len(times) == 1 else "times ") + ", ".join(texts)
