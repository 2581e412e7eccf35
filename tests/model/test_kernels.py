"""Which convolutions share a kernel: by a rule, or by any table over the model's own schedule."""

import pytest
import torch

import cortexsim as cs
from cortexsim.model.kernels import Kernels, settle

GRAPH = cs.adjacent({"V1": 4, "V2": 4}, size=(8, 8))
OWN = cs.schedule(GRAPH, [1, 2, 3], cs.sustained())
PAIRS = [(name, time, which) for name, time in OWN for which in (0, 1)]


def test_tied_over_time_each_convolution_has_one_kernel():
    kernels = Kernels(OWN, "time")
    assert set(kernels) == {f"{name}:{which}" for name, _, which in PAIRS}
    assert all(a is b for a, b in zip(kernels.of("V1->V2", 1), kernels.of("V1->V2", 3), strict=True))


def test_tied_nowhere_each_pair_has_its_own_kernels():
    assert set(Kernels(OWN, "none")) == {f"{name}:{which}@{time}" for name, time, which in PAIRS}


def test_tied_everywhere_there_is_one_kernel():
    kernels = Kernels(OWN, "all")
    assert list(kernels) == ["all"]
    assert kernels.of("V1->V2", 1)[0] is kernels.of("V2->V1", 2)[1]


def test_there_are_weights_for_the_models_own_schedule_alone():
    kernels = Kernels(OWN, "none")
    assert kernels.has("V1->V2", 3)
    assert not kernels.has("V1->V2", 4)
    assert not kernels.has("V2->V1", 3)


def test_a_mapping_ties_any_set_of_pairs():
    table = {pair: "early" if pair[1] == 1 else "late" for pair in PAIRS}
    kernels = Kernels(OWN, table)
    assert set(kernels) == {"early", "late"}
    assert kernels.of("V1->V2", 1)[0] is kernels.of("V1->V1", 1)[1]
    assert kernels.of("V1->V2", 1)[0] is not kernels.of("V1->V2", 2)[0]


def test_a_callable_is_kept_as_a_table_of_texts():
    table = settle(lambda name, time, which: (name, which), OWN)
    assert table["V1->V2", 2, 1] == "('V1->V2', 1)"
    assert set(table) == set(PAIRS)


def test_a_table_has_no_weights_beyond_its_pairs():
    kernels = Kernels(OWN, dict.fromkeys(PAIRS, "one"))
    assert not kernels.has("V1->V2", 9)


def test_kernels_begin_with_the_spread_of_He():
    graph = cs.adjacent({"V1": 64, "V2": 64}, size=(8, 8))
    kernel = Kernels(cs.schedule(graph, 1), "time")["V1->V2:0"].detach()
    assert float(kernel.std()) == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert float(kernel.mean()) == pytest.approx(0, abs=1e-3)


def test_the_same_seed_makes_the_same_kernels():
    kernels = []
    for _ in range(2):
        torch.manual_seed(3)
        kernels.append(Kernels(OWN, "none"))
    assert all(torch.equal(kernels[0][key], kernels[1][key]) for key in kernels[0])


def test_an_unknown_rule_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown sharing 'times'.*did you mean 'time'\?"):
        Kernels(OWN, "times")


def test_a_pair_without_a_key_is_refused():
    table = dict.fromkeys(PAIRS[1:], "one")
    with pytest.raises(ValueError, match=r"sharing has no key for \('V1->V1', 1, 0\)"):
        Kernels(OWN, table)


@pytest.mark.parametrize("key", ["", "a.b", 0.5])
def test_a_key_that_cannot_be_a_parameters_name_is_refused(key):
    with pytest.raises(ValueError, match="and must differ from every other key"):
        Kernels(OWN, dict.fromkeys(PAIRS, key))


def test_two_keys_that_are_the_same_as_text_are_refused():
    with pytest.raises(ValueError, match="and must differ from every other key"):
        Kernels(OWN, {pair: 1 if pair[1] == 1 else "1" for pair in PAIRS})


def test_tied_convolutions_of_different_shapes_are_refused():
    graph = cs.adjacent({"V1": 4, "V2": 6}, size=8)
    with pytest.raises(ValueError, match=r"cannot share the kernel 'all': their shapes are \(4, 4, 3, 3\) and"):
        Kernels(cs.schedule(graph, 3), "all")
