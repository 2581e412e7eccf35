from .running import sweep

__all__ = [
    "sweep",
]
