from . import cards
from .models import CONTROLS, PAPER, SHORT, PaperModel, build, card, controls, get, load, pretrained, siblings

__all__ = [
    "CONTROLS",
    "PAPER",
    "SHORT",
    "PaperModel",
    "build",
    "card",
    "cards",
    "controls",
    "get",
    "load",
    "pretrained",
    "siblings",
]
