"""A plan decides what runs before the first step, and refuses to run without a normalization."""

from pathlib import Path

import pytest
import torch

from cortexsim.graph._schedule import EmptyStateError, populate
from cortexsim.model import plan as planning
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.model.plan import plan_run, resolve, stored_statistics


def planned(model, images, presentation=None, **changes):
    pixels, presentation = resolve(model, images, presentation)
    return plan_run(model, pixels, presentation, **{"until": 5, "record": {"V1": range(6)}} | changes)


def test_a_planned_run_reads_out_what_the_model_does(calibrated, pictures):
    plan = planned(calibrated, pictures, readout_times=[3, 5])
    plan = plan.normalized_by(stored_statistics(calibrated, plan.presentation))
    with torch.no_grad():
        read = plan.read(plan.frames(torch.arange(6)), [3, 5])
        torch.testing.assert_close(read, calibrated.readouts(pictures, [3, 5]), rtol=0, atol=1e-12)


def test_without_a_normalization_a_plan_does_not_run(calibrated, pictures):
    plan = planned(calibrated, pictures)
    with pytest.raises(MissingStatisticsError, match=r"no statistics yet; use plan\.normalized_by\(statistics\)"):
        plan.run(plan.frames(torch.arange(2)))


def test_statistics_that_end_before_the_run_are_refused(calibrated, pictures):
    plan = planned(calibrated, pictures, until=9)
    with pytest.raises(MissingStatisticsError, match=r"end at time 8 .* before time 9"):
        plan.normalized_by(stored_statistics(calibrated, plan.presentation))


def test_a_readout_of_an_empty_state_is_refused(calibrated, pictures):
    with pytest.raises(EmptyStateError, match="nothing to read at time 1: IT is empty then"):
        planned(calibrated, pictures, readout_times=[1, 5])


@pytest.mark.parametrize(("silence", "times"), [(None, 1), ({"V2->V1": None}, 2)])
def test_the_front_is_computed_once_and_once_more_with_a_silence(calibrated, pictures, monkeypatch, silence, times):
    fronts = []
    monkeypatch.setattr(planning, "populate", lambda *given: fronts.append(populate(*given)) or fronts[-1])
    plan = planned(calibrated, pictures, silence=silence, refuse_no_effect=True)
    assert len(fronts) == times
    assert plan.fronts == (fronts[-1],)
    assert plan.schedule.states_at == fronts[-1]


def test_a_silenced_transition_runs_where_a_hook_replaces_what_it_delivers(calibrated, pictures):
    silence = {"V2->V1": [3]}
    assert ("V2->V1", 3) not in planned(calibrated, pictures, silence=silence).schedule
    assert ("V2->V1", 3) in planned(calibrated, pictures, silence=silence, silence_runs=True).schedule


def test_only_a_plan_runs_the_time_loop():
    """Otherwise schedule, frames and normalization would be put together in a second place."""
    root = Path(__file__).parents[2]
    files = [path for folder in ("cortexsim", "benchmarks", "tools") for path in (root / folder).rglob("*.py")]
    calling = {str(path.relative_to(root)) for path in files if ".unroll(" in path.read_text(encoding="utf-8")}
    assert calling == {"cortexsim/model/plan.py"}
