"""The code of each panel, run without the panel, gives the panel's numbers and figures."""

import numpy as np
import pytest
import torch

import cortexsim as cs
from cortexsim.explore.changes.summaries import OWN_SCALE
from cortexsim.explore.panel.script import Name, call, written
from cortexsim.explore.studies import how_long, masking
from cortexsim.explore.studies.masking import UNTIL_MASK
from cortexsim.explore.studies.masking_questions import FLASHES, TRIALS
from cortexsim.explore.studies.sequences_questions import OWN

slow = pytest.mark.slow

DRAWN = {"size": 32, "lines": [40, 41, 42, 43, 74], "dot": 40}


@pytest.fixture(scope="module")
def own():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16, shortcut=0.5), 2, 4)
    data = cs.datasets.contours(24, size=16, length=(4, 6))
    masks = [cs.masked(1, soa, mask) for soa in (1, 2) for mask in ("noise", "target", "image")]
    shown = cs.mixture(cs.flash(1), cs.sustained(), *masks)
    cs.calibrate(model, data, shown, until=6)
    with torch.no_grad():
        # a confident readout, which does not give one class to all images
        logits = cs.simulate(model, data, cs.flash(1), until=4, record=[])["readout"]["logits"].sel(time=4)
        model.post.linear.bias -= torch.from_numpy(logits.mean("stimulus").values)
        model.post.linear.weight.mul_(12)
        model.post.linear.bias.mul_(12)
    cs.calibrate(model, data, shown, until=6)
    return {"model": model, "data": data}


@pytest.fixture(autouse=True)
def few_calibration_images(monkeypatch):
    monkeypatch.setattr(masking, "N_CALIBRATION", 20)
    monkeypatch.setattr("cortexsim.explore.studies.sequences.N_CALIBRATION", 20)
    monkeypatch.setattr("cortexsim.explore.studies.lesions.CALIBRATION", (20,))
    monkeypatch.setattr("cortexsim.explore.studies.own_brains.N_BOOTSTRAP", 5)


def run(code, given=None):
    """Run code as a person does who has copied it, and return its variables."""
    variables = dict(given or {})
    exec(compile(code, "copied", "exec"), variables)
    return variables


def same(found, wanted):
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))


def heights(figure):
    return [np.asarray(trace.y, dtype=float) for trace in figure.data if getattr(trace, "y", None) is not None]


@pytest.mark.parametrize(
    "choices",
    [
        {"statistics": TRIALS, "readout_time": 5, "mask": "texture"},
        pytest.param({}, marks=slow),
        pytest.param({"statistics": FLASHES, "targets": UNTIL_MASK}, marks=slow),
        pytest.param({"shortcut": "0.25"}, marks=slow),
    ],
)
def test_masking(own, choices):
    panel = cs.explore.Masking(**own, n=20)
    panel.choose(**choices)
    result = panel.compute()
    ran = run(panel.code, own)
    assert list(ran["tables"]) == ["recurrent"]
    same(ran["tables"]["recurrent"]["correct"], result["correct"].sel(model="recurrent"))
    for found, wanted in zip(heights(ran["figures"]["recurrent"]), heights(panel.figures["recurrent"]), strict=True):
        same(found, wanted)


@slow
def test_masking_of_a_shipped_model_and_its_control():
    panel = cs.explore.Masking("contours", n=4)
    panel.choose(statistics=TRIALS, readout_time=5)
    result, ran = panel.compute(), run(panel.code)
    assert list(ran["tables"]) == result["model"].values.tolist() == ["recurrent", "feedforward"]
    for name, table in ran["tables"].items():
        same(table["correct"], result["correct"].sel(model=name))


@pytest.mark.parametrize(
    "choices",
    [{"held_from": 2, "until": 6}, pytest.param({"statistics": how_long.HELD, "calibration": "10 images"}, marks=slow)],
)
def test_how_long(own, choices):
    panel = cs.explore.HowLong(**own, n=20)
    panel.choose(**choices)
    result, ran = panel.compute(), run(panel.code, own)
    same(ran["table"]["statistics"], result["statistics"])
    same(ran["table"].transpose("model", "statistics", "time"), result["accuracy"])
    same(ran["table"]["high"].transpose("model", "statistics", "time"), result["accuracy"]["high"])
    assert [trace.name for trace in ran["figure"].data] == [trace.name for trace in panel.figures["any-time"].data]


@slow
def test_how_long_of_a_shipped_model_and_its_control():
    panel = cs.explore.HowLong("contours", n=4)
    result, ran = panel.compute(), run(panel.code)
    assert result["model"].values.tolist() == ["recurrent", "feedforward"]
    same(ran["table"].transpose("model", "statistics", "time"), result["accuracy"])
    for found, wanted in zip(heights(ran["figure"]), heights(panel.figures["any-time"]), strict=True):
        same(found, wanted)


@pytest.mark.parametrize(
    "choices", [{"scaling": OWN_SCALE, "state": "V2"}, pytest.param({"quantity": "state"}, marks=slow)]
)
def test_changes(own, choices):
    panel = cs.explore.Changes(**own, n=24)
    panel.choose(**choices)
    result, ran = panel.compute(), run(panel.code, own)
    same(ran["generalization"], result["temporal_generalization"])
    same(ran["rdm"], result["rdm"])
    same(ran["trajectory"], result["trajectory"])
    for measure in ("decode", "dimensionality", "spread"):
        for state, found in ran[measure].items():
            same(found, result[measure].sel(state=state))
    assert set(ran["figures"]) == set(panel.figures)


@pytest.mark.parametrize(
    "choices", [{"connections": "feedback", "window": (2, 3)}, pytest.param({"strength": 0.25}, marks=slow)]
)
def test_lesions(own, choices):
    panel = cs.explore.Lesions(**own, n=20)
    panel.choose(**choices, threshold=0.7)
    result, ran = panel.compute(), run(panel.code, own)
    for name in ("accuracy_difference", "logits", "logits_intact"):
        same(ran["table"][name], result[name])
    same(ran["decided"]["decided"], panel._decisions(result, 0.7)[0]["decided"].sel(version="acute"))


@pytest.mark.parametrize(
    "choices",
    [
        {"frames": 3, "steps": 1, "place": 2, "example": 4},
        pytest.param({"statistics": OWN, "frames": 3, "steps": 1}, marks=slow),
    ],
)
def test_sequences(own, choices):
    panel = cs.explore.Sequences(**own, n=12)
    panel.choose(**choices)
    result, ran = panel.compute(), run(panel.code, own)
    for name in ("accuracy", "picture", "logits"):
        same(ran["tables"]["recurrent"][name], result[name].sel(model="recurrent"))
    found, wanted = ran["figures"]["stream"], panel.figures["stream"]
    assert len(heights(found)) == len(heights(wanted)) > 0
    for one, other in zip(heights(found), heights(wanted), strict=True):
        same(one, other)


@slow
def test_sequences_of_a_shipped_model_and_its_control():
    panel = cs.explore.Sequences("digits", n=6)
    panel.choose(frames=3, steps=1)
    result, ran = panel.compute(), run(panel.code)
    for name in ("recurrent", "feedforward"):
        same(ran["tables"][name]["logits"], result["logits"].sel(model=name))


@slow
def test_brains_with_the_example_and_with_a_file(own, tmp_path):
    matrices = np.random.default_rng(0).random((3, 40, 40))
    matrices = (matrices + matrices.swapaxes(1, 2)) * (1 - np.eye(40))
    np.savez(tmp_path / "brain.npz", rdm=matrices, dims=["subject", "stimulus", "other_stimulus"])
    panel = cs.explore.Brains(own["model"])
    for choices in ({"until": 2}, {"brain": str(tmp_path / "brain.npz"), "method": "tau-a"}):
        panel.choose(**choices)
        result, ran = panel.compute(), run(panel.code, own)
        for end in (None, "low", "pixels", "training"):
            found, wanted = ran["similarity"], result["similarity"]
            same(found if end is None else found[end], wanted if end is None else wanted[end])


@pytest.mark.parametrize("choices", [{"kind": "sustained"}, {"kind": "masked", "mask": "image", "soa": 2}])
def test_tour(own, choices):
    panel = cs.explore.Tour(**own, until=6, question="")
    for name, value in choices.items():
        setattr(panel, name, value)
    panel.stimulus = 3
    panel.wait()
    ran = run(panel.code, own)
    assert ran["recording"]["readout"].sizes["stimulus"] == (2 if choices["kind"] == "masked" else 1)
    for name, node in panel.recording.children.items():
        for variable in node.data_vars:
            same(ran["recording"][name][variable], node[variable])
    same(np.nan_to_num(ran["accuracy"]), [value or 0 for value in panel.stage.accuracy["series"][0]["values"]])
    assert panel.copyable.text == panel.code


@slow
def test_tour_of_a_shipped_model():
    panel = cs.explore.Tour("contours", difficulty="long", stimulus=7, question="")
    same(run(panel.code)["recording"]["IT"]["activation"], panel.recording["IT"]["activation"])
    panel.wait()


def test_tracer():
    panel = cs.explore.Tracer()
    assert panel.code == panel.copyable.text == ""
    panel._view.drawn = DRAWN
    assert panel.copyable.text == panel.code
    ran, recording = run(panel.code), panel.record()
    same(ran["recording"]["readout"]["logits"], recording["readout"]["logits"])
    same(ran["steps"], cs.analyse.steps_needed(recording, panel.drawing))


def test_choices_that_cannot_be_run_have_no_code(own):
    panel = cs.explore.Masking(**own, n=20)
    assert panel.copyable.text == panel.code != ""
    panel.choose(mask="texture")
    assert panel.button.disabled
    assert panel.copyable.text == panel.code == ""


def test_a_wide_call_has_a_line_for_each_argument():
    assert call("f", Name("x"), [1, (2,)], shown=cs.masked(1, 2)) == (
        "f(x, [1, (2,)], shown=cs.masked(duration=1, soa=2, mask='noise'))"
    )
    wide = call("f", *["a" * 40] * 3)
    assert wide.splitlines() == ["f(", *["    '" + "a" * 40 + "',"] * 3, ")"]
    assert written(cs.mixture(cs.flash(1), cs.sustained())) == "cs.mixture(cs.flash(duration=1), cs.sustained())"
