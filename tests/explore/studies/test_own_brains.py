"""The panel on your own images and matrices: an example without a file, files of every kind, one error each."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

import cortexsim as cs
from cortexsim._support.netcdf import open_dataset
from cortexsim.brains.matrices import labelled_matrices
from cortexsim.cli import main

# matrices without names in the order of the images
pytestmark = pytest.mark.filterwarnings("ignore:only the images name the stimuli")

SMALL = {"until": 2}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=16), 10, 5)
    return made


@pytest.fixture
def panel(model, monkeypatch):
    monkeypatch.setattr("cortexsim.explore.studies.own_brains.N_BOOTSTRAP", 5)
    return cs.explore.Brains(model)


@pytest.fixture
def pictures(tmp_path):
    """Six images of 12 x 10 px in two classes."""
    drawn = np.random.default_rng(0).integers(0, 255, (6, 12, 10, 3), dtype=np.uint8)
    for k, pixels in enumerate(drawn):
        folder = tmp_path / "images" / ("cat" if k < 3 else "dog")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return tmp_path / "images"


@pytest.fixture
def subjects(tmp_path):
    """Matrices of three subjects over six stimuli."""
    made = np.random.default_rng(1).random((3, 6, 6))
    made = (made + made.swapaxes(1, 2)) * (1 - np.eye(6))
    np.savez(tmp_path / "brain.npz", rdm=made, dims=["subject", "stimulus", "other_stimulus"])
    return tmp_path / "brain.npz"


def strip_of(panel):
    return panel.place.children[1].value


def measured(panel, **choices):
    panel.choose(**{**SMALL, **choices})
    panel.run()
    panel.wait(240)
    assert panel.error is None, panel.error
    return panel.result


def failed(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(240)
    assert panel.error is not None
    return panel.notice.value


def test_without_a_file_it_shows_an_example_and_says_that_it_is_not_brain_data(panel, model):
    result = measured(panel)
    label = cs.datasets.digits(40, part="test", size=16)["label"].values
    rdm = labelled_matrices((label[:, None] != label).astype(float), ["stimulus", "other_stimulus"], {}, source="")
    same = cs.brains.compare(model, cs.datasets.digits(40, part="test", size=16), rdm, until=2, n_bootstrap=5)
    np.testing.assert_array_equal(result["similarity"].values, same.values)
    assert "an example, not brain data" in panel.finding.value
    assert "no noise ceiling" in next(iter(panel.figures.values())).layout.title.subtitle.text
    names = {trace.name for trace in panel.figures["agreement"].data}
    assert {"trained", "untrained", "pixels"} <= names


def test_a_folder_and_a_file_of_subjects_have_a_noise_ceiling(panel, pictures, subjects):
    result = measured(panel, images=str(pictures), brain=str(subjects))
    assert result.attrs["n_images"] == 6
    assert "Noise ceiling" in panel.finding.value
    assert "over 3 subjects" in panel.finding.value
    assert strip_of(panel).count("<img") == 6


def test_files_that_have_changed_are_read_again(panel, pictures, subjects):
    given = {"images": str(pictures), "brain": str(subjects)}
    first = measured(panel, **given)
    assert measured(panel, **given) is first
    saved = dict(np.load(subjects))
    np.savez(subjects, **{**saved, "rdm": saved["rdm"][:, ::-1, ::-1]})
    second = measured(panel, **given)
    assert not second["brain_rdm"].equals(first["brain_rdm"])
    Image.new("RGB", (12, 10), "red").save(pictures / "cat" / "0.png")
    assert not measured(panel, **given)["shown"].equals(second["shown"])


def test_names_are_written_under_the_images_in_natural_order_and_match_the_matrices(panel, pictures, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for k, file in enumerate(sorted(pictures.rglob("*.png")), 5):
        file.rename(flat / f"{k}.png")
    made = np.random.default_rng(2).random((6, 6))
    made = (made + made.T) * (1 - np.eye(6))
    np.savez(tmp_path / "unnamed.npz", rdm=made, dims=["stimulus", "other_stimulus"])
    with pytest.warns(UserWarning, match="only the images name the stimuli"):
        result = measured(panel, images=str(flat), brain=str(tmp_path / "unnamed.npz"))
    assert result["stimulus_name"].values.tolist() == [f"{k}.png" for k in range(5, 11)]
    assert "<figcaption" in strip_of(panel)
    assert "Check the names" in strip_of(panel)
    assert strip_of(panel).index(">9.png<") < strip_of(panel).index(">10.png<")


def test_both_matrices_are_drawn_in_the_order_of_the_images(panel, pictures, subjects, model):
    result = measured(panel, images=str(pictures), brain=str(subjects))
    with np.load(subjects) as file:
        np.testing.assert_allclose(result["brain_rdm"], file["rdm"].mean(0))
    cs.save(model, pictures.parent / "model.safetensors")
    copy = cs.load(pictures.parent / "model.safetensors")
    images = cs.brains.images(pictures, size=16)
    shown = images["image"]
    cs.calibrate(copy, shown, cs.sustained(), until=2)
    same = cs.analyse.rdm(cs.simulate(copy, shown, cs.sustained(), until=2)["IT"]).sel(time=2)
    np.testing.assert_allclose(result["model_rdm"], same)
    assert list(panel.figures) == ["agreement", "brain_rdm", "model_rdm"]
    assert "cat/0.png 0 and cat/1.png 1" in str(panel.figures["brain_rdm"].data[0].customdata)
    assert "Statistics were taken on these images" in panel.finding.value


def test_the_classes_of_a_folder_replace_brain_data(panel, pictures):
    result = measured(panel, images=str(pictures))
    assert "an example, not brain data" in result["similarity"].attrs["source"]


def test_each_error_is_one_sentence_in_the_panel(panel, pictures, subjects, tmp_path):
    assert "there is no file or folder" in failed(panel, images=str(tmp_path / "none"))
    assert "matrices are of 6 stimuli, but there are 40 images" in failed(panel, images="", brain=str(subjects))
    (tmp_path / "note.csv").write_text("0")
    assert "at least 2 stimuli, got 1 x 1" in failed(panel, images=str(pictures), brain=str(tmp_path / "note.csv"))
    (tmp_path / "broken.npz").write_bytes(b"no data")
    assert "or it is damaged" in failed(panel, brain=str(tmp_path / "broken.npz"))
    assert "«name of one matrix» is for .mat" in failed(panel, brain=str(subjects), matrix="IT")
    assert "no file is given" in failed(panel, brain="", matrix="IT")
    assert "needs at least 4 images" in failed(panel, images=str(pictures / "cat"), matrix="")


def test_an_error_of_a_file_names_the_controls_that_choose_from_it(panel, pictures, tmp_path):
    matrices = np.empty((1, 2), dtype=[("RDM", "O"), ("name", "O")])
    for k, name in enumerate(("monkey", "human")):
        matrices[0, k] = (1 - np.eye(6), name)
    savemat(tmp_path / "two.mat", {"RDMs": matrices})
    words = failed(panel, images=str(pictures), brain=str(tmp_path / "two.mat"))
    assert "choose one matrix by «name of one matrix», one of monkey, human" in words
    assert "or say under «matrices are of» what they are" in words
    assert "dims=" not in words.split("<details>")[0]
    (tmp_path / "mine.pkl").write_bytes(b"")
    words = failed(panel, brain=str(tmp_path / "mine.pkl"))
    assert "is a pickle" in words
    assert "allow_pickle" not in words.split("<details>")[0]


def test_matrices_can_be_said_to_be_of_times_and_are_drawn_as_a_map_with_what_training_changes(panel, pictures):
    made = np.random.default_rng(3).random((3, 6, 6))
    made = (made + made.swapaxes(1, 2)) * (1 - np.eye(6))
    file = pictures.parent / "times.npz"
    np.savez(file, rdm=made, time=[80, 100, 120])
    measured(panel, images=str(pictures), brain=str(file), dims="time", method="tau-a")
    assert list(panel.figures) == ["agreement", "brain_rdm", "model_rdm", "training"]
    assert "Kendall's tau-a with the brain" in panel.figures["agreement"].layout.title.text
    assert "trained - untrained" in {str(trace.name).split(", ")[-1] for trace in panel.figures["training"].data}


def test_images_without_classes_need_a_file_of_matrices(panel, pictures):
    flat = pictures / "flat"
    flat.mkdir()
    for file in sorted(pictures.rglob("*.png")):
        file.rename(flat / file.name)
    assert "these images have no classes" in failed(panel, images=str(flat))


def test_cancel_ends_the_run_between_two_states(panel, monkeypatch):
    compare = cs.brains.compare

    def cancelled(*args, report, **kwargs):
        panel.cancel()
        return compare(*args, report=report, **kwargs)

    monkeypatch.setattr(cs.brains, "compare", cancelled)
    panel.run()
    panel.wait(240)
    assert panel.result is None
    assert panel.words.value == "cancelled"


def test_settings_open_it_again_with_the_model_that_was_given(panel, model, pictures, subjects):
    panel.choose(images=str(pictures), brain=str(subjects), method="pearson")
    again = cs.explore.reopen(panel.settings, model=model)
    assert again.settings == panel.settings
    with pytest.raises(ValueError, match="pass the same model again"):
        cs.explore.reopen(panel.settings)


def test_rerun_makes_the_same_table_without_a_browser(tmp_path, pictures, capsys, monkeypatch):
    monkeypatch.setattr("cortexsim.explore.studies.own_brains.N_BOOTSTRAP", 3)
    panel = cs.explore.Brains("digits", images=str(pictures))
    panel.choose(until=3)
    panel.save(tmp_path / "brain.json")
    assert main(["rerun", str(tmp_path / "brain.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "an example, not brain data" in capsys.readouterr().out
    again = open_dataset(tmp_path / "again.nc", "")
    np.testing.assert_array_equal(again["similarity"].values, panel.compute()["similarity"].values)


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match=r"unknown model 'digit'.*did you mean 'digits'"):
        cs.explore.Brains("digit")
    with pytest.raises(TypeError, match="must be a task's name, a path or a Cortex, got int"):
        cs.explore.Brains(3)


def test_the_last_time_is_one_for_which_the_model_has_weights():
    torch.manual_seed(0)
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=16)
    times = {}
    for sharing in ("time", "none"):
        panel = cs.explore.Brains(cs.Cortex(graph, 10, 4, sharing=sharing, normalization="channel"))
        times[sharing] = panel.choices["until"]
    assert times == {"time": 7, "none": 4}
