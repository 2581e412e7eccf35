"""What returns to V1 after a flash: networks, cuts and criteria, fixed before the first run; and the bundled result."""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from cortexsim import zoo
from cortexsim._support.netcdf import open_dataset
from cortexsim._support.progress import Report, silent
from cortexsim._support.resources import data_folder
from cortexsim.datasets.registry import draw
from cortexsim.graph.builders import adjacent
from cortexsim.model._calibrate import calibrate
from cortexsim.model.cortex import Cortex
from cortexsim.protocols.decoding import lesion_decoding
from cortexsim.stimuli.presentation import flash
from cortexsim.training.recipe import Recipe

STATE, CUT = "V1", "V2->V1"
UNTIL, READ_AT = 10, 8
BEFORE = 0  # the time at which V1 holds the picture, and nothing else
TIMES = (0, 1, 2, 3, 4, 6, 8, 10)
N, N_CALIBRATION = 200, 200
# without it V2 never gets a signal, so nothing could return
STARVES = "V1->V2"
LATE = "V2->V1 from t = 9"

# criteria; fractions of the stimuli
GAIN_AT_LEAST = 0.20
LOST_AT_LEAST = 0.5  # of the gain, by the cut of V2->V1, in every version
SHAM_AT_MOST = 0.5  # of what the cut of V2->V1 costs, by another single connection of at least as many weights

SMALL_FEATURES = {"V1": 8, "V2": 12, "V4": 16, "IT": 24}
SMALL_SEEDS = 5
SMALL_N = 8_000


@dataclass(frozen=True)
class Network:
    """A network of the study.

    Parameters
    ----------
    title : str
        Its name in the result.
    model : str
        A model that ships; "" for the small one, which is trained for the study.
    data : str
        The data that it was trained on.
    size : int
        Side of the images, in pixels.
    untrained : bool
        Random weights in the same graph.
    seeds : int
        How many were trained.
    every : bool
        Cut every connection; otherwise V2->V1 only.
    """

    title: str
    model: str
    data: str
    size: int = 32
    untrained: bool = False
    seeds: int = 1
    every: bool = True

    def images(self, n: int, *, part: str) -> xr.Dataset:
        """Draw images of the training or of the test part; no digit is occluded."""
        own = {"occlusion": "none"} if self.data == "digits" else {}
        return draw({"name": self.data, "part": part, "seed": int(part == "train"), "size": self.size, **own}, n)


NETWORKS = {
    one.title: one
    for one in (
        Network("digits", "ventral-stream-digits", "digits"),
        Network("digits, no lateral connections", "ventral-stream-digits-feedback", "digits"),
        Network("digits, tiny", "digits-tiny", "digits"),
        Network("digits, small", "", "digits", size=16, seeds=SMALL_SEEDS),
        Network("digits, untrained", "ventral-stream-digits", "digits", untrained=True, every=False),
        Network("contours", "ventral-stream-contours", "contours", every=False),
    )
}
# the networks that the criteria are about
TRAINED = ("digits", "digits, no lateral connections", "digits, tiny", "digits, small")


def small_recipe(seed: int) -> Recipe:
    """Return the recipe of the small network: digits of 16x16 px, flashed for one step."""
    return Recipe.digits(epochs=4, presentation=flash(1), growth=((0.0, 1.0),), calibrate_until=UNTIL, seed=seed)


def small_network() -> Cortex:
    """Build the small network, untrained: the same areas and connections as the one that ships, fewer features."""
    graph = adjacent(SMALL_FEATURES, size=16, shortcut=0.5, lateral=True, feedback=True, convolutions=2)
    return Cortex(graph, n_classes=10, readout_time=5, input_gain=16.0)


def cuts_of(model: Cortex) -> dict[str, dict[str, range | None]]:
    """List what is cut: every connection but the one that starves V2, and V2->V1 when it is too late to matter."""
    single: dict[str, dict[str, range | None]] = {
        name: {name: None} for name in model.graph.transition_names if name != STARVES
    }
    return single | {LATE: {CUT: range(READ_AT + 1, UNTIL + 1)}}


def measure(network: Network, model: Cortex, report: Report = silent) -> xr.Dataset:
    """Decode the class from V1 after a flash of one step: intact, and with each connection cut in each version.

    Statistics of the intact network are taken on the flash, on as many images as those of the recalibrated one.
    """
    training = network.images(N_CALIBRATION, part="train")
    statistics = calibrate(model, training, flash(1), until=UNTIL, keep=False) if model.needs_statistics else None
    cuts = cuts_of(model) if network.every else {CUT: cuts_of(model)[CUT]}
    return lesion_decoding(
        model,
        network.images(N, part="test"),
        cuts,
        state=STATE,
        until=UNTIL,
        times=TIMES,
        calibrate_on=training,
        presentation=flash(1),
        statistics=statistics,
        report=report,
    )


def network_of(title: str, seed: int = 0) -> Cortex:
    """Load the model of a network that ships, or its graph with random weights.

    Raises
    ------
    ValueError
        If it is the small one, which does not ship: it is trained by `tools/measure_feedback.py`.
    """
    network = NETWORKS[title]
    if not network.model:
        raise ValueError(f"{title!r} does not ship; tools/measure_feedback.py trains it")
    trained = zoo.load(network.model)
    if not network.untrained:
        return trained
    import torch

    return Cortex(
        trained.graph,
        n_classes=trained.n_classes,
        readout_time=trained.readout_time,
        input_gain=16.0,
        generator=torch.Generator().manual_seed(seed),
    )


def verdicts(result: xr.Dataset) -> xr.Dataset:
    """Apply the criteria to the result of the study.

    Parameters
    ----------
    result : Dataset
        As `shipped_feedback` returns it.

    Returns
    -------
    Dataset, (network, seed)
        True, False or NaN for a network that was not trained with this seed. `becomes`: V1's class is decoded at t = 8,
        with the screen empty, by at least 20 percentage points more than at t = 0, when V1 holds the picture, and the
        intervals do not overlap. `needs_feedback`: with V2->V1 cut, at least half of that gain is lost, in every
        version. `not_any_cut` (and `worst_sham`): no other single connection with at least as many weights costs more
        than half of what V2->V1 costs, in any version. `too_late`: V2->V1 cut after t = 8 changes nothing at t = 8.
    """
    at, before = (result.sel(time=time, drop=True) for time in (READ_AT, BEFORE))
    known = at["decode_intact"].notnull()
    gain = at["decode_intact"] - before["decode_intact"]
    becomes = (gain >= GAIN_AT_LEAST) & (at["decode_intact_low"] > before["decode_intact_high"])
    cost = -at["difference"]
    own = cost.sel(cut=CUT, drop=True)
    needs = (own >= LOST_AT_LEAST * gain).all("version")
    large = (at["n_weights"] >= at["n_weights"].sel(cut=CUT, drop=True)) & ~at["cut"].isin([CUT, LATE])
    shams = (cost / own).where(large & cost.notnull())
    worst = shams.max(["cut", "version"])
    late = abs(at["difference"].sel(cut=LATE, version=["acute", "mean-replaced"], drop=True)).max("version")
    return xr.Dataset(
        {
            "gain": gain,
            "becomes": becomes.where(known),
            "needs_feedback": needs.where(known),
            "worst_sham": worst,
            "not_any_cut": (worst <= SHAM_AT_MOST).where(worst.notnull()),
            "too_late": (late == 0).where(late.notnull()),
        }
    )


def shipped_feedback() -> xr.Dataset:
    """Open the bundled result: what is decoded from V1 after a flash, by network, seed, cut, version and time.

    Returns
    -------
    Dataset
        As `lesion_decoding` returns it, with the dimensions `network` and `seed` in front; NaN where a network was not
        trained with a seed, or has no such connection.

    Examples
    --------
    >>> import cortexsim as cs
    >>> result = cs.protocols.shipped_feedback()
    >>> result["difference"].dims
    ('network', 'seed', 'cut', 'version', 'time')
    """
    path = data_folder() / "results" / "lesions" / "feedback.nc"
    return open_dataset(path, "run tools/measure_feedback.py again, or fetch the file again")
