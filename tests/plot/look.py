"""The rules that every figure must obey: readable text, and colours that colour-blind readers can discriminate."""

import re

import numpy as np
from plotly.colors import get_colorscale

from cortexsim.plot import theme

FONTS = {"font", "textfont", "tickfont", "insidetextfont", "outsidetextfont"}
LEAST_TEXT_PX = 12


def check_look(drawn):
    """Check a figure, as its `to_dict` returns it."""
    sizes = [size for key, font in items(drawn) if key in FONTS for size in np.atleast_1d(font.get("size", 12))]
    assert min(sizes, default=LEAST_TEXT_PX) >= LEAST_TEXT_PX
    assert not any("<sup>" in value for _, value in items(drawn) if isinstance(value, str)), "small print"
    scales = [[colour for _, colour in scale] for key, scale in items(drawn) if key == "colorscale"]
    allowed = [[colour for _, colour in get_colorscale(name)] for name in (theme.SEQUENTIAL, theme.DIVERGING)]
    assert all(scale in allowed for scale in scales)
    in_scales = {colour for scale in allowed for colour in scale}
    colours = {value for _, value in items(drawn) if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value)}
    assert colours - in_scales <= {*theme.COLOURS, theme.INK, "#000000", "#FFFFFF"}
    maps = [trace for trace in drawn["data"] if trace["type"] == "heatmap"]
    assert all("colorscale" in trace or "coloraxis" in trace for trace in maps), "plotly's own colours"


def items(node):
    """Yield every key and value of nested dicts and lists."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield name, value
            yield from items(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield None, value
            yield from items(value)


def lightness(colours):
    """Return CIELAB's L* and a*, b* of colours such as "#00224e" or "rgb(5,48,97)", shape (colour, 3)."""
    return lab(linear(colours))


def linear(colours):
    """Return linear RGB, shape (colour, 3)."""
    rgb = []
    for colour in colours:
        whole = [int(colour[k : k + 2], 16) for k in (1, 3, 5)] if colour[0] == "#" else re.findall(r"\d+", colour)
        rgb.append([int(one) / 255 for one in whole])
    rgb = np.array(rgb)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIELAB of linear RGB (D65)."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = np.clip(rgb, 0, 1) @ to_xyz.T / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


# Machado, Oliveira & Fernandes (2009), severity 1: linear RGB as a protanope and a deuteranope see it
SEEN_BY = {
    "protanope": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranope": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
