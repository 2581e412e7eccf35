"""The trials of one stimulus are not independent: intervals are over stimuli, however often each was shown."""

import numpy as np
import pytest
import xarray as xr

import cortexsim as cs
from cortexsim.analyse.repeats import originals
from tests.analyse.nodes import readout_of

N, TIMES = 12, 3


def of_trials(node: xr.Dataset, n: int, mark: str = "repeat") -> xr.Dataset:
    """Return a node in which each stimulus was shown n times, without noise."""
    stimuli = node.sizes["stimulus"]
    trials = node.isel(stimulus=np.repeat(np.arange(stimuli), n))
    return trials.assign_coords(
        stimulus=np.arange(stimuli * n),
        target=("stimulus", np.repeat(np.arange(stimuli), n)),
        **{mark: ("stimulus", np.tile(np.arange(n), stimuli))},
    )


@pytest.fixture
def readout() -> xr.Dataset:
    logits = np.random.default_rng(1).normal(0, 2, (N, TIMES, 2)).cumsum(1)
    return readout_of(logits, label=np.arange(N) % 2, size=np.arange(N) // 6)


def intact_and_cut(node: xr.Dataset) -> xr.Dataset:
    return cs.analyse.early_late(node.assign(logits=node["logits"] * [1, -1]), node, 0.2)


READOUTS = {
    "accuracy": cs.analyse.accuracy,
    "accuracy by size": lambda node: cs.analyse.accuracy(node, by="size"),
    "reaction time": lambda node: cs.analyse.reaction_time(node, 0.2),
    "speed and accuracy": lambda node: cs.analyse.speed_accuracy(node, [0.1, 0.6]),
}
NODES = {
    "settling": lambda node: cs.analyse.settling(node, threshold=1.3),
    "trajectory": lambda node: cs.analyse.trajectory(node, 2, average="label"),
}


def numbers(result: xr.DataArray | xr.Dataset) -> dict[str, np.ndarray]:
    """Return what does not have a value for each trial."""
    whole = result.to_dataset(name="value") if isinstance(result, xr.DataArray) else result
    return {
        str(name): one.values
        for name, one in whole.variables.items()
        if "stimulus" not in one.dims and one.dtype.kind == "f"
    }


def same(one: xr.DataArray | xr.Dataset, other: xr.DataArray | xr.Dataset) -> None:
    found, expected = numbers(one), numbers(other)
    assert set(found) == set(expected)
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("name", READOUTS)
def test_repeats_do_not_narrow_the_interval_of_a_readout(readout, name):
    same(READOUTS[name](of_trials(readout, 5)), READOUTS[name](readout))


@pytest.mark.parametrize("name", NODES)
def test_repeats_do_not_narrow_the_interval_of_a_mean_over_a_state(noisy, name):
    node = noisy.isel(time=slice(1, None)).assign(populated=("time", [True] * 3))
    same(NODES[name](of_trials(node, 4)), NODES[name](node))


def test_repeats_do_not_narrow_the_interval_of_an_intervention(readout):
    once, often = intact_and_cut(readout), intact_and_cut(of_trials(readout, 5))
    for name in ("accuracy", "accuracy_intact", "accuracy_difference"):
        np.testing.assert_allclose(often[f"{name}_low"], once[f"{name}_low"])
    assert often["n"].values.tolist() == (5 * once["n"]).values.tolist()


@pytest.mark.parametrize(
    "measure",
    [
        cs.analyse.spread,
        cs.analyse.dimensionality,
        lambda node: cs.analyse.selectivity(node, measure="d_prime"),
    ],
)
def test_all_trials_of_a_stimulus_are_left_out_together(noisy, measure):
    once, often = measure(noisy), measure(of_trials(noisy, 6))
    ratio = (often["high"] - often["low"]) / (once["high"] - once["low"])
    assert float(ratio.median()) > 0.6  # 0.41 if the trials counted as stimuli
    assert often.attrs["interval"].startswith("95 % jackknife interval over 30 stimuli, in 180 trials")


def between(node: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the dissimilarities at one time and at another."""
    distances = cs.analyse.rdm(node, "euclidean")
    return distances.sel(time=2, drop=True), distances.sel(time=3, drop=True)


@pytest.mark.parametrize("method", ["pearson", "kendall"])
def test_all_trials_of_a_stimulus_are_drawn_together(noisy, method):
    trials = of_trials(noisy.isel(stimulus=slice(10)), 3)
    taken_for_stimuli = trials.drop_vars("repeat")
    often, narrow = (
        cs.analyse.compare_rdms(*between(node), method, n_bootstrap=60) for node in (trials, taken_for_stimuli)
    )
    assert often == narrow
    assert often["high"] - often["low"] > 1.2 * (narrow["high"] - narrow["low"])
    assert often.attrs["interval"].startswith("95 % percentile bootstrap over 10 stimuli, in 30 trials")
    with pytest.raises(ValueError, match="at least 4 stimuli, got 3 stimuli, in 6 trials"):
        cs.analyse.compare_rdms(*between(of_trials(noisy, 2).isel(stimulus=slice(6))))


@pytest.mark.parametrize("measure", [cs.analyse.cka, cs.analyse.selectivity])
def test_an_interval_that_needs_independent_trials_is_left_out(noisy, measure):
    found = measure(of_trials(noisy, 2))
    assert np.isfinite(found).any()
    assert np.isnan(found["low"]).all()
    assert found.attrs["interval"] == (
        "none: the trials of one stimulus are not independent, here 30 stimuli, in 60 trials"
    )


def test_conditions_of_one_stimulus_count_as_repeats_and_other_targets_do_not(noisy):
    assert originals(of_trials(noisy, 2, "reaches")).max() == 29
    own = noisy.assign_coords(target=("stimulus", np.zeros(30, int)))
    assert originals(own).max() == 29


def test_the_trials_of_a_single_stimulus_are_draws_of_the_noise(noisy):
    alone = of_trials(noisy, 6).isel(stimulus=slice(6))
    assert originals(alone).tolist() == list(range(6))
