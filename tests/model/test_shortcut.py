"""A trained model with another weight of its identity shortcuts: the same convolutions, other activity."""

import pytest
import torch

import cortexsim as cs
from cortexsim.model.moments import MissingStatisticsError


def test_the_copy_has_the_convolutions_and_the_original_is_untouched(calibrated):
    before = calibrated.checksum(), calibrated.graph, list(calibrated.statistics)
    copied = cs.with_shortcut(calibrated, 0.25)
    assert copied.graph.shortcut == 0.25
    assert all(torch.equal(one, other) for one, other in zip(copied.parameters(), calibrated.parameters(), strict=True))
    with torch.no_grad():
        copied.pre.weight += 1
    assert (calibrated.checksum(), calibrated.graph, list(calibrated.statistics)) == before


@pytest.mark.parametrize("weight", [0, 0.25, 1])
def test_it_computes_what_a_model_built_with_that_weight_does(calibrated, pictures, weight):
    graph = cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8, shortcut=weight)
    built = cs.Cortex(graph, n_classes=3, readout_time=5).double().eval()
    built.load_state_dict(calibrated.state_dict())
    copied = cs.with_shortcut(calibrated, weight)
    for model in (built, copied):
        cs.calibrate(model, pictures, until=5)
    with torch.no_grad():
        assert torch.equal(copied(pictures), built(pictures))
        assert not torch.equal(copied(pictures), calibrated(pictures))


def test_the_same_weight_changes_nothing(calibrated, pictures):
    copied = cs.with_shortcut(calibrated, 0.5)
    cs.calibrate(copied, pictures, until=8)
    with torch.no_grad():
        assert torch.equal(copied(pictures), calibrated(pictures))


def test_it_wants_statistics_of_its_own(calibrated, pictures):
    copied = cs.with_shortcut(calibrated, 0.25)
    with pytest.raises(MissingStatisticsError, match="no statistics for"):
        copied.eval()(pictures)


def test_a_model_that_cannot_carry_a_shortcut_is_refused(small_model):
    with pytest.raises(ValueError, match="there is no self-transition BRCx2"):
        cs.with_shortcut(small_model, 0.5)


def test_a_recording_with_the_statistics_of_another_shortcut_says_so(calibrated, pictures):
    (own,) = calibrated.statistics.values()
    of_another, plain = (
        cs.simulate(model, pictures, until=3, statistics=own).cortex.settings["statistics"]
        for model in (cs.with_shortcut(calibrated, 0.25), calibrated)
    )
    assert of_another["graph"] == own.graph
    assert "graph" not in plain
