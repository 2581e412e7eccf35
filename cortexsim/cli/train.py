"""`cortexsim train`: train a model and save it."""

from __future__ import annotations

import argparse
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cortexsim._support.checks import one_of
from cortexsim._support.console import printable
from cortexsim.cli.arguments import add_data, add_machine, choose_device, path, show_help
from cortexsim.datasets.registry import SOURCES, drawn
from cortexsim.graph.builders import adjacent, fully_recurrent
from cortexsim.model.cortex import Cortex
from cortexsim.model.kernels import INITIALIZATIONS, RULES
from cortexsim.model.moments import NORMALIZATIONS
from cortexsim.model.nets import POST_NETS, PRE_NETS
from cortexsim.stimuli.text import read_presentation
from cortexsim.training.recipe import ALLOWED, Recipe

if TYPE_CHECKING:
    import torch
    import xarray as xr

GRAPHS = {"adjacent": adjacent, "fully-recurrent": fully_recurrent}
AREAS = ("V1", "V2", "V4", "IT")
# the parser sets no defaults: only options that were given are in the namespace
GRAPH: dict[str, Any] = {"graph": "adjacent", "features": "16,32,64", "size": 32}
CHOICES = {
    "graph": GRAPHS,
    "convolutions": (1, 2),
    "sharing": RULES,
    "initialization": INITIALIZATIONS,
    "normalization": NORMALIZATIONS,
    "pre_net": PRE_NETS,
    "post_net": POST_NETS,
}
HELP = {
    "features": "channels of each state; the side halves from state to state",
    "size": "side of the images in pixels",
    "shortcut": "weight of the identity, 0 to 1",
    "convolutions": "of a transition between two states; the paper's have 2",
    "input_gain": "factor on the pre-net's output",
    "validation": "fraction of each class that is held out; 0 is none",
    "recompute": "compute steps again for their gradients: less memory at late readout times, a fifth more time",
    "calibrate_until": "last time that is calibrated",
    "calibration_images": "training images on which statistics are taken at the end",
    "loss_at": "readout, all, or a number of last times",
    "background": "weight in the loss of all pixels off the line of a target map",
    "clip_norm": "largest norm of the gradient",
    "difficulty": "coordinate of the data that says how difficult an image is",
}


def model_arguments() -> dict[str, Any]:
    """Return the arguments of a model that a text or a number can give, with their defaults."""
    of_graph = inspect.signature(adjacent).parameters
    of_model = inspect.signature(Cortex).parameters
    return {
        **GRAPH,
        "shortcut": float(of_graph["shortcut"].default),
        **{name: of_graph[name].default for name in ("lateral", "feedback", "convolutions")},
        **{
            name: parameter.default
            for name, parameter in of_model.items()
            if isinstance(parameter.default, int | float | str) and name != "n_classes"
        },
    }


def name_or_number(text: str) -> str | int:
    """Read a whole number, or leave a name as it is."""
    return int(text) if text.isdecimal() else text


def recipe_arguments() -> dict[str, Callable[[str], Any]]:
    """Return the fields of a recipe that a text or a number can give, with their types."""
    types: dict[str, Callable[[str], Any]] = {
        "int": int,
        "int | None": int,
        "float": float,
        "float | None": float,
        "str | int": name_or_number,
        "str": str,
        "str | None": str,
        "bool": bool,
    }
    return {
        field.name: types[str(field.type)] for field in fields(Recipe) if field.type in types and field.name != "seed"
    }


CONTINUES = "stopped; the same command with --resume continues"


def recipes() -> list[str]:
    """Return the names of the recipes, those that make one first."""
    return [name for name, made in vars(Recipe).items() if isinstance(made, classmethod) and name != "from_dict"]


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "train",
        run,
        "train a model and save it; Ctrl-C stops, the same command with --resume continues",
        "For example:\n"
        "  cortexsim train digits --to digits.safetensors --epochs 3\n"
        "  cortexsim train digits --recipe digits --features 8,16,32,64 --readout-time 4 --to digits.safetensors\n"
        "  cortexsim train contours --recipe contours --size 16 --features 16,16,24,32 --convolutions 1 --shortcut 0.5 "
        "--input-gain 16 --readout-time 8 --n 40000 --to tracing.safetensors\n"
        "  cortexsim train ~/cifar10 --features 16,32,64 --to cifar.safetensors",
    )
    add_data(parser, 20_000)
    parser.add_argument("--to", type=path, required=True, metavar="FILE", help="the .safetensors file to write")
    parser.add_argument("--model", metavar="NAME", help="a model of the paper (see cortexsim models)")
    build = parser.add_argument_group("the model, without --model")
    for name, default in model_arguments().items():
        if isinstance(default, bool):
            # connections that are on by default can be switched off
            build.add_argument(
                f"--no-{name}", dest=name, action="store_false", default=None, help=f"no {name} connections"
            )
        else:
            _add_value(build, name, type(default), f"{default:g}" if isinstance(default, float) else str(default))
    parser.add_argument("--recipe", choices=recipes(), default="quick", help="default: %(default)s")
    parser.add_argument("--presentation", metavar="SHOW", help=show_help("the recipe's"))
    training = parser.add_argument_group("settings of the training that differ from the recipe")
    for name, kind in recipe_arguments().items():
        if kind is bool:
            training.add_argument(_option(name), action=argparse.BooleanOptionalAction, help=HELP.get(name))
        else:
            _add_value(training, name, kind, "suited to the data" if name == "augmentation" else "the recipe's")
    parser.add_argument("--resume", action="store_true", help="continue a training that was stopped")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an existing model, once the new one is complete"
    )
    add_machine(parser)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _add_value(group: argparse._ArgumentGroup, name: str, kind: Callable[[str], Any], default: str) -> None:
    """Add an option for a number or a text, with the choices that its registry has."""
    choices = list(CHOICES.get(name, ALLOWED.get(name, ()))) or None
    words = f"{HELP[name]}; " if name in HELP else ""
    group.add_argument(_option(name), type=kind, choices=choices, help=f"{words}default: {default}")


def run(options: argparse.Namespace) -> None:
    """Run the command, alone or as one of the processes that torchrun started."""
    if os.environ.get("RANK", "0") == "0":
        # the first step takes seconds to begin, so a message is printed first
        images = f"drawing {options.n:,} {options.data}" if options.data in drawn() else f"reading {options.data}"
        print(f"loading torch, {images}", flush=True)
    from cortexsim.training import distributed

    given = {name: getattr(options, name) for name in model_arguments() if getattr(options, name) is not None}
    changes = {name: getattr(options, name) for name in recipe_arguments() if getattr(options, name) is not None}
    if options.presentation is not None:
        changes["presentation"] = read_presentation(options.presentation)
    state = _checkpoint(options.to, resume=options.resume, overwrite=options.overwrite)
    with distributed.joined(choose_device(options.device, options.threads)) as device:
        model, data = _model_and_data(options.model, given, options.data, options.n, options.seed)
        recipe = _recipe(options.recipe, {"seed": options.seed, **changes}, options.data)
        _train(model.to(device), data, recipe, state, device)
        if distributed.rank() == 0:
            import cortexsim as cs

            cs.save(model.to("cpu"), options.to, overwrite=options.overwrite)
            state.unlink(missing_ok=True)
            print(f"saved {printable(options.to)}")


def _checkpoint(to: Path, *, resume: bool, overwrite: bool) -> Path:
    """Return the file to which the training's state is written, and check it before anything takes time."""
    from cortexsim._support.files import refuse_existing
    from cortexsim.model.checkpoint import checked_suffix

    state = to.with_suffix(".training.safetensors")
    checked_suffix(to)
    if not (overwrite and to.is_file()):
        refuse_existing(to)
    if state.exists() and not resume:
        raise FileExistsError(
            f"an unfinished training exists at {state}; continue it with --resume, or delete the file"
        )
    if resume and not state.exists():
        print(f"there is no {printable(state)} to resume: starting from the beginning", file=sys.stderr)
    return state


def _model_and_data(
    name: str | None, given: Mapping[str, Any], source: str, n: int, seed: int
) -> tuple[Cortex, xr.Dataset]:
    """Build the model that the options describe, for the classes of the data."""
    import torch

    import cortexsim as cs

    torch.manual_seed(seed)
    if name is not None:
        # checked first, so that a typo in the name is reported
        paper = cs.zoo.PAPER[one_of(name, "model of the paper", cs.zoo.PAPER)]
        if given:
            options = ", ".join(f"--no-{one}" if given[one] is False else _option(one) for one in given)
            raise ValueError(f"--model {name} determines how the model is built; leave out {options}")
        data = cs.datasets.get(source, n, part="train", seed=seed, size=paper.graph().states[0].size)
        return cs.zoo.build(name, len(cs.datasets.classes(data))), data
    chosen = {**model_arguments(), **given}
    data = cs.datasets.get(source, n, part="train", seed=seed, size=(chosen["size"], chosen["size"]))
    if "target" in data and "post_net" not in given:
        chosen["post_net"] = "map"
    return _built(chosen, len(cs.datasets.classes(data))), data


def _built(chosen: dict[str, Any], n_classes: int) -> Cortex:
    """Build a model from its options, which are taken out of `chosen`."""
    written = chosen.pop("features")
    if not all(n.strip().isdecimal() for n in written.split(",")):
        raise ValueError(f"features must be channels, such as 16,32,64, got {written!r}")
    features = [int(n) for n in written.split(",")]
    areas = AREAS if len(features) == len(AREAS) else [f"h{k + 1}" for k in range(len(features))]
    build = GRAPHS[chosen.pop("graph")]
    of_graph = {name: chosen.pop(name) for name in ("size", "shortcut", "lateral", "feedback", "convolutions")}
    return Cortex(build(dict(zip(areas, features, strict=True)), **of_graph), n_classes=n_classes, **chosen)


def _recipe(name: str, changes: dict[str, Any], data: str) -> Recipe:
    if name == "quick" and "augmentation" not in changes:
        # photographs may be cropped and mirrored; for other datasets, the registry states the augmentation
        changes["augmentation"] = SOURCES[data].augmentation if data in SOURCES else "crop-flip"
    recipe: Recipe = getattr(Recipe, name)(**changes)
    return recipe


def _train(model: Cortex, data: xr.Dataset, recipe: Recipe, state: Path, device: torch.device) -> None:
    """Train, and print the progress."""
    import cortexsim as cs
    from cortexsim.training import distributed

    first = distributed.rank() == 0
    if first:
        among = f", shared by {distributed.n_ranks()} processes" if distributed.together() else ""
        images = f"{data.sizes['stimulus']} images of {model.n_classes} classes from {data.attrs['name']}"
        print(f"{model}\n{images}, on {device}{among}")
        print(f"shown: {recipe.presentation}", flush=True)
    # closed before anything is printed, so that the state so far is on disk
    with (
        stop_on_request(lambda: _stopped_at(state) if first else "") as stopping,
        closing(cs.train(model, data, recipe, checkpoint=state)) as training,
    ):
        for record in training:
            if first:
                whole_line = bool(record.validation) or not sys.stdout.isatty()
                print(f"\r{record}" if whole_line else f"\r{record}\033[K", end="\n" if whole_line else "", flush=True)
            # all processes are asked, and stop at the same record
            if distributed.anywhere(stopping(), device) and not record.done:
                raise KeyboardInterrupt


def _stopped_at(state: Path) -> str:
    from cortexsim.training.state import saved_step

    if not state.exists():
        return "stopped before the first step: nothing was learned yet, and nothing is saved"
    return f"stopped; the same command with --resume continues from step {saved_step(state)}"


@contextmanager
def printed_when_stopped(how_to_resume: Callable[[], str]) -> Iterator[None]:
    """Print how to continue if Ctrl-C or a signal stops the enclosed work."""
    try:
        yield
    except KeyboardInterrupt:
        if words := how_to_resume():
            print(f"\n{words}", file=sys.stderr)
        raise


@contextmanager
def stop_on_request(how_to_resume: Callable[[], str]) -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the next report; the second, and SIGTERM, stop at once.

    Parameters
    ----------
    how_to_resume : callable
        Returns what is printed once it has stopped; "" for nothing.
    """
    asked: list[bool] = []

    def ask(*_: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        print("\nstopping at the next report (Ctrl-C again: at once)", file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        with printed_when_stopped(how_to_resume):
            yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
