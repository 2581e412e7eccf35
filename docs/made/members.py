"""The members that a page of the reference lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module


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
