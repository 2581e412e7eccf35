"""What a recording shows: labelled arrays in, labelled arrays out. No torch here."""

from cortexsim.analyse.effect import effect

__all__ = ["effect"]
