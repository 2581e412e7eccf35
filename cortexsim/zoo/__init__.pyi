from . import cards
from .models import (
    CONTROLS,
    PAPER,
    REPOSITORY_ONLY,
    SHORT,
    PaperModel,
    build,
    card,
    controls,
    get,
    load,
    pretrained,
    siblings,
)
from .published._blt import blt
from .published._cornet_rt import cornet_rt
from .published._cornet_s import cornet_s
from .published._spoerer_bl import spoerer_bl
from .published.registry import PUBLISHED, Published, modules
from .tracers import TRACERS, Tracer, tracer

__all__ = [
    "CONTROLS",
    "PAPER",
    "PUBLISHED",
    "REPOSITORY_ONLY",
    "SHORT",
    "TRACERS",
    "PaperModel",
    "Published",
    "Tracer",
    "blt",
    "build",
    "card",
    "cards",
    "controls",
    "cornet_rt",
    "cornet_s",
    "get",
    "load",
    "modules",
    "pretrained",
    "siblings",
    "spoerer_bl",
    "tracer",
]
