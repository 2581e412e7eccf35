from . import cards
from .models import PAPER, SHORT, SIBLINGS, PaperModel, build, card, load, pretrained, siblings

__all__ = [
    "PAPER",
    "SHORT",
    "SIBLINGS",
    "PaperModel",
    "build",
    "card",
    "cards",
    "load",
    "pretrained",
    "siblings",
]
