"""The live page: how fast the page's own code runs the tracer at 48x48 px, in chromium."""

from __future__ import annotations

import json
from typing import Any

import cortexsim as cs
from benchmarks.machine import Setting
from cortexsim.explore.tracer.code import CODE, WORKER
from cortexsim.explore.tracer.networks import COLOURS, described
from tests.support.jupyter import chromium

SIZE = 48
N_STEPS = 200

# One step is what the page's worker does for it: the next state, and its readout. Next to it, in turn, a plain loop
# over Float32Array with a fixed number of multiplications: on a busy machine both wait, and their ratio stays.
RUN = """([size, nSteps]) => {
  const board = new Board(size);
  if (!drawCurves(board, 40, 2, randomNumbers(1))) throw new Error("not placed");
  const entering = net.look(board.frame(colours), size);
  const kernel = Float32Array.from({length: 4096}, (_, k) => Math.sin(k));
  const values = Float32Array.from({length: 4096}, (_, k) => Math.cos(k));
  const sums = new Float32Array(4096);
  const plain = () => {
    for (let round = 0; round < 256; round++) for (let k = 0; k < 4096; k++) sums[k] += values[k] * kernel[k];
  };
  const timed = (act) => { const start = performance.now(); act(); return performance.now() - start; };
  const steps_ms = [], plain_ms = [];
  let state = entering;
  for (let time = 1; time <= nSteps; time++) {
    steps_ms.push(timed(() => { state = net.step(state, entering, size, time); net.read(state, size); }));
    plain_ms.push(timed(plain));
  }
  return {steps_ms, plain_ms};
}"""


def measure(setting: Setting) -> dict[str, Any]:
    """Run the page's code on one drawing.

    Parameters
    ----------
    setting : Setting
        `quick` runs a few steps only.

    Returns
    -------
    dict
        From each quantity, with its unit, to its value. The fastest tenth of the steps is what a quiet machine reaches.
    """
    model = described(cs.zoo.load("tracer"), sustained=True)
    with chromium() as page:
        page.set_content("<!doctype html><meta charset='utf-8'>")
        page.add_script_tag(content=f"{WORKER}\n{CODE}")
        page.evaluate(f"window.net = networkFrom({json.dumps(model)})")
        page.evaluate(f"window.colours = {json.dumps(COLOURS)}")
        found = page.evaluate(RUN, [SIZE, 20 if setting.quick else N_STEPS])
    steps, plain = (sorted(found[name]) for name in ("steps_ms", "plain_ms"))
    best, usual = steps[len(steps) // 10], steps[len(steps) // 2]
    return {
        f"a step of the tracer at {SIZE}x{SIZE} px, fastest tenth (ms)": best,
        f"a step of the tracer at {SIZE}x{SIZE} px, median (ms)": usual,
        "steps a second, fastest tenth": 1000 / best,
        "steps a second, median": 1000 / usual,
        "a step in units of 2**20 plain multiplications, fastest tenth of both": best / plain[len(plain) // 10],
    }
