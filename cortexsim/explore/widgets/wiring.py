"""Areas and their connections as a drawing: a click on an arrow cuts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets

from cortexsim._support.checks import unknown
from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.following import Following
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.graph.interventions import DIRECTIONS, direction, meant

NOTHING = ""


class Wiring(Following):
    """The areas of a graph in their order, an arrow for each connection, and a button for each direction.

    Parameters
    ----------
    graph : CortexGraph
    value : str
        What is cut at first.
    groups : sequence of str
        Directions that can be cut as a whole.
    label : str
        Its name in messages.

    Attributes
    ----------
    value : str
        The connection or direction that is cut; "" for none. Set by a click on an arrow, or a button.
    notes : dict of str to str
        A short text at each connection, by its name.
    invitation : str
        What to do while nothing is cut.
    enabled : list of str
        The connections that can be cut; the arrows of the others do not react.
    """

    _esm = joined("following.js", "wiring.js")
    _css = styles("wiring.css")

    states = traitlets.List(traitlets.Unicode()).tag(sync=True)
    connections = traitlets.List(traitlets.Dict()).tag(sync=True)
    groups = traitlets.Dict().tag(sync=True)
    value = traitlets.Unicode(NOTHING).tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)
    enabled = traitlets.List(traitlets.Unicode()).tag(sync=True)
    invitation = traitlets.Unicode("click an arrow").tag(sync=True)

    def __init__(
        self, graph: CortexGraph, value: str = NOTHING, *, groups: Sequence[str] = (), label: str = "cut"
    ) -> None:
        # how messages call it, as the description of another control
        self.description = label
        super().__init__(**_drawn(graph, groups), value=value)

    def show(self, graph: CortexGraph, groups: Sequence[str] = ()) -> None:
        """Draw another graph; what is cut stays, if the graph has it."""
        drawn = _drawn(graph, groups)
        with self.hold_sync():
            if self.value not in self._allowed(drawn):
                self.value = NOTHING
            for name, value in drawn.items():
                self.set_trait(name, value)

    @property
    def options(self) -> list[str]:
        """What can be cut: nothing, a connection, or a direction."""
        return self._allowed({"connections": self.connections, "groups": self.groups})

    @staticmethod
    def _allowed(drawn: Mapping[str, object]) -> list[str]:
        connections, groups = drawn["connections"], drawn["groups"]
        assert isinstance(connections, list)
        assert isinstance(groups, dict)
        return [NOTHING, *groups, *(one["name"] for one in connections)]

    @traitlets.validate("value")
    def _known(self, proposal: dict[str, str]) -> str:
        value = proposal["value"]
        if self.connections and value not in self.options:
            raise traitlets.TraitError(unknown("connection", value, self.options))
        return value


def directions_of(graph: CortexGraph) -> list[str]:
    """Return the directions in which a graph has connections."""
    has = {direction(graph, name) for name in graph.transition_names}
    return [one for one in DIRECTIONS if one in has]


def _drawn(graph: CortexGraph, groups: Sequence[str]) -> dict[str, object]:
    connections = [
        {"name": one.name, "source": one.source, "target": one.target, "way": direction(graph, one.name)}
        for one in graph.transitions
    ]
    return {
        "states": list(graph.state_names),
        "connections": connections,
        "groups": {group: meant(graph, group) for group in groups},
        "enabled": [str(one["name"]) for one in connections],
    }
