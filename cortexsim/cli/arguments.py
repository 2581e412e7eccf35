"""Arguments of several commands: paths, data, presentations, and the device to run on."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cortexsim._support.checks import whole
from cortexsim.datasets.registry import SOURCES, drawn
from cortexsim.stimuli.text import SHOW_HELP, mask_help

if TYPE_CHECKING:
    import torch

Value = TypeVar("Value")


def path(text: str) -> Path:
    """Read a path; ~ is the home folder."""
    return Path(text).expanduser()


def add_data(parser: argparse.ArgumentParser, n: int, more: str = "") -> None:
    """Add the data, their number and the seed of the draw."""
    named = ", ".join(f"{name} ({source.description})" for name, source in SOURCES.items())
    parser.add_argument(
        "data",
        help=f"{named}, or a folder of images with one subfolder per class, and train/ and test/ above them if there "
        f"are both{more}",
    )
    parser.add_argument(
        "--n", type=int, default=n, help=f"images to draw of {' or '.join(drawn())}; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add a model by name or from its file, and the checkpoint of a published one."""
    parser.add_argument("model", help="a .safetensors file, or a pretrained or published model by name")
    parser.add_argument(
        "--weights", type=path, metavar="FILE", help="checkpoint of a published model; default: random weights"
    )


def show_help(default: str) -> str:
    """Return the help of an option for a presentation."""
    return f"{SHOW_HELP} ({mask_help()}); default: {default}"


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add the options for the device and the threads."""
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; two on busy cores can be slower than one")


def choose_device(device: str | None, threads: int | None) -> torch.device:
    """Return the device to run on, a GPU if there is one and none is given; set the number of threads."""
    import torch

    from cortexsim.model.devices import checked_device

    if threads is not None:
        torch.set_num_threads(whole(threads, "threads", 1))
    return checked_device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def once(pairs: Iterable[tuple[str, Value]], done: str, example: str) -> dict[str, Value]:
    """Collect values that are given by name in a mapping; refuse a name that is given twice."""
    found: dict[str, Value] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} is {done} twice; give it once, as in {example}")
        found[name] = value
    return found
