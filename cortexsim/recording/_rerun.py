"""Make a recording of one stimulus again from a small dictionary of settings, as the panels hand it out."""

from __future__ import annotations

import base64
import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

import torch
import xarray as xr

from cortexsim import datasets, zoo
from cortexsim._support.checks import unknown, whole
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
from cortexsim.model.checkpoint import load as load_file
from cortexsim.model.cortex import Cortex
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.masks import MASKS, GivenMask
from cortexsim.stimuli.presentation import Presentation, flash, masked, sustained

DATA: dict[str, Callable[..., xr.Dataset]] = {"contours": datasets.contours, "digits": datasets.digits}
SHOW: dict[str, Callable[..., Presentation]] = {"flash": flash, "masked": masked, "sustained": sustained}
MOST_DRAWN = 10_000  # a stimulus is drawn with all those before it
LONGEST = 1_000  # no model has statistics nearly as long, and their end is told only after the plan of a run is made
MOST_REPEATS = 100_000
STRONGEST_NOISE = 1_000_000  # float32 holds what comes of it

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
    """Show one stimulus to a model again, as a panel did: the same code, hence the same numbers.

    Parameters
    ----------
    settings : mapping
        As a panel's `settings`; JSON values.

        - `schema`: 1, the version of this form;
        - `model`: the name of a pretrained model, a path ending in .safetensors, or None for one given as `model=`;
        - `data`: `name` ("contours" or "digits") and keyword arguments of that dataset, or None for `images=`;
        - `stimulus`: its index in the data; below 10,000 where these are drawn;
        - `presentation`: `kind` ("flash", "sustained" or "masked") and that one's arguments;
        - `until`: last time, at most 1,000;
        - `quantity` ("rate" if not given), `seed` and `noise` (0), `repeats` (1): as for `simulate`;
        - `model_checksum`, `image_checksum`: refuse another model, or other pixels, than those; not checked if absent
          or None;
        - `version`: of the cortexsim that wrote it; for the reader.
    to : path, optional
        Write the recording there (.zarr or .nc) and return it opened lazily.
    model : Cortex, optional
        Instead of the one that the settings name.
    images : Dataset or Tensor, optional
        Instead of those that the settings name.

    Returns
    -------
    DataTree
        As `simulate` returns it. It holds one stimulus; with a mask of kind "image" or
        "texture" a second one, the mask's source.

    Raises
    ------
    TypeError, ValueError
        If the settings are not as above, or model or image are not the ones that were shown; the message says what is
        allowed.
    FileNotFoundError
        If the model is a path and there is nothing.
    MissingStatisticsError
        If the model has no statistics for the presentation.
    """
    checked = check(settings)
    presentation = presentation_from(checked["presentation"])
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
    """Return settings whose keys are all there and known, or say what is wrong.

    Raises
    ------
    TypeError
        If they are not a mapping, or a value is of another type.
    ValueError
        If a key is missing or unknown, a number is not allowed, or they are of another schema.
    """
    return FORM.read(settings)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def verify(settings: Mapping[str, Any], model: Cortex, shown: xr.Dataset | torch.Tensor) -> None:
    """Refuse another model, or another image, than the settings tell of.

    Parameters
    ----------
    settings : mapping
        As for `rerun`.
    model : Cortex
    shown : Dataset or Tensor
        As `stimuli` gives it.

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
                f"the {what} is not the one of these settings: its checksum is {found}, the settings say "
                f"{settings[key]!r}; give that one, or leave {key} out to use this one"
            )


def presentation_from(described: Mapping[str, Any]) -> Presentation:
    """Make the presentation that settings describe; what `Presentation.to_dict` gives, and nothing unknown.

    Raises
    ------
    TypeError
        If it is no mapping, or the mask neither text nor a mapping.
    ValueError
        If the kind is missing, it or an argument is unknown, a number is not allowed, or a mask of pixels is damaged.
    """
    if not isinstance(described, Mapping):
        raise TypeError(f"presentation must be a mapping, got {described!r}")
    arguments = dict(described)
    kind = _taken_out("kind", arguments, "presentation", "kind of presentation", SHOW)
    if isinstance(arguments.get("mask"), Mapping):
        arguments["mask"] = _given_mask(arguments["mask"])
    _check_arguments(f"argument of {kind}()", arguments, SHOW[kind])
    return SHOW[kind](**arguments)


def _taken_out(key: str, described: dict[str, Any], where: str, what: str, known: Mapping[str, Any]) -> str:
    if key not in described:
        raise ValueError(f"{where} lacks {key!r}: the allowed values are {list(known)}, got {described}")
    name = described.pop(key)
    if not isinstance(name, str) or name not in known:
        raise ValueError(unknown(what, name, known))
    return name


def _given_mask(described: Mapping[str, Any]) -> GivenMask:
    """Make a mask of the pixels that settings hold, as `Presentation.to_dict` writes them."""
    if set(described) != {"shape", "data"}:
        raise ValueError(
            f"mask must be one of {list(MASKS)}, or pixels as {{'shape': [3, height, width], 'data': float32 in "
            f"base64}}, got a mapping with the keys {list(described)}"
        )
    shape, data = described["shape"], described["data"]
    sides = list(shape) if isinstance(shape, list | tuple) else []
    if len(sides) != 3 or any(type(side) is not int or side < 1 for side in sides) or sides[0] != 3:
        raise ValueError(f"the shape of a mask must be [3, height, width], in pixels, got {shape!r}")
    wanted = 4 * math.prod(sides)
    try:
        found = len(base64.b64decode(data, validate=True))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the data of a mask of shape {sides} must be {wanted:,} bytes of float32 pixels in base64: {error}"
        ) from error
    if found != wanted:
        raise ValueError(
            f"the data of a mask of shape {sides} must be {wanted:,} bytes of float32 pixels, got {found:,}"
        )
    return GivenMask.of(GivenMask(tuple(sides), data).pixels())


def stimuli(settings: Mapping[str, Any], images: xr.Dataset | torch.Tensor | None = None) -> xr.Dataset | torch.Tensor:
    """Give what is shown: the stimulus, and after it another one if that is the mask.

    Parameters
    ----------
    settings : mapping
        As for `rerun`.
    images : Dataset or Tensor, optional
        The data, when they are there already.

    Raises
    ------
    ValueError
        If the data are unknown or have no such stimulus.
    """
    index = int(settings["stimulus"])
    wanted = [index]
    if settings["presentation"].get("mask") in ("image", "texture"):
        # the one before, so that a larger set of the same data has the same one
        wanted.append(index - 1 if index else 1)
    if images is None:
        if max(wanted) >= MOST_DRAWN:
            raise ValueError(
                f"there is no stimulus {max(wanted)}: at most {MOST_DRAWN:,} are drawn, allowed is 0 to "
                f"{MOST_DRAWN - 1}"
            )
        images = draw(settings["data"], max(wanted) + 1)
    n = len(as_images(images))
    if max(wanted) >= n:
        raise ValueError(f"there is no stimulus {max(wanted)}: the data hold {n}, allowed is 0 to {n - 1}")
    return images.isel(stimulus=wanted) if isinstance(images, xr.Dataset) else images[wanted]


def _model(settings: Mapping[str, Any]) -> Cortex:
    name = settings["model"]
    if name is None:
        raise ValueError("these settings belong to a model that was given, and name none: give it as model=...")
    return load_file(name) if Path(name).suffix == ".safetensors" else zoo.load(name)


def draw(data: Mapping[str, Any] | None, n: int) -> xr.Dataset:
    """Draw the first stimuli of the data that settings name.

    Raises
    ------
    ValueError
        If no data are named or there are no such, or an argument of theirs is unknown or not allowed.
    """
    if data is None:
        raise ValueError("these settings belong to images that were given, and name none: give them as images=...")
    arguments = dict(data)
    name = _taken_out("name", arguments, "data", "data", DATA)
    _check_arguments(f"argument of {name}()", arguments, DATA[name], besides=("n", "device"))
    seed = arguments.get("seed", 0)
    whole(seed, f"the seed of {name}()")
    for key, value in arguments.items():
        if isinstance(value, list | tuple) and not (len(value) == 2 and all(map(_is_number, value))):
            raise ValueError(f"{key} of {name}() is {value!r}: a list must be two numbers, [lowest, highest]")
    length = arguments.get("length")
    # what is empty would be taken for the default
    if length is not None and not isinstance(length, list | tuple):
        raise ValueError(f"length of {name}() is {length!r}: allowed are two numbers, [lowest, highest]")
    # JSON has no tuples
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    return DATA[name](n, **arguments)


def _check_arguments(
    what: str, arguments: Mapping[str, Any], function: Callable[..., Any], besides: tuple[str, ...] = ()
) -> None:
    allowed = [name for name in inspect.signature(function).parameters if name not in besides]
    for name in arguments:
        if name not in allowed:
            raise ValueError(unknown(what, name, allowed))
