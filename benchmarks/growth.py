"""Growth of time with the readout time and with the number of states, compared with that of the FLOPs."""

from __future__ import annotations

from typing import Any

import cortexsim as cs
from benchmarks.alternate import Side, compare
from benchmarks.competitors import multiply_adds
from benchmarks.inference import inferring
from benchmarks.machine import Setting, peak

TIMES, STATES = (3, 5, 10, 20), (2, 3, 4, 5)


def measure(setting: Setting) -> dict[str, Any]:
    """Time inference with every readout. If FLOP/s are constant, time grows with the work alone.

    Returns
    -------
    dict
        From a title to rows; see `alternate.compare`.
    """
    tables = {}
    few = 2 if setting.quick else len(TIMES)
    # on a CPU, the larger models take minutes, with the same result
    for size in setting.chosen_sizes if setting.device == "cuda" else setting.chosen_sizes[:1]:
        for links in ("full", "adjacent"):
            with_time = [side(setting, size, links, until, 3, f"T = {until}") for until in TIMES[:few]]
            title = f"growth with time, {size}, {links}, 3 states, {setting.batch(size)} images"
            tables[title] = compare(setting, with_time, peak(setting, size))
            with_states = [side(setting, size, links, 5, n_states, f"{n_states} states") for n_states in STATES[-few:]]
            title = f"growth with states, {size}, {links}, T = 5, {setting.batch(size)} images"
            tables[title] = compare(setting, with_states, peak(setting, size))
    return tables


def side(setting: Setting, size: str, links: str, until: int, n_states: int, name: str) -> Side:
    """Return inference with every readout up to a time, ready to run."""
    model, images = setting.model(size, links, until, n_states), setting.images(setting.batch(size))
    cs.calibrate(model, images, until=until)
    times = model.readable(cs.flash(1), until)
    flops = 2 * len(images) * multiply_adds(model, cs.schedule(model.graph, times))
    return Side(name, inferring(setting, None, lambda: model.readouts(images, times)), flops)
