"""`cortexsim models`: list and describe models."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim.cli.arguments import load_model


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "models",
        run,
        "list the models; with a name, describe one and draw its transition matrix",
        "For example:\n  cortexsim models adjacent-4-state",
    )
    parser.add_argument("name", nargs="?", help="a model of the paper, a pretrained one, or a .safetensors file")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs
    from cortexsim.cards import as_text, names

    if options.name is None:
        print("Models of the paper (untrained; 10 classes; how sure: S stated, R recalled, I inferred):")
        for name, paper in cs.zoo.PAPER.items():
            size = f"{paper.n_parameters:>10,} parameters, readout time {paper.readout_time:2}"
            print(f"  {name:34}{size} ({paper.confidence})  {paper.description}")
        print("Pretrained:")
        for name in cs.zoo.pretrained():
            print(f"  {name}")
        return
    model = cs.zoo.build(options.name) if options.name in cs.zoo.PAPER else load_model(options.name)
    print(model)
    print(model.graph)
    print(cs.schedule(model.graph, model.readout_time, cs.flash(1)))
    for statistics in model.statistics.values():
        print(statistics)
    for key, value in model.about.items():
        print(f"{key}: {value}")
    if cs.zoo.SHORT.get(options.name, options.name) in names():
        print(f"\n{as_text(cs.zoo.card(options.name))}")
