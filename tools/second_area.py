"""What the tools that add a second area to the tracer share: its models of every seed, and what grows from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import cortexsim as cs
from cortexsim._support.files import written_aside

FOLDER = Path(__file__).resolve().parents[1] / "data" / "models" / "tracing"


def alone(seed: int) -> cs.Cortex:
    """Load the tracer of a seed."""
    return cs.zoo.load("tracer") if seed == 0 else cs.load(FOLDER / f"tracer-seed{seed}.safetensors")


def grown(graph: cs.CortexGraph, readout_time: int, seed: int, *, frozen: bool = False) -> cs.Cortex:
    """Make a model of a graph that contains the tracer's, with the weights of the tracer of a seed.

    Parameters
    ----------
    graph : CortexGraph
    readout_time : int
    seed : int
    frozen : bool
        The tracer's weights are not trained.
    """
    model = cs.Cortex(
        graph,
        n_classes=2,
        readout_time=readout_time,
        input_gain=2.0,
        normalization="channel",
        post_net="map",
        initialization="torch",
        generator=torch.Generator().manual_seed(seed),
    )
    own = dict(model.named_parameters())
    for name, weights in alone(seed).named_parameters():
        if not name.startswith("post."):
            own[name].data.copy_(weights.data)
            own[name].requires_grad_(not frozen)
    return model


def keep(run: Mapping[str, Any], to: Path, *names: str) -> None:
    """Add a run to a file of runs, in place of the one that has the same values under these names."""
    runs = json.loads(to.read_text(encoding="utf-8")) if to.exists() else []
    others = [one for one in runs if any(one[name] != run[name] for name in names)]
    with written_aside(to, replacing=True) as aside:
        aside.write_text(json.dumps([*others, run]) + "\n", encoding="utf-8")
