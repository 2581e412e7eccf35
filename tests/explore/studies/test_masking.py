"""The masking panel: all conditions with their controls, with statistics of choice, drawn and reported."""

import pytest
import torch
import xarray as xr

import cortexsim as cs
from cortexsim._support.netcdf import open_dataset
from cortexsim.cli import main
from cortexsim.explore.studies import masking


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=16), 10, 4)
    data = cs.datasets.digits(30, size=16)
    shown = cs.mixture(cs.flash(1), *(cs.masked(1, soa, mask) for soa in (1, 2) for mask in ("noise", "target")))
    cs.calibrate(model, data, shown, until=6)
    # without this bias, one class would be the answer to all images whatever the activity
    read = cs.simulate(model, data, cs.flash(1), until=4)["readout"]["logits"].sel(time=4)
    with torch.no_grad():
        model.post.linear.bias -= torch.from_numpy(read.mean("stimulus").values)
    cs.calibrate(model, data, shown, until=6)
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


def test_the_plots_of_two_models_begin_at_one_height_below_captions_of_different_length(panel):
    result = measured(panel)
    late = result.assign(reaches=result["reaches"] & (result["soa"] < 2)).assign_coords(model=["feedforward"])
    figures = panel.draw(xr.concat([result, late], "model", combine_attrs="override", join="outer"))
    tops = [figure.layout.margin.t for figure in figures.values()]
    lines = [figure.layout.title.subtitle.text.count("<br>") for figure in figures.values()]
    assert lines[0] != lines[1]
    assert tops[0] == tops[1]


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


def test_statistics_are_taken_on_the_training_part_and_not_on_what_is_tested(given):
    data = {"name": "digits", "size": 16, "part": "test"}
    found = measured(cs.explore.Masking(model=given["model"], data=data, n=60), statistics="these trials")
    tested = cs.datasets.digits(60, size=16, part="test")
    separate, same = (
        cs.protocols.masking(
            given["model"], tested, soas=found["soa"].values.tolist(), readout_time=4, calibrate_on=taken_on
        )
        for taken_on in (cs.datasets.digits(200, size=16, part="train", seed=1), tested)
    )
    assert found["correct"].sel(model="recurrent").equals(separate["correct"].assign_coords(model="recurrent"))
    assert not same["correct"].equals(separate["correct"])


def test_statistics_of_flashes_change_what_a_mask_costs_but_not_the_weights(panel, given):
    before = given["model"].checksum(), list(given["model"].statistics)
    own = measured(panel)
    other = measured(panel, statistics="flashes without a mask")
    assert not other["accuracy"].equals(own["accuracy"])
    assert (given["model"].checksum(), list(given["model"].statistics)) == before


def test_a_changed_shortcut_makes_a_copy_with_its_own_statistics_of_the_training_presentation(panel, given):
    before = given["model"].checksum(), given["model"].graph
    own = measured(panel)
    assert "λ was set" not in panel.finding.value
    other = measured(panel, shortcut="0.25")
    assert not other["correct"].equals(own["correct"])
    assert "λ was set to 0.25 in the recurrent model; its weights were trained with 1" in panel.finding.value
    assert (given["model"].checksum(), given["model"].graph) == before

    copied = cs.with_shortcut(given["model"], 0.25)
    (shown,) = given["model"].statistics
    cs.calibrate(copied, given["data"], shown, until=4)
    same = cs.protocols.masking(copied, given["data"], soas=(1, 2), readout_time=4)
    assert other["correct"].sel(model="recurrent").equals(same["correct"].assign_coords(model="recurrent"))


@pytest.mark.parametrize("statistics", ["these trials", "flashes without a mask"])
def test_a_changed_shortcut_combines_with_any_statistics(panel, statistics):
    own = measured(panel, statistics=statistics)
    assert not measured(panel, shortcut="0")["correct"].equals(own["correct"])


def test_a_shortcut_is_part_of_the_settings_and_of_a_rerun(panel, given):
    result = measured(panel, shortcut="0.5")
    assert panel.settings["choices"]["shortcut"] == "0.5"
    again = cs.explore.reopen(panel.settings, model=given["model"], data=given["data"])
    assert again.compute().identical(result)


def test_a_model_without_self_transitions_offers_no_shortcut_weight(given):
    bare = cs.Cortex(cs.adjacent({"V1": 4, "IT": 4}, size=16, self_transitions=False), 10, 3)
    panel = cs.explore.Masking(model=bare, data=given["data"], n=30)
    assert list(panel._controls["shortcut"].options) == [("as trained", "as trained")]


def test_settings_from_before_the_shortcut_open_as_trained(panel, given):
    settings = panel.settings
    del settings["choices"]["shortcut"]
    assert cs.explore.reopen(settings, model=given["model"], data=given["data"]).choices["shortcut"] == "as trained"


def test_settings_of_earlier_versions_open_with_the_present_names(panel, given):
    settings = panel.settings
    settings["choices"]["targets"] = "duration = SOA, beside people"
    again = cs.explore.reopen(settings, model=given["model"], data=given["data"])
    assert again.choices["targets"] == masking.UNTIL_MASK


def test_human_data_are_drawn_only_where_the_target_stays_until_the_mask(panel):
    measured(panel, statistics="these trials")
    assert not any("humans" in str(trace.name) for trace in panel.figures["recurrent"].data)
    measured(panel, targets=masking.UNTIL_MASK)
    assert any("humans" in str(trace.name) for trace in panel.figures["recurrent"].data)


def test_the_prediction_is_judged_by_the_difference_of_paired_conditions(given):
    panel = cs.explore.Masking(**given, question="earliest")
    panel.ask.answer = 0
    result = measured(panel)
    at = result["accuracy"].sel(model="recurrent", soa=1, duration=1)
    assert panel.ask.answered[0]["truth"] == pytest.approx(
        100 * float(at.sel(mask="blank") - at.sel(mask="noise")), abs=0.05
    )


def test_the_target_as_its_own_mask_is_not_drawn_before_it_is_predicted(given):
    panel = cs.explore.Masking(**given, question="earliest")
    panel.ask.answer = 0
    measured(panel)
    drawn = str(panel.figures["recurrent"].to_json()) + panel.finding.value + panel.ask.result.value
    assert "target as its own mask" not in drawn
    assert "target itself" not in drawn
    panel.ask.question, panel.ask.answer = "itself", 0
    panel.run()
    assert "after the target itself" in panel.ask.result.value
    assert "At SOA 1" not in panel.finding.value, "the sentence repeats the numbers of the verdict"


def test_the_feedforward_control_is_measured_too():
    panel = cs.explore.Masking("contours", n=2)
    result = measured(panel)
    assert result["model"].values.tolist() == ["recurrent", "feedforward"]


def test_rerun_makes_the_same_table_and_figure_without_a_browser(tmp_path, capsys):
    panel = cs.explore.Masking("contours", n=2)
    panel.save(tmp_path / "masking.json")
    assert main(["rerun", str(tmp_path / "masking.json"), "--to", str(tmp_path / "again.nc")]) == 0
    assert "read at t = 8" in capsys.readouterr().out
    assert open_dataset(tmp_path / "again.nc", "")["correct"].equals(measured(panel)["correct"])
    assert (tmp_path / "again-recurrent.html").stat().st_size > 1_000_000


def test_all_models_are_drawn_on_one_scale(panel):
    result = measured(panel, statistics="these trials")
    worse = result.assign(accuracy=(result["accuracy"] / 2).assign_attrs(result["accuracy"].attrs))
    both = xr.concat([result, worse.assign_coords(model=["feedforward"])], "model", combine_attrs="override")
    ranges = [figure.layout.yaxis.range for figure in panel.draw(both).values()]
    assert len(ranges) == 2
    assert ranges[0] == ranges[1]
    assert ranges[0][0] < float(worse["accuracy"].min())
