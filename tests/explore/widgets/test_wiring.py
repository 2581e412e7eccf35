"""The drawing of connections: what can be cut is what the graph has."""

import pytest
import traitlets

import cortexsim as cs
from cortexsim.explore.widgets.wiring import Wiring, directions_of


@pytest.fixture
def graph():
    return cs.adjacent({"V1": 4, "V2": 4}, size=8)


def test_arrows_and_buttons_are_those_of_the_graph(graph):
    wiring = Wiring(graph, "lateral", groups=directions_of(graph))
    assert {one["name"]: one["way"] for one in wiring.connections} == {
        "V1->V1": "lateral",
        "V2->V2": "lateral",
        "V1->V2": "forward",
        "V2->V1": "feedback",
    }
    assert wiring.groups["lateral"] == ["V1->V1", "V2->V2"]
    assert wiring.options == ["", "forward", "lateral", "feedback", *(one["name"] for one in wiring.connections)]


def test_what_the_graph_lacks_cannot_be_cut(graph):
    wiring = Wiring(graph)
    with pytest.raises(traitlets.TraitError, match="unknown connection 'V1->IT'"):
        wiring.value = "V1->IT"
    assert wiring.value == ""


def test_another_graph_keeps_the_cut_if_it_has_it(graph):
    wiring = Wiring(graph, "V2->V1")
    wiring.show(cs.adjacent({"V1": 4, "V2": 4, "IT": 4}, size=8))
    assert wiring.value == "V2->V1"
    wiring.show(graph.without("V2->V1"))
    assert wiring.value == ""
