"""`cortexsim rerun`: make the recording that a panel's settings describe."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cortexsim._support.console import printable
from cortexsim._support.percentages import percent
from cortexsim.cli.arguments import path


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command and its options."""
    parser = command(
        "rerun",
        run,
        "make the recording that a panel's settings describe, without a browser",
        "For example:\n  cortexsim rerun settings.json --to again.zarr\n  cortexsim rerun masking.json --to again.nc",
    )
    parser.add_argument("settings", type=path, metavar="FILE", help="a panel's settings, as JSON")
    parser.add_argument(
        "--to",
        type=path,
        metavar="PATH",
        help="write the recording: a .zarr folder or a .nc file that does not exist yet; the figures of a panel that "
        "measures are written next to it, as PATH-NAME.html",
    )


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    import cortexsim as cs
    from cortexsim._support.settings import read_settings
    from cortexsim.recording._rerun import rerun

    settings = read_settings(options.settings)
    if isinstance(settings, dict) and settings.get("panel") == "Tour":
        # the file of a tour also contains the answers
        settings = settings.get("shows")
    if isinstance(settings, dict) and "panel" in settings:
        _measure_again(settings, options.to)
        return
    recording = rerun(settings, options.to)
    print(printable(cs.summary(recording)))
    print(*readout_over_time(recording), sep="\n")
    if options.to is not None:
        print(f"saved {printable(options.to)}; open it with cortexsim.open_recording({str(options.to)!r})")


def _measure_again(settings: dict[str, Any], to: Path | None) -> None:
    """Measure what a panel measured, and write result and figures."""
    import xarray as xr

    from cortexsim._support.files import refuse_existing, written_aside
    from cortexsim._support.netcdf import save_dataset
    from cortexsim.explore.panel.reopening import SHOWS, reopen
    from cortexsim.recording.io import save_recording

    if settings["panel"] in SHOWS:
        raise ValueError(
            f"a panel {settings['panel']} has no measurement to repeat; open it: cortexsim.explore.reopen(path)"
        )
    if to is not None:
        refuse_existing(to)
    panel: Any = reopen(settings)
    result = panel.compute()
    print(printable(panel.say(result) or result))
    if to is None:
        return
    if isinstance(result, xr.DataTree):
        save_recording(result, to)
    elif to.suffix == ".nc":
        save_dataset(result, to)
    else:
        raise ValueError(f"the result of this panel is a table: --to must end in .nc, got {str(to)!r}")
    print(f"saved {printable(to)}")
    for name, figure in panel.figures.items():
        page = to.with_name(f"{to.stem}-{name}.html")
        with written_aside(page, replacing=True) as aside:
            # includes plotly.js, so the page makes no request
            figure.write_html(aside, include_plotlyjs=True)
        print(f"saved {printable(page)}")


def readout_over_time(recording: Any) -> Iterator[str]:
    """Describe the readout of the first stimulus: its class at each time, and the probability of that class."""
    import numpy as np

    from cortexsim.analyse.probabilities import softmax
    from cortexsim.recording.description import settings

    readout = recording["readout"].isel(stimulus=0)
    names = settings(recording)["classes"] or [str(k) for k in readout["class"].values]
    label = f"; the label is {_named(readout['label'].item(), names)}" if "label" in readout.coords else ""
    yield f"readout over time (probability of the most probable class){label}:"
    for probability in softmax(readout["logits"]).transpose("time", "class"):
        time, values = int(probability["time"]), probability.values
        if np.isnan(values).all():
            yield f"{f't={time}':>6}  empty"
            continue
        best = int(values.argmax())
        yield f"{f't={time}':>6}  {names[best]}  {percent(values[best], 1)}"


def _named(label: Any, names: list[str]) -> str:
    """Name a label: a class that the model does not have is recorded by its name."""
    return label if isinstance(label, str) else names[int(label)]
