"""The interactive case: 64 images for ten steps, with the activity of every state recorded."""

from __future__ import annotations

from typing import Any

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.inference import inferring
from benchmarks.machine import FEATURES, Setting, peak
from benchmarks.recording import with_hooks

UNTIL, N_IMAGES = 10, 64


def measure(setting: Setting) -> dict[str, Any]:
    """Compare `simulate` with the naive loop under hooks, and with an unrecorded ResNet of the same FLOPs.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    tables = {}
    for size in setting.chosen_sizes[:1]:
        n = 4 if setting.quick else N_IMAGES
        title = f"recorded, {size}, adjacent, T = {UNTIL}, {n} images"
        tables[title] = compare(setting, sides(setting, size, n), peak(setting, size))
    return tables


def sides(setting: Setting, size: str, n: int) -> list[Side]:
    """Return the competitors, ready to run."""
    images = setting.images(n)
    # calibrated on the same images, since the choice does not change the time
    model = setting.model(size, "adjacent", UNTIL)
    cs.calibrate(model, images, until=UNTIL)
    times = model.readable(cs.flash(1), UNTIL)
    wanted = {name: range(UNTIL + 1) for name in model.graph.state_names}
    own = multiply_adds(model, cs.schedule(model.graph, (), record=wanted, until=UNTIL))
    resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device).eval()
    naive = NaiveLoop(model)
    made = []
    for name, dtype in setting.precisions().items():
        run = inferring(setting, dtype, lambda: cs.simulate(model, images, until=UNTIL, dtype="float16"))
        made.append(Side(f"cortexsim, recorded, {name}", run, 2 * n * own))
        run = inferring(setting, dtype, lambda: resnet(images))
        made.append(Side(f"ResNet of the same FLOPs, unrecorded, {name}", run, 2 * n * resnet.multiply_adds))
    theirs = 2 * n * multiply_adds(model, until=UNTIL)
    made.append(Side("naive loop, hooks on every module", lambda: with_hooks(naive, images, times), theirs))
    run = inferring(setting, None, lambda: naive(images, times))
    made.append(Side("naive loop, nothing recorded", run, theirs))
    return made
