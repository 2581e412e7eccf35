"""Published models in the panels and protocols, at a small size."""

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.brains.comparison import compare
from cortexsim.cli import main
from cortexsim.explore.tour.questions import QUESTIONS
from cortexsim.recording.description import settings
from cortexsim.zoo.published import _blt, _cornet_rt, _cornet_s

SIZE = 64
# few channels, so that a test takes a second; what is drawn and published stays in the models' own tests
NARROW = {
    "cornet_rt": (_cornet_rt, (64, 32, 32, 32)),
    "cornet_s": (_cornet_s, (64, 8, 8, 8)),
    "blt": (_blt, (64, 32, 32, 32, 32, 32)),
}


def small(name, weights=None, n_classes=2, seed=0):
    module, widths = NARROW[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FEATURES", dict(zip(module.FEATURES, widths, strict=True)))
        return getattr(cs.zoo, name)(weights, size=SIZE, n_classes=n_classes, seed=seed)


@pytest.fixture(scope="module", params=["cornet_rt", "blt"])
def model(request):
    return small(request.param)


@pytest.fixture(scope="module")
def data():
    images = np.random.default_rng(0).random((12, 3, SIZE, SIZE), dtype=np.float32)
    return xr.Dataset(
        {"image": (("stimulus", "channel", "y", "x"), images)}, {"label": ("stimulus", np.arange(12) // 6)}
    )


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(100)
    assert panel.error is None, panel.error
    return panel.result


def test_the_tour_shows_a_published_model(model, data):
    tour = cs.explore.Tour(model=model, data=data)
    assert tour.notice.value == ""
    assert settings(tour.recording)["quantity"] == "rate"
    assert set(tour.recording.children) == {*model.graph.state_names, "readout"}


def test_the_tour_says_when_the_image_reaches_the_last_area_of_a_published_model(model, data):
    tour = cs.explore.Tour(model=model, data=data, presentation=cs.sustained(), until=model.readout_time)
    other = cs.simulate(model, data.isel(stimulus=[1]), cs.sustained(), until=model.readout_time)
    one, two = (recording[model.graph.last]["activation"] for recording in (tour.recording, other))
    differs = (np.abs(one.values - two.values) > 0).any((0, 2, 3, 4))  # False where both are empty
    assert QUESTIONS["arrival"].truth(tour._facts) == int(differs.argmax())


def test_a_recording_of_a_published_model_is_larger_than_memory_complete_and_seen_in_the_timeline(
    model, data, tmp_path, monkeypatch
):
    monkeypatch.setattr("cortexsim.recording.selection.available", lambda: 1e6)
    shown = {"until": model.readout_time, "batch_size": 5}
    with pytest.raises(MemoryError, match="stream it to disk"):
        cs.simulate(model, data, cs.sustained(), **shown)
    recording = cs.simulate(model, data, cs.sustained(), to=tmp_path / "r.zarr", **shown)
    cs.verify(tmp_path / "r.zarr")
    cs.explore.Timeline(recording)
    dissimilarity = cs.analyse.rdm(recording[model.graph.last])
    assert dissimilarity.sizes["stimulus"] == 12
    assert float(dissimilarity.isel(time=-1).max()) > 0


def test_changes_of_a_published_model(model, data):
    assert cs.explore.Changes(model=model, data=data, n=12).error is None


def test_lesions_of_a_model_without_statistics_have_the_versions_that_differ(model, data):
    panel = cs.explore.Lesions(model=model, data=data, n=6)
    result = measured(panel)
    assert result["version"].values.tolist() == ["acute", "mean-replaced"]
    assert "nothing to recalibrate" in panel.say(result)


def test_lesions_of_cornet_s_recalibrate_its_batch_normalization(data):
    model = small("cornet_s")
    table = cs.protocols.lesion(model, data, {"V4->V4": [5]}, until=8, calibrate_on=data, record=["V4"])
    assert table["version"].values.tolist() == ["acute", "recalibrated", "mean-replaced"]
    acute, again = (table["logits"].sel(version=version, time=8) for version in ("acute", "recalibrated"))
    # V4 is empty from time 5 on, so that nothing reaches IT
    assert acute.isnull().all()
    assert again.isnull().all()
    weak = cs.protocols.lesion(model, data, gain={"V4->V4": (0.5, [5])}, until=8, calibrate_on=data, record=["V4"])
    acute, again = (weak["logits"].sel(version=version, time=8) for version in ("acute", "recalibrated"))
    assert not np.allclose(acute, again)


def test_masking_and_streams_of_a_published_model(model, data):
    assert "accuracy" in measured(cs.explore.Masking(model=model, data=data, n=6))
    assert "accuracy" in measured(cs.explore.Sequences(model=model, data=data, n=6))


def test_a_mask_has_no_effect_on_cornet_s_by_construction(data):
    model = small("cornet_s")
    logits = [
        cs.simulate(model, data, shown, until=8, record=[])["readout"]["logits"].sel(time=8)
        for shown in (cs.flash(1), cs.masked(1, soa=1))
    ]
    np.testing.assert_array_equal(*logits)


def test_panels_of_cornet_s_say_why_there_is_nothing_to_measure(data):
    panel = cs.explore.Masking(model=small("cornet_s"), data=data, n=6)
    measured(panel)
    assert "because it cannot have reached IT; " in panel.finding.value
    streams = cs.explore.Sequences(model=small("cornet_s"), data=data, n=6)
    measured(streams)
    assert "nothing to read out" in streams.finding.value
    assert "nan" not in panel.finding.value + streams.finding.value


def test_noise_and_repeats_of_a_published_model(model, data):
    recording = cs.simulate(
        model, data, cs.sustained(), until=model.readout_time, noise=0.2, repeats=2, record=[model.graph.last]
    )
    last = recording[model.graph.last]["activation"].isel(time=-1)
    assert len(last) == 24
    assert not np.allclose(last[0], last[1])


def test_a_published_model_is_compared_with_a_brain_and_with_itself_untrained(model, data):
    rng = np.random.default_rng(1)
    points = rng.random((12, 1))
    matrix = xr.DataArray(np.abs(points - points.T), dims=["stimulus", "other_stimulus"])
    agreement = compare(model, data, matrix, until=6, states=[model.graph.last], n_bootstrap=10)
    assert agreement.sizes["model"] == 2
    assert agreement.attrs["statistics"] == "none are needed"


@pytest.fixture
def small_blt(monkeypatch):
    """The name "blt" for a small network."""

    monkeypatch.setitem(cs.zoo.PUBLISHED, "blt", cs.zoo.Published("a small BLT", partial(small, "blt", n_classes=10)))


@pytest.mark.usefixtures("small_blt")
def test_a_sweep_takes_a_published_model_by_name(tmp_path):
    study = {"models": ["blt"], "data": "digits", "until": 6, "n": 6, "presentations": ["sustained"], "noise": [0, 0.5]}
    result = cs.sweep(study, to=tmp_path / "out", workers=0)
    assert result.attrs["failed"] == 0
    assert bool(result["accuracy"].sel(time=6).notnull().all())


@pytest.mark.usefixtures("small_blt")
def test_the_command_line_takes_a_published_model_by_name_with_its_weights(tmp_path, capsys):
    wanted = small("blt", n_classes=10, seed=3)
    theirs = {"conv_input": "pre.layers.conv", "read_out.linear": "post.module.linear"}
    theirs |= {f"norm_{k}": f"updates.L{k}.norm" for k in range(6)}
    for t in wanted.graph.transitions:
        halves = wanted.graph.state(t.source).height > wanted.graph.state(t.target).height
        theirs[f"conv_{t.source[1:]}_{t.target[1:]}{'.conv' * halves}"] = f"functions.{t.name}.conv"
    own = wanted.weights_and_buffers()
    checkpoint = {f"{a}.{end}": own[f"{b}.{end}"].clone() for a, b in theirs.items() for end in ("weight", "bias")}
    torch.save(checkpoint, tmp_path / "w.pth")
    command = ["simulate", "blt", "digits", "--n", "4", "--until", "6", "--presentation", "sustained"]
    main([*command, "--weights", str(tmp_path / "w.pth"), "--to", str(tmp_path / "r.zarr")])
    made_with = settings(cs.open_recording(tmp_path / "r.zarr"))
    assert made_with["model"] == wanted.checksum()
    assert re.search(r"GB of memory and about \d+ s", capsys.readouterr().out)
    main(["models"])
    assert "spoerer_bl" in capsys.readouterr().out


def test_weights_for_a_model_that_has_its_own_are_refused():
    with pytest.raises(ValueError, match="'tracer' already has weights; weights= is only for cornet_rt"):
        cs.zoo.get("tracer", weights="w.pth")
    with pytest.raises(ValueError, match="'cornet_rt' ships without weights"):
        cs.zoo.load("cornet_rt")


def test_a_published_model_that_was_saved_is_opened_with_its_modules(tmp_path):
    model = cs.zoo.cornet_rt(size=SIZE, n_classes=2)
    cs.save(model, tmp_path / "m.safetensors")
    again = cs.load(tmp_path / "m.safetensors", cs.zoo.modules("cornet_rt", size=SIZE, n_classes=2))
    assert again.checksum() == model.checksum()
    with pytest.raises(ValueError, match="unknown published model 'blt_lt'"):
        cs.zoo.modules("blt_lt")


def test_the_code_of_the_how_to_runs(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "howto" / "published_models.md").read_text()
    first, several, own, kinds, stem = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert "cs.zoo.cornet_rt(" in first
    scope = {"cs": cs}
    exec(several + own + kinds + stem, scope)  # the page's own code
    assert [recording["readout"].sizes["stimulus"] for recording in scope["recordings"].values()] == [4, 4, 4]
    assert scope["model"].image_size == (224, 224)
    assert scope["recording"]["IT"]["activation"].shape == (2, 5, 128)
    assert not any(parameter.requires_grad for parameter in scope["model"].pre.parameters())
