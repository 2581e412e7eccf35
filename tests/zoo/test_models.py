"""The paper's models have the paper's numbers of parameters, and are found by name."""

import pytest

import cortexsim as cs

# convolutions and the final layer, for 10 classes
COUNTS = {
    "resnet-1-state": (10, 76_106),
    "resnet-1-state-unshared": (10, 739_658),
    "resnet-3-state": (11, 120_890),
    "resnet-3-state-unshared": (11, 314_426),
    "fully-recurrent-2-state": (10, 297_290),
    "fully-recurrent-2-state-unshared": (10, 2_656_586),
    "one-kernel-16": (29, 2_906),
    "one-kernel-32": (29, 10_410),
    "fully-recurrent-3-state": (5, 4_206_794),
    "adjacent-3-state": (5, 3_285_194),
    "fully-recurrent-4-state": (5, 327_458),
    "adjacent-4-state": (5, 208_802),
}


def test_the_zoo_holds_these_models_of_the_paper():
    assert set(cs.zoo.PAPER) == set(COUNTS)


@pytest.mark.parametrize("name", COUNTS)
def test_a_model_of_the_paper_has_the_papers_number_of_parameters(name):
    readout_time, n = COUNTS[name]
    model = cs.zoo.build(name)
    assert (model.readout_time, model.n_parameters()) == (readout_time, n)
    assert cs.zoo.PAPER[name].n_parameters == n
    assert f"{n:,} parameters" in repr(model)


def test_a_model_for_other_classes_has_another_final_layer():
    assert cs.zoo.build("resnet-1-state", n_classes=100).n_parameters() - 76_106 == 90 * 65


@pytest.mark.parametrize("name", ["adjacent-4-states", "Adjacent-4-State"])
def test_the_nearest_name_is_suggested(name):
    with pytest.raises(ValueError, match=r"unknown model of the paper .*did you mean 'adjacent-4-state'\?"):
        cs.zoo.build(name)


def test_loading_a_model_of_the_paper_says_what_to_do():
    with pytest.raises(
        ValueError, match=r"'adjacent-4-state' ships without weights: make it with zoo\.build\('adjacent-4-state'\)"
    ):
        cs.zoo.load("adjacent-4-state")


def test_loading_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="unknown model 'nothing-like-it': the allowed values are"):
        cs.zoo.load("nothing-like-it")


def test_a_pretrained_model_is_found_by_its_name(tmp_path, monkeypatch, calibrated, pictures):
    (tmp_path / "models").mkdir()
    cs.save(calibrated, tmp_path / "models" / "tiny.safetensors")
    monkeypatch.setattr("cortexsim.zoo.models.data_folder", lambda: tmp_path)
    assert cs.zoo.pretrained() == ["tiny"]
    assert (cs.zoo.load("tiny")(pictures) == calibrated(pictures)).all()
    with pytest.raises(ValueError, match=r"unknown model 'tin'.*did you mean 'tiny'\?"):
        cs.zoo.load("tin")


def test_a_model_that_only_the_repository_has_is_refused_with_its_command(tmp_path, monkeypatch):
    name, command = next(iter(cs.zoo.REPOSITORY_ONLY.items()))
    (tmp_path / "models").mkdir()
    monkeypatch.setattr("cortexsim.zoo.models.data_folder", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=rf"not part of the installed package.* make it there by `{command}`"):
        cs.zoo.load(name)


def test_every_pretrained_model_that_ships_loads_and_is_calibrated():
    for name in cs.zoo.pretrained():
        model = cs.zoo.load(name)
        assert model.statistics or not model.needs_statistics, name


def test_the_ventral_stream_is_loaded_by_its_short_name():
    assert cs.zoo.load("ventral-stream").checksum() == cs.zoo.load("ventral-stream-contours").checksum()
    with pytest.raises(ValueError, match="did you mean 'ventral-stream'"):
        cs.zoo.load("ventral-strem")


@pytest.mark.parametrize("model", ["ventral-stream", "ventral-stream-digits"])
def test_controls_lack_what_their_names_say(model):
    controls = cs.zoo.controls(model)
    assert "feedforward" in controls
    order = ("V1", "V2", "V4", "IT")
    for kind, name in controls.items():
        steps = {order.index(t.target) - order.index(t.source) for t in cs.zoo.load(name).graph.transitions}
        assert steps == {"lateral": {0, 1}, "feedback": {-1, 1}}.get(kind, {1})


@pytest.mark.parametrize("model", ["ventral-stream", "ventral-stream-digits"])
def test_controls_are_as_large_as_the_model(model):
    whole = cs.zoo.card(model).attrs
    for kind, name in cs.zoo.controls(model).items():
        size = "multiply_adds" if kind == "feedforward-wide" else "parameters"
        assert cs.zoo.card(name).attrs[size] == pytest.approx(whole[size], rel=0.05)


@pytest.mark.parametrize("name", [None, ["tracer"], 3])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(TypeError, match="a model is named by text, such as 'tracer', got"):
        cs.zoo.load(name)
