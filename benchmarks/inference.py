"""Readout at every time of one trajectory, with stored statistics, compared with a single readout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.machine import FEATURES, Setting, peak

UNTIL = 5


def measure(setting: Setting) -> dict[str, Any]:
    """Compare cortexsim with the naive loop, a ResNet of the same FLOPs, and one readout with all of them.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    tables = {}
    for size in setting.chosen_sizes:
        for links in ("full", "adjacent"):
            title = f"inference, all readouts, {size}, {links}, T = {UNTIL}, {setting.batch(size)} images"
            tables[title] = compare(setting, sides(setting, size, links), peak(setting, size))
            title = f"all readouts over a single one, {size}, {links}, T = {UNTIL}, {setting.batch(size)} images"
            tables[title] = compare(setting, readouts(setting, size, links))
    return tables


def calibrated(setting: Setting, size: str, links: str, until: int) -> tuple[cs.Cortex, torch.Tensor]:
    """Return a model with statistics of a flash, and images."""
    model, images = setting.model(size, links, until), setting.images(setting.batch(size))
    cs.calibrate(model, images, until=until)
    return model, images


def sides(setting: Setting, size: str, links: str) -> list[Side]:
    """Return the competitors, ready to run."""
    model, images = calibrated(setting, size, links, UNTIL)
    times = model.readable(cs.flash(1), UNTIL)
    naive = NaiveLoop(model)
    own = multiply_adds(model, cs.schedule(model.graph, times))
    resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device).eval()
    flops = 2 * len(images)
    made = []
    for name, dtype in setting.precisions().items():
        run = inferring(setting, dtype, lambda: model.readouts(images, times))
        made.append(Side(f"cortexsim, {name}", run, flops * own))
        run = inferring(setting, dtype, lambda: resnet(images))
        made.append(Side(f"ResNet of the same FLOPs, one readout, {name}", run, flops * resnet.multiply_adds))
    run = inferring(setting, None, lambda: naive(images, times))
    made.append(Side("naive loop, float32", run, flops * multiply_adds(model, until=UNTIL)))
    return made


def readouts(setting: Setting, size: str, links: str) -> list[Side]:
    """Return a single readout at the last time, and all of them in one pass."""
    model, images = calibrated(setting, size, links, UNTIL)
    times = model.readable(cs.flash(1), UNTIL)
    return [
        Side("one readout", inferring(setting, None, lambda: model.readouts(images, [UNTIL]))),
        Side(f"{len(times)} readouts in one pass", inferring(setting, None, lambda: model.readouts(images, times))),
    ]


def inferring(setting: Setting, dtype: torch.dtype | None, run: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that runs without gradients, with autocast to `dtype` unless it is None."""

    def inferred() -> Any:
        with torch.no_grad(), torch.autocast(setting.device, dtype, enabled=dtype is not None):
            return run()

    return inferred
