"""The numbers that panels report and judge answers by, on small tables whose answers are known."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.explore.changes import questions as changes
from cortexsim.explore.panel.asking import Asking
from cortexsim.explore.studies import (
    how_long_questions,
    lesions_questions,
    masking_questions,
    own_brains_questions,
    sequences_questions,
)
from cortexsim.explore.studies.phrases import percentage, percentage_points
from cortexsim.explore.training.questions import EXERCISES as TRAINING


def test_phrases_give_percent_and_percentage_points_with_their_intervals():
    assert percentage(0.125, 0.08, 0.19) == "12.5 % (8 % to 19 %)"
    assert percentage(float("nan"), float("nan"), float("nan")) == "nothing to read out"
    assert percentage_points(-0.125, -0.19, 0.04) == "−12.5 (−19 to +4)"
    assert percentage_points(0.0001, -0.001, 0.001) == "+0.0 (+0 to +0)"


@pytest.fixture
def masked():
    """Accuracies after noise, after the target as its own mask, and without a mask, at SOA 1 and 2."""
    values = np.array([[[0.6, 0.7, 0.9], [0.8, 0.85, 0.9]]])
    accuracy = xr.DataArray(
        values,
        {
            "model": ["recurrent"],
            "soa": [1, 2],
            "mask": ["noise", "target", "blank"],
            "low": (("model", "soa", "mask"), values - 0.1),
            "high": (("model", "soa", "mask"), values + 0.05),
        },
        ("model", "soa", "mask"),
        attrs={"interval": "95 % Wilson interval"},
    )
    return xr.Dataset({"accuracy": accuracy}, attrs={"readout_time": 8})


def test_the_cost_of_a_mask_is_relative_to_the_flash_without_a_mask(masked):
    assert masking_questions.cost_of_mask(masked) == 30
    assert masking_questions.cost_of_mask(masked, 2) == 10
    assert masking_questions.cost_of_target(masked) == 20
    assert masking_questions.accuracies(masked).startswith(
        "60.0 % (50 % to 65 %) after noise, 70.0 % (60 % to 75 %) after the target itself, "
        "90.0 % (80 % to 95 %) without a mask"
    )


@pytest.fixture
def lesioned():
    """Accuracies of an intact model and of two versions of a lesion, at two times."""
    accuracy = np.array([[0.9, 0.6], [0.9, 0.85]])
    intact = np.array([[0.95, 0.9], [0.95, 0.9]])
    dims = ("version", "time")
    return xr.Dataset(
        {
            "accuracy": (dims, accuracy),
            "accuracy_intact": (dims, intact),
            "accuracy_difference": (dims, accuracy - intact),
            "accuracy_difference_low": (dims, accuracy - intact - 0.1),
            "accuracy_difference_high": (dims, accuracy - intact + 0.02),
        },
        {"version": ["acute", "recalibrated"], "time": [7, 8]},
        {"what": "lateral cut", "n": 100, "throughout": 1},
    )


def test_the_cost_of_a_lesion_and_what_remains_are_those_of_the_last_time(lesioned):
    assert lesions_questions.cost(lesioned, "acute") == 30
    assert lesions_questions.remaining_accuracy(lesioned, "acute") == 60
    assert lesions_questions.remaining_accuracy(lesioned, "recalibrated") == 85
    assert lesions_questions.cost(lesioned, "mean-replaced") is None
    assert lesions_questions.accuracies(lesioned) == (
        "Lateral cut, read at t = 8, 100 images: intact 90.0 % right; change in percentage points: "
        "acute −30.0 (−40 to −28), recalibrated −5.0 (−15 to −3)."
    )
    nothing = lesioned.assign(accuracy=lesioned["accuracy"].where(lesioned["version"] != "acute"))
    assert lesions_questions.remaining_accuracy(nothing, "acute") is None


def test_the_accuracy_of_a_target_is_that_of_its_model_and_place():
    values = np.array([[0.9, 0.4], [0.8, 0.5]])
    dims = ("model", "position")
    streams = xr.Dataset(
        {"followed": (dims, values), "followed_low": (dims, values - 0.1), "followed_high": (dims, values + 0.05)},
        {"model": ["recurrent", "feedforward"], "position": [0, 1]},
        {"n": 50, "steps_per_frame": 2, "chance": 0.1},
    )
    assert sequences_questions.QUESTIONS["second"].truth(streams) == 40
    assert sequences_questions.QUESTIONS["control"].truth(streams) == 50
    assert sequences_questions.EXERCISES["first"].truth(streams) == 90
    assert sequences_questions.percent_at("recurrent", 2)(streams) is None
    text = sequences_questions.accuracies(streams)
    assert "recurrent 90 %, 40 %; feedforward 80 %, 50 % (50 targets at each place" in text
    assert "95 % interval: 30 to 45 %." in sequences_questions.QUESTIONS["second"].because(streams)
    assert "95 % interval: 40 to 55 %." in sequences_questions.QUESTIONS["control"].because(streams)


def test_the_largest_loss_by_held_statistics_comes_with_its_time():
    calibrated, held = [np.nan, 0.5, 0.8, 0.9], [np.nan, 0.5, 0.4, 0.7]
    curves = xr.DataArray(
        [[calibrated, held]],
        {"model": ["recurrent"], "kind": ("statistics", ["of each time", "held"]), "time": [0, 1, 2, 3]},
        ("model", "statistics", "time"),
    )
    curves = curves.assign_coords(low=curves - 0.1, high=curves + 0.05)
    result = xr.Dataset({"accuracy": curves}, attrs={"held_from": 1, "readout_time": 3})
    assert how_long_questions.largest_loss(result) == (40, 2)
    assert how_long_questions.EXERCISES["from-arrival"].truth(result) == 40
    assert how_long_questions.percent_correct(result, "held", 3) == 70
    assert how_long_questions.percent_correct(result, "of each time", 0) is None
    assert how_long_questions.accuracy_at(result, "held", 2) == "40.0 % (30 % to 45 %)"


@pytest.mark.parametrize(("question", "expected"), [("pooled", "62.5 %"), ("twice", "70 %")])
def test_a_verdict_on_readout_times_gives_the_answer_once(question, expected):
    kinds = ["of each time", "shared over time"]
    curves = xr.DataArray(
        [[[0.9, 0.7], [0.625, np.nan]]],
        {"model": ["recurrent"], "kind": ("statistics", kinds), "time": [3, 6]},
        ("model", "statistics", "time"),
        attrs={"chance": 0.5},
    )
    curves = curves.assign_coords(low=curves - 0.1, high=curves + 0.05)
    result = xr.Dataset({"accuracy": curves}, attrs={"readout_time": 3, "n": 40})
    ask = Asking(how_long_questions.QUESTIONS, question)
    ask.answer = 40
    ask.compare(result, {})
    assert ask.result.value.count(expected) == 1
    assert "95 % interval: 5" in ask.result.value or "95 % interval: 6" in ask.result.value
    assert "90.0 % (80 % to 95 %)" in ask.result.value


def test_a_decoder_is_read_at_the_time_of_its_test():
    scores = xr.DataArray(
        [[0.9, 0.3], [0.5, 0.8]], {"train_time": [3, 8], "test_time": [3, 8]}, ("train_time", "test_time")
    )
    result = xr.Dataset({"temporal_generalization": scores})
    assert changes.percent_correct(result, train=3, test=8) == 30
    assert changes.percent_correct(result, train=8, test=3) == 50
    assert changes.percent_correct(result, train=3, test=4) is None
    # relative to the decoder of the same test time: (0.8 - 0.3 + 0.9 - 0.5) / 2
    assert changes.mean_loss(result) == 45


@pytest.mark.parametrize(
    ("pixels_low", "untrained_low", "expected"), [(0.1, 0.1, "the pixels"), (-0.1, 0.1, "untrained IT")]
)
def test_only_an_agreement_above_0_can_be_the_best(pixels_low, untrained_low, expected):
    similarity = xr.DataArray(
        [[[0.2], [0.3]]],
        {
            "state": ["IT"],
            "model": ["trained", "untrained"],
            "time": [8],
            "low": (("state", "model", "time"), [[[0.1], [untrained_low]]]),
        },
        ("state", "model", "time"),
    )
    result = xr.Dataset({"similarity": similarity, "pixels": 0.4}).assign_coords(pixels_low=pixels_low)
    assert own_brains_questions.best_agreement(result) == expected


def test_the_gain_over_readout_times_is_in_percentage_points_rounded_to_5():
    curves = xr.Dataset({"validation": ("time", [0.61, 0.69, 0.70, 0.705])})
    assert TRAINING["feedforward"].truth(curves) == 10
    # within 2 percentage points of 0.705
    assert TRAINING["last-only"].truth(curves) == 2
