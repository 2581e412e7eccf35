from . import cards
from .models import CONTROLS, PAPER, SHORT, PaperModel, build, card, controls, get, load, pretrained, siblings
from .tracers import TRACERS, Tracer, tracer

__all__ = [
    "CONTROLS",
    "PAPER",
    "SHORT",
    "TRACERS",
    "PaperModel",
    "Tracer",
    "build",
    "card",
    "cards",
    "controls",
    "get",
    "load",
    "pretrained",
    "siblings",
    "tracer",
]
