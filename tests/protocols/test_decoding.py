"""Lesions and what can be decoded: the numbers of `simulate` and `decode`, stimulus by stimulus, for each cut."""

import numpy as np
import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim.analyse._decode import decoded_right
from cortexsim.protocols import feedback

CUTS = {"V2->V1": {"V2->V1": None}, "late": {"V2->V1": [4]}}


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 6}, size=16, shortcut=0.5), 2, 3)
    data = cs.datasets.contours(30, size=16, length=(4, 6))
    cs.calibrate(model, data, cs.flash(1), until=4)
    return model, data


@pytest.fixture(scope="module")
def table(given):
    model, data = given
    return cs.protocols.lesion_decoding(
        model, data, CUTS, state="V1", until=4, times=[1, 3, 4], calibrate_on=data.isel(stimulus=slice(0, 20))
    )


def test_what_is_decoded_is_that_of_decode(given, table):
    model, data = given
    intact = cs.simulate(model, data, cs.flash(1), until=4)["V1"].to_dataset().sel(time=[1, 3, 4])
    np.testing.assert_allclose(table["decode_intact"], cs.analyse.decode(intact))
    cut = cs.simulate(
        model,
        data,
        cs.flash(1),
        until=4,
        silence=CUTS["V2->V1"],
        lesion="recalibrated",
        calibrate_on=data.isel(stimulus=slice(0, 20)),
    )
    expected = cs.analyse.decode(cut["V1"].to_dataset().sel(time=[1, 3, 4]))
    np.testing.assert_allclose(table["decode"].sel(cut="V2->V1", version="recalibrated"), expected)


def test_a_difference_is_cut_minus_intact_with_an_interval_around_it(table):
    np.testing.assert_allclose(table["difference"], table["decode"] - table["decode_intact"], atol=1e-12)
    assert (table["difference_low"] <= table["difference"]).all()
    assert (table["difference"] <= table["difference_high"]).all()
    assert table.attrs["chance"] == pytest.approx(0.5)
    assert table["decode"].dims == ("cut", "version", "time")


def test_a_cut_changes_nothing_before_its_time(table):
    late = table["difference"].sel(cut="late", version=["acute", "mean-replaced"], time=[1, 3])
    assert (late == 0).all()
    assert (table["difference"].sel(time=1, version="acute") == 0).all()


def test_the_weights_of_a_cut_are_counted(given, table):
    model, _ = given
    kernels = model.kernels("V2->V1", 3)
    assert table["n_weights"].values.tolist() == [sum(kernel.numel() for kernel in kernels)] * 2


def test_a_decoder_is_right_or_wrong_about_each_stimulus_once(given):
    model, data = given
    node = cs.simulate(model, data, cs.flash(1), until=3)["V2"]
    right = decoded_right(node)
    assert right.dims == ("stimulus", "time")
    assert np.isnan(right.sel(time=0)).all()
    assert set(np.unique(right.sel(time=[1, 2]))) <= {0.0, 1.0}
    np.testing.assert_allclose(right.mean("stimulus", skipna=False), cs.analyse.decode(node))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cuts": {}}, "cuts is empty"),
        ({"state": "V3"}, "unknown state 'V3'"),
        ({"times": [5]}, r"times must lie from 0 to until=4, got \[5\]"),
    ],
)
def test_what_cannot_be_measured_is_refused(given, changes, message):
    model, data = given
    arguments = {"cuts": CUTS, "state": "V1", "times": None, **changes}
    with pytest.raises(ValueError, match=message):
        cs.protocols.lesion_decoding(
            model,
            data,
            arguments["cuts"],
            state=arguments["state"],
            until=4,
            times=arguments["times"],
            calibrate_on=data,
        )


# --- the study of what returns to V1 --------------------------------------------------------------------------------


def test_too_few_stimuli_of_a_class_are_refused_before_anything_is_simulated(given, monkeypatch):
    model, data = given
    few = xr.concat(
        [data.isel(stimulus=data["label"] == 0), data.isel(stimulus=data["label"] == 1)[{"stimulus": [0]}]], "stimulus"
    )
    monkeypatch.setattr("cortexsim.protocols.decoding.simulate", None)
    with pytest.raises(ValueError, match="class 1 has 1 stimuli, fewer than the 5 folds"):
        cs.protocols.lesion_decoding(model, few, CUTS, state="V1", until=4, calibrate_on=data)


def test_every_connection_is_cut_but_the_one_that_starves_v2():
    graph = feedback.small_network().graph
    cuts = feedback.cuts_of(feedback.small_network())
    assert set(cuts) == {*graph.transition_names, feedback.LATE} - {"V1->V2"}


def test_the_bundled_result_says_what_it_is_and_meets_the_criteria_that_the_text_names():
    result = cs.protocols.shipped_feedback()
    assert {"title", "data", "hardware", "commit", "date", "command"} <= set(result.attrs)
    assert result["network"].values.tolist() == list(feedback.NETWORKS)
    found = feedback.verdicts(result)
    trained = found.sel(network=list(feedback.TRAINED))
    known = trained["becomes"].notnull()
    assert int(known.sum()) == 3 + feedback.SMALL_SEEDS
    assert (trained["becomes"].where(known, 1) == 1).all()
    # without lateral connections, V1 is empty once V2->V1 is cut: there is nothing to decode
    lateral = trained.drop_sel(network="digits, no lateral connections")
    assert (lateral["needs_feedback"].where(lateral["becomes"].notnull(), 1) == 1).all()
    alone = result["decode"].sel(network="digits, no lateral connections", seed=0, cut="V2->V1", time=feedback.READ_AT)
    assert alone.isnull().sel(version="acute")
    assert float(alone.sel(version="mean-replaced")) <= 0.12
    assert (found["becomes"].sel(network=["digits, untrained", "contours"], seed=0) == 0).all()
    assert (trained["too_late"].where(known, 1) == 1).all()


def test_a_criterion_fails_where_the_numbers_say_so():
    result = cs.protocols.shipped_feedback().load()
    at = {"network": "digits", "seed": 0, "cut": "V2->V1", "version": "acute", "time": feedback.READ_AT}
    result["difference"].loc[at] = -0.01
    assert float(feedback.verdicts(result)["needs_feedback"].sel(network="digits", seed=0)) == 0
    result["decode_intact"].loc[{"network": "digits", "seed": 0, "time": feedback.READ_AT}] = 0.2
    assert float(feedback.verdicts(result)["becomes"].sel(network="digits", seed=0)) == 0


def test_a_network_that_does_not_ship_says_what_trains_it():
    with pytest.raises(ValueError, match=r"'digits, small' does not ship; tools/measure_feedback.py trains it"):
        feedback.network_of("digits, small")
