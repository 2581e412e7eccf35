"""`cortexsim simulate`: show images to a model and keep what its states do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cortexsim._support.checks import whole
from cortexsim.cli.arguments import (
    DATA_HELP,
    SHOW_HELP,
    add_machine,
    choose_device,
    load_model,
    once,
    read_amount,
    read_data,
    read_presentation,
    read_record,
    read_silence,
)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "simulate",
        run,
        "show images to a model and keep what its states do, on disk",
        "For example:\n  cortexsim simulate cifar.safetensors ~/cifar10 --until 10 --to masked.zarr "
        "--presentation masked:1:2 --first 100",
    )
    parser.add_argument("model", help="a .safetensors file, or a pretrained model by name")
    parser.add_argument("data", help=DATA_HELP + "; the test part where there is one")
    parser.add_argument("--until", type=int, required=True, help="last time")
    parser.add_argument("--to", type=Path, required=True, metavar="PATH", help="a .zarr folder or a .nc file")
    parser.add_argument("--presentation", default="flash", metavar="SHOW", help=SHOW_HELP)
    parser.add_argument("--statistics", metavar="SHOW", help="reuse the statistics of this presentation, on purpose")
    parser.add_argument(
        "--record", metavar="STATES", help="e.g. V1,IT, or less of each: V1:spatial_mean,IT:0+7+12; default: all"
    )
    parser.add_argument(
        "--silence",
        action="append",
        default=[],
        metavar="'V2->V1:3-20'",
        help="close it then; a state (V2:3-20) stands for all transitions that leave it, and forward, lateral or "
        "feedback for all that go this way",
    )
    parser.add_argument(
        "--lesion",
        choices=["acute", "recalibrated", "mean-replaced"],
        default="acute",
        help="what silence, gain and noise on transitions mean: with the intact statistics, with statistics taken "
        "with all of it in place, or the mean delivered in place of what is taken away; default: %(default)s",
    )
    parser.add_argument(
        "--calibrate-on",
        type=int,
        metavar="N",
        help="training images on which the statistics or means of a lesion are taken; default: 500 if they are needed",
    )
    for name, does in (("gain", "multiply what it delivers"), ("transition-noise", "add noise to what it delivers")):
        parser.add_argument(
            f"--{name}", action="append", default=[], metavar="'V2->V1:0.5:3-20'", help=f"{does} then; as --silence"
        )
    parser.add_argument(
        "--noise", type=float, default=0.0, help="on every state, in its standard deviations; default: %(default)s"
    )
    parser.add_argument("--repeats", type=int, default=1, help="of each stimulus, with noise; default: %(default)s")
    parser.add_argument("--quantity", choices=["state", "rate"], default="state", help="default: %(default)s")
    parser.add_argument(
        "--dtype", choices=["float16", "float32", "float64"], default="float32", help="default: %(default)s"
    )
    parser.add_argument("--first", type=int, metavar="N", help="only the first N images, after shuffling by the seed")
    parser.add_argument("--n", type=int, default=200, help="digits or contours to make; default: %(default)s")
    parser.add_argument("--batch-size", type=int, help="stimuli at once; default: up to 128")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--deterministic", action="store_true", help="the same numbers each time, on a GPU too")
    parser.add_argument("--resume", action="store_true", help="take what is there, if it is this very recording")
    add_machine(parser)


def _calibration_images(options: argparse.Namespace, model: Any) -> Any:
    """Read or make the training images that a lesion needs; an acute one that is given some is left to complain."""
    if options.lesion == "acute" and options.calibrate_on is None:
        return None
    n = 500 if options.calibrate_on is None else options.calibrate_on
    whole(n, "calibrate-on", 1)
    data = read_data(argparse.Namespace(**{**vars(options), "n": n}), "train", model.graph.states[0].size)
    return _drawn(data, n, options.seed)


def _drawn(data: Any, n: int, seed: int) -> Any:
    """Draw images at random, in their order: a folder lists one class after the other."""
    import torch

    order = torch.randperm(data.sizes["stimulus"], generator=torch.Generator().manual_seed(seed))[:n]
    return data.isel(stimulus=sorted(order.tolist()))


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs

    device = choose_device(options)
    silence = once(map(read_silence, options.silence), "silenced", "V2->V1:3-20")
    gain = once(map(read_amount, options.gain), "given a gain", "V2->V1:0.5:3-20")
    jitter = once(map(read_amount, options.transition_noise), "given noise", "V2->V1:0.5:3-20")
    model = load_model(options.model)
    data = read_data(options, "test", model.graph.states[0].size)
    if options.first is not None:
        data = _drawn(data, whole(options.first, "first", 1), options.seed)
    names = cs.datasets.classes(data)
    if model.classes is not None and names != model.classes:
        print(
            f"warning: the model was trained on the classes {model.classes}, but these images have {names}: their "
            "labels are kept, and stand for no class of the readout",
            file=sys.stderr,
        )
    record = read_record(options.record) if options.record is not None else None
    n = data.sizes["stimulus"]
    needed = cs.estimate(model, n * max(1, options.repeats), until=options.until, record=record, dtype=options.dtype)
    print(f"{n} stimuli; the recording takes {needed / 1e9:.2f} GB of memory", flush=True)
    recording = cs.simulate(
        model,
        data,
        read_presentation(options.presentation),
        until=options.until,
        record=record,
        statistics=options.statistics and read_presentation(options.statistics),
        silence=silence,
        lesion=options.lesion,
        calibrate_on=_calibration_images(options, model),
        gain=gain,
        transition_noise=jitter,
        noise=options.noise,
        repeats=options.repeats,
        quantity=options.quantity,
        dtype=options.dtype,
        seed=options.seed,
        device=device,
        batch_size=options.batch_size,
        to=options.to,
        resume=options.resume,
        deterministic=options.deterministic,
        progress=True,
    )
    print(cs.summary(recording))
    print(f"saved {options.to}; open it with cortexsim.open_recording({str(options.to)!r})")
