"""A model as one safetensors file: weights, statistics, and a description for building it. Files contain no code."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim import __version__
from cortexsim._support.documents import parse_json
from cortexsim._support.files import as_path, refuse_existing, written_aside
from cortexsim._support.hashing import checksum
from cortexsim._support.resources import data_folder
from cortexsim.graph.cortex_graph import CortexGraph, given
from cortexsim.graph.transitions import module_name
from cortexsim.model.classes import classes_of
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.described import check_shapes, read_description
from cortexsim.model.devices import checked_device
from cortexsim.model.modes import own_modes
from cortexsim.model.moments import Statistics
from cortexsim.model.nets import OwnPostNet, module_of

FORMAT = 1
KEY = "cortexsim"


def save(model: Cortex, path: str | Path, *, overwrite: bool = False, about: Mapping[str, Any] | None = None) -> None:
    """Write a model as one safetensors file, completely or not at all.

    Callables in the graph and a Module as pre-net are saved by name; `load` needs them again.

    Parameters
    ----------
    model : Cortex
        A model compiled by torch.compile is saved as the original model.
    path : str or Path
        Ends in .safetensors.
    overwrite : bool
        Replace an existing file, once the new one is complete.
    about : mapping, optional
        Facts to save with the model (data, recipe, accuracies), as JSON values; by default `model.about`.

    Raises
    ------
    TypeError
        If it is not a Cortex.
    ValueError
        If the path does not end in .safetensors, two different callables have the same name, or the model has weights
        that `load` could not assign, forward hooks, or another `forward` than its class; those of the user's own
        modules are for the user to rebuild. Also if `model.classes` does not name each class once.
    FileExistsError
        If the file exists, and `overwrite` is False.
    OSError
        If it cannot be written; no partial file remains.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> model = cs.Cortex(cs.adjacent({"V1": 4, "V2": 8}, size=16), readout_time=3)
    >>> path = Path(tempfile.mkdtemp()) / "mine.safetensors"
    >>> cs.save(model, path)
    >>> cs.load(path).checksum() == model.checksum()
    True
    """
    model = the_cortex(model, "save")
    path = checked_suffix(path)
    _check_names(model)
    refuse_existing(path, replacing=overwrite)
    described_model = {
        "graph": model.graph.to_dict(),
        "n_classes": model.n_classes,
        "classes": classes_of(model),
        "readout_time": model.readout_time,
        "pre_net": model.pre_net_name,
        "custom_pre_net": model.has_own_pre_net,
        "input_gain": model.input_gain,
        "sharing": model.sharing
        if isinstance(model.sharing, str)
        else [[*pair, key] for pair, key in model.sharing.items()],
        "normalization": model.normalization,
        "post_net": model.post_net_name,
        "custom_post_net": model.has_own_post_net,
        "initialization": model.initialization,
    }
    _check_readable(model, described_model)
    _refuse_hooks(model)
    about = _plain_facts(model.about if about is None else about)
    # copies, because a user's module may tie tensors, and the format refuses shared memory
    tensors = {
        f"weights/{name}": value.detach().clone(memory_format=torch.contiguous_format)
        for name, value in model.weights_and_buffers().items()
    }
    sets = []
    for k, statistics in enumerate(model.statistics.values()):
        described, moments = statistics.packed(f"statistics/{k}")
        sets.append(described)
        tensors |= moments
    meta = {
        "format": FORMAT,
        "version": __version__,
        "model": described_model,
        "statistics": sets,
        "about": about,
    }
    write_tensors(tensors, meta, path)


@own_modes()
def load(
    path: str | Path, modules: Mapping[str, Callable[..., Any]] | None = None, *, device: str | torch.device = "cpu"
) -> Cortex:
    """Read a model from a safetensors file. No code from the file is run.

    Parameters
    ----------
    path : str or Path
    modules : mapping of str to callable, optional
        The callables of which the file contains only the names, by name: a kind `(source, target) -> Module`, an update
        `(state) -> Module`, a pre-net or post-net `() -> Module`; or a module, of which a copy gets the weights.
    device : str
        Device of the loaded model.

    Returns
    -------
    Cortex
        In evaluation mode, with its statistics.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated, damaged, not from cortexsim or of a newer format, `modules` lacks a callable, or the
        device is unavailable; the message says which.

    Examples
    --------
    >>> import cortexsim as cs
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "copy.safetensors"
    >>> cs.save(cs.zoo.load("tracer"), path)
    >>> cs.load(path).readout_time
    12
    """
    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}{_hint(path)}")
    tensors, meta = read_tensors(path)
    if "model" not in meta:
        raise ValueError(f"{path} contains no model; what it contains: {sorted(meta)}")
    where = checked_device(device)
    weights = {name.removeprefix("weights/"): t for name, t in tensors.items() if name.startswith("weights/")}
    try:
        described, sets = read_description(meta)
        model = _loaded(described, modules, weights)
        model.classes, model.about = described["classes"], _about(meta)
        for k, saved in enumerate(sets):
            statistics = _of_own_modules_too(Statistics.unpacked(saved, tensors, f"statistics/{k}"), model)
            model.statistics[statistics.presentation] = statistics
    except (ValueError, TypeError) as error:
        raise type(error)(f"{path} cannot be loaded: {error}") from error
    return model.to(where).eval()


def _loaded(
    described: Mapping[str, Any], modules: Mapping[str, Callable[..., Any]] | None, weights: Mapping[str, Tensor]
) -> Cortex:
    """Build the described model, and load its weights."""
    if not any(tensor.is_floating_point() for tensor in weights.values()):
        raise ValueError("it has no weights, or they are not floating-point numbers")
    # initial weights are replaced, so drawing them must not change the caller's random state
    with torch.random.fork_rng(devices=[]):
        own = described["custom_pre_net"] or described.get("custom_post_net")
        if not own and not CortexGraph.from_dict(described["graph"], modules).has_callables:
            check_shapes(lambda: _built(described, modules), weights)
        model = _built(described, modules)
    model.to(next(tensor.dtype for tensor in weights.values() if tensor.is_floating_point()))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"it does not fit the model that it describes: {error}") from error
    return model


def _built(described: Mapping[str, Any], modules: Mapping[str, Callable[..., Any]] | None) -> Cortex:
    """Build the model that a file describes, with initial weights."""
    graph = CortexGraph.from_dict(described["graph"], modules)
    pre_net: str | nn.Module = described["pre_net"]
    if described["custom_pre_net"]:
        pre_net = module_of(given(modules, described["pre_net"], "pre-net"))
    # older files, from before post-nets could be chosen, do not name one
    post_net: str | nn.Module = described.get("post_net", "pool")
    if described.get("custom_post_net"):
        post_net = module_of(given(modules, described["post_net"], "post-net"))
    sharing = described["sharing"]
    if not isinstance(sharing, str):
        sharing = {(name, time, which): key for name, time, which, key in sharing}
    return Cortex(
        graph,
        n_classes=described["n_classes"],
        readout_time=described["readout_time"],
        pre_net=pre_net,
        input_gain=described["input_gain"],
        sharing=sharing,
        normalization=described["normalization"],
        post_net=post_net,
        initialization=described.get("initialization", "he"),
    )


def _about(meta: Mapping[str, Any]) -> dict[str, Any]:
    about = meta.get("about", {})
    if not isinstance(about, dict):
        raise TypeError(f"about must be a mapping, got {type(about).__name__}")
    return about


def _check_readable(model: Cortex, described: Mapping[str, Any]) -> None:
    """Refuse weights that `load` could not assign, such as those of a parametrization.

    Raises
    ------
    ValueError
        With the name of the first such weight.
    """
    stand_ins: dict[str, Callable[..., nn.Module]] = {name: lambda *_: _StandIn() for name in _callables(model)}
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        rebuilt = _built(described, stand_ins)
    wanted = rebuilt.weights_and_buffers()
    found = model.weights_and_buffers()
    # the contents of the user's own modules are rebuilt by the user
    own = {id(part) for module in model.own_modules().values() for part in module.parameters()}
    own |= {id(part) for module in model.own_modules().values() for part in module.buffers()}
    named = {
        **dict(model.named_parameters(remove_duplicate=False)),
        **dict(model.named_buffers(remove_duplicate=False)),
    }
    found = {name: value for name, value in found.items() if id(named.get(name)) not in own}
    for name, value in found.items():
        if name not in wanted:
            raise ValueError(
                f"the weights {name} have no place in the model that the file would describe, so load could not read "
                "it: remove what renames them, such as torch.nn.utils.parametrize.remove_parametrizations(module, "
                "'weight'), or the extra module"
            )
        if value.shape != wanted[name].shape:
            raise ValueError(
                f"the weights {name} have shape {tuple(value.shape)}, but the graph asks for "
                f"{tuple(wanted[name].shape)}, so load could not read the file"
            )
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ValueError(f"the model lacks the weights {missing[0]} that its graph asks for: load could not read it")
    for place in ("pre", "post"):
        part, other = getattr(model, place), getattr(rebuilt, place)
        if not {*model.own_modules().values()} & {part, getattr(part, "module", None)} and repr(part) != repr(other):
            raise ValueError(
                f"the part {place!r} of the model was changed to {_short(part)}, but load would build {_short(other)}: "
                "make it a module of your own, such as Cortex(pre_net=...)"
            )


class _StandIn(nn.Module):
    """A user's module of which only the place counts."""

    def forward(self, *given: object) -> None:
        """Accept any arguments."""


def _short(part: nn.Module) -> str:
    return " ".join(repr(part).split())


def _refuse_hooks(model: Cortex) -> None:
    """Raise a ValueError if the model computes what is not in its weights: methods of a subclass, hooks, a `forward`.

    The user's own modules are left out: the user rebuilds them, with their hooks.
    """
    for name in {one for kind in type(model).mro() if kind not in Cortex.mro() for one in vars(kind)} & {*dir(Cortex)}:
        if not name.startswith("__"):
            raise ValueError(
                f"the class {type(model).__name__} replaces {name!r} of Cortex, which is not in the file, so the model "
                "that load returns would compute without it: make it a module of your own, such as a state's update"
            )
    own = {part for module in model.own_modules().values() for part in module.modules()}
    for name, part in model.named_modules():
        if part in own:
            continue
        place = f"the part {name!r}" if name else "the model"
        for hook in (*part._forward_pre_hooks.values(), *part._forward_hooks.values()):
            raise ValueError(
                f"{place} has the forward hook {getattr(hook, '__name__', type(hook).__name__)!r}, which is not in the "
                "file, so the model that load returns would compute without it: remove it before, by the handle that "
                "registering it returned"
            )
        if "forward" in vars(part):
            raise ValueError(
                f"{place} has another `forward` than its class, which is not in the file, so the model that load "
                "returns would compute without it: make it a module of your own, such as a pre-net"
            )


def _of_own_modules_too(statistics: Statistics, model: Cortex) -> Statistics:
    """Return statistics with a current checksum if theirs is an older one, which left out the user's own modules."""
    if not model.own_modules():
        return statistics
    before = checksum(repr(model.input_gain), *(part for item in model.weights_and_buffers().items() for part in item))
    return replace(statistics, weights=model.checksum()) if statistics.weights == before else statistics


def _plain_facts(about: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(about, Mapping):
        raise TypeError(f"about must be a mapping of facts, got {type(about).__name__}")
    facts: dict[str, Any] = {}
    for name, fact in about.items():
        try:
            facts |= json.loads(json.dumps({name: fact}, default=_plain))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"about must contain strings, numbers, lists and mappings: {name!r} does not ({error})"
            ) from None
    return facts


def _plain(value: Any) -> Any:
    """Return numbers and arrays of numpy and torch as values for JSON."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"got {type(value).__name__}")


def _callables(model: Cortex) -> list[str]:
    """Return the names under which the model's own modules and functions are saved."""
    graph = model.graph
    names = [module_name(t.kind) for t in graph.transitions if not isinstance(t.kind, str)]
    names += [module_name(s.update) for s in graph.states if s.update is not None]
    names += [model.pre_net_name] if model.has_own_pre_net else []
    return names + ([model.post_net_name] if model.has_own_post_net else [])


def _check_names(model: Cortex) -> None:
    """Raise an error if two different callables would be saved under one name.

    Raises
    ------
    ValueError
        With their name and places.
    """
    graph = model.graph
    callables: list[tuple[str, Any]] = [(t.name, t.kind) for t in graph.transitions if not isinstance(t.kind, str)]
    callables += [(f"update of {s.name}", s.update) for s in graph.states if s.update is not None]
    if model.has_own_pre_net:
        callables.append(("pre_net", model.pre))
    if isinstance(model.post, OwnPostNet):
        callables.append(("post_net", model.post.module))
    named: dict[str, tuple[str, Any]] = {}
    for place, one in callables:
        other_place, other = named.setdefault(module_name(one), (place, one))
        # modules may differ in their weights, because these are saved
        if one is not other and not (isinstance(one, nn.Module) and repr(one) == repr(other)):
            raise ValueError(
                f"two different callables have the name {module_name(one)!r} ({other_place} and {place}), and a file "
                "contains names only: give them different names (functions by def, modules by separate classes)"
            )


def _hint(path: str | Path) -> str:
    """Return a hint how to load a pretrained model, if its name was given as a path."""
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
    path = as_path(path)
    if path.suffix.lower() != ".safetensors":
        raise ValueError(f"a model's path must end in .safetensors, got {str(path)!r}")
    return path


def write_tensors(tensors: Mapping[str, Tensor], meta: Mapping[str, Any], path: Path) -> None:
    """Write tensors and their description, with checksums of both; the file appears only when it is complete."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    meta = {**meta, "content": _content(tensors), "description": _description(meta)}
    with written_aside(path, replacing=True) as aside:
        # safetensors makes its files private; this one gets the mode of an ordinary new file
        aside.touch()
        mode = aside.stat().st_mode
        try:
            save_file(dict(tensors), aside, metadata={KEY: json.dumps(meta)})
            aside.chmod(mode)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and their description.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is truncated, damaged, not from cortexsim, or of a newer format.
    """
    from safetensors import SafetensorError, safe_open

    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path} is not a safetensors file, or it is truncated or damaged: {error}") from error
    try:
        meta = parse_json(metadata[KEY], "its description")
        found = int(meta["format"])
    except (KeyError, TypeError, ValueError, OverflowError):
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
        raise ValueError(f"{path} is damaged: its description of the model does not match its checksum")
    return tensors, meta


def _description(meta: Mapping[str, Any]) -> str:
    # in the form in which it will be read: JSON turns keys into strings, which sort differently from numbers
    read = json.loads(json.dumps(meta))
    return checksum(json.dumps(read, sort_keys=True), digits=64)


def _content(tensors: Mapping[str, Tensor]) -> str:
    return checksum(*(part for name in sorted(tensors) for part in (name, tensors[name])), digits=64)
