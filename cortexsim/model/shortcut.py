"""Another weight of the identity shortcuts in a trained model: how long a state holds on to what it had."""

from __future__ import annotations

import copy

from cortexsim.model.cortex import Cortex


def with_shortcut(model: Cortex, weight: float) -> Cortex:
    """Return a copy of a model whose identity shortcuts have another weight λ, with the same convolutions.

    With λ = 0 a state keeps nothing by itself, with 1 (the paper) it adds up what it was given. The kernels were
    trained with the λ that the model had: the copy is an intervention on a trained model, not the model that would
    have been trained with the other λ.

    Parameters
    ----------
    model : Cortex
        Nothing of it changes.
    weight : float
        λ, from 0 to 1.

    Returns
    -------
    Cortex
        Without statistics, because activity is another: take them with `calibrate`.

    Raises
    ------
    ValueError
        If the weight is not from 0 to 1, or the graph has no transition that could carry a shortcut.

    References
    ----------
    Liao & Poggio (2016), section 2 (λ = 1) and appendix (λ = 0).
    """
    graph = model.graph.with_shortcut(weight)
    changed = copy.copy(model)
    # not those of the model: they are of another graph, and copying them takes longer than the rest
    changed.statistics = {}
    changed = copy.deepcopy(changed)
    changed.graph = graph
    return changed
