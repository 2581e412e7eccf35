"""A copy of a model with a different weight of its identity shortcuts, as a function."""

from __future__ import annotations

from cortexsim.model.cortex import Cortex, the_cortex


def with_shortcut(model: Cortex, weight: float) -> Cortex:
    """Return a copy of a model whose identity shortcuts have a different weight λ; see `Cortex.with_shortcut`."""
    return the_cortex(model, "with_shortcut").with_shortcut(weight)
