"""What several commands take: data, a model, a presentation, silences, and where to run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cortexsim.suggest import unknown

MADE = ("digits", "contours", "cifar10")
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

    from cortexsim.devices import checked_device

    if options.threads is not None:
        if options.threads < 1:
            raise ValueError(f"threads must be at least 1, got {options.threads}")
        torch.set_num_threads(options.threads)
    options.device = checked_device(options.device or ("cuda" if torch.cuda.is_available() else "cpu"))
    return options.device


def read_presentation(text: str) -> Any:
    """Read a presentation as it is written on the command line.

    Raises
    ------
    ValueError
        If it cannot be read; the message says what is allowed.
    """
    from cortexsim import presentation

    parts, weights = [], []
    for part in text.split("+"):
        often, star, shown = part.rpartition("*")
        name, *values = shown.split(":")
        numbers = [int(value) if value.isdigit() else value for value in values]
        most = {"flash": 1, "sustained": 0, "masked": 4, "sequence": 1}
        if name not in most or len(values) > most[name] or (star and not often.isdigit()):
            raise ValueError(
                f"cannot read the presentation {part!r}: allowed are flash, flash:STEPS, sustained, sequence, "
                "masked:DURATION:SOA[:MASK[:MASK_DURATION]], joined with +; 3*flash is drawn three times as often"
            )
        parts.append(getattr(presentation, name)(*numbers))
        weights.append(int(often or 1))
    return parts[0] if len(parts) == 1 else presentation.mixture(*parts, weights=weights)


def read_silence(text: str) -> tuple[str, Any]:
    """Read a silenced transition: "V2->V1", "V2->V1:3", or "V2->V1:3-20" (both ends included).

    In place of its name, a state stands for all that leave it, and "forward", "lateral" or "feedback" for all that go
    this way.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, times = text.partition(":")
    first, dash, last = times.partition("-")
    if times and not (first.isdigit() and (not dash or (last.isdigit() and int(last) >= int(first)))):
        raise ValueError(f"cannot read {text!r}: write V2->V1, V2->V1:3 or V2->V1:3-20, or feedback:3-20")
    return name, range(int(first), int(last or first) + 1) if times else None


def read_amount(text: str) -> tuple[str, tuple[float, Any]]:
    """Read how much of a gain or of noise a transition gets: "V2->V1:0.5", or "V2->V1:0.5:3-20"; names as for silence.

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, rest = text.partition(":")
    amount, colon, times = rest.partition(":")
    try:
        value = float(amount)
    except ValueError:
        raise ValueError(f"cannot read {text!r}: write V2->V1:0.5, or V2->V1:0.5:3-20 for a time") from None
    return name, (value, read_silence(f"{name}:{times}")[1] if colon else None)


def once(pairs: Iterable[tuple[str, Any]], done: str, example: str) -> dict[str, Any]:
    """Put what is given for names into a mapping, and refuse a name that is given twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} is {done} twice; give it once, as in {example}")
        found[name] = value
    return found
