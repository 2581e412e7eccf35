"""Checks that a transition can link two states, with the kernels and normalizations that it asks for. No torch here."""

from __future__ import annotations

from cortexsim.graph.states import State
from cortexsim.graph.transitions import KINDS, Kind, Transition, allowed_kinds


def check_kind(transition: Transition) -> bool:
    """Return True if the kind of a transition is one of `KINDS`, False if it is a callable.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or has no kernels or no normalization for `kernel_size` or `affine` to change.
    """
    name, kind = transition.name, transition.kind
    if not isinstance(kind, str):
        if not callable(kind):
            raise TypeError(f"kind of {name} must be one of {allowed_kinds()}, got {kind!r}")
        if transition.kernel_size is not None or transition.affine:
            raise ValueError(
                f"{name}: kernel_size and affine apply to the named kinds ({', '.join(KINDS)}); the module of "
                f"{transition.kind_name} decides on its kernels and normalization itself"
            )
        return False
    function = Kind.parse(kind).function
    if transition.kernel_size is not None and not function.layers:
        allowed = [other for other, one in KINDS.items() if one.layers]
        raise ValueError(f"{name}: {kind} has no kernels, so it takes no kernel_size; kinds with kernels are {allowed}")
    if transition.affine and not function.normalized_layers:
        allowed = [other for other, one in KINDS.items() if one.normalized_layers]
        raise ValueError(
            f"{name}: {kind} does not normalize, so affine=True has no gain and bias to add; kinds that normalize are "
            f"{allowed}"
        )
    return True


def check_link(transition: Transition, source: State, target: State, doublings: int) -> None:
    """Raise an error if a named kind cannot link two states, whose sides double so often.

    Raises
    ------
    ValueError
        With the kinds that can, or the kernel sizes that are possible.
    """
    name, kind = transition.name, Kind.parse(str(transition.kind))
    sides = f"{source.name} is {source.height}x{source.width}, {target.name} is {target.height}x{target.width}"
    same_features = source.features == target.features
    if not kind.function.bridges(doublings) or (kind.function.same_features and not same_features):
        fitting = [
            name
            for name, function in KINDS.items()
            if function.bridges(doublings) and (same_features or not function.same_features)
        ]
        raise ValueError(
            f"{name}: {transition.kind} cannot link these states: {sides}, the features are "
            f"{source.features} and {target.features}; kinds that can are {fitting}"
        )
    if kind.shortcut and (doublings != 0 or not same_features):
        raise ValueError(
            f"{name}: an identity shortcut needs states of one shape, but {sides} and the features are "
            f"{source.features} and {target.features}"
        )
    convolutions = kind.function.convolutions(source.features, target.features, doublings, transition.kernel_size)
    if any(one.size % 2 == 0 and one.stride == 1 for one in convolutions):
        strides = " and ".join(str(one.stride) for one in convolutions)
        raise ValueError(
            f"{name}: a kernel of an even size would change the size of the map by one px where the stride is 1, got "
            f"kernel_size={transition.kernel_size} with strides {strides} ({sides}); give an odd size"
        )
