"""The members that a page of the reference lists, and the arguments of the classes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sphinx.util.inspect import stringify_signature


@dataclass(frozen=True)
class Own:
    """The members that cortexsim defines: a panel inherits some eighty more from ipywidgets, a model from torch.

    A class, because Sphinx stores its settings, and cannot store a function; two of them are equal, or each build
    would start from nothing.
    """

    def __call__(self, fullname: str, names: Sequence[str]) -> list[str]:
        """Return those of the names that a class of cortexsim defines, without constants."""
        module, _, name = fullname.rpartition(".")
        documented = getattr(import_module(module), name)
        classes = [one for one in documented.__mro__ if one.__module__.startswith("cortexsim")]
        return [
            name
            for name in names
            if name != "__init__" and not name.isupper() and any(name in vars(one) for one in classes)
        ]


def own_signature(
    app: Any, what: str, name: str, documented: Any, options: Any, signature: str | None, returned: str | None
) -> tuple[str, None] | None:
    """Return the arguments of a panel; autodoc takes those of `__new__`, (*args, **kwargs) for every widget."""
    if what != "class" or not str(signature).startswith("(*args"):
        return None
    return stringify_signature(inspect.signature(documented), show_annotation=False), None
