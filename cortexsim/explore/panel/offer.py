"""Presentations that a model can be shown, and the reasons why others are not possible."""

from __future__ import annotations

from cortexsim.explore.widgets.choice import Option
from cortexsim.graph._schedule import arrival
from cortexsim.model.cortex import Cortex
from cortexsim.stimuli.masks import MASKS
from cortexsim.stimuli.presentation import Presentation, flash, masked, sustained
from cortexsim.stimuli.text import ONE_IMAGE

LONGEST = 12  # longest duration and SOA on offer for a model that needs no statistics
TOO_EARLY = "the mask would come before the target ends"
NO_STATISTICS = "the model was not calibrated for this"


class Offer:
    """The presentations that a model can be shown up to a time.

    Parameters
    ----------
    model : Cortex
    until : int
        Last time.
    """

    def __init__(self, model: Cortex, until: int) -> None:
        self.model, self.until = model, until
        self.free = not model.needs_statistics
        known = [part for taken in model.statistics.values() for part in taken.presentation.components]
        self._known = [part for part in dict.fromkeys(known) if part.kind in ONE_IMAGE]
        self.arrival = arrival(model.graph)

    def why_not(self, presentation: Presentation) -> str:
        """Return the reason why a presentation cannot be shown; "" if it can."""
        soa, last = presentation.soa, self.model.graph.last
        if soa is not None and soa + self.arrival > self.until:
            return f"too late: {self.arrival} steps from here to {last}, time ends at {self.until}"
        if self.free:
            return ""
        fitting = [taken for taken in self.model.statistics.values() if taken.presentation.contains(presentation)]
        if not fitting:
            return NO_STATISTICS
        last_time = max(taken.until for taken in fitting)
        return "" if last_time >= self.until else f"its statistics end at t = {last_time}"

    def masked(self, duration: int, soa: int, mask: str) -> Presentation:
        """Return a masked presentation, with the duration that the mask has in the model's statistics, if any."""
        for known in self._known:
            if (known.duration, known.soa, known.mask) == (duration, soa, mask):
                return known
        return masked(duration, soa, mask)

    def presentation(self, kind: str, duration: int, mask: str, soa: int) -> Presentation:
        """Return the presentation of these choices."""
        if kind == "flash":
            return flash(duration)
        return sustained() if kind == "sustained" else self.masked(duration, soa, mask)

    def durations(self, kind: str) -> list[Option]:
        """List the durations of the target; none if it is sustained."""
        if kind == "sustained":
            return []
        known = [p.duration for p in self._known if p.kind == kind and p.duration]
        return [
            Option(duration, str(duration), self._any(self._with(kind, duration=duration)))
            for duration in range(1, (LONGEST if self.free else max(known, default=1)) + 1)
        ]

    def masks(self, duration: int) -> list[Option]:
        """List the kinds of masks after a target of this duration."""
        return [Option(mask, mask, self._any(self._with("masked", duration=duration, mask=mask))) for mask in MASKS]

    def soas(self, duration: int, mask: str) -> list[Option]:
        """List the SOAs of such a mask after a target of this duration."""
        return [
            Option(soa, str(soa), self.why_not(self.masked(duration, soa, mask)) if soa >= duration else TOO_EARLY)
            for soa in range(1, self._longest + 1)
        ]

    def kinds(self) -> list[Option]:
        """List the kinds of presentations."""
        return [Option(kind, kind, self._any(self._with(kind))) for kind in ONE_IMAGE]

    @property
    def _longest(self) -> int:
        return LONGEST if self.free else max([p.soa for p in self._known if p.soa], default=1)

    def _with(self, kind: str, duration: int | None = None, mask: str | None = None) -> list[Presentation]:
        """List the presentations with these choices."""
        if kind == "sustained":
            return [sustained()]
        longest = LONGEST if self.free else max([p.duration for p in self._known if p.duration], default=1)
        durations = range(1, longest + 1) if duration is None else [duration]
        if kind == "flash":
            return [flash(steps) for steps in durations]
        return [
            self.masked(steps, soa, kind_of_mask)
            for steps in durations
            for kind_of_mask in (MASKS if mask is None else [mask])
            for soa in range(steps, self._longest + 1)
        ]

    def _any(self, presentations: list[Presentation]) -> str:
        """Return the reason why none of several can be shown, preferably a specific one."""
        reasons = [self.why_not(presentation) for presentation in presentations]
        particular = [reason for reason in reasons if reason != NO_STATISTICS]
        if "" in reasons:
            return ""
        return particular[0] if particular else NO_STATISTICS
