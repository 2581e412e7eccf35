"""The published models by name, and their modules, to which saved files refer by name."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cortexsim._support.checks import one_of
from cortexsim.graph.transitions import module_name
from cortexsim.model.cortex import Cortex
from cortexsim.zoo.published._blt import KINDS, blt
from cortexsim.zoo.published._cornet_rt import cornet_rt
from cortexsim.zoo.published._cornet_s import cornet_s
from cortexsim.zoo.published._spoerer_bl import spoerer_bl


@dataclass(frozen=True)
class Published:
    """A published model.

    Parameters
    ----------
    description : str
    make : callable
        Makes it: `make(weights)`, and keywords such as `size`, `n_classes` and `seed`.

    Examples
    --------
    >>> import cortexsim as cs
    >>> cs.zoo.PUBLISHED["cornet_rt"].description
    'CORnet-RT (Kubilius et al. 2018): V1, V2, V4 and IT, each recurrent'
    """

    description: str
    make: Callable[..., Cortex]


_AREAS = {"b": "bottom-up", "bl": "bottom-up and lateral", "bt": "bottom-up and top-down", "blt": "all three"}
PUBLISHED: dict[str, Published] = {
    "cornet_rt": Published("CORnet-RT (Kubilius et al. 2018): V1, V2, V4 and IT, each recurrent", cornet_rt),
    "cornet_s": Published("CORnet-S (Kubilius et al. 2018, 2019): V2, V4 and IT run 2, 4 and 2 times", cornet_s),
    "blt": Published("BLT: six areas, bottom-up, lateral and top-down connections", blt),
    **{
        f"blt_{kind}": Published(f"BLT, its connections: {_AREAS[kind]}", partial(blt, kind=kind))
        for kind in KINDS
        if kind != "blt"
    },
    "spoerer_bl": Published("BL (Spoerer et al. 2020): seven layers with lateral connections, at 128 px", spoerer_bl),
}


def modules(name: str, **arguments: Any) -> dict[str, Callable[..., Any]]:
    """Return the modules of a published model by name, for `cs.load` of one that you have trained and saved.

    Parameters
    ----------
    name : str
        One of `zoo.PUBLISHED`.
    **arguments
        With which the model was made, such as `n_classes=10`.

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> import cortexsim as cs
    >>> sorted(cs.zoo.modules("cornet_rt", n_classes=10))
    ['AverageAndLinear', 'Drive', 'FromPixels', 'Recurrence', 'Unchanged']
    """
    make = PUBLISHED[one_of(name, "published model", PUBLISHED)].make
    known = list(inspect.signature(make).parameters)
    for argument in arguments:
        one_of(argument, f"argument of {name}", known)
    model = make(**arguments)
    found: dict[str, Callable[..., Any]] = {
        t.kind_name: t.kind for t in model.graph.transitions if not isinstance(t.kind, str)
    }
    found |= {module_name(s.update): s.update for s in model.graph.states if s.update is not None}
    own = model.own_modules()
    for place in ("pre_net", "post_net"):
        found[module_name(own[place])] = partial(copy.deepcopy, own[place])
    return found
