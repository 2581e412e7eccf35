"""A module with statistics that belong to its weights: checked, and preserved by state_dict and changes of dtype."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from cortexsim._support.documents import parse_json
from cortexsim._support.hashing import checksum, fingerprint
from cortexsim._support.transforms import outside_of_graphs
from cortexsim.graph.cortex_graph import CortexGraph
from cortexsim.model.moments import NORMALIZATIONS, Normalize, Statistics, Stored, choose
from cortexsim.stimuli.presentation import AnyPresentation

EXTRA_STATE = "_extra_state"  # torch's name for the content of a state_dict other than parameters and buffers


class Calibrated(nn.Module):
    """A module whose statistics belong to its weights.

    The statistics are part of `state_dict`, as a tensor with the bytes of a safetensors file, so they are copied, saved
    and sent together with the other tensors.

    Attributes
    ----------
    statistics : dict of Presentation to Statistics
    graph : CortexGraph
    normalization : str
        A name of `NORMALIZATIONS`.
    norm : Module or None
        The model's own normalization, which needs no statistics.
    """

    graph: CortexGraph
    normalization: str
    norm: nn.Module | None

    def __init__(self) -> None:
        super().__init__()
        self.statistics: dict[AnyPresentation, Statistics] = {}
        self._checked: tuple[tuple[list[str], int], str] | None = None
        self._loaded: str | None = None
        self._stored: Stored | None = None
        self.register_load_state_dict_post_hook(_carry_over_after_loading)  # type: ignore[no-untyped-call]

    def weights_and_buffers(self) -> dict[str, Tensor]:
        """Return the tensors of `state_dict`, detached and not copied, without the statistics."""
        return {name: value.detach() for name, value in _weights_and_buffers(self)}

    def settings_in_checksum(self) -> list[str]:
        """Return, as text, the settings other than weights and buffers that change the model's output."""
        return []

    def checksum(self) -> str:
        """Return a checksum that links statistics and recordings to the model.

        It covers weights, buffers, the input gain, and the user's own modules as their `repr` shows them: what a module
        keeps in an attribute belongs into its `extra_repr`. It is computed again at each call: a lesion by
        `kernel.data` leaves no trace that would invalidate a stored checksum.
        """
        return _checksum(self.settings_in_checksum(), self.weights_and_buffers())

    def checksum_if_changed(self) -> str:
        """Return `checksum`, computed again only if a cheap fingerprint has changed."""
        key = self.settings_in_checksum(), fingerprint(self.weights_and_buffers().values())
        checked = self._checked
        if checked is None or checked[0] != key:
            checked = self._checked = key, self.checksum()
        return checked[1]

    @outside_of_graphs
    def find_statistics(
        self, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None = None
    ) -> Statistics:
        """Find the stored statistics for a presentation; see `moments.choose`."""
        return choose(self.statistics.values(), presentation, statistics, self.checksum_if_changed())

    @property
    def needs_statistics(self) -> bool:
        """True if evaluation normalizes with stored statistics, which `calibrate` measures."""
        return NORMALIZATIONS[self.normalization].needs_statistics

    def normalizer(
        self, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None = None
    ) -> Normalize:
        """Return the normalization: by the batch in training mode, otherwise by `find_statistics`."""
        return self.normalized_by(self._statistics_for(presentation, statistics))

    def _statistics_for(
        self, presentation: AnyPresentation | None, statistics: Statistics | AnyPresentation | None
    ) -> Statistics | None:
        """Find stored statistics; None in training mode, and for a model that needs none."""
        needed = self.needs_statistics and not self.training
        return self.find_statistics(presentation, statistics) if needed else None

    @property
    def without_statistics(self) -> Normalize:
        """The normalization without statistics: by the moments of the batch, by the model's own norm, or none."""
        norm: Normalize | None = self.norm
        return NORMALIZATIONS[self.normalization].in_training if norm is None else norm

    def normalized_by(self, statistics: Statistics | None) -> Normalize:
        """Return the normalization with given statistics; None if the model needs none."""
        if statistics is None:
            return self.without_statistics
        weight = next(self.parameters())
        # looked at once: another thread may choose other statistics at the same moment
        stored = self._stored
        if stored is None or not stored.serves(statistics, weight.device, weight.dtype):
            stored = self._stored = Stored(statistics, weight.device, weight.dtype)
        return stored

    # --- through a change of dtype, and in the state_dict ----------------------------------------------------------

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Calibrated:
        """Move or cast the module; its statistics then belong to the cast weights."""
        before = None if self._is_meta() or not self.statistics else self.checksum_if_changed()
        dtypes = _dtypes(self)
        # weights moved in the caller's inference mode could never be trained
        with torch.inference_mode(False):
            super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if before is not None and not self._is_meta() and _dtypes(self) != dtypes:
            self._carry_over(before)
        return self

    def _carry_over(self, before: str) -> None:
        """Assign the statistics of weights with this checksum to the present weights."""
        now = self.checksum_if_changed()
        for presentation, taken in self.statistics.items():
            if taken.weights == before:
                self.statistics[presentation] = replace(taken, weights=now)

    def _is_meta(self) -> bool:
        return any(value.is_meta for _, value in _weights_and_buffers(self))

    def get_extra_state(self) -> Tensor:
        """Return all statistics as the bytes of one safetensors file, shape (byte,); empty if there are none."""
        from safetensors.torch import save

        if not self.statistics:
            return torch.zeros(0, dtype=torch.uint8)
        sets: list[dict[str, Any]] = []
        tensors: dict[str, Tensor] = {}
        for k, taken in enumerate(self.statistics.values()):
            described, moments = taken.packed(str(k))
            sets.append(described)
            tensors |= moments
        belongs_to = {"graph": self.graph.to_dict(), "normalization": self.normalization}
        text = json.dumps({"statistics": sets, **belongs_to})
        tensors["described"] = torch.frombuffer(bytearray(text.encode()), dtype=torch.uint8)
        return torch.frombuffer(bytearray(save(tensors)), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Load the statistics of `get_extra_state`, unless this model has a different graph or normalization.

        Weights may be loaded into a model with a different graph. The statistics would be wrong there, so they are
        dropped.

        Raises
        ------
        ValueError
            If the bytes contain no statistics.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        self.statistics.clear()
        if not state.numel():
            return
        try:
            tensors = load(state.to("cpu", torch.uint8).numpy().tobytes())
            described = parse_json(tensors.pop("described").numpy().tobytes(), "its description")
        except (SafetensorError, KeyError, ValueError) as error:
            raise ValueError(f"the state_dict's {EXTRA_STATE!r} contains no statistics of a Cortex: {error}") from error
        # through JSON, where tuples become lists
        if described["graph"] != json.loads(json.dumps(self.graph.to_dict())):
            return
        if described["normalization"] != self.normalization:
            return
        for k, saved in enumerate(described["statistics"]):
            taken = Statistics.unpacked(saved, tensors, str(k))
            self.statistics[taken.presentation] = taken

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, metadata: Any, strict: bool, missing: list[str], *rest: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, metadata, strict, missing, *rest)
        if prefix + EXTRA_STATE in missing:
            # a state_dict of weights alone
            missing.remove(prefix + EXTRA_STATE)
        # weights of a different dtype are cast when they are loaded, later; their statistics are carried over then
        own = self.weights_and_buffers()
        loaded = {name: state_dict[prefix + name] for name in own if prefix + name in state_dict}
        cast = any(loaded[name].dtype != own[name].dtype for name in loaded)
        whole = len(loaded) == len(own) and self.statistics and cast
        self._loaded = _checksum(self.settings_in_checksum(), loaded) if whole else None


def _carry_over_after_loading(module: nn.Module, incompatible_keys: object) -> None:
    assert isinstance(module, Calibrated)
    if module._loaded is not None:
        module._carry_over(module._loaded)
    module._loaded = None


def _weights_and_buffers(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters and buffers in a module's `state_dict`, in order."""
    for prefix, part in model.named_modules(remove_duplicate=False):
        buffers = {name: b for name, b in part._buffers.items() if name not in part._non_persistent_buffers_set}
        for name, value in (*part._parameters.items(), *buffers.items()):
            if value is not None:
                yield f"{prefix}.{name}".lstrip("."), value


def _checksum(settings: list[str], tensors: Mapping[str, Tensor]) -> str:
    first, *others = settings or [""]
    return checksum(first, *(part for item in tensors.items() for part in item), *others)


def _dtypes(module: nn.Module) -> list[torch.dtype]:
    return [value.dtype for _, value in _weights_and_buffers(module)]
