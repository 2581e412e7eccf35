from . import cards
from .models import CONTROLS, PAPER, SHORT, PaperModel, build, card, controls, get, load, pretrained, siblings
from .published._blt import blt
from .published._cornet_rt import cornet_rt
from .published._cornet_s import cornet_s
from .published._spoerer_bl import spoerer_bl
from .tracers import TRACERS, Tracer, tracer

__all__ = [
    "CONTROLS",
    "PAPER",
    "SHORT",
    "TRACERS",
    "PaperModel",
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
    "pretrained",
    "siblings",
    "spoerer_bl",
    "tracer",
]
