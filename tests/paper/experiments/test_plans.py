"""What is planned: the paper's models, sizes and recipe; and a few steps of it at the paper's scale."""

from dataclasses import replace

import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.paper.experiments import EXPERIMENTS, SCALES, running
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.folder import ExperimentFolder
from cortexsim.paper.experiments.material import prepare
from cortexsim.paper.experiments.part import Bench, Training, built
from cortexsim.plot._caption import model_name

PAPER, WORKSTATION = SCALES["paper"], SCALES["workstation"]
# Liao & Poggio (2016) for 10 classes: convolutions and the final layer. All are inferred but one, which is recalled
COUNTS = {
    "1-state ResNet, shared": 76_106,
    "1-state ResNet, not shared": 739_658,
    "3-state ResNet, shared": 120_890,
    "3-state ResNet, not shared": 314_426,
    "2-state fully recurrent, shared": 297_290,
    "2-state fully recurrent, not shared": 2_656_586,
    "one kernel, the paper's 16 features": 2_906,
    "one kernel, the paper's 32 features": 10_410,
    "t = 1": 76_106,
    "t = 2": 223_562,
    "t = 5": 297_290,
    "t = 10": 297_290,
    "3-state fully recurrent": 4_206_794,
    "3-state adjacent": 3_285_194,
    "4-state fully recurrent": 327_458,
    "4-state adjacent": 208_802,
    "1-state, shared": 76_106,
    "1-state, not shared": 739_658,
    "3-state, shared": 120_890,
    "3-state, not shared": 314_426,
}


def planned(*names):
    return [one for name in names for one in EXPERIMENTS[name].plan(PAPER, 0)]


def test_the_counts_in_legends_at_the_papers_scale_are_the_papers():
    legends = {}
    for one in planned("weight-sharing", "one-kernel", "readout-time", "more-states", "equivalence"):
        count = built(one.model, PAPER, readout_time=getattr(one, "readout_time", None)).n_parameters()
        result = xr.Dataset(
            {"n_parameters": ("model", [count]), "paper_parameters": ("model", [count])},
            {"model": [one.label], "paper_confidence": ("model", [one.paper_confidence])},
        )
        legends[one.label] = model_name(result, one.label)
    recalled = {"2-state fully recurrent, shared", "t = 10"}
    assert legends == {
        label: f"{label}: {n:,} parameters (as in the paper, {'R' if label in recalled else 'I'})"
        for label, n in COUNTS.items()
    }


def test_what_the_paper_does_not_size_has_no_count_of_the_papers():
    sure = {one.label: getattr(one, "paper_confidence", "U") for one in planned("inhomogeneous", "plain-or-residual")}
    (comb,) = [one for one in planned("generalization") if one.change]
    assert comb.paper_confidence == "U"
    assert sure["image at every t"] == sure["1-state, plain"] == sure["3-state, plain"] == "U"
    assert sure["image at t = 0 only"] == sure["1-state, residual"] == "I"
    result = xr.Dataset(
        {"n_parameters": ("model", [1_458.0]), "paper_parameters": ("model", [76_106.0])},
        {"model": ["plain"], "paper_confidence": ("model", ["U"])},
    )
    assert model_name(result, "plain") == "plain: 1,458 parameters (the paper's number is not known)"


def test_a_smaller_model_names_the_papers_count_next_to_its_own():
    result = xr.Dataset(
        {"n_parameters": ("model", [1_458.0]), "paper_parameters": ("model", [76_106.0])},
        {"model": ["t = 1"], "paper_confidence": ("model", ["I"])},
    )
    assert model_name(result, "t = 1") == "t = 1: 1,458 parameters (76,106 in the paper, I)"


def test_the_papers_scale_is_the_papers_recipe_to_the_letter(tmp_path):
    recipe = PAPER.recipe
    assert recipe == cs.Recipe.paper()
    assert (recipe.optimizer, recipe.momentum, recipe.batch_size, recipe.epochs) == ("sgd", 0.9, 64, 60)
    rates = [recipe.learning_rate_at(epoch / 60) for epoch in (0, 39, 40, 49, 50, 59)]
    assert rates == pytest.approx([0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001])
    assert recipe.augmentation == "crop-flip"
    assert (recipe.nesterov, recipe.weight_decay, recipe.label_smoothing, recipe.loss_at) == (False, 0, 0, "readout")
    # the one thing that is not the paper's: a little is held out to validate on
    assert (recipe.calibration_images, recipe.validation) == (50_000, 0.02)
    assert (PAPER.side, PAPER.feature_divisor, PAPER.n_train, PAPER.n_test, PAPER.data) == (
        32,
        1,
        None,
        None,
        "cifar10",
    )


def test_one_kernel_is_trained_twice_as_long_as_the_rest():
    assert {one.epochs_factor for one in planned("one-kernel")} == {2.0}
    assert {one.epochs_factor for one in planned("weight-sharing", "readout-time", "more-states")} == {1.0}


# --- the scale of a workstation --------------------------------------------------------------------------------------


def test_a_workstation_trains_what_one_core_can_train_at_the_papers_size_of_images():
    assert (WORKSTATION.side, WORKSTATION.feature_divisor, WORKSTATION.n_train) == (32, 1, None)
    assert WORKSTATION.recipe == cs.Recipe.quick(epochs=20, loss_at="readout")
    labels = {name: [one.label for one in EXPERIMENTS[name].parts(WORKSTATION, 0)] for name in WORKSTATION.models}
    assert labels["weight-sharing"] == ["3-state ResNet, shared", "3-state ResNet, not shared"]
    assert labels["one-kernel"] == ["one kernel, the paper's 16 features"]
    assert labels["readout-time"] == ["t = 1", "t = 2", "t = 5", "t = 10"]
    assert labels["generalization"] == [f"2-state fully recurrent, t = {time}" for time in (2, 5, 10)]
    assert labels["more-states"][:2] == ["4-state fully recurrent", "4-state adjacent"]
    sizes = {
        one.label: [state.features for state in one.build(WORKSTATION).graph.states]
        for name in ("weight-sharing", "readout-time")
        for one in EXPERIMENTS[name].parts(WORKSTATION, 0)
    }
    assert sizes["3-state ResNet, shared"] == [16, 32, 64]
    assert sizes["t = 10"] == [16, 16]


def test_single_state_references_are_as_large_as_the_4_state_network():
    target = cs.zoo.build("adjacent-4-state")
    by_parameters, by_multiplications = EXPERIMENTS["more-states"].parts(WORKSTATION, 0)[2:]
    assert "as many parameters as 4-state adjacent" in by_parameters.label
    assert by_parameters.build(WORKSTATION).n_parameters() == pytest.approx(target.n_parameters(), rel=0.03)
    found = by_multiplications.build(WORKSTATION)
    work = [cs.schedule(one.graph, one.readout_time).multiply_adds for one in (found, target)]
    assert work[0] == pytest.approx(work[1], rel=0.06)
    assert found.sharing == "none"
    # the paper has no network of these sizes
    assert {by_parameters.paper_confidence, by_multiplications.paper_confidence} == {"U"}


def test_what_takes_too_long_on_a_workstation_is_refused():
    with pytest.raises(ValueError, match=r"normalization cannot be run at workstation scale, which is for \['weight-"):
        cs.experiments.run("normalization", scale="workstation")


@pytest.mark.parametrize(("scale", "seeds"), [("workstation", 3), ("smoke", 1)])
def test_a_workstation_runs_three_seeds_of_every_experiment(scale, seeds, monkeypatch):
    planned = []
    monkeypatch.setattr(running, "prepare", lambda *_: planned.append(True) or 1 / 0)
    monkeypatch.setattr(Experiment, "parts", lambda self, scale, seed: planned.append(seed) or ())
    with pytest.raises(ZeroDivisionError):
        cs.experiments.run("one-kernel", scale=scale)
    assert planned == [*range(seeds), True]


def test_a_scale_says_what_differs_from_the_paper():
    assert PAPER.described(["resnet-3-state"]) == "paper"
    assert SCALES["laptop"].described([]) == "laptop, the paper's features divided by 8, at least 2"
    smaller = "workstation, 16 features in each state of fully-recurrent-2-state"
    assert WORKSTATION.described(["fully-recurrent-2-state"]) == smaller
    assert WORKSTATION.described(["resnet-3-state"]) == "workstation"
    fewer = replace(WORKSTATION, recipe=replace(WORKSTATION.recipe, epochs=3))
    assert fewer.described([]) == "workstation, 3 epochs in place of 20"


# ---------------------------------------------------------------------------------------------------------------------


def test_plain_and_residual_networks_have_the_same_weights_and_differ_in_the_identity():
    residual, plain = (one.build(SCALES["smoke"]) for one in planned("plain-or-residual")[:2])
    assert residual.graph.transition("h1->h1").kind == "BRCx2+I"
    assert plain.graph.transition("h1->h1").kind == "BRCx2"
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in residual.state_dict().items())


def test_the_papers_error_is_known_for_the_best_3_state_model_only():
    assert {name: one.paper_error for name, one in EXPERIMENTS.items() if one.paper_error} == {"more-states": 0.0747}


def test_the_papers_scale_starts_and_does_a_few_steps(tmp_path):
    images = cs.datasets.digits(300), cs.datasets.digits(20, part="test")
    lines = []

    def report(_, line):
        lines.append(line)
        if "step 4/" in line:
            raise KeyboardInterrupt

    folder = ExperimentFolder(tmp_path / "run", {}, resume=False)
    bench = Bench(PAPER, prepare(images, PAPER), folder, torch.device("cpu"), report)
    one = Training("4-state adjacent", "adjacent-4-state")
    assert replace(one.recipe(PAPER, bench.material), calibrate_until=None) == cs.Recipe.paper()
    with pytest.raises(KeyboardInterrupt):
        one.do(bench)
    assert lines[-1].startswith("step 4/240: loss")
    assert [record["step"] for record in folder.records("4-state-adjacent-seed0")] == [0, 4]
    assert folder.checkpoint("4-state-adjacent-seed0").is_file()


def test_images_are_balanced_and_shrunk_to_the_scale():
    scale = replace(SCALES["smoke"], side=16, n_train=20, n_test=10)
    material = prepare((cs.datasets.digits(100, size=32), cs.datasets.digits(50, size=32, part="test")), scale)
    assert material.train["image"].shape == (20, 3, 16, 16)
    assert material.train["label"].values.tolist().count(3) == 2
    assert material.train["image"].dtype == "uint8"


def test_images_that_are_too_small_are_refused():
    pair = cs.datasets.digits(10, size=16), cs.datasets.digits(10, size=16)
    with pytest.raises(ValueError, match="images must be 32x32 pixels or larger squares, got 16x16"):
        prepare(pair, PAPER)


def test_train_and_test_of_other_classes_are_refused():
    digits = cs.datasets.digits(60, size=16)
    fewer = digits.isel(stimulus=digits["label"].values < 2).assign_attrs(classes='["0", "1"]')
    with pytest.raises(ValueError, match=r"same classes, but train has \['0', '1', '2'.*and test has \['0', '1'\]"):
        prepare((digits, fewer), SCALES["smoke"])


def test_too_few_images_for_a_batch_are_refused():
    pair = cs.datasets.digits(20, size=16).isel(stimulus=slice(0, 19)), cs.datasets.digits(10, size=16)
    with pytest.raises(ValueError, match="19 training images; at smoke scale there must be at least 20, for a batch"):
        prepare(pair, SCALES["smoke"])


def test_sequences_have_a_largest_number_of_stimuli():
    assert EXPERIMENTS["sequences"].most_stimuli == 20_000
    assert {one.most_stimuli for name, one in EXPERIMENTS.items() if name != "sequences"} == {None}


def test_a_dataset_without_labels_is_refused():
    digits = cs.datasets.digits(60, size=16)
    with pytest.raises(ValueError, match="the test Dataset lacks 'label': it must have `image` and the coordinate"):
        prepare((digits, digits.drop_vars("label")), SCALES["smoke"])


def test_data_of_another_kind_are_refused():
    with pytest.raises(TypeError, match=r"data must be one of \['digits'.*, a folder, or a pair .*got int"):
        prepare(3, PAPER)
