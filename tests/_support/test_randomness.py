"""Random numbers depend on (seed, purpose, stimulus) alone."""

import re

import pytest
import torch
from torch import Tensor

from cortexsim._support import randomness

INDEX = torch.arange(200)


def draws(index: Tensor, seed: int = 3, purpose: str = "mask") -> dict[str, Tensor]:
    return {
        "bits": randomness.bits(seed, purpose, index, 5),
        "uniform": randomness.uniform(seed, purpose, index, (2, 3)),
        "normal": randomness.normal(seed, purpose, index, (2, 3)),
        "integers": randomness.integers(seed, purpose, index, 7, (4,)),
        "permutation": randomness.permutation(seed, purpose, index, 6),
    }


KINDS = sorted(draws(INDEX[:1]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stimulus_gets_the_same_numbers_in_any_batch_and_order(kind):
    whole = draws(INDEX)[kind]
    parts = torch.cat([draws(part)[kind] for part in INDEX.split(33)])
    shuffled = INDEX.flip(0)
    assert torch.equal(whole, parts)
    assert torch.equal(whole[shuffled], draws(shuffled)[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_earlier_draws_do_not_matter(kind):
    torch.manual_seed(0)
    first = draws(INDEX)[kind]
    torch.rand(5)
    assert torch.equal(first, draws(INDEX)[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_purpose_or_stimulus_gets_other_numbers(kind):
    base = draws(INDEX)[kind]
    for other in (draws(INDEX, seed=4), draws(INDEX, purpose="other"), draws(INDEX + len(INDEX))):
        assert (base != other[kind]).float().mean() > 0.5


def test_drawing_leaves_torchs_own_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    draws(INDEX)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("seed", [0, -1, 2**63, 10**30])
def test_every_whole_number_is_a_seed(seed):
    assert randomness.uniform(seed, "mask", INDEX).unique().numel() > 190


@pytest.mark.parametrize("seed", ["a", [1], None, 1.5, float("nan"), True])
def test_nothing_else_is_a_seed(seed):
    with pytest.raises(ValueError, match=f"seed must be a whole number, got {re.escape(repr(seed))}"):
        randomness.uniform(seed, "mask", INDEX)


def test_bits_are_those_of_the_published_generator():
    # SplitMix64 (Steele, Lea & Flood 2014) from the state 0: the well-known first outputs
    golden, mixed = 0x9E3779B97F4A7C15, []
    for k in (1, 2):
        state = torch.tensor(((k * golden + 2**63) % 2**64) - 2**63)
        mixed.append(int(randomness._mix(state)) % 2**64)
    assert mixed == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


def test_uniform_numbers_fill_0_to_1_and_never_reach_1():
    drawn = randomness.uniform(0, "mask", INDEX, (500,))
    assert 0 <= float(drawn.min()) < 1e-3
    assert 0.999 < float(drawn.max()) < 1
    counts = torch.histc(drawn, 10, 0, 1)
    assert (counts / 10_000 - 1).abs().max() < 0.05


def test_normal_numbers_have_mean_0_and_spread_1():
    drawn = randomness.normal(0, "mask", INDEX, (500,))
    assert abs(float(drawn.mean())) < 0.02
    assert abs(float(drawn.std()) - 1) < 0.02
    assert bool(drawn.isfinite().all())


def test_whole_numbers_are_equally_frequent():
    counts = torch.bincount(randomness.integers(0, "mask", INDEX, 7, (500,)).flatten())
    assert len(counts) == 7
    assert (counts * 7 / 100_000 - 1).abs().max() < 0.05


def test_a_permutation_holds_every_place_once():
    drawn = randomness.permutation(0, "mask", INDEX, 6)
    assert torch.equal(drawn.sort(1).values, torch.arange(6).expand(len(INDEX), -1))
