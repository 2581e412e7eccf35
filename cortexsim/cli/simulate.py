"""`cortexsim simulate`: show images to a model and record its states."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cortexsim._support.checks import whole
from cortexsim._support.class_numbers import DifferentClassesWarning
from cortexsim._support.console import printable
from cortexsim.cli.arguments import add_data, add_machine, add_model, choose_device, once, path, show_help
from cortexsim.cli.train import CONTINUES, printed_when_stopped
from cortexsim.model.lesions import LESIONS
from cortexsim.recording.dtypes import DTYPES
from cortexsim.recording.plan import QUANTITIES
from cortexsim.stimuli.text import read_amount, read_presentation, read_record, read_silence

if TYPE_CHECKING:
    import xarray as xr


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "simulate",
        run,
        "show images to a model and record its states, on disk",
        "For example:\n  cortexsim simulate cifar.safetensors ~/cifar10 --until 10 --to masked.zarr "
        "--presentation masked:1:2 --first 100",
    )
    add_model(parser)
    add_data(parser, 200, "; the test part where there is one")
    parser.add_argument("--until", type=int, required=True, help="last time")
    parser.add_argument("--to", type=path, required=True, metavar="PATH", help="a .zarr folder or a .nc file")
    parser.add_argument("--presentation", default="flash", metavar="SHOW", help=show_help("%(default)s"))
    parser.add_argument("--statistics", metavar="SHOW", help="use the statistics of this presentation instead")
    parser.add_argument(
        "--record", metavar="STATES", help="e.g. V1,IT, or a part of each: V1:spatial_mean,IT:0+7+12; default: all"
    )
    parser.add_argument(
        "--silence",
        action="append",
        default=[],
        metavar="'V2->V1:3-20'",
        help="silence it at these times; a state (V2:3-20) means all transitions that leave it, and forward, lateral "
        "or feedback all of that direction",
    )
    parser.add_argument(
        "--lesion",
        choices=LESIONS,
        default="acute",
        help="how silence, gain and noise on transitions act: with the intact statistics, with statistics taken "
        "under the lesion, or with the mean in place of the removed input; default: %(default)s",
    )
    parser.add_argument(
        "--calibrate-on",
        type=int,
        metavar="N",
        help="training images on which the statistics or means of a lesion are taken; default: 500 if they are needed",
    )
    for name, does in (("gain", "multiply what it delivers"), ("transition-noise", "add noise to what it delivers")):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="'V2->V1:0.5:3-20'",
            help=f"{does} at these times; as --silence",
        )
    parser.add_argument(
        "--noise", type=float, default=0.0, help="on every state, in its standard deviations; default: %(default)s"
    )
    parser.add_argument("--repeats", type=int, default=1, help="of each stimulus, with noise; default: %(default)s")
    parser.add_argument("--quantity", choices=QUANTITIES, default="state", help="default: %(default)s")
    parser.add_argument("--dtype", choices=list(DTYPES), default="float32", help="default: %(default)s")
    parser.add_argument("--first", type=int, metavar="N", help="only the first N images, after shuffling by the seed")
    parser.add_argument("--batch-size", type=int, help="stimuli at once; default: up to 128")
    parser.add_argument("--deterministic", action="store_true", help="compute reproducibly, also on a GPU")
    parser.add_argument("--resume", action="store_true", help="resume an existing recording with the same settings")
    add_machine(parser)


@contextmanager
def _warnings_printed() -> Iterator[None]:
    """Print a warning about classes at once, as a line of this command."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DifferentClassesWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **how: Any) -> None:
            if category is DifferentClassesWarning:
                print(f"warning: {message}", file=sys.stderr, flush=True)
            else:
                others(message, category, *where, **how)

        warnings.showwarning = show
        yield


def _training_images(options: argparse.Namespace, size: tuple[int, int]) -> xr.Dataset | None:
    """Draw the training images for the statistics or means of a lesion; None for an acute lesion.

    An acute lesion needs none, and simulate refuses them.
    """
    import cortexsim as cs

    if options.lesion == "acute" and options.calibrate_on is None:
        return None
    n = whole(500 if options.calibrate_on is None else options.calibrate_on, "calibrate-on", 1)
    images = cs.datasets.get(options.data, n, part="train", seed=options.seed, size=size)
    return cs.datasets.sample(images, n, seed=options.seed)


@_warnings_printed()
def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs

    device = choose_device(options.device, options.threads)
    silence = once(map(read_silence, options.silence), "silenced", "V2->V1:3-20")
    gain = once(map(read_amount, options.gain), "given a gain", "V2->V1:0.5:3-20")
    jitter = once(map(read_amount, options.transition_noise), "given noise", "V2->V1:0.5:3-20")
    model = cs.zoo.get(options.model, weights=options.weights)
    size = model.image_size
    data = cs.datasets.get(options.data, options.n, part="test", seed=options.seed, size=size)
    if options.first is not None:
        # a folder lists one class after the other
        data = cs.datasets.sample(data, whole(options.first, "first", 1), seed=options.seed)
    calibrate_on = _training_images(options, size)
    record = read_record(options.record) if options.record is not None else None
    n = data.sizes["stimulus"]
    n_rows = n * max(1, options.repeats)
    needed = cs.estimate(model, n_rows, until=options.until, record=record, dtype=options.dtype)
    shown = read_presentation(options.presentation)
    statistics = options.statistics and read_presentation(options.statistics)
    takes = ""
    # an estimate runs two stimuli
    if n > 1:
        some = {"record": record, "statistics": statistics, "seed": options.seed, "device": device}
        seconds = cs.estimate_seconds(model, data, shown, until=options.until, n=n_rows, **some)
        takes = f" and about {seconds:,.0f} s"
    print(f"{n} stimuli; the recording takes {needed / 1e9:.2f} GB of memory{takes}", flush=True)
    with printed_when_stopped(lambda: CONTINUES if options.to.exists() else "stopped; nothing was written"):
        recording = cs.simulate(
            model,
            data,
            shown,
            until=options.until,
            record=record,
            statistics=statistics,
            silence=silence,
            lesion=options.lesion,
            calibrate_on=calibrate_on,
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
    print(printable(cs.summary(recording)))
    print(f"saved {printable(options.to)}; open it with cortexsim.open_recording({str(options.to)!r})")
