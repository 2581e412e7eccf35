"""One point of a study, as a worker computes it; only its small result is sent over the network."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from cortexsim import __version__, datasets, zoo
from cortexsim.analyse._accuracy import accuracy
from cortexsim.model._calibrate import calibrate
from cortexsim.model.classes import matched
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.text import read_presentation, read_record
from cortexsim.sweeps.study import Point, folder_of, silenced

# a worker with several threads computes one point at a time: torch uses threads itself
_ONE = threading.Lock()
WITHOUT_STATISTICS = "in a study, calibrate_on = 500 takes them on training images"


class PointFailedError(RuntimeError):
    """A point failed; the message is for the user.

    Exceptions of other libraries may not survive pickling on the way from a worker.
    """


def measure(point: Point, base: Path, recording: Path | None = None) -> xr.Dataset:
    """Simulate a point and measure its accuracy.

    Parameters
    ----------
    point : Point
    base : path
        The folder that relative paths of the study refer to.
    recording : path, optional
        Path of its recording, a .zarr; the recording of a killed worker is resumed.

    Returns
    -------
    Dataset
        `accuracy` (time) with `low` and `high`.

    Raises
    ------
    PointFailedError
        If anything goes wrong; the message says what.
    """
    try:
        with _ONE:
            return _measured(point, base, recording)
    except MissingStatisticsError as error:
        raise PointFailedError(f"{error}; {WITHOUT_STATISTICS}") from None
    except Exception as error:
        # the text of a KeyError is the repr of its message
        text = " ".join(str(error.args[0] if isinstance(error, KeyError) and error.args else error).split())
        raise PointFailedError(text or type(error).__name__) from None


def _measured(point: Point, base: Path, path: Path | None) -> xr.Dataset:
    chosen, settings = point.chosen, point.settings
    if settings["version"] != __version__:
        raise RuntimeError(f"the worker runs cortexsim {__version__}, but the study is of {settings['version']}")
    model = zoo.get(chosen["model"], base=base)
    presentation = read_presentation(chosen["presentation"])
    size, seed = model.image_size, chosen["seed"]
    data = settings["data"]
    if folder_of(data, base):
        data = str(folder_of(data, base))
    statistics = None
    if settings["calibrate_on"] and model.needs_statistics:
        training = stimuli(data, settings["calibrate_on"], seed, "train", size)
        statistics = calibrate(model, training, presentation, until=settings["until"], seed=seed, keep=False)
    images = matched(model, stimuli(data, settings["n"], seed, "test", size))
    recording = simulate(
        model,
        images,
        presentation,
        until=settings["until"],
        record=read_record(settings["record"]) if path else [],
        statistics=statistics,
        silence=silenced(chosen["silence"]) or None,
        noise=chosen["noise"],
        dtype=settings["dtype"] if path else "float32",
        seed=seed,
        batch_size=settings["batch_size"] or None,
        to=path,
        resume=path is not None,
    )
    with recording:
        return accuracy(recording["readout"]).to_dataset(name="accuracy")


def stimuli(data: str | Mapping[str, object], n: int, seed: int, part: str, size: tuple[int, int]) -> xr.Dataset:
    """Draw or read the images of a point, or those on which its statistics are taken.

    Parameters
    ----------
    data : str or mapping
        As in a study.
    n, seed : int
    part : "train" or "test"
    size : (int, int)
        Height and width of the model's images.

    Returns
    -------
    Dataset
    """
    if isinstance(data, str) and folder_of(data):
        images = datasets.get(Path(data), n, part=part, size=size)
        if n > images.sizes["stimulus"]:
            raise ValueError(f"{data} has {images.sizes['stimulus']} {part} images, but the study asks for {n}")
        # a folder lists one class after the other
        return datasets.sample(images, n, seed=seed)
    named = {"name": data} if isinstance(data, str) else dict(data)
    if part == "test":
        part = str(named.get("part", "test"))
    return datasets.get({**named, "part": part, "seed": seed}, n, size=size)
