"""Reruns: recording one stimulus again from a small dictionary of settings, as panels save it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import xarray as xr

from cortexsim import zoo
from cortexsim._support.hashing import checksum
from cortexsim._support.settings import (
    Form,
    anything,
    mapping,
    mapping_or_none,
    name_or_path,
    number,
    text_or_none,
    whole_number,
)
from cortexsim.datasets.registry import draw
from cortexsim.model.cortex import Cortex
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.masks import MASKS
from cortexsim.stimuli.text import one_image_from_dict

MOST_DRAWN = 10_000  # drawing a stimulus also draws all earlier ones
LONGEST = 1_000  # longer than any statistics, whose end is checked only after the run is planned
MOST_REPEATS = 100_000
STRONGEST_NOISE = 1_000_000  # low enough that float32 does not overflow

FORM = Form(
    {
        "model": name_or_path,
        "data": mapping_or_none,
        "stimulus": whole_number(0),
        "presentation": mapping,
        "until": whole_number(1, LONGEST),
    },
    {
        "model_checksum": text_or_none,
        "image_checksum": text_or_none,
        "quantity": anything,
        "seed": whole_number(0),
        "noise": number(0, STRONGEST_NOISE, unit="standard deviations"),
        "repeats": whole_number(1, MOST_REPEATS),
    },
)


def rerun(
    settings: Mapping[str, Any],
    to: str | Path | None = None,
    *,
    model: Cortex | None = None,
    images: xr.Dataset | torch.Tensor | None = None,
) -> xr.DataTree:
    """Show one stimulus to a model again, as a panel did: the same code gives the same numbers.

    Parameters
    ----------
    settings : mapping
        The `settings` of a panel, as JSON values.

        - `schema`: 1, the version of this form;
        - `model`: the name of a pretrained model, a path ending in .safetensors, or None for one given as `model=`;
        - `data`: `name` ("contours" or "digits") and keyword arguments of that dataset, or None for `images=`;
        - `stimulus`: its index in the data; below 10,000 if the data are generated;
        - `presentation`: `kind` ("flash", "sustained" or "masked") and the arguments of that kind;
        - `until`: last time, at most 1,000;
        - `quantity` (default "rate"), `seed` and `noise` (0), `repeats` (1): as for `simulate`;
        - `model_checksum`, `image_checksum`: refuse a different model or different pixels; not checked if absent
          or None;
        - `version`: the version of cortexsim that wrote the settings; for information.
    to : path, optional
        Write the recording there (.zarr or .nc) and return it opened lazily.
    model : Cortex, optional
        Replaces the model in the settings.
    images : Dataset or Tensor, optional
        Replaces the data in the settings.

    Returns
    -------
    DataTree
        As `simulate` returns it. It has one stimulus, and with a mask of kind "image" or "texture" a second one,
        the source of the mask.

    Raises
    ------
    TypeError, ValueError
        If the settings are not as above, or the model or image differs from the original; the message says what is
        allowed.
    FileNotFoundError
        If the model is a path that does not exist.
    MissingStatisticsError
        If the model has no statistics for the presentation.
    """
    checked = check(settings)
    presentation = one_image_from_dict(checked["presentation"])
    model = _model(checked) if model is None else model
    shown = stimuli(checked, images)
    verify(checked, model, shown)
    return simulate(
        model,
        shown,
        presentation,
        until=checked["until"],
        quantity=checked.get("quantity", "rate"),
        seed=checked.get("seed", 0),
        noise=checked.get("noise", 0.0),
        repeats=checked.get("repeats", 1),
        to=to,
    )


def check(settings: Any) -> dict[str, Any]:
    """Check that the keys of settings are complete and known, and return the settings.

    Raises
    ------
    TypeError
        If they are not a mapping, or a value has a different type.
    ValueError
        If a key is missing or unknown, a number is not allowed, or the schema differs.
    """
    return FORM.read(settings)


def verify(settings: Mapping[str, Any], model: Cortex, shown: xr.Dataset | torch.Tensor) -> None:
    """Refuse a model or an image that differs from the settings.

    Parameters
    ----------
    settings : mapping
        As for `rerun`.
    model : Cortex
    shown : Dataset or Tensor
        As `stimuli` returns it.

    Raises
    ------
    ValueError
        If a checksum differs.
    """
    for what, key, check_sum in (
        ("model", "model_checksum", model.checksum),
        ("image", "image_checksum", lambda: checksum(as_images(shown)[:1])),
    ):
        if settings.get(key) is None:
            continue
        found = check_sum()
        if settings[key] != found:
            raise ValueError(
                f"the {what} differs from these settings: its checksum is {found}, that of the settings is "
                f"{settings[key]!r}; give the original, or leave {key} out to use this one"
            )


def stimuli(settings: Mapping[str, Any], images: xr.Dataset | torch.Tensor | None = None) -> xr.Dataset | torch.Tensor:
    """Return the images to show: the stimulus, and a second one if it is the source of the mask.

    Parameters
    ----------
    settings : mapping
        As for `rerun`.
    images : Dataset or Tensor, optional
        The data, if they are already loaded.

    Raises
    ------
    ValueError
        If the data are unknown, or the stimulus does not exist.
    """
    wanted = indices(settings)
    if images is None:
        if max(wanted) >= MOST_DRAWN:
            raise ValueError(
                f"there is no stimulus {max(wanted)}: at most {MOST_DRAWN:,} are drawn, allowed is 0 to "
                f"{MOST_DRAWN - 1}"
            )
        images = draw(settings["data"], max(wanted) + 1)
    n = len(as_images(images))
    if max(wanted) >= n:
        raise ValueError(f"there is no stimulus {max(wanted)}: there are {n}, allowed is 0 to {n - 1}")
    return images.isel(stimulus=wanted) if isinstance(images, xr.Dataset) else images[wanted]


def indices(settings: Mapping[str, Any]) -> list[int]:
    """Return the index of the stimulus, and that of the source of its mask if it is another stimulus."""
    index = int(settings["stimulus"])
    mask = settings["presentation"].get("mask")
    if isinstance(mask, str) and mask in MASKS and MASKS[mask].from_others:
        # the previous stimulus, which is the same in a larger set of the same data
        return [index, index - 1 if index else 1]
    return [index]


def _model(settings: Mapping[str, Any]) -> Cortex:
    name = settings["model"]
    if name is None:
        raise ValueError("these settings were saved from a model object; pass the same model again: model=...")
    return zoo.get(name)
