"""The masking panel: a grid with its controls, with statistics of one's choice, told and drawn."""

import pytest
import torch

import cortexsim as cs
from cortexsim.cli import main


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    data = cs.datasets.digits(30, size=16)
    shown = cs.mixture(cs.flash(1), *(cs.masked(1, soa, mask) for soa in (1, 2) for mask in ("noise", "target")))
    cs.calibrate(model, data, until=6, presentation=shown)
    return {"model": model, "data": data, "n": 30}


@pytest.fixture
def panel(given):
    return cs.explore.Masking(**given)


def measured(panel, **choices):
    panel.choose(**choices)
    panel.run()
    panel.wait(60)
    assert panel.error is None
    return panel.result


def test_the_models_own_statistics_limit_the_soas_and_serve_all_controls(panel):
    result = measured(panel)
    assert result["soa"].values.tolist() == [1, 2]
    assert result["mask"].values.tolist() == ["noise", "target", "blank"]
    assert result.attrs["readout_time"] == 4
    assert list(panel.figures) == ["recurrent"]
    assert "At SOA 1, read at t = 4" in panel.finding.value


def test_a_mask_that_the_model_never_saw_needs_statistics_of_these_trials(panel):
    panel.choose(mask="texture")
    assert panel.button.disabled
    assert "was not trained with such masks" in panel.words.value
    result = measured(panel, statistics="these trials")
    assert result["mask"].values[0] == "texture"
    assert result["soa"].values.tolist() == [1, 2, 3]


def test_the_panel_gives_what_the_protocol_gives(panel, given):
    result = measured(panel, statistics="these trials", readout_time=5)
    same = cs.protocols.masking(
        given["model"], given["data"], soas=(1, 2, 3, 4), readout_time=5, calibrate_on=given["data"]
    )
    assert result["correct"].sel(model="recurrent").equals(same["correct"].assign_coords(model="recurrent"))


def test_statistics_of_flashes_change_what_a_mask_costs_but_not_the_weights(panel, given):
    before = given["model"].checksum(), list(given["model"].statistics)
    own = measured(panel)
    other = measured(panel, statistics="flashes without a mask")
    assert not other["accuracy"].equals(own["accuracy"])
    assert (given["model"].checksum(), list(given["model"].statistics)) == before


def test_people_stand_beside_only_where_the_target_stays_until_the_mask(panel):
    measured(panel, statistics="these trials")
    assert not any("people" in str(trace.name) for trace in panel.figures["recurrent"].data)
    measured(panel, targets="duration = SOA, beside people")
    assert any("people" in str(trace.name) for trace in panel.figures["recurrent"].data)


def test_the_prediction_is_told_from_the_paired_conditions(given):
    panel = cs.explore.Masking(**given, question="earliest")
    panel.ask.answer = 0
    result = measured(panel)
    at = result["accuracy"].sel(model="recurrent", soa=1, duration=1)
    assert panel.ask.told[0]["truth"] == pytest.approx(
        100 * float(at.sel(mask="blank") - at.sel(mask="noise")), abs=0.05
    )


def test_the_feedforward_sibling_stands_beside():
    panel = cs.explore.Masking("contours", n=2)
    result = measured(panel)
    assert result["model"].values.tolist() == ["recurrent", "feedforward"]


def test_rerun_makes_the_same_table_and_figure_without_a_browser(tmp_path, capsys):
    panel = cs.explore.Masking("contours", n=2)
    panel.save(tmp_path / "masking.json")
    assert main(["rerun", str(tmp_path / "masking.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "read at t = 8" in capsys.readouterr().out
    assert cs.experiments.result.open_dataset(tmp_path / "again.nc", "")["correct"].equals(measured(panel)["correct"])
    assert (tmp_path / "again-recurrent.html").stat().st_size > 1_000_000
