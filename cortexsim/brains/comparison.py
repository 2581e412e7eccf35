"""Comparison of a model's RDMs with a brain's, over time, for each state, with two baselines."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import nn

from cortexsim._support.checks import is_several, one_of, seed_of, unknown, whole
from cortexsim._support.progress import Report, silent
from cortexsim._support.renamed import formerly
from cortexsim.brains.names import in_order_of
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex, the_cortex
from cortexsim.model.nets import OwnPostNet, redrawn, seeded
from cortexsim.model.plan import Images
from cortexsim.recording._simulate import simulate
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import AnyPresentation, checked, sustained

MODELS = ("trained", "untrained")
# crossnobis needs noisy repeats, which are not simulated here
METRICS = ("correlation", "euclidean")


@formerly(told="report")
def compare(
    model: Cortex,
    images: Images,
    rdms: xr.DataArray,
    *,
    until: int,
    states: Sequence[str] | None = None,
    presentation: AnyPresentation | None = None,
    metric: str = "correlation",
    method: str = "spearman",
    untrained: Cortex | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
    progress: bool = False,
    report: Report = silent,
) -> xr.DataArray:
    """Compare a model's dissimilarities with a brain's at every time.

    The model, an untrained model of the same graph, and the pixels are compared with the same matrices in the same way.
    Copies of both models are calibrated on these images first. Otherwise the trained model would use the statistics of
    its training images, and the difference in statistics would look like an effect of training.

    Parameters
    ----------
    model : Cortex
    images : Tensor or Dataset
        The images that the brain was shown, at the model's size; see `brains.images`. In the order of its matrices,
        unless both name the stimuli (`stimulus_name`, `file_name`): then the matrices are put in the order of the
        images by these names, without the endings of files. A warning is given if only one of the two has names.
    rdms : DataArray, (subject, session, [time,] stimulus, other_stimulus)
        As `brains.read` returns it. Sessions are averaged within a subject first.
    until : int
        Last time of the model.
    states : sequence of str, optional
        By default all.
    presentation : Presentation or Mixture, optional
        By default sustained.
    metric : str
        Of the model's dissimilarities; see `analyse.rdm`.
    method : str
        Of the comparison; see `analyse.compare_rdms`.
    untrained : Cortex, optional
        By default the same architecture with new weights, drawn with `seed`.
    n_bootstrap : int
        Resamples of the stimuli for the interval.
    seed : int
        Draws the untrained weights, masks and the resamples.
    progress : bool
        Show progress bars.
    report : callable, optional
        Called with the fraction that is done and a message on the next step; an exception from it stops the comparison.

    Returns
    -------
    DataArray, (model, state, time[, brain_time])
        `model` is "trained" or "untrained". Coordinates: `low` and `high`; `pixels`, `pixels_low`, `pixels_high`; with
        two or more subjects `ceiling_low` and `ceiling_high`. Pixels and ceiling are single numbers, or over
        brain_time. NaN where a state is empty. `training` (state, time[, brain_time]) is the similarity of the trained
        minus that of the untrained model, in the same resamples, with `training_low` and `training_high`: an interval
        over stimuli, and over subjects if there are several; see `analyse.similarity_difference`. It concerns these two
        sets of weights only; a claim about training needs several seeds.

    Raises
    ------
    TypeError
        If the brain's matrices are not a DataArray, or states no list.
    ValueError
        If a state, the metric, the method, the seed or the number of resamples is not allowed; if the number or the
        names of the images are not those of the stimuli in the matrices, or they cannot be compared.

    References
    ----------
    Kriegeskorte, N., Mur, M. & Bandettini, P. (2008). Representational similarity analysis. Frontiers in Systems
    Neuroscience 2. The noise ceiling is that of Nili, H. et al. (2014), PLOS Computational Biology 10.

    Examples
    --------
    >>> import cortexsim as cs
    >>> curves = cs.datasets.contours(12, part="test")
    >>> model = cs.zoo.load("ventral-stream")
    >>> brain = cs.analyse.rdm(cs.simulate(model, curves, cs.sustained(), until=6)["IT"]).sel(time=6, drop=True)
    >>> rdms = brain.expand_dims(subject=1, session=1)
    >>> similarity = cs.brains.compare(model, curves, rdms, until=6, states=["V4", "IT"], n_bootstrap=20)
    >>> dict(similarity.sizes)
    {'model': 2, 'state': 2, 'time': 7}
    """
    model = the_cortex(model, "compare")
    from cortexsim.analyse import compare_rdms, similarity_difference
    from cortexsim.analyse._compare_rdms import TITLES

    resampled = _check(images, rdms, metric, method, n_bootstrap, seed)
    states = _states(model, states)
    other = untrained_copy(model, seed=resampled["seed"]) if untrained is None else the_cortex(untrained, "compare")
    _states(other, states)
    cortices = {"trained": model, "untrained": other}
    rdms = in_order_of(images, rdms)
    brain = rdms.rename(time="brain_time") if "time" in rdms.dims else rdms
    brain = brain.drop_vars(["name", "stimulus_name"], errors="ignore")
    pixels = as_images(images)
    shown = checked(sustained() if presentation is None else presentation)

    def with_brain(dissimilarities: xr.DataArray) -> xr.DataArray:
        return compare_rdms(dissimilarities, brain, method, progress=progress, **resampled)

    of_states: list[xr.DataArray] = []
    rdms_of: dict[tuple[str, str], xr.DataArray] = {}
    steps = len(cortices) * (1 + len(states)) + 1
    for index, (name, cortex) in enumerate(cortices.items()):
        done = index * (1 + len(states))
        report(done / steps, f"{name} model: showing {len(pixels)} images")
        options: dict[str, Any] = {"states": states, "metric": metric, "seed": resampled["seed"], "progress": progress}
        found = dissimilarities(cortex, pixels, shown, until=until, **options)
        for k, state in enumerate(states, 1):
            report((done + k) / steps, f"{name} model: comparing {state}")
            rdms_of[name, state] = found[state]
            of_states.append(with_brain(found[state]))
    report((steps - 1) / steps, "comparing the pixels")
    result = _joined(of_states, states, with_brain(_pixel_dissimilarities(pixels, metric)))
    if resampled["n_bootstrap"] > 1:
        report((steps - 0.5) / steps, "comparing the two models")
        pairs = [(rdms_of["trained", state], rdms_of["untrained", state]) for state in states]
        differences = [similarity_difference(*pair, brain, method, **resampled) for pair in pairs]
        result = _with_training(result, differences)
    result.attrs = {
        **of_states[0].attrs,
        "long_name": f"{TITLES[method]} with the brain",
        "metric": metric,
        "presentation": str(shown),
        "statistics": "both models calibrated on these images" if model.needs_statistics else "none are needed",
        "source": str(rdms.attrs.get("source", "")),
        "n_subjects": rdms.sizes.get("subject", 1),
    }
    return result


def dissimilarities(
    model: Cortex,
    images: Images,
    presentation: AnyPresentation,
    *,
    until: int,
    states: Sequence[str],
    metric: str = "correlation",
    seed: int = 0,
    progress: bool = False,
) -> dict[str, xr.DataArray]:
    """Return the dissimilarities (time, stimulus, other_stimulus) of each state, as `compare` measures them.

    The statistics of a copy of the model are taken on these images first.
    """
    from cortexsim.analyse import rdm

    cortex = copy.deepcopy(model)
    if cortex.needs_statistics:
        calibrate(cortex, images, presentation, until=until, seed=seed)
    recording = simulate(cortex, images, presentation, until=until, record=states, seed=seed, progress=progress)
    return {state: rdm(recording[state], metric) for state in states}


def _joined(of_states: Sequence[xr.DataArray], states: Sequence[str], pixels: xr.DataArray) -> xr.DataArray:
    """Join similarities, those of all states of one model after the other, with the baseline of the pixels."""
    first = of_states[0]
    dims = ("model", "state", *first.dims)

    def stacked(arrays: Sequence[xr.DataArray]) -> np.ndarray:
        values = np.stack([array.values for array in arrays])
        return values.reshape(len(MODELS), len(states), *values.shape[1:])

    coordinates: dict[str, Any] = {
        "model": ("model", list(MODELS), {"long_name": "model"}),
        "state": ("state", list(states), {"long_name": "state"}),
        **{str(dim): first[dim].variable for dim in first.dims},
        "pixels": pixels.variable,
    }
    for end in ("low", "high"):
        if end in first.coords:
            coordinates[end] = dims, stacked([one[end] for one in of_states])
        if end in pixels.coords:
            coordinates[f"pixels_{end}"] = pixels[end].variable
        # the ceiling belongs to the brain and does not depend on the model
        if f"ceiling_{end}" in first.coords:
            coordinates[f"ceiling_{end}"] = first[f"ceiling_{end}"].variable
    return xr.DataArray(stacked(of_states), coordinates, dims, "similarity")


def _with_training(result: xr.DataArray, differences: Sequence[xr.DataArray]) -> xr.DataArray:
    """Add what training changes, for each state."""
    dims = tuple(dim for dim in result.dims if dim != "model")
    ends = {
        "training": [one.values for one in differences],
        "training_low": [one["low"].values for one in differences],
        "training_high": [one["high"].values for one in differences],
    }
    attributes = {"long_name": "trained minus untrained", "interval": differences[0].attrs["interval"]}
    return result.assign_coords({name: (dims, np.stack(values), attributes) for name, values in ends.items()})


def untrained_copy(model: Cortex, *, seed: int) -> Cortex:
    """Make a model of the same architecture with new weights, as before training.

    Raises
    ------
    ValueError
        If a module of the user's has weights that cannot be drawn again.
    """
    model = the_cortex(model, "untrained_copy")
    with seeded(seed):
        drawn = Cortex(
            model.graph,
            n_classes=model.n_classes,
            readout_time=model.readout_time,
            pre_net=redrawn(model.pre) if model.has_own_pre_net else model.pre_net_name,
            input_gain=model.input_gain,
            sharing=model.sharing,
            normalization=model.normalization,
            post_net=redrawn(model.post.module) if isinstance(model.post, OwnPostNet) else model.post_net_name,
            generator=torch.Generator().manual_seed(seed),
            initialization=model.initialization,
        )
        # a graph may contain modules themselves, with their weights, in place of what makes them
        for name in [t.name for t in model.graph.transitions if isinstance(t.kind, nn.Module)]:
            drawn.functions[name] = redrawn(drawn.functions[name])
        for name in [s.name for s in model.graph.states if isinstance(s.update, nn.Module)]:
            drawn.updates[name] = redrawn(drawn.updates[name])
    return drawn.to(next(model.parameters())).eval()


def _states(model: Cortex, states: Sequence[str] | None) -> list[str]:
    """Return the names of the states to compare, by default all."""
    known = model.graph.state_names
    if states is None:
        return list(known)
    if not is_several(states):
        raise TypeError(f"states must be a list of names, such as {known[-1:]}, got {states!r}")
    names = list(states)
    for name in names:
        if name not in known:
            raise ValueError(unknown("state", name, known))
    if not names or len(set(names)) < len(names):
        raise ValueError(f"states must be at least one, each of them once, got {names}")
    return names


def _check(images: Images, rdms: xr.DataArray, metric: str, method: str, n_bootstrap: int, seed: int) -> dict[str, Any]:
    """Refuse what cannot be compared, before a model is shown anything; return the arguments of a bootstrap."""
    from cortexsim.analyse._compare_rdms import METHODS
    from cortexsim.analyse.interval import MOST_RESAMPLES

    one_of(metric, "metric", METRICS)
    one_of(method, "method", METHODS)
    if not isinstance(rdms, xr.DataArray):
        raise TypeError(
            f"the brain's matrices must be a DataArray, as brains.read returns it, got {type(rdms).__name__}"
        )
    if not {"stimulus", "other_stimulus"} <= set(rdms.dims):
        raise ValueError(f"the brain's matrices need the dimensions stimulus and other_stimulus, got {rdms.dims}")
    n_images, n_stimuli = len(as_images(images)), rdms.sizes["stimulus"]
    if n_images != n_stimuli:
        raise ValueError(
            f"the brain's matrices are of {n_stimuli} stimuli, but there are {n_images} images: pass the same "
            "stimuli in the same order"
        )
    n_bootstrap = whole(n_bootstrap, "n_bootstrap", 0, unit="resamples", limit=MOST_RESAMPLES)
    return {"n_bootstrap": n_bootstrap, "seed": seed_of(seed)}


def _pixel_dissimilarities(pixels: torch.Tensor, metric: str) -> xr.DataArray:
    """Return the dissimilarities of the images themselves, at the model's size."""
    from cortexsim.analyse import rdm

    values = pixels.detach().cpu().numpy().astype(np.float64)
    shown = xr.DataArray(values[:, None], dims=["stimulus", "time", "channel", "y", "x"])
    return rdm(shown, metric).isel(time=0, drop=True)
