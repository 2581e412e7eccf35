"""A model as one safetensors file: weights, statistics, and how to build it. Files hold no code."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim import __version__
from cortexsim._support.files import refuse_existing, written_aside
from cortexsim._support.resources import data_folder
from cortexsim.graph.cortex_graph import CortexGraph, given
from cortexsim.model.cortex import Cortex
from cortexsim.model.devices import checked_device
from cortexsim.model.moments import Place, Statistics
from cortexsim.stimuli.text import from_dict

FORMAT = 1
KEY = "cortexsim"


def save(model: Cortex, path: str | Path, *, overwrite: bool = False, about: Mapping[str, Any] | None = None) -> None:
    """Write a model as one safetensors file, whole or not at all.

    Callables in the graph and a Module as pre-net are saved by name; `load` wants them back.

    Parameters
    ----------
    model : Cortex
    path : str or Path
        Ends in .safetensors.
    overwrite : bool
        Whether a file that is there may be replaced; it stays whole until the new one is.
    about : mapping, optional
        Facts to keep with it (data, recipe, accuracies), JSON values; by default what was loaded with it.

    Raises
    ------
    ValueError
        If the path does not end in .safetensors.
    FileExistsError
        If there is a file and `overwrite` is False.
    OSError
        If it cannot be written; nothing is left behind.
    """
    path = checked_suffix(path)
    if not (overwrite and path.is_file()):
        refuse_existing(path)
    # copies: a module of the user's may tie tensors, and the format refuses shared memory
    whole = torch.contiguous_format
    tensors = {f"weights/{name}": value.clone(memory_format=whole) for name, value in model.state_dict().items()}
    sets = []
    for k, statistics in enumerate(model.statistics.values()):
        described, stacked = _pack(statistics, f"statistics/{k}")
        sets.append(described)
        tensors |= stacked
    described_model = {
        "graph": model.graph.to_dict(),
        "n_classes": model.n_classes,
        "classes": model.classes,
        "readout_time": model.readout_time,
        "pre_net": model.pre_net_name,
        "custom_pre_net": model.has_own_pre_net,
        "input_gain": model.input_gain,
        "sharing": model.sharing
        if isinstance(model.sharing, str)
        else [[*pair, key] for pair, key in model.sharing.items()],
        "normalization": model.normalization,
    }
    meta = {
        "format": FORMAT,
        "version": __version__,
        "model": described_model,
        "statistics": sets,
        "about": dict(model.about if about is None else about),
    }
    write_tensors(tensors, meta, path)


def load(
    path: str | Path, modules: Mapping[str, Callable[..., Any]] | None = None, *, device: str | torch.device = "cpu"
) -> Cortex:
    """Read a model from a safetensors file. No code from the file is run.

    Parameters
    ----------
    path : str or Path
    modules : mapping of str to callable, optional
        What the file names only: a callable kind `(source, target) -> Module`, an update `(state) -> Module`, a pre-net
        `() -> Module`, by the name under which it was saved.
    device : str
        Where to put it.

    Returns
    -------
    Cortex
        In evaluation mode, with its statistics.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is cut, damaged, foreign or of a newer format, or `modules` lacks something, or the device is not there;
        the message says which.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no model at {path}{_hint(path)}")
    tensors, meta = read_tensors(path)
    if "model" not in meta:
        raise ValueError(f"{path} holds no model; what it holds: {sorted(meta)}")
    described = meta["model"]
    where = checked_device(device)
    graph = CortexGraph.from_dict(described["graph"], modules)
    pre_net: str | nn.Module = described["pre_net"]
    if described["custom_pre_net"]:
        pre_net = given(modules, described["pre_net"], "pre-net")()
    sharing = described["sharing"]
    if not isinstance(sharing, str):
        sharing = {(name, time, which): key for name, time, which, key in sharing}
    model = Cortex(
        graph,
        n_classes=described["n_classes"],
        readout_time=described["readout_time"],
        pre_net=pre_net,
        input_gain=described["input_gain"],
        sharing=sharing,
        normalization=described["normalization"],
    )
    weights = {name.removeprefix("weights/"): t for name, t in tensors.items() if name.startswith("weights/")}
    model.to(next(iter(weights.values())).dtype)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"{path} does not fit the model that it describes: {error}") from error
    model.classes, model.about = described["classes"], meta["about"]
    for k, saved in enumerate(meta["statistics"]):
        statistics = _unpack(saved, tensors, f"statistics/{k}")
        model.statistics[statistics.presentation] = statistics
    return model.to(where).eval()


def _hint(path: str | Path) -> str:
    """Answer a name where a path is wanted."""
    names = sorted(file.stem for file in (data_folder() / "models").glob("*.safetensors"))
    near = difflib.get_close_matches(str(path).removesuffix(".safetensors"), names, n=1)
    return f"; {near[0]} ships with cortexsim: cortexsim.zoo.load({near[0]!r})" if near else ""


def checked_suffix(path: str | Path) -> Path:
    """Return the path of a model file.

    Raises
    ------
    ValueError
        If it does not end in .safetensors.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"a model's path must end in .safetensors, got {str(path)!r}")
    return path


def write_tensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any], path: Path) -> None:
    """Write tensors and what describes them, with checksums of both, aside and renamed."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    meta = {**meta, "content": _content(tensors), "description": _description(meta)}
    with written_aside(path, replacing=True) as aside:
        # safetensors makes its files private; this one gets the mode of any new file
        aside.touch()
        mode = aside.stat().st_mode
        try:
            save_file(dict(tensors), aside, metadata={KEY: json.dumps(meta)})
            aside.chmod(mode)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and what describes them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is cut, damaged, foreign, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is no safetensors file, or it is cut or damaged: {error}") from error
    try:
        meta = json.loads(metadata[KEY])
        found = int(meta["format"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is a safetensors file, but not one of cortexsim") from None
    if found > FORMAT:
        raise ValueError(
            f"{path} has format {found}, written by cortexsim {meta.get('version')}; this is {__version__}, which "
            f"reads up to format {FORMAT}: update cortexsim"
        )
    described = {key: value for key, value in meta.items() if key not in ("content", "description")}
    content, description = _content(tensors), _description(described)
    if meta.get("content") != content:
        raise ValueError(f"{path} is damaged: its weights do not match their checksum")
    if meta.get("description") != description:
        raise ValueError(f"{path} is damaged: what it says of the model does not match its checksum")
    return tensors, meta


def _description(meta: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()


def _content(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _pack(statistics: Statistics, prefix: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Stack the moments of each place over its times."""
    places: dict[str, list[int | None]] = {}
    for place, time in statistics:
        places.setdefault(place, []).append(time)
    tensors = {}
    for place, times in places.items():
        for k, what in enumerate(("mean", "variance")):
            tensors[f"{prefix}/{place}/{what}"] = torch.stack([statistics.moments[place, t][k].cpu() for t in times])
    described = {
        "places": places,
        "presentation": statistics.presentation.to_dict(),
        "until": statistics.until,
        "graph": statistics.graph,
        "weights": statistics.weights,
        "images": statistics.images,
        "n_images": statistics.n_images,
        "seed": statistics.seed,
        "lesion": statistics.lesion,
        "change": statistics.change,
    }
    return described, tensors


def _unpack(described: Mapping[str, Any], tensors: Mapping[str, Tensor], prefix: str) -> Statistics:
    moments: dict[Place, tuple[Tensor, Tensor]] = {}
    for place, times in described["places"].items():
        mean, variance = (tensors[f"{prefix}/{place}/{what}"] for what in ("mean", "variance"))
        moments |= {(place, time): (mean[k], variance[k]) for k, time in enumerate(times)}
    own = {key: value for key, value in described.items() if key not in ("places", "presentation")}
    return Statistics(moments, from_dict(described["presentation"]), **own)
