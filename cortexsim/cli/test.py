"""`cortexsim test`: the accuracy of a model at every readout time."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from cortexsim._support.percentages import percent
from cortexsim.cli.arguments import add_data, add_machine, add_model, choose_device
from cortexsim.stimuli.text import read_presentation


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "test",
        run,
        "read a model out at every time, on the test images",
        "For example:\n  cortexsim test cifar.safetensors ~/cifar10",
    )
    add_model(parser)
    add_data(parser, 2_000)
    parser.add_argument(
        "--presentation", default=None, metavar="SHOW", help="as in train; default: the presentation of the calibration"
    )
    add_machine(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs
    from cortexsim.model.classes import labels_for
    from cortexsim.model.moments import Statistics
    from cortexsim.stimuli.images import as_images
    from cortexsim.training.evaluate import accuracies
    from cortexsim.training.target_maps import pixel_labels

    device = choose_device(options.device, options.threads)
    model = cs.zoo.get(options.model, weights=options.weights).to(device)
    size = model.image_size
    data = cs.datasets.get(options.data, options.n, part="test", seed=options.seed, size=size)
    images = as_images(data).to(device)
    labels = pixel_labels(data).to(device) if "target" in data else labels_for(model, data, device=device)
    asked = read_presentation(options.presentation) if options.presentation else None
    variants: list[tuple[str, Statistics | None]] = [("none", None)]
    shown, until = asked or cs.flash(1), 2 * model.readout_time
    if model.needs_statistics:
        used = model.find_statistics(asked)
        shown, until = asked or used.presentation, used.until
        variants = [
            ("calibrated", used),
            (f"held from t = {model.readout_time}", used.held(model.readout_time)),
            (f"shared over times 0 to {model.readout_time}", used.pooled(model.readout_time)),
        ]
    times = model.readable(shown, until)
    part = data.attrs["part"]
    print(f"{len(images)} images from {data.attrs['name']}{part and f', {part} part'}; shown: {shown}")
    print(f"{'statistics':>34} " + " ".join(f"{f't={t}':>7}" for t in times))
    for name, statistics in variants:
        found = accuracies(model, images, labels, times, shown, statistics=statistics, seed=options.seed)
        print(f"{name:>34} " + " ".join(f"{percent(found[t], 1):>7}" for t in times), flush=True)
