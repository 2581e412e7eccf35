"""Peak memory of each competitor, in a separate process."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

import cortexsim as cs
from benchmarks.competitors import MatchedResNet, NaiveLoop, multiply_adds
from benchmarks.machine import FEATURES, Setting
from benchmarks.recording import recorded, with_hooks

FOLDER = Path(__file__).parents[1]
SIDES = {
    "cortexsim, training step, T = 5": ("train", 5),
    "cortexsim, training step, T = 20": ("train", 20),
    "cortexsim, training step, T = 20, recomputed": ("train checkpointed", 20),
    "naive loop, training step, T = 5": ("train naive", 5),
    "naive loop, training step, T = 20": ("train naive", 20),
    "ResNet of the same FLOPs, training step, T = 5": ("train resnet", 5),
    "cortexsim, all readouts, T = 5": ("infer", 5),
    "naive loop, all readouts, T = 5": ("infer naive", 5),
    "cortexsim, recorded in memory, float16, T = 5": ("record", 5),
    "naive loop, hooks on every module, T = 5": ("record hooks", 5),
}


def measure(setting: Setting) -> dict[str, Any]:
    """Run each side once in a process, and measure the rise of its memory.

    Returns
    -------
    dict
        From a title to rows: `side`, `mb` above the memory before it ran, `ratio` to the first side's, and a `note`
        with both.
    """
    tables = {}
    sizes = setting.chosen_sizes if setting.device == "cuda" else setting.chosen_sizes[:1]
    chosen = dict(list(SIDES.items())[:2]) if setting.quick else SIDES
    for size in sizes:
        rows: list[dict[str, Any]] = []
        for name, (what, until) in chosen.items():
            task = json.dumps({"setting": asdict(setting), "size": size, "what": what, "until": until})
            command = [sys.executable, "-m", "benchmarks.memory", task]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER)
            if done.returncode:
                raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr}")
            mb = json.loads(done.stdout.splitlines()[-1])["mb"]
            ratio = mb / rows[0]["mb"] if rows else 1.0
            rows.append({"side": name, "mb": mb, "ratio": ratio, "note": f"{mb:,.0f} MB, {ratio:.2f} of the first"})
        tables[f"peak memory, {size}, full, {setting.batch(size)} images"] = rows
    return tables


def risen(device: str, run: Callable[[], Any]) -> float:
    """Run a function, and return the MB by which the peak of memory exceeds the memory before."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        allocated = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - allocated) / 1e6
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        # resets the peak to the memory in use
        peak.write_text("5")
    before = resident("VmRSS")
    run()
    return (resident("VmHWM") - before) / 1e6


def resident(what: str) -> float:
    """Return the memory in use (VmRSS) or its peak (VmHWM), in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss would include the memory of the parent at the fork
        found = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(f"{what}:"))
        return float(found.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)


def _task(setting: Setting, size: str, what: str, until: int) -> Callable[[], Any]:
    model = setting.model(size, "full", until)
    images = setting.images(setting.batch(size))
    times = model.readable(cs.flash(1), until)
    labels = torch.arange(len(images), device=setting.device) % 10
    kind, _, competitor = what.partition(" ")
    if kind != "train":
        cs.calibrate(model, images, until=until)
    if kind == "record":
        naive = NaiveLoop(model)
        return (lambda: with_hooks(naive, images, times)) if competitor else recorded(model, images, until, "float16")
    if competitor == "resnet":
        own = multiply_adds(model, cs.schedule(model.graph, until))
        resnet = MatchedResNet(FEATURES[size], model.graph.states[0].height, own).to(setting.device).train()
        return lambda: F.cross_entropy(resnet(images), labels).backward()
    naive = NaiveLoop(model.train(kind == "train"))
    if kind == "train":
        if competitor == "naive":
            return lambda: F.cross_entropy(naive(images, [until])[0], labels).backward()
        again = competitor == "checkpointed"
        return lambda: F.cross_entropy(model.readouts(images, [until], recompute=again)[0], labels).backward()

    def infer() -> None:
        with torch.no_grad():
            naive(images, times) if competitor else model.readouts(images, times)

    return infer


def main() -> None:
    """Run the side that the argument describes, and print the rise of memory as JSON."""
    task = json.loads(sys.argv[1])
    setting = Setting(**{**task["setting"], "sizes": tuple(task["setting"]["sizes"])})
    torch.set_num_threads(setting.threads)
    # an optimizer and recomputation import the compiler, which is not part of their memory
    importlib.import_module("torch._dynamo")
    run = _task(setting, task["size"], task["what"], task["until"])
    print(json.dumps({"mb": risen(setting.device, run)}))


if __name__ == "__main__":
    main()
