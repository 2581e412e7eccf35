"""Public signatures say what they take and return."""

import inspect
import re

import cortexsim as cs

# where a value comes from a file or is a panel's own, no type can be said
MOST_ANY = 100


def public_functions():
    """Yield the name and the function of everything that a namespace offers, and of the methods of its classes."""
    rooms = [getattr(cs, name) for name in cs.__all__]
    spaces = [cs, *(room for room in rooms if inspect.ismodule(room) and hasattr(room, "__all__"))]
    for space in spaces:
        for name in space.__all__:
            one = getattr(space, name)
            if inspect.isfunction(one):
                yield f"{space.__name__}.{name}", one
            elif inspect.isclass(one):
                for kind in (kind for kind in one.__mro__ if kind.__module__.startswith("cortexsim")):
                    for method, member in vars(kind).items():
                        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                        if inspect.isfunction(function) and (method[0] != "_" or method in ("__init__", "__call__")):
                            yield f"{space.__name__}.{name}.{method}", function


def test_public_signatures_rarely_say_any():
    counts = {
        f"{function.__module__}.{function.__qualname__}": sum(
            len(re.findall(r"\bAny\b", str(annotation))) for annotation in function.__annotations__.values()
        )
        for _, function in public_functions()
    }
    assert len(counts) > 200, "namespaces were found"
    assert sum(counts.values()) < MOST_ANY, {name: n for name, n in counts.items() if n}


def test_public_functions_have_types():
    bare = [
        f"{name}({parameter.name})"
        for name, function in public_functions()
        for parameter in inspect.signature(function).parameters.values()
        if parameter.annotation is inspect.Parameter.empty and parameter.name not in ("self", "cls")
    ]
    assert not bare
