"""The command line: `cortexsim lab | train | test | simulate | models`."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cortexsim import __version__
from cortexsim.suggest import unknown

MADE = ("digits", "contours", "cifar10")
DATA_HELP = (
    "digits (in debris, made on the spot), contours (made on the spot), cifar10 (downloaded when absent), or a folder "
    "of images with one subfolder a class, and train/ and test/ above them if there are both"
)
SHOW_HELP = (
    "flash, flash:STEPS, sustained, masked:DURATION:SOA[:MASK[:MASK_DURATION]] (MASK: noise, phase-scrambled, "
    "pixel-shuffled, image, target); join several with + for a mixture; default: %(default)s"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; errors are told in one sentence.

    Returns
    -------
    int
        0 when all went well, 1 after an error, 130 when stopped by Ctrl-C.
    """
    options, further = _parser().parse_known_args(arguments)
    if further and options.command != "lab":
        _parser().error(f"unknown argument {further[0]!r} (see cortexsim {options.command} --help)")
    options.further = further
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if options.debug:
            raise
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"cortexsim {options.command}: {' '.join(str(text).split())}", file=sys.stderr)
        if not isinstance(error, (ValueError, TypeError, OSError, MemoryError, KeyError, RuntimeError)):
            print(f"(a {type(error).__name__}, which is unexpected; --debug shows where)", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cortexsim",
        description="See a recurrent model of visual cortex think.",
        epilog="Begin with: cortexsim lab",
    )
    parser.add_argument("--version", action="version", version=f"cortexsim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Any], int | None], about: str, epilog: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=about,
            description=about,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.add_argument("--debug", action="store_true", help="show the traceback of an error")
        added.set_defaults(run=run)
        return added

    lab = command(
        "lab",
        _lab,
        "open JupyterLab on the notebooks",
        "Further arguments go to jupyter lab, for example:\n  cortexsim lab --no-browser --port 9999",
    )
    lab.add_argument(
        "--notebooks", type=Path, metavar="FOLDER", help="work on copies in this folder; yours are never overwritten"
    )

    train = command(
        "train",
        _train,
        "train a model and save it; Ctrl-C stops, the same command with --resume goes on",
        "For example:\n"
        "  cortexsim train digits --to digits.safetensors --epochs 3\n"
        "  cortexsim train ~/cifar10 --features 16,32,64 --to cifar.safetensors",
    )
    train.add_argument("data", help=DATA_HELP)
    train.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="where the model goes: a .safetensors file"
    )
    train.add_argument("--model", metavar="NAME", help="a model of the paper (see cortexsim models), not those below")
    train.add_argument(
        "--graph", choices=["adjacent", "fully-recurrent"], default="adjacent", help="default: %(default)s"
    )
    train.add_argument(
        "--features", default="16,32,64", help="channels of each state, the sides halve; default: %(default)s"
    )
    train.add_argument("--size", type=int, default=32, help="side of the images in pixels; default: %(default)s")
    train.add_argument(
        "--shortcut", type=float, default=1.0, help="weight of the identity, 0 to 1; default: %(default)s"
    )
    train.add_argument("--no-lateral", action="store_true", help="leave out self-transitions")
    train.add_argument("--no-feedback", action="store_true", help="leave out backward transitions")
    train.add_argument("--readout-time", type=int, default=5, help="default: %(default)s")
    train.add_argument("--pre-net", choices=["conv", "deep"], default="conv", help="default: %(default)s")
    train.add_argument(
        "--input-gain", type=float, default=1.0, help="factor on the pre-net's output; default: %(default)s"
    )
    train.add_argument("--sharing", choices=["time", "none", "all"], default="time", help="default: %(default)s")
    train.add_argument(
        "--normalization",
        choices=["time-specific", "shared", "none"],
        default="time-specific",
        help="default: %(default)s",
    )
    train.add_argument("--recipe", choices=["quick", "paper"], default="quick", help="default: %(default)s")
    train.add_argument("--presentation", default="flash", metavar="SHOW", help=SHOW_HELP)
    for name, kind in (("epochs", int), ("batch-size", int), ("learning-rate", float), ("weight-decay", float)):
        train.add_argument(f"--{name}", type=kind, help="default: the recipe's")
    train.add_argument(
        "--augmentation", choices=["none", "crop", "flip", "crop-flip"], help="default: what suits the data"
    )
    train.add_argument("--loss-at", choices=["readout", "all"], help="default: the recipe's")
    train.add_argument(
        "--validation", type=float, metavar="FRACTION", help="held out of each class, 0 is none; default: the recipe's"
    )
    train.add_argument("--n", type=int, default=20_000, help="digits or contours to make; default: %(default)s")
    train.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    train.add_argument("--resume", action="store_true", help="go on with a training that was stopped")
    train.add_argument(
        "--overwrite", action="store_true", help="replace the model that is there, once the new one is whole"
    )
    _machine(train)

    test = command(
        "test",
        _test,
        "read a model out at every time, on the test images",
        "For example:\n  cortexsim test cifar.safetensors ~/cifar10",
    )
    test.add_argument("model", help="a .safetensors file, or a pretrained model by name")
    test.add_argument("data", help=DATA_HELP)
    test.add_argument("--presentation", default=None, metavar="SHOW", help="as in train; default: as it was calibrated")
    test.add_argument("--n", type=int, default=2_000, help="digits or contours to make; default: %(default)s")
    test.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    _machine(test)

    simulate = command(
        "simulate",
        _simulate,
        "show images to a model and keep what its states do, on disk",
        "For example:\n  cortexsim simulate cifar.safetensors ~/cifar10 --until 10 --to masked.zarr "
        "--presentation masked:1:2 --first 100",
    )
    simulate.add_argument("model", help="a .safetensors file, or a pretrained model by name")
    simulate.add_argument("data", help=DATA_HELP + "; the test part where there is one")
    simulate.add_argument("--until", type=int, required=True, help="last time")
    simulate.add_argument("--to", type=Path, required=True, metavar="PATH", help="a .zarr folder or a .nc file")
    simulate.add_argument("--presentation", default="flash", metavar="SHOW", help=SHOW_HELP)
    simulate.add_argument("--statistics", metavar="SHOW", help="reuse the statistics of this presentation, on purpose")
    simulate.add_argument("--record", metavar="STATES", help="e.g. V1,IT; default: all")
    simulate.add_argument("--silence", action="append", default=[], metavar="'V2->V1:3-20'", help="close it then")
    simulate.add_argument("--quantity", choices=["state", "rate"], default="state", help="default: %(default)s")
    simulate.add_argument(
        "--dtype", choices=["float16", "float32", "float64"], default="float32", help="default: %(default)s"
    )
    simulate.add_argument("--first", type=int, metavar="N", help="only the first N images, after shuffling by the seed")
    simulate.add_argument("--n", type=int, default=200, help="digits or contours to make; default: %(default)s")
    simulate.add_argument("--batch-size", type=int, help="stimuli at once; default: up to 128")
    simulate.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    simulate.add_argument("--deterministic", action="store_true", help="the same numbers each time, on a GPU too")
    simulate.add_argument("--resume", action="store_true", help="take what is there, if it is this very recording")
    _machine(simulate)

    models = command(
        "models",
        _models,
        "list the models; with a name, describe one and draw its transition matrix",
        "For example:\n  cortexsim models adjacent-4-state",
    )
    models.add_argument("name", nargs="?", help="a model of the paper, a pretrained one, or a .safetensors file")
    return parser


def _machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", help="cpu, cuda, ...; default: a GPU if there is one")
    parser.add_argument("--threads", type=int, help="CPU threads; two on busy cores can be slower than one")


def _lab(options: argparse.Namespace) -> int:
    from cortexsim.lab import lab

    return lab(options.further, options.notebooks)


def _train(options: argparse.Namespace) -> None:
    import torch

    import cortexsim as cs
    from cortexsim.checkpoint import checked_suffix
    from cortexsim.files import refuse_existing

    device = _device(options)
    state = options.to.with_suffix(".training.safetensors")
    checked_suffix(options.to)
    if not (options.overwrite and options.to.is_file()):
        refuse_existing(options.to)
    if state.exists() and not options.resume:
        raise FileExistsError(f"a training was stopped here: --resume goes on with it, or remove {state}")
    if options.resume and not state.exists():
        print(f"there is no {state} to go on with: starting anew", file=sys.stderr)
    torch.manual_seed(options.seed)
    size = (options.size, options.size)
    data = _data(options, "train", size)
    n_classes = len(cs.datasets.classes(data))
    if options.model:
        model = cs.zoo.build(options.model, n_classes)
    else:
        names = ("V1", "V2", "V4", "IT")
        if not all(n.strip().isdigit() for n in options.features.split(",")):
            raise ValueError(f"features must be channels, such as 16,32,64, got {options.features!r}")
        features = [int(n) for n in options.features.split(",")]
        areas = names if len(features) == 4 else tuple(f"h{k + 1}" for k in range(len(features)))
        build = cs.adjacent if options.graph == "adjacent" else cs.fully_recurrent
        graph = build(
            dict(zip(areas, features, strict=True)),
            size=options.size,
            shortcut=options.shortcut,
            lateral=not options.no_lateral,
            feedback=not options.no_feedback,
        )
        model = cs.Cortex(
            graph,
            n_classes=n_classes,
            readout_time=options.readout_time,
            pre_net=options.pre_net,
            input_gain=options.input_gain,
            sharing=options.sharing,
            normalization=options.normalization,
        )
    recipe = _recipe(options)
    model.to(device)
    print(f"{model}\n{len(data['label'])} images of {n_classes} classes from {data.attrs['name']}, on {device}")
    print(f"shown: {recipe.presentation}", flush=True)
    with _stop_on_request() as stopping:
        for record in cs.train(model, data, recipe, checkpoint=state):
            if record.validation or not sys.stdout.isatty():
                print(f"\r{record}", flush=True)
            else:
                print(f"\r{record}\033[K", end="", flush=True)
            if stopping() and not record.done:
                print(f"\nstopped; the same command with --resume goes on from step {record.step}", file=sys.stderr)
                raise KeyboardInterrupt
    model.to("cpu")
    cs.save(model, options.to, overwrite=options.overwrite)
    state.unlink(missing_ok=True)
    print(f"saved {options.to}")


def _recipe(options: argparse.Namespace) -> Any:
    import cortexsim as cs

    changes: dict[str, Any] = {"presentation": read_presentation(options.presentation), "seed": options.seed}
    for name in ("epochs", "batch_size", "learning_rate", "weight_decay", "augmentation", "loss_at", "validation"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    if options.recipe == "quick" and options.augmentation is None:
        # a mirrored digit is no digit, and a curve moved out of the image no curve; photographs bear both
        changes["augmentation"] = {"digits": "none", "contours": "flip"}.get(options.data, "crop-flip")
    return (cs.Recipe.quick if options.recipe == "quick" else cs.Recipe.paper)(**changes)


def _test(options: argparse.Namespace) -> None:
    import torch

    import cortexsim as cs
    from cortexsim.images import as_images
    from cortexsim.train import accuracies

    model = _model(options.model).to(_device(options))
    data = _data(options, "test", model.graph.states[0].size)
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


def _simulate(options: argparse.Namespace) -> None:
    import torch

    import cortexsim as cs

    device = _device(options)
    silence = {}
    for name, times in map(read_silence, options.silence):
        if name in silence:
            raise ValueError(f"{name} is silenced twice; give it once, as in V2->V1:3-20")
        silence[name] = times
    model = _model(options.model)
    data = _data(options, "test", model.graph.states[0].size)
    if options.first is not None:
        if options.first < 1:
            raise ValueError(f"first must be at least 1, got {options.first}")
        generator = torch.Generator().manual_seed(options.seed)
        order = torch.randperm(data.sizes["stimulus"], generator=generator)[: options.first]
        data = data.isel(stimulus=sorted(order.tolist()))
    record = options.record.split(",") if options.record is not None else None
    n = data.sizes["stimulus"]
    needed = cs.estimate(model, n, until=options.until, record=record, dtype=options.dtype)
    print(f"{n} stimuli; the recording takes {needed / 1e9:.2f} GB of memory", flush=True)
    recording = cs.simulate(
        model,
        data,
        read_presentation(options.presentation),
        until=options.until,
        record=record,
        statistics=options.statistics and read_presentation(options.statistics),
        silence=silence,
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


def _models(options: argparse.Namespace) -> None:
    import cortexsim as cs

    if options.name is None:
        print("Models of the paper (untrained; 10 classes; how sure: S stated, R recalled, I inferred):")
        for name, paper in cs.zoo.PAPER.items():
            size = f"{paper.n_parameters:>10,} parameters, readout time {paper.readout_time:2}"
            print(f"  {name:34}{size} ({paper.confidence})  {paper.description}")
        print("Pretrained:")
        for name in cs.zoo.pretrained():
            print(f"  {name}")
        return
    model = cs.zoo.build(options.name) if options.name in cs.zoo.PAPER else _model(options.name)
    print(model)
    print(model.graph)
    print(cs.schedule(model.graph, model.readout_time, cs.flash(1)))
    for statistics in model.statistics.values():
        print(statistics)
    for key, value in model.about.items():
        print(f"{key}: {value}")


def _model(name: str) -> Any:
    import cortexsim as cs

    if name.endswith(".safetensors"):
        return cs.load(name)
    known = [*cs.zoo.pretrained(), *cs.zoo.PAPER]
    if name not in known:
        raise ValueError(unknown("model", name, known))
    return cs.zoo.load(name)


def _data(options: argparse.Namespace, part: str, size: tuple[int, int]) -> Any:
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


def _device(options: argparse.Namespace) -> Any:
    import torch

    from cortexsim.simulate import checked_device

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

    parts = []
    for part in text.split("+"):
        name, *values = part.split(":")
        numbers = [int(value) if value.isdigit() else value for value in values]
        most = {"flash": 1, "sustained": 0, "masked": 4, "sequence": 1}
        if name not in most or len(values) > most[name]:
            raise ValueError(
                f"cannot read the presentation {part!r}: allowed are flash, flash:STEPS, sustained, sequence, "
                "masked:DURATION:SOA[:MASK[:MASK_DURATION]], joined with +"
            )
        parts.append(getattr(presentation, name)(*numbers))
    return parts[0] if len(parts) == 1 else presentation.mixture(*parts)


def read_silence(text: str) -> tuple[str, Any]:
    """Read a silenced transition: "V2->V1", "V2->V1:3", or "V2->V1:3-20" (both ends included).

    Raises
    ------
    ValueError
        If it cannot be read.
    """
    name, _, times = text.partition(":")
    first, dash, last = times.partition("-")
    if times and not (first.isdigit() and (not dash or (last.isdigit() and int(last) >= int(first)))):
        raise ValueError(f"cannot read {text!r}: write V2->V1, V2->V1:3 or V2->V1:3-20")
    return name, range(int(first), int(last or first) + 1) if times else None


@contextmanager
def _stop_on_request() -> Iterator[Callable[[], bool]]:
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


if __name__ == "__main__":
    sys.exit(main())
