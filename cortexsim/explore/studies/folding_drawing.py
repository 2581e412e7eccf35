"""The drawing of a residual network as a loop in time or as a stack in space."""

from __future__ import annotations

MOST_STEPS = 12
_BLUE = "#0072B2"  # Okabe & Ito (2008)
_SIDE, _TOP, _LEFT, _GAP = 40, 26, 90, 18  # px


def drawing(steps: int, *, shared: bool, folded: bool) -> str:
    """Draw the network as SVG; each colour is a set of weights.

    Parameters
    ----------
    steps : int
        From 1 to `MOST_STEPS`.
    shared : bool
        Whether all steps have the same weights.
    folded : bool
        Whether to draw the loop rather than the stack.
    """
    colours = [_BLUE if shared else f"hsl({(200 + 360 * k // MOST_STEPS) % 360} 65% 40%)" for k in range(steps)]
    if folded:
        weights = "w" if shared else f"w(1) … w({steps})"
        body = (
            _box(_LEFT, colours[0], "h")
            + f'<path d="M104 {_TOP} C 90 0, 136 0, 122 {_TOP - 3}" fill="none" stroke="currentColor"/>'
            f'<text x="146" y="{_TOP + 6}" fill="currentColor" font-size="12">'
            f"K with {weights}, and +1: {steps} times</text>"
        )
        width, label = 420, f"one state that feeds itself {steps} times"
    else:
        places = [_LEFT + k * (_SIDE + _GAP) for k in range(steps)]
        body = "".join(
            _box(x, colour, "K + 1") + _arrow(x + _SIDE, x + _SIDE + _GAP - 2)
            for x, colour in zip(places, colours, strict=True)
        )
        width, label = _LEFT + steps * (_SIDE + _GAP) + 10, f"a stack of {steps} residual blocks"
    image = f'<text x="0" y="{_TOP + _SIDE // 2 + 4}" fill="currentColor" font-size="12">image</text>'
    return (
        f'<svg role="img" aria-label="{label}" width="{width}" height="{_TOP + _SIDE + 8}">'
        f"{image}{_arrow(56, _LEFT - 2)}{body}</svg>"
    )


def _box(x: int, colour: str, text: str) -> str:
    return (
        f'<rect x="{x}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" rx="4" fill="{colour}" stroke="currentColor"/>'
        f'<text x="{x + _SIDE // 2}" y="{_TOP + _SIDE // 2 + 4}" text-anchor="middle" fill="white" font-size="11">'
        f"{text}</text>"
    )


def _arrow(start: int, end: int) -> str:
    return f'<path d="M{start} {_TOP + _SIDE // 2} H{end} m-4 -3 l4 3 l-4 3" fill="none" stroke="currentColor"/>'
