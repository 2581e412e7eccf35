"""Checks of every point of a study before the first one runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import xarray as xr

from cortexsim import zoo
from cortexsim.datasets.image_folder import contents
from cortexsim.datasets.labels import labelled
from cortexsim.model.classes import matched
from cortexsim.model.cortex import Cortex
from cortexsim.model.lesions import with_lesion
from cortexsim.model.moments import MissingStatisticsError
from cortexsim.model.plan import plan_run, resolve
from cortexsim.recording.selection import selections
from cortexsim.stimuli.text import read_presentation, read_record
from cortexsim.sweeps.point import WITHOUT_STATISTICS, stimuli
from cortexsim.sweeps.study import NOTHING, Study, folder_of, silenced

# of a point: its model, its presentation, its silence
Place = tuple[str, str, str]


def impossible(study: Study) -> dict[Place, str]:
    """Find the points that cannot run, from their settings alone.

    Parameters
    ----------
    study : Study

    Returns
    -------
    dict of (str, str, str) to str
        By model, presentation and silence, why these points cannot run. Others of the same silence or presentation
        can, as where one of several models lacks a connection.

    Raises
    ------
    ValueError
        If no point with one of the models, presentations or silences can run.
    """
    intact: dict[tuple[str, str], str] = {}
    errors: dict[Place, str] = {}
    for name in study.models:
        model = zoo.get(name)
        _refuse_unreadable(name, model, study)
        for shown in study.presentations:
            intact[name, shown] = _unplanned(model, study, shown, NOTHING)
            for silence in study.silence:
                errors[name, shown, silence] = intact[name, shown] or _unplanned(model, study, shown, silence)
    for shown in study.presentations:
        _refuse_all(shown, "presentation", [intact[name, shown] for name in study.models])
    for silence in study.silence:
        _refuse_all(silence, "silence", [error for place, error in errors.items() if place[2] == silence])
    for name in study.models:
        _refuse_all(name, "model", [error for place, error in errors.items() if place[0] == name])
    return {place: error for place, error in errors.items() if error}


def _refuse_all(value: str, what: str, errors: list[str]) -> None:
    if all(errors):
        raise ValueError(f"no point with the {what} {value!r} can run: {errors[0]}")


def _refuse_unreadable(name: str, model: Cortex, study: Study) -> None:
    """Refuse a model that cannot be shown the study's images, read out or recorded."""
    try:
        if len(model.readout_shape) > 1:
            raise ValueError("its readout is a map, and a study measures the accuracy of classes")
        selections(model.graph, read_record(study.record))
        matched(model, _images(model, study))
    except (ValueError, TypeError) as error:
        _refuse_all(name, "model", [str(error)])


def _images(model: Cortex, study: Study) -> xr.Dataset:
    """Draw two images of the study; of a folder, one blank image for each class, without reading it."""
    folder = folder_of(study.data)
    if folder is None:
        assert not isinstance(study.data, Path)
        return stimuli(study.data, 2, 0, "test", model.image_size)
    classes, n_test = contents(folder, "test")
    asked = {"test": (n_test, study.n)}
    if study.calibrate_on and model.needs_statistics:
        asked["train"] = (contents(folder, "train")[1], study.calibrate_on)
    for part, (n, wanted) in asked.items():
        if n < wanted:
            raise ValueError(f"{folder} has {n} {part} images, but the study asks for {wanted}")
    blank = np.zeros((len(classes), 3, *model.image_size), np.uint8)
    return labelled(blank, {"label": np.arange(len(classes))}, classes=classes, attrs={"name": folder.name})


def _unplanned(model: Cortex, study: Study, shown: str, silence: str) -> str:
    """Return why a model cannot be run with a presentation and a silence; "" if it can."""
    until, last = study.until, model.graph.last
    try:
        images, presentation = resolve(model, torch.zeros(2, 3, *model.image_size), read_presentation(shown))
        run = plan_run(
            model,
            images,
            presentation,
            until=until,
            record={name: range(until + 1) for name in [*selections(model.graph, read_record(study.record)), last]},
            silence=silenced(silence) or None,
            refuse_no_effect=True,
        )
        if not study.calibrate_on:
            with_lesion(run, "acute", None, None, noisy=False)
    except MissingStatisticsError as error:
        return f"{error}; {WITHOUT_STATISTICS}"
    except (ValueError, TypeError) as error:
        return str(error)
    if silence == NOTHING and not any(last in states for front in run.fronts for states in front):
        return f"nothing reaches {last} until t = {until}, so there is nothing to read out: until must be later"
    return ""
