"""`cortexsim models`: list and describe models."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim._support.console import printable

LONGEST_VALUE = 2_000  # characters


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "models",
        run,
        "list the models; with a name, describe one and draw its transition matrix",
        "For example:\n  cortexsim models adjacent-4-state\n  cortexsim models ventral-stream --full",
    )
    parser.add_argument(
        "name", nargs="?", help="a model of the paper, a pretrained or published one, or a .safetensors file"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="print the whole card of a model that ships: every time and bin of each presentation, the confusion "
        "matrices, the training curve, and how each seed was trained",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs
    from cortexsim.zoo import cards, tracer_cards

    if options.name is None:
        if options.full:
            raise ValueError(
                "--full prints the card of one model: name it, as in cortexsim models ventral-stream --full"
            )
        print("Models of the paper (untrained; 10 classes; source: S stated in the paper, R recalled, I inferred):")
        for name, paper in cs.zoo.PAPER.items():
            size = f"{paper.n_parameters:>10,} parameters, readout time {paper.readout_time:2}"
            print(f"  {name:34}{size} ({paper.confidence})  {paper.description}")
        print("Pretrained:")
        for name in cs.zoo.pretrained():
            print(f"  {name}")
        print("Published (random weights, or your checkpoint by --weights where a command takes a model):")
        for name, published in cs.zoo.PUBLISHED.items():
            print(f"  {name:34}{published.description}")
        return
    carded = cs.zoo.SHORT.get(options.name, options.name)
    traces = carded in tracer_cards.names()
    card = cards.card(carded) if carded in cards.names() or (options.full and not traces) else None
    model = cs.zoo.build(options.name) if options.name in cs.zoo.PAPER else cs.zoo.get(options.name)
    print(printable(model))
    print(printable(model.graph))
    print(cs.schedule(model.graph, model.readout_time, cs.flash(1)))
    for statistics in model.statistics.values():
        print(printable(statistics))
    for key, value in model.about.items():
        # longer tables are in the card
        if len(str(value)) <= LONGEST_VALUE:
            print(printable(f"{key}: {value}"))
    if traces:
        print(f"\n{tracer_cards.as_text(tracer_cards.card(carded))}")
    elif card is not None:
        print(f"\n{cards.in_full(card) if options.full else cards.as_text(card)}")
        if not options.full:
            print("\n--full prints the card's other times and bins, confusion matrices, training curve and seeds")
