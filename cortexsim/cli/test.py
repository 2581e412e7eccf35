"""`cortexsim test`: read a model out at every time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from cortexsim.cli.arguments import DATA_HELP, add_machine, choose_device, load_model, read_data, read_presentation


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "test",
        run,
        "read a model out at every time, on the test images",
        "For example:\n  cortexsim test cifar.safetensors ~/cifar10",
    )
    parser.add_argument("model", help="a .safetensors file, or a pretrained model by name")
    parser.add_argument("data", help=DATA_HELP)
    parser.add_argument(
        "--presentation", default=None, metavar="SHOW", help="as in train; default: as it was calibrated"
    )
    parser.add_argument("--n", type=int, default=2_000, help="digits or contours to make; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    add_machine(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import torch

    import cortexsim as cs
    from cortexsim.stimuli.images import as_images
    from cortexsim.training.evaluate import accuracies

    model = load_model(options.model).to(choose_device(options))
    data = read_data(options, "test", model.graph.states[0].size)
    names = cs.datasets.classes(data)
    if model.classes is not None and names != model.classes:
        raise ValueError(f"the model was trained on the classes {model.classes}, but these images have {names}")
    images = as_images(data).to(options.device)
    labels = torch.from_numpy(data["label"].values).long().to(options.device)
    asked = options.presentation and read_presentation(options.presentation)
    variants: list[tuple[str, Any]] = [("none", None)]
    shown, until = asked or cs.flash(1), 2 * model.readout_time
    if model.normalization != "none":
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
    print(f"{'statistics':>34} " + " ".join(f"{f't={t}':>6}" for t in times))
    for name, statistics in variants:
        found = accuracies(model, images, labels, times, shown, statistics=statistics, seed=options.seed)
        print(f"{name:>34} " + " ".join(f"{found[t]:6.1%}" for t in times), flush=True)
