"""The predictions on the models that trace: each falls both ways, on made-up results."""

import numpy as np
import pytest
import xarray as xr

from cortexsim.paper.experiments.tracing import FULL, verdict
from cortexsim.paper.predictions import DOES_NOT_HOLD, HOLDS, UNDECIDED, Records, check
from cortexsim.paper.predictions.tracing import CONTROLS, TRACING

LENGTHS, SOAS, MASKS = list(FULL.curves), [5, 12, 20, 35], ["noise", "lines", "target", "blank"]
MODELS = ["tracer", *CONTROLS]
LONGER, MASKED = "running longer, tracing", "masking is interruption, tracing"


def made(seeds=3, scale="laptop") -> xr.Dataset:
    """Make up a result on which all holds."""
    shape = (len(MODELS), seeds, len(LENGTHS))
    at_end = xr.DataArray(np.ones(shape), dims=("model", "seed", "length"))
    at_end = at_end.assign_coords(model=MODELS, seed=np.arange(seeds), length=LENGTHS)
    at_end.loc[{"model": list(CONTROLS), "length": LENGTHS[1:]}] = 0.5
    stopped = xr.full_like(at_end, 0.5)
    stopped.loc[{"length": 10}] = 1.0
    masked_lengths = [10, 30]
    wave = np.array(masked_lengths) * 0.9
    after = np.array(SOAS)[:, None] > wave
    masked = np.broadcast_to(np.where(after, 1.0, 0.5), (len(MODELS), seeds, len(MASKS), len(SOAS), 2)).copy()
    masked[:, :, MASKS.index("target")] = 1.0
    masked[1:] = np.nan
    by_seed = {"model": MODELS, "seed": np.arange(seeds)}

    def of_each(value: float) -> xr.DataArray:
        return xr.DataArray(np.full(shape[:2], value), by_seed, ("model", "seed"))

    return xr.Dataset(
        {
            "yes_no_end": at_end,
            "exact_end": at_end.copy(),
            "exact_late": at_end.copy(),
            "yes_no_stopped": stopped,
            "slope": of_each(0.9),
            "r_of_medians": of_each(0.999),
            "masked": (("model", "seed", "mask", "soa", "masked_length"), masked),
            "unlatched": (("model", "seed", "unlatched_soa", "masked_length"), np.full((*shape[:2], 1, 2), 0.5)),
        },
        {"mask": MASKS, "soa": SOAS, "masked_length": masked_lengths, "unlatched_soa": [9]},
        {"scale": scale},
    )


def judged(result: xr.Dataset | None) -> dict[str, str]:
    results = {} if result is None else {"extrapolation": result}
    return {one.name: one.verdict for one in check(Records({}, results))}


def test_both_hold_where_the_made_up_result_says_so():
    found = judged(made())
    assert found[LONGER] == found[MASKED] == HOLDS


def change(name, value, **where):
    def spoil(result):
        result[name].loc[where] = value
        return result

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        change("yes_no_end", 0.89, model="tracer", seed=1, length=60),
        change("exact_end", 0.79, model="tracer", seed=2, length=60),
        change("yes_no_stopped", 0.6, model="tracer", seed=0, length=30),
        change("exact_late", 0.95, model="tracer", seed=0, length=40),
        change("yes_no_end", 0.61, model="tracer-u-shaped", seed=0, length=20),
        change("yes_no_end", 0.56, model="tracer-dilated", seed=2, length=30),
        change("r_of_medians", 0.94, model="tracer", seed=0),
    ],
)
def test_running_longer_falls_with_any_seed_of_any_model(spoil):
    found = judged(spoil(made()))
    assert found[LONGER] == DOES_NOT_HOLD
    assert found[MASKED] == HOLDS


@pytest.mark.parametrize(
    "spoil",
    [
        change("masked", 0.7, model="tracer", seed=1, mask="noise", soa=5, masked_length=30),
        change("masked", 0.8, model="tracer", seed=2, mask="lines", soa=35, masked_length=10),
        change("masked", 0.9, model="tracer", seed=0, mask="target", soa=5),
    ],
)
def test_interruption_falls_with_any_mask_on_the_wrong_side_of_the_wave(spoil):
    found = judged(spoil(made()))
    assert found[MASKED] == DOES_NOT_HOLD
    assert found[LONGER] == HOLDS


def test_a_mask_close_to_the_wave_decides_nothing():
    # 12 steps are 3 more than the 9 that the wave needs for 10 px, less the margin; 20 are 7 less than for 30 px
    spoiled = change("masked", 0.7, model="tracer", mask="noise", soa=12, masked_length=10)(made())
    spoiled["slope"][:] = 1.0
    assert judged(spoiled)[MASKED] == HOLDS


def test_two_seeds_cannot_support_a_claim_and_a_smoke_test_or_no_result_says_nothing():
    assert judged(made(seeds=2))[LONGER] == UNDECIDED
    for result in (made(scale="smoke, ..."), made().drop_sel(model="tracer"), None):
        assert {judged(result)[one.name] for one in TRACING} == {UNDECIDED}


def test_seeds_that_were_not_run_are_no_evidence_against():
    result = made(seeds=4)
    for name in ("yes_no_end", "masked"):
        result[name].loc[{"model": "tracer", "seed": 3}] = np.nan
    found = judged(result)
    assert found[LONGER] == found[MASKED] == HOLDS


def test_the_criteria_of_mazes_fall_at_their_thresholds():
    exact = xr.DataArray([0.9, 0.8], {"cells": [9, 13]}, ("cells",))
    met = verdict("tracer-mazes", xr.Dataset({"maze_exact_end": exact}))
    assert list(met.values()) == [True, True]
    assert list(verdict("tracer-mazes", xr.Dataset({"maze_exact_end": exact - 0.01})).values()) == [False, False]
    assert list(verdict("tracer-mazes-solution", xr.Dataset({"maze_exact_end": exact})).values()) == [False, False]
    control = xr.Dataset({"maze_exact_end": xr.DataArray([0.05, 0.0], {"cells": [9, 13]}, ("cells",))})
    assert list(verdict("tracer-mazes-deep", control).values()) == [True]
    assert list(verdict("tracer-mazes-deep", control + 0.01).values()) == [False]
