"""A copy of a model with a different weight of its identity shortcuts, as a function."""

from __future__ import annotations

from cortexsim.model.cortex import Cortex, the_cortex


def with_shortcut(model: Cortex, weight: float) -> Cortex:
    """Return a copy of a model whose identity shortcuts have a different weight λ; see `Cortex.with_shortcut`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), readout_time=3)
    >>> cs.with_shortcut(model, 0.5).graph.transition("V1->V1").kind
    'BRCx2+0.5I'
    """
    return the_cortex(model, "with_shortcut").with_shortcut(weight)
