"""Make a recording of one stimulus again from a small dictionary of settings, as the panels hand it out."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import torch
import xarray as xr

from cortexsim import __version__, datasets, zoo
from cortexsim.checkpoint import load as load_file
from cortexsim.images import as_images, checksum
from cortexsim.masks import GivenMask
from cortexsim.model import Cortex
from cortexsim.presentation import Presentation, flash, masked, sustained
from cortexsim.simulate import simulate
from cortexsim.suggest import unknown

SCHEMA = 1
REQUIRED = ("schema", "model", "data", "stimulus", "presentation", "until")
OPTIONAL = ("version", "model_checksum", "image_checksum", "quantity", "seed", "noise", "repeats")
DATA: dict[str, Callable[..., xr.Dataset]] = {"contours": datasets.contours, "digits": datasets.digits}
SHOW: dict[str, Callable[..., Presentation]] = {"flash": flash, "masked": masked, "sustained": sustained}


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
        - `stimulus`: its index in the data;
        - `presentation`: `kind` ("flash", "sustained" or "masked") and that one's arguments;
        - `until`: last time;
        - `quantity` ("rate" if not given), `seed` and `noise` (0), `repeats` (1): as for `simulate`;
        - `model_checksum`, `image_checksum`: refuse another model, or other pixels, than those; not checked if absent;
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
        If they are no mapping, or a value is of another type.
    ValueError
        If a key is missing or unknown, or they are of another schema.
    """
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings must be a mapping, such as panel.settings, got {type(settings).__name__}")
    missing = [key for key in REQUIRED if key not in settings]
    if missing:
        raise ValueError(f"the settings lack {missing}: needed are {list(REQUIRED)}, possible {list(OPTIONAL)}")
    for key in settings:
        if key not in REQUIRED + OPTIONAL:
            raise ValueError(unknown("setting", key, REQUIRED + OPTIONAL))
    if settings["schema"] != SCHEMA:
        raise ValueError(
            f"the settings are of schema {settings['schema']!r} (written by cortexsim "
            f"{settings.get('version', 'unknown')}), but cortexsim {__version__} reads schema {SCHEMA}"
        )
    for key, kinds in (("model", str | None), ("data", Mapping | None), ("presentation", Mapping)):
        if not isinstance(settings[key], kinds):
            allowed = {"model": "a name or a path", "data": "a mapping", "presentation": "a mapping"}[key]
            raise TypeError(f"{key} must be {allowed}, got {settings[key]!r}")
    for key, lowest in (("stimulus", 0), ("until", 1), ("seed", 0)):
        value = settings.get(key, lowest)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < lowest:
            raise ValueError(f"{key} must be a whole number, at least {lowest}, got {value!r}")
    return dict(settings)


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
    ValueError
        If the kind or an argument is unknown, or a number is not allowed.
    """
    arguments = dict(described)
    kind = arguments.pop("kind", None)
    if kind not in SHOW:
        raise ValueError(unknown("kind of presentation", kind, SHOW))
    if isinstance(arguments.get("mask"), Mapping):
        arguments["mask"] = GivenMask(tuple(arguments["mask"]["shape"]), arguments["mask"]["data"])
    _check_arguments(f"argument of {kind}()", arguments, SHOW[kind])
    return SHOW[kind](**arguments)


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
        If there are no such data, or an argument of theirs is unknown or not allowed.
    """
    if data is None:
        raise ValueError("these settings belong to images that were given, and name none: give them as images=...")
    arguments = dict(data)
    name = arguments.pop("name", None)
    if name not in DATA:
        raise ValueError(unknown("data", name, DATA))
    _check_arguments(f"argument of {name}()", arguments, DATA[name], besides=("n", "device"))
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
