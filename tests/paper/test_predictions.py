"""The paper's predictions: each falls both ways, and says so when a record is missing."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.cli import main
from cortexsim.paper.predictions import CANNOT_BE_TOLD, DOES_NOT_HOLD, HOLDS, PREDICTIONS, Records, check

MODEL = "ventral-stream-contours"
SHOWN = ["sustained", "flash:1", *(f"masked:1:{soa}" for soa in (1, 2, 3, 4, 6)), "masked:1:1:target"]


def made_card(change=None, seeds=4, feedforward=False) -> xr.Dataset:
    """Make up a card on which all that the paper predicts is true; `change` alters its accuracies."""
    time = np.arange(25)
    accuracy = xr.DataArray(
        np.full((seeds, len(SHOWN), 25), np.nan),
        dims=("seed", "presentation", "time"),
        coords={"seed": np.arange(seeds), "presentation": SHOWN, "time": time},
    )
    rise = np.interp(time, [3, 8, 24], [0.6, 0.9, 0.7])
    accuracy[:] = 0.75 if feedforward else rise
    if feedforward:
        accuracy.loc[{"presentation": "flash:1", "time": slice(4, None)}] = np.nan
    else:
        for soa in (1, 2, 3, 4, 6):
            accuracy.loc[{"presentation": f"masked:1:{soa}", "time": slice(soa + 3, None)}] -= 0.2 / soa
    if change is not None:
        change(accuracy)
    accuracy.loc[{"time": slice(0, 2)}] = np.nan
    return xr.Dataset(
        {
            "accuracy": accuracy,
            "confusion_at": (("seed", "presentation"), np.full((seeds, len(SHOWN)), 8)),
            "confusion": (("seed", "presentation", "shown", "named"), np.full((seeds, len(SHOWN), 2, 2), 250)),
        }
    )


def errors(scale="laptop", cost=0.02, several=0.1) -> dict[str, xr.Dataset]:
    """Make up the results of the two experiments on weights and states."""

    def result(error: dict[str, float]) -> xr.Dataset:
        values = np.array(list(error.values()))[:, None] + np.array([0.0, 0.01, 0.02])
        array = xr.DataArray(values, dims=("model", "seed"), coords={"model": list(error), "seed": [0, 1, 2]})
        return xr.Dataset({"error": array}, attrs={"scale": scale, "data": "made up"})

    return {
        "weight-sharing": result({"1-state ResNet, shared": 0.2 + cost, "1-state ResNet, not shared": 0.2}),
        "more-states": result({"3-state adjacent": several, "4-state adjacent": several}),
    }


def judged(change=None, sibling=None, seeds=4, results=None) -> dict[str, str]:
    made = {MODEL: made_card(change, seeds), f"{MODEL}-feedforward": made_card(sibling, 3, feedforward=True)}
    return {one.name: one.verdict for one in check(Records(made, errors() if results is None else results))}


def no_growth(accuracy):
    accuracy.loc[{"presentation": "flash:1"}] = 0.6


def no_mask(accuracy):
    for soa in (1, 2, 3, 4, 6):
        accuracy.loc[{"presentation": f"masked:1:{soa}"}] = accuracy.sel(presentation="flash:1")


def one_seed_gains_from_its_mask(accuracy):
    accuracy.loc[{"presentation": "masked:1:1", "seed": 2}] = 0.95


def same_at_all_soas(accuracy):
    for soa in (1, 2, 3, 4, 6):
        accuracy.loc[{"presentation": f"masked:1:{soa}"}] = 0.5


def target_masks_itself(accuracy):
    accuracy.loc[{"presentation": "masked:1:1:target"}] = 0.75


def chance_elsewhere(accuracy):
    accuracy.loc[{"presentation": "sustained", "time": 24}] = 0.5


def better_elsewhere(accuracy):
    accuracy.loc[{"presentation": "sustained", "time": 12}] = 0.95


def flash_stays(accuracy):
    accuracy.loc[{"presentation": "flash:1"}] = 0.75


def flash_stays_and_grows(accuracy):
    accuracy.loc[{"presentation": "flash:1"}] = np.where(accuracy["time"] < 8, 0.75, 0.9)


def test_all_that_is_predicted_holds_where_it_is_true():
    verdicts = judged()
    for name in ("growth, contours", "masking, contours", "other readout times, contours", "sharing", "more states"):
        assert verdicts[name] == HOLDS


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("growth, contours", no_growth),
        ("masking, contours", no_mask),
        ("masking, contours", one_seed_gains_from_its_mask),
        ("masking, contours", same_at_all_soas),
        ("masking, contours", target_masks_itself),
        ("other readout times, contours", chance_elsewhere),
        ("other readout times, contours", better_elsewhere),
    ],
)
def test_criterion_fails_when_its_effect_is_removed(name, change):
    assert judged(change)[name] == DOES_NOT_HOLD


def test_growth_is_not_the_models_own_when_its_feedforward_sibling_grows():
    assert judged(sibling=flash_stays_and_grows)["growth, contours"] == DOES_NOT_HOLD


def test_interruption_needs_a_sibling_that_can_be_read_at_the_same_time():
    name = "masking is interruption, contours"
    assert judged()[name] == CANNOT_BE_TOLD
    # its masked accuracy is 0.75 too: it loses nothing
    assert judged(sibling=flash_stays)[name] == HOLDS
    assert judged(no_mask, sibling=flash_stays)[name] == DOES_NOT_HOLD


def test_one_seed_can_contradict_but_not_support():
    assert judged(seeds=1)["growth, contours"] == CANNOT_BE_TOLD
    assert judged(no_growth, seeds=1)["growth, contours"] == DOES_NOT_HOLD


def test_sharing_and_states_fall_both_ways_and_a_smoke_test_settles_nothing():
    assert judged(results=errors(cost=0.2))["sharing"] == DOES_NOT_HOLD
    assert judged(results=errors(several=0.3))["more states"] == DOES_NOT_HOLD
    assert judged(results=errors(scale="smoke"))["sharing"] == CANNOT_BE_TOLD


def test_without_records_nothing_can_be_told_and_it_is_said_what_is_missing():
    verdicts = check(Records({}, {}))
    assert [one.verdict for one in verdicts] == [CANNOT_BE_TOLD] * len(PREDICTIONS)
    assert f"No record of {MODEL} ships" in verdicts[0].why
    assert "cortexsim experiment weight-sharing --scale laptop" in verdicts[-2].why


def test_missing_control_leaves_a_prediction_open():
    made = {MODEL: made_card().drop_sel(presentation="masked:1:1:target")}
    verdicts = {one.name: one for one in check(Records(made, {}))}
    assert verdicts["growth, contours"].verdict == CANNOT_BE_TOLD
    assert "No record of ventral-stream-contours-feedforward" in verdicts["growth, contours"].why
    assert verdicts["masking, contours"].verdict == CANNOT_BE_TOLD
    assert "no accuracy for masked:1:1:target at t = 8" in verdicts["masking, contours"].why


def test_command_prints_all_four_with_what_ships_and_the_numbers_are_those_of_the_cards(capsys):
    assert main(["predictions"]) == 0
    printed = capsys.readouterr().out
    for one in cs.predictions.check():
        assert f"{one.number}. {one.name.upper()}: {one.verdict}" in printed
    assert {one.number for one in PREDICTIONS} == {1, 2, 3, 4}
    flash = 100 * cs.zoo.card(MODEL)["accuracy"].sel(presentation="flash:1")
    growth = flash.sel(time=8) - flash.sel(time=3)
    low, mean, high = (f"{float(value):+.1f}" for value in (growth.min(), growth.mean(), growth.max()))
    line = f"{mean} points ({low} to {high} over {growth.size} seeds)"
    assert line in " ".join(printed.split())
