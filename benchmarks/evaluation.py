"""One evaluation of one image, and its check that the statistics belong to the weights."""

from __future__ import annotations

from typing import Any

import torch

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.machine import Setting

UNTIL = 5
FEATURES = (72, 148, 240)  # 4.1 million weights on three states, all linked


def measure(setting: Setting) -> dict[str, Any]:
    """Compare an evaluation of one image with its check of the weights, and with a SHA-256 checksum of them.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    features = (2, 2, 2) if setting.quick else FEATURES
    graph = cs.fully_recurrent(dict(zip(("V1", "V2", "IT"), features, strict=True)), size=setting.side)
    generator = torch.Generator().manual_seed(0)
    model = cs.Cortex(graph, 10, UNTIL, generator=generator).to(setting.device).eval()
    images = setting.images(4)
    cs.calibrate(model, images, until=UNTIL)
    n = sum(weight.numel() for weight in model.parameters())
    with torch.no_grad():
        sides = [
            Side("model.eval()(image)", lambda: model(images[:1])),
            Side("the check of the weights in it", lambda: model.find_statistics(cs.flash(1))),
            Side("SHA-256 of the weights", model.checksum),
        ]
        return {f"evaluation of one image, {n:,} parameters": compare(setting, sides)}
