"""Recordings larger than memory: of one that was opened lazily, an analysis reads one time after the other."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from tests.analyse.nodes import node_of, readout_of

N, N_TIMES, N_CLASSES = 60, 16, 3
UNITS = (4, 16, 16)
ONE_TIME = N * int(np.prod(UNITS))
SETTINGS = (
    '{"record": ["V4"], "until": 15, "quantity": "state", "images": "these", "silence": %s, '
    '"presentation_text": "flash", "presentation": {}, "statistics": null}'
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """An intact recording and one with a lesion, opened lazily: 20 stimuli of 3 repeats at 16 times, a chunk each."""
    drawn, folder, held = np.random.default_rng(0), tmp_path_factory.mktemp("larger"), []
    target = np.repeat(np.arange(20), 3)
    told = {"target": target, "repeat": np.tile(np.arange(3), 20), "label": target % N_CLASSES}
    populated = np.arange(N_TIMES) > 0
    for name, silence in (("intact", "{}"), ("lesion", '{"V1->V4": [[1, 9]]}')):
        # three directions stand out, so that a trajectory is soon found
        patterns = drawn.standard_normal((N, 3)) * [30, 20, 10] @ drawn.standard_normal((3, int(np.prod(UNITS))))
        activation = patterns.reshape(N, 1, *UNITS) + drawn.standard_normal((N, N_TIMES, *UNITS))
        state = node_of(activation.astype("float32"), populated, **told)
        readout = readout_of(drawn.random((N, N_TIMES, N_CLASSES)), populated, **told)
        nodes = {"/": xr.Dataset(attrs={"cortexsim": SETTINGS % silence}), "V4": state, "readout": readout}
        cs.save_recording(xr.DataTree.from_dict(nodes), folder / f"{name}.zarr")
        held.append(cs.open_recording(folder / f"{name}.zarr"))
    yield held
    for recording in held:
        recording.close()


@pytest.fixture
def reads(opened, monkeypatch):
    """How many values were read at once, each time that something was read."""
    kind, read = type(opened[0]["V4"]["activation"].variable._data), []
    original = kind.get_duck_array

    def noting(self):
        values = original(self)
        read.append(values.size)
        return values

    monkeypatch.setattr(kind, "get_duck_array", noting)
    return read


ANALYSES = {
    "accuracy": lambda whole, _: cs.analyse.accuracy(whole["readout"]),
    "reaction_time": lambda whole, _: cs.analyse.reaction_time(whole["readout"], 0.5),
    "speed_accuracy": lambda whole, _: cs.analyse.speed_accuracy(whole["readout"]),
    "early_late": lambda whole, cut: cs.analyse.early_late(cut["readout"], whole["readout"], 0.5),
    "decode": lambda whole, _: cs.analyse.decode(whole["V4"], cv=2),
    "rdm": lambda whole, _: cs.analyse.rdm(whole["V4"]),
    "crossnobis": lambda whole, _: cs.analyse.rdm(whole["V4"], "crossnobis", noise="diagonal", pooled=True),
    "cka": lambda whole, cut: cs.analyse.cka(whole["V4"], cut["V4"]),
    "trajectory": lambda whole, _: cs.analyse.trajectory(whole["V4"]),
    "dimensionality": lambda whole, _: cs.analyse.dimensionality(whole["V4"]),
    "settling": lambda whole, _: cs.analyse.settling(whole["V4"]),
    "selectivity": lambda whole, _: cs.analyse.selectivity(whole["V4"]),
    "spread": lambda whole, _: cs.analyse.spread(whole["V4"]),
    "effect": lambda whole, cut: cs.analyse.effect(cut, whole),
    "a bare array": lambda whole, _: cs.analyse.dimensionality(whole["V4"]["activation"]),
    # what it keeps are decoders, which do not grow with the stimuli, but are larger than so small a recording
    "temporal_generalization": lambda whole, _: cs.analyse.temporal_generalization(whole["V4"], cv=2),
}


@pytest.mark.parametrize("name", ANALYSES)
def test_no_analysis_reads_more_than_one_time_at_once(opened, reads, name):
    ANALYSES[name](*opened)
    assert reads
    assert max(reads) <= ONE_TIME
    # nor did what was read stay
    assert not any(recording["V4"]["activation"].variable._in_memory for recording in opened)


@pytest.mark.parametrize("name", [name for name in ANALYSES if name != "temporal_generalization"])
def test_no_analysis_holds_more_than_a_few_times_in_memory(opened, name):
    # what is imported, and what a library keeps for later, is no part of it
    ANALYSES[name](*opened)
    tracemalloc.start()
    ANALYSES[name](*opened)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # seven times in float64 are less than the recording, 16 times in float32, which most would turn into float64;
    # CKA holds nearly six, most of it inner products that do not grow with the units
    assert peak < 7 * 8 * ONE_TIME
