"""Statistics that are pooled over time, held from a time on, and chosen for a presentation."""

import pytest
import torch

import cortexsim as cs
from cortexsim.model.moments import Statistics, choose


def taken(means: dict[tuple[str, int], float], presentation=None) -> Statistics:
    """Return statistics of one channel with these means and variance 1."""
    moments = {place: (torch.tensor([mean]), torch.tensor([1.0])) for place, mean in means.items()}
    return Statistics(moments, presentation or cs.flash(1), 5, "{}", "weights", "images", 3)


def test_pooled_moments_weigh_times_equally_and_add_the_variance_between_them():
    pooled = taken({("V1", 0): 0.0, ("V1", 1): 2.0, ("V1", 2): 7.0}).pooled(until=1)
    for time in (0, 1, 2):
        mean, variance = pooled.at("V1", time)
        assert (mean.item(), variance.item()) == (1.0, 2.0)


def test_a_place_that_is_empty_until_later_is_pooled_to_its_first_time():
    pooled = taken({("V1", 0): 0.0, ("IT", 3): 4.0, ("IT", 4): 5.0, ("IT", 5): 9.0}).pooled(until=2)
    assert [pooled.at("IT", time)[0].item() for time in (3, 4, 5)] == [4.0, 4.0, 4.0]


def test_held_moments_are_those_of_the_last_time_before():
    held = taken({("V1", 0): 0.0, ("V1", 2): 2.0, ("V1", 4): 4.0, ("IT", 4): 9.0}).held(3)
    assert [held.at("V1", time)[0].item() for time in (0, 2, 4)] == [0.0, 2.0, 2.0]
    # there is no earlier one to hold
    assert held.at("IT", 4)[0].item() == 9.0


def test_a_change_of_statistics_that_were_changed_before_is_described_with_it():
    once = taken({("V1", 0): 0.0, ("V1", 2): 2.0}).held(0)
    assert once.pooled().change == "held from t = 0, then pooled over times 0 to 5"
    assert once.change == "held from t = 0"


@pytest.mark.parametrize("order", [1, -1])
def test_a_presentations_own_statistics_win_over_those_of_a_mixture_with_it(order):
    own = taken({("V1", 0): 0.0})
    mixed = taken({("V1", 0): 1.0}, cs.mixture(cs.flash(1), cs.sustained()))
    assert choose([own, mixed][::order], cs.flash(1), None, "weights") is own
    assert choose([own, mixed][::order], cs.sustained(), None, "weights") is mixed
