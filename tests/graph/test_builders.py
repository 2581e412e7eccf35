"""The builders draw figure 4 of the paper, its control models and the residual network as a recurrent one."""

import numpy as np
import pytest
import torch

import cortexsim as cs

AREAS = {"V1": 4, "V2": 6, "IT": 8}


def kinds(graph):
    return {t.name: t.kind for t in graph.transitions}


def test_fully_recurrent_links_every_state_with_every_state_as_in_figure_4():
    assert cs.fully_recurrent(AREAS, size=8).matrix().values.tolist() == [
        ["BRCx2+I", "BRCx2", "BRCx2"],
        ["BRDx2", "BRCx2+I", "BRCx2"],
        ["BRDx2", "BRDx2", "BRCx2+I"],
    ]


def test_adjacent_links_neighbours_only():
    assert cs.adjacent(AREAS, size=8).matrix().values.tolist() == [
        ["BRCx2+I", "BRCx2", ""],
        ["BRDx2", "BRCx2+I", "BRCx2"],
        ["", "BRDx2", "BRCx2+I"],
    ]


def test_between_states_of_one_size_there_is_nothing_to_transpose():
    assert kinds(cs.fully_recurrent({"h1": 4, "h2": 4}, size=(8, 8)))["h2->h1"] == "BRCx2"


def test_one_size_halves_from_state_to_state():
    assert [s.size for s in cs.adjacent(AREAS, size=8).states] == [(8, 8), (4, 4), (2, 2)]


def test_sizes_may_be_given_one_by_one():
    assert [s.size for s in cs.adjacent(AREAS, size=(8, 8, 2)).states] == [(8, 8), (8, 8), (2, 2)]


def test_states_need_not_be_square():
    graph = cs.adjacent(AREAS, size=[(8, 12), (4, 6), (2, 3)])
    assert [s.size for s in graph.states] == [(8, 12), (4, 6), (2, 3)]


def test_numpys_numbers_are_sizes_and_features():
    graph = cs.adjacent({"V1": np.int64(4), "V2": np.int32(6)}, size=np.int64(8))
    assert graph == cs.adjacent({"V1": 4, "V2": 6}, size=8)
    assert type(graph.states[0].features) is int


def test_a_side_that_cannot_halve_often_enough_is_refused():
    with pytest.raises(ValueError, match="a side of 10 cannot halve 2 times; give a multiple of 4"):
        cs.adjacent(AREAS, size=10)


def test_another_number_of_sizes_than_states_is_refused():
    with pytest.raises(ValueError, match=r"size gives 2 sides for 3 states: \['V1', 'V2', 'IT'\]"):
        cs.adjacent(AREAS, size=(8, 4))


def test_a_size_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"size must be a side in pixels.* got 8\.5"):
        cs.adjacent(AREAS, size=8.5)


@pytest.mark.parametrize("build", [cs.adjacent, cs.fully_recurrent])
def test_no_states_are_refused(build):
    with pytest.raises(ValueError, match="at least one state, got none"):
        build({}, size=8)


def test_reserved_names_are_refused_by_builders_too():
    with pytest.raises(ValueError, match="cannot be named 'time'"):
        cs.adjacent({"V1": 4, "time": 4}, size=8)


@pytest.mark.parametrize(
    ("shortcut", "kind"),
    [
        (True, "BRCx2+I"),
        (1, "BRCx2+I"),
        (False, "BRCx2"),
        (0.5, "BRCx2+0.5I"),
        (0.123456789, "BRCx2+0.123456789I"),
        (1e-5, "BRCx2+0.00001I"),
    ],
)
@pytest.mark.parametrize("build", [cs.adjacent, lambda f, **k: cs.resnet(f, steps=2, **k)])
def test_shortcut_weighs_the_identity_of_self_transitions(build, shortcut, kind):
    assert kinds(build({"V1": 4}, size=8, shortcut=shortcut))["V1->V1"] == kind


@pytest.mark.parametrize("shortcut", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("build", [cs.adjacent, cs.fully_recurrent, lambda f, **k: cs.resnet(f, steps=2, **k)])
def test_a_shortcut_outside_0_to_1_is_refused(build, shortcut):
    with pytest.raises(ValueError, match="shortcut must be a number from 0 to 1"):
        build(AREAS, size=8, shortcut=shortcut)


@pytest.mark.parametrize("build", [cs.adjacent, cs.fully_recurrent])
def test_lateral_and_feedback_give_the_models_B_BL_BT_and_BLT(build):
    names = {
        (lateral, feedback): set(build({"V1": 4, "V2": 4}, size=8, lateral=lateral, feedback=feedback).transition_names)
        for lateral in (False, True)
        for feedback in (False, True)
    }
    assert names == {
        (False, False): {"V1->V2"},
        (True, False): {"V1->V2", "V1->V1", "V2->V2"},
        (False, True): {"V1->V2", "V2->V1"},
        (True, True): {"V1->V2", "V2->V1", "V1->V1", "V2->V2"},
    }


def test_self_transitions_is_the_papers_word_for_lateral():
    assert cs.adjacent(AREAS, size=8, self_transitions=False) == cs.adjacent(AREAS, size=8, lateral=False)


def test_a_resnet_hands_on_after_its_steps_and_each_state_runs_by_itself():
    graph = cs.resnet({"h1": 4, "h2": 6, "h3": 8}, size=8, steps=3)
    assert {t.name: (t.kind, str(t.times)) for t in graph.transitions} == {
        "h1->h1": ("BRCx2+I", "t = 1…3"),
        "h1->h2": ("Conv", "t = 4"),
        "h2->h2": ("BRCx2+I", "t = 5…7"),
        "h2->h3": ("Conv", "t = 8"),
        "h3->h3": ("BRCx2+I", "t ≥ 9"),
    }


def test_a_resnet_may_pool_between_states_of_one_width():
    graph = cs.resnet({"h1": 4, "h2": 4}, size=8, steps=9, between="Pool")
    assert kinds(graph)["h1->h2"] == "Pool"
    assert 10 in graph.transition("h1->h2").times


def test_pooling_to_more_features_is_refused():
    with pytest.raises(ValueError, match="Pool cannot link these states"):
        cs.resnet({"h1": 4, "h2": 8}, size=8, steps=2, between="Pool")


@pytest.mark.parametrize("steps", [0, -1])
def test_a_resnet_of_no_steps_is_refused(steps):
    with pytest.raises(ValueError, match=f"steps must be a whole number, at least 1, got {steps}"):
        cs.resnet({"h1": 4}, size=8, steps=steps)


def test_an_unknown_way_between_states_is_refused():
    with pytest.raises(ValueError, match=r"unknown between 'conv'.*did you mean 'Conv'\?"):
        cs.resnet({"h1": 4}, size=8, steps=2, between="conv")


def test_features_without_names_are_refused():
    with pytest.raises(TypeError, match=r"features must map each state to its channels, .* got list"):
        cs.adjacent([8, 16], size=8)


def test_transitions_between_states_may_have_one_convolution():
    graph = cs.adjacent({"V1": 4, "V2": 4}, size=8, shortcut=0.5, convolutions=1)
    assert {t.name: t.kind for t in graph.transitions} == {
        "V1->V1": "BRCx2+0.5I",
        "V1->V2": "BRCx1",
        "V2->V1": "BRDx1",
        "V2->V2": "BRCx2+0.5I",
    }
    with pytest.raises(ValueError, match="convolutions must be 1 or 2, got 3"):
        cs.fully_recurrent({"V1": 4, "V2": 4}, size=8, convolutions=3)


def test_a_truth_value_is_no_number_of_convolutions():
    with pytest.raises(ValueError, match="convolutions must be 1 or 2, got True"):
        cs.adjacent({"V1": 4, "V2": 4}, size=8, convolutions=True)


@pytest.mark.parametrize("no", [np.False_, np.array(False), torch.tensor(False)])
def test_a_truth_value_of_an_array_is_one(no):
    plain = cs.adjacent({"V1": 4, "V2": 4}, size=8, lateral=False)
    assert cs.adjacent({"V1": 4, "V2": 4}, size=8, lateral=no) == plain


@pytest.mark.parametrize("name", ["lateral", "feedback", "self_transitions"])
def test_a_number_is_no_truth_value(name):
    with pytest.raises(ValueError, match=f"{name} must be True or False, got 1"):
        cs.adjacent({"V1": 4, "V2": 4}, size=8, **{name: 1})
