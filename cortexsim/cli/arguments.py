"""What several commands take: data, a model, a presentation, silences, and where to run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cortexsim._support.checks import unknown, whole
from cortexsim.stimuli.text import read_amount, read_presentation, read_record, read_silence

__all__ = ["read_amount", "read_presentation", "read_record", "read_silence"]

DRAWN = ("digits", "contours")
MADE = (*DRAWN, "cifar10")
DATA_HELP = (
    "digits (in debris, made on the spot), contours (made on the spot), cifar10 (downloaded when absent), or a folder "
    "of images with one subfolder a class, and train/ and test/ above them if there are both"
)
SHOW_HELP = (
    "flash, flash:STEPS, sustained, masked:DURATION:SOA[:MASK[:MASK_DURATION]] (MASK: noise, phase-scrambled, "
    "pixel-shuffled, texture, image, target); join several with + for a mixture, 3*flash is drawn three times as "
    "often; default: %(default)s"
)


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where to run."""
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; two on busy cores can be slower than one")


def load_model(name: str) -> Any:
    """Load the model that is named: a file, or a pretrained one."""
    import cortexsim as cs

    if name.endswith(".safetensors"):
        return cs.load(name)
    known = [*cs.zoo.SHORT, *cs.zoo.pretrained(), *cs.zoo.PAPER]
    if name not in known:
        raise ValueError(unknown("model", name, known))
    return cs.zoo.load(name)


def read_data(options: argparse.Namespace, part: str, size: tuple[int, int]) -> Any:
    """Read or make the data that are named."""
    from cortexsim import datasets

    if options.data == "digits":
        return datasets.digits(options.n, part=part, seed=options.seed, size=size[0])
    if options.data == "contours":
        return datasets.contours(options.n, part=part, seed=options.seed, size=size[0])
    if options.data == "cifar10":
        return datasets.cifar10("data-cifar10", part=part)
    path = Path(options.data).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no folder {str(path)!r}; " + unknown("data", options.data, MADE))
    if part == "test" and (path / "train").is_dir() and not (path / "test").is_dir():
        raise ValueError(
            f"there is no test/ beside train/ in {path}; to use the training images, give {path / 'train'}"
        )
    return datasets.folder(path, size=size, part=part if (path / part).is_dir() else None)


def choose_device(options: argparse.Namespace) -> Any:
    """Choose the device and the number of threads, and note the device in the options."""
    import torch

    from cortexsim.model.devices import checked_device

    if options.threads is not None:
        torch.set_num_threads(whole(options.threads, "threads", 1))
    options.device = checked_device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return options.device


def once(pairs: Iterable[tuple[str, Any]], done: str, example: str) -> dict[str, Any]:
    """Put what is given for names into a mapping, and refuse a name that is given twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} is {done} twice; give it once, as in {example}")
        found[name] = value
    return found
