"""`cortexsim train`: train a model and save it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cortexsim._support.checks import unknown
from cortexsim.cli.arguments import (
    DATA_HELP,
    DRAWN,
    SHOW_HELP,
    add_machine,
    choose_device,
    read_data,
    read_presentation,
)

# how a model is built when nothing else is said; no defaults of the parser, so that what is given can be told
BUILD: dict[str, Any] = {
    "graph": "adjacent",
    "features": "16,32,64",
    "size": 32,
    "shortcut": 1.0,
    "no_lateral": False,
    "no_feedback": False,
    "convolutions": 2,
    "readout_time": 5,
    "pre_net": "conv",
    "input_gain": 1.0,
    "sharing": "time",
    "normalization": "time-specific",
}
RECIPES = ("quick", "paper", "digits", "contours")


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "train",
        run,
        "train a model and save it; Ctrl-C stops, the same command with --resume goes on",
        "For example:\n"
        "  cortexsim train digits --to digits.safetensors --epochs 3\n"
        "  cortexsim train digits --recipe digits --features 8,16,32,64 --readout-time 4 --to digits.safetensors\n"
        "  cortexsim train contours --recipe contours --size 16 --features 16,16,24,32 --convolutions 1 --shortcut 0.5 "
        "--input-gain 16 --readout-time 8 --n 40000 --to tracing.safetensors\n"
        "  cortexsim train ~/cifar10 --features 16,32,64 --to cifar.safetensors",
    )
    parser.add_argument("data", help=DATA_HELP)
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="where the model goes: a .safetensors file"
    )
    parser.add_argument("--model", metavar="NAME", help="a model of the paper (see cortexsim models)")
    build = parser.add_argument_group("the model, where --model names none")
    build.add_argument("--graph", choices=["adjacent", "fully-recurrent"], help="default: adjacent")
    build.add_argument("--features", help="channels of each state, the sides halve; default: 16,32,64")
    build.add_argument("--size", type=int, help="side of the images in pixels; default: 32")
    build.add_argument("--shortcut", type=float, help="weight of the identity, 0 to 1; default: 1")
    build.add_argument("--no-lateral", action="store_true", default=None, help="leave out self-transitions")
    build.add_argument("--no-feedback", action="store_true", default=None, help="leave out backward transitions")
    build.add_argument(
        "--convolutions", type=int, choices=[1, 2], help="of a transition between two states; default: 2, the paper's"
    )
    build.add_argument("--readout-time", type=int, help="default: 5")
    build.add_argument("--pre-net", choices=["conv", "deep"], help="default: conv")
    build.add_argument("--input-gain", type=float, help="factor on the pre-net's output; default: 1")
    build.add_argument("--sharing", choices=["time", "none", "all"], help="default: time")
    build.add_argument("--normalization", choices=["time-specific", "shared", "none"], help="default: time-specific")
    parser.add_argument("--recipe", choices=RECIPES, default="quick", help="default: %(default)s")
    parser.add_argument("--presentation", metavar="SHOW", help=SHOW_HELP.replace("%(default)s", "the recipe's"))
    for name, kind in (("epochs", int), ("batch-size", int), ("learning-rate", float), ("weight-decay", float)):
        parser.add_argument(f"--{name}", type=kind, help="default: the recipe's")
    parser.add_argument(
        "--augmentation", choices=["none", "crop", "flip", "crop-flip"], help="default: what suits the data"
    )
    parser.add_argument("--loss-at", choices=["readout", "all"], help="default: the recipe's")
    parser.add_argument(
        "--recompute",
        action="store_true",
        help="compute steps again for their gradients: less memory at late readout times, a fifth more time",
    )
    parser.add_argument(
        "--validation", type=float, metavar="FRACTION", help="held out of each class, 0 is none; default: the recipe's"
    )
    parser.add_argument("--n", type=int, default=20_000, help="digits or contours to make; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the model that is there, once the new one is whole"
    )
    add_machine(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command, alone or as one of the processes that torchrun started."""
    if os.environ.get("RANK", "0") == "0":
        # seconds pass before the first step, and a person who sees nothing thinks that nothing happens
        images = f"drawing {options.n:,} {options.data}" if options.data in DRAWN else f"reading {options.data}"
        print(f"loading torch, {images}", flush=True)
    from cortexsim.training import distributed as ranks

    with ranks.joined(choose_device(options)) as device:
        _run(options, device)


def _run(options: argparse.Namespace, device: Any) -> None:
    import torch

    import cortexsim as cs
    from cortexsim._support.files import refuse_existing
    from cortexsim.model.checkpoint import checked_suffix
    from cortexsim.training import distributed as ranks

    first = ranks.rank() == 0
    state = options.to.with_suffix(".training.safetensors")
    checked_suffix(options.to)
    if not (options.overwrite and options.to.is_file()):
        refuse_existing(options.to)
    if state.exists() and not options.resume:
        raise FileExistsError(f"a training was stopped here: --resume goes on with it, or remove {state}")
    if options.resume and not state.exists():
        print(f"there is no {state} to go on with: starting anew", file=sys.stderr)
    torch.manual_seed(options.seed)
    if options.model:
        _refuse_beside_model(options)
        size = cs.zoo.PAPER[options.model].graph().states[0].size
        data = read_data(options, "train", size)
        model = cs.zoo.build(options.model, len(cs.datasets.classes(data)))
    else:
        for name, usual in BUILD.items():
            if getattr(options, name) is None:
                setattr(options, name, usual)
        data = read_data(options, "train", (options.size, options.size))
        model = _built(options, len(cs.datasets.classes(data)))
    recipe = _recipe(options)
    model.to(device)
    if first:
        among = f", shared by {ranks.n_ranks()} processes" if ranks.together() else ""
        of = f"{len(data['label'])} images of {model.n_classes} classes from {data.attrs['name']}"
        print(f"{model}\n{of}, on {device}{among}")
        print(f"shown: {recipe.presentation}", flush=True)
    # closed before anything is said of it: what was done so far is on disk then
    with closing(cs.train(model, data, recipe, checkpoint=state)) as training, stop_on_request() as stopping:
        for record in training:
            if not first:
                pass
            elif record.validation or not sys.stdout.isatty():
                print(f"\r{record}", flush=True)
            else:
                print(f"\r{record}\033[K", end="", flush=True)
            # all processes are asked, and stop at the same record
            if ranks.anywhere(stopping(), device) and not record.done:
                training.close()
                if first:
                    print(f"\n{_stopped_at(record.step, state)}", file=sys.stderr)
                raise KeyboardInterrupt
    if not first:
        return
    model.to("cpu")
    cs.save(model, options.to, overwrite=options.overwrite)
    state.unlink(missing_ok=True)
    print(f"saved {options.to}")


def _stopped_at(step: int, state: Path) -> str:
    if not state.exists():
        return "stopped before the first step: nothing was learned yet, and nothing is kept"
    return f"stopped; the same command with --resume goes on from step {step}"


def _refuse_beside_model(options: argparse.Namespace) -> None:
    """Refuse what --model settles already; a typo in its name comes first."""
    import cortexsim as cs

    if options.model not in cs.zoo.PAPER:
        raise ValueError(unknown("model of the paper", options.model, cs.zoo.PAPER))
    given = [f"--{name.replace('_', '-')}" for name in BUILD if getattr(options, name) is not None]
    if given:
        raise ValueError(f"--model {options.model} settles how the model is built; leave out {', '.join(given)}")


def _built(options: argparse.Namespace, n_classes: int) -> Any:
    import cortexsim as cs

    if not all(n.strip().isdigit() for n in options.features.split(",")):
        raise ValueError(f"features must be channels, such as 16,32,64, got {options.features!r}")
    features = [int(n) for n in options.features.split(",")]
    areas = ("V1", "V2", "V4", "IT") if len(features) == 4 else tuple(f"h{k + 1}" for k in range(len(features)))
    build = cs.adjacent if options.graph == "adjacent" else cs.fully_recurrent
    graph = build(
        dict(zip(areas, features, strict=True)),
        size=options.size,
        shortcut=options.shortcut,
        lateral=not options.no_lateral,
        feedback=not options.no_feedback,
        convolutions=options.convolutions,
    )
    return cs.Cortex(
        graph,
        n_classes=n_classes,
        readout_time=options.readout_time,
        pre_net=options.pre_net,
        input_gain=options.input_gain,
        sharing=options.sharing,
        normalization=options.normalization,
    )


def _recipe(options: argparse.Namespace) -> Any:
    import cortexsim as cs

    changes: dict[str, Any] = {"seed": options.seed}
    if options.presentation is not None:
        changes["presentation"] = read_presentation(options.presentation)
    for name in ("epochs", "batch_size", "learning_rate", "weight_decay", "augmentation", "loss_at", "validation"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.recompute:
        changes["recompute"] = True
    if options.recipe == "quick" and options.augmentation is None:
        # a mirrored digit is no digit, and a curve moved out of the image no curve; photographs bear both
        changes["augmentation"] = {"digits": "none", "contours": "flip"}.get(options.data, "crop-flip")
    return getattr(cs.Recipe, options.recipe)(**changes)


@contextmanager
def stop_on_request() -> Iterator[Callable[[], bool]]:
    """Let the first Ctrl-C wait for the end of a step, so that what is saved is whole; the second stops at once."""
    asked: list[bool] = []

    def ask(*_: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        print("\nstopping at the next report (Ctrl-C again: at once)", file=sys.stderr, flush=True)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
