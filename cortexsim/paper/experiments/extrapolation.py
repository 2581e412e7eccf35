"""Running longer than trained: curves and mazes larger than any that a model was trained on, and masks that interrupt.

This goes beyond the paper: it tests a consequence of weights that are shared over time.
"""

from __future__ import annotations

from dataclasses import dataclass

import xarray as xr

from cortexsim.model.cortex import Cortex
from cortexsim.paper.experiments.experiment import Experiment
from cortexsim.paper.experiments.material import Material
from cortexsim.paper.experiments.part import Bench, Part, fit
from cortexsim.paper.experiments.scale import SCALES, Scale
from cortexsim.paper.experiments.tracing import (
    DATASETS,
    FULL,
    N_TRAINING,
    SMALL,
    measured,
    recipe_of,
    training_images,
)
from cortexsim.protocols._masking import masking
from cortexsim.training.recipe import Recipe
from cortexsim.zoo.tracers import TRACERS, Tracer

CURVES = "curves of 3 to 10 px on 16x16 px"
N_SMALL = 64  # training images at smoke scale
MASKS = {"noise": "noise", "lines": "image"}
LATCH = 2.0  # log odds; with a threshold of 0, 9 of 40 foils of training images were tagged at some time; with 2, none
MASKED_SIZE = 32  # px
MASKED_LENGTHS, N_MASKED = (10, 15, 20, 30), 20
SOAS = (5, 9, 12, 15, 18, 21, 25, 29, 35)
READ_AT = 50
UNLATCHED_SOAS = (9, 18, 29)


def masked_curves(n: int, lengths: tuple[int, ...] = MASKED_LENGTHS) -> xr.Dataset:
    """Draw as many test curves of each length, all on images of one size."""
    drawn = [DATASETS["paths"](n, size=MASKED_SIZE, length=(length, length), part="test") for length in lengths]
    return xr.concat(drawn, "stimulus", combine_attrs="drop_conflicts")


def interrupted(model: Cortex, data: xr.Dataset, soas: tuple[int, ...] = SOAS, read_at: int = READ_AT) -> xr.Dataset:
    """Measure what a mask costs a model that traces: the picture is shown until the mask, decisions are latched.

    Parameters
    ----------
    model : Cortex
    data : Dataset
        Curves of several lengths.
    soas : sequence of int
        Steps from the onset of the picture to that of the mask.
    read_at : int
        Readout time.

    Returns
    -------
    Dataset
        `masked` (mask, soa, masked_length), accuracy at the far point and the foil: "noise"; "lines", another picture
        of curves; "target", the picture itself; "blank", nothing. `unlatched` (unlatched_soa, masked_length): with
        noise, and no latch.
    """
    large = model.at_size(MASKED_SIZE).eval()
    few = tuple(soa for soa in UNLATCHED_SOAS if soa <= max(soas))
    table: xr.Dataset = masking(  # type: ignore[assignment]
        large, data, soas=soas, masks=MASKS, durations="soa", readout_time=read_at, latch=LATCH, by="length"
    )
    none: xr.Dataset = masking(  # type: ignore[assignment]
        large,
        data,
        soas=few,
        masks={"noise": "noise"},
        durations="soa",
        readout_time=read_at,
        by="length",
        controls=False,
    )
    lengths = ("masked_length", table["length"].values, {"long_name": "length of the curve", "units": "px"})
    steps = {"long_name": "stimulus-onset asynchrony", "units": "steps"}
    about = {"long_name": "accuracy at the far point and the foil", "units": "1", "n": data.sizes["stimulus"]}
    return xr.Dataset(
        {
            "masked": (("mask", "soa", "masked_length"), table["accuracy"].values, about),
            "unlatched": (("unlatched_soa", "masked_length"), none["accuracy"].values[0], about),
        },
        {
            "mask": table["mask"].values,
            "soa": ("soa", list(soas), steps),
            "unlatched_soa": ("unlatched_soa", list(few), steps),
            "masked_length": lengths,
        },
        {"latch": LATCH},
    )


@dataclass(frozen=True)
class Tracing:
    """A model that traces, or a control model, trained once and tested on larger curves or mazes.

    Parameters
    ----------
    label : str
        Its name in `zoo.TRACERS`.
    seed : int
    """

    label: str
    seed: int = 0

    @property
    def tracer(self) -> Tracer:
        """Its entry in `zoo.TRACERS`."""
        return TRACERS[self.label]

    def recipe(self, scale: Scale, material: Material) -> Recipe:
        """Return the recipe of its training; only an explicit number of epochs changes it."""
        asked = scale.recipe.epochs if scale.recipe.epochs != SCALES[scale.name].recipe.epochs else None
        return recipe_of(self.tracer, self.seed, 1 if scale.name == "smoke" else asked)

    def do(self, bench: Bench) -> xr.Dataset:
        """Train it if it is not trained yet, and test it."""
        small = bench.scale.name == "smoke"
        recipe = self.recipe(bench.scale, bench.material)
        images = training_images(self.tracer, N_SMALL if small else N_TRAINING, self.seed)
        trained, model = fit(self, self.tracer.build(self.seed).to(bench.device), images, recipe, bench)
        bench.report(1.0, "testing")
        found = measured(model, self.tracer, SMALL if small else FULL)
        if self.label == "tracer":
            curves = masked_curves(2, (10, 20)) if small else masked_curves(N_MASKED)
            read = ((9, 21), 22) if small else (SOAS, READ_AT)
            found = found.merge(interrupted(model, curves, *read))
        # trained for different numbers of epochs: nothing is drawn by epoch
        found["training_seconds"] = trained["training_seconds"]
        found["diverged"] = trained["diverged"]
        found["n_parameters"] = sum(parameter.numel() for parameter in model.parameters())
        found["trained_until"] = self.tracer.readout_time
        return found


def _plan(scale: Scale, seed: int) -> tuple[Part, ...]:
    return tuple(Tracing(name, seed) for name in TRACERS)


def _material(scale: Scale) -> Material:
    """Describe what "tracer" is trained and tested on, by its first images."""
    train = training_images(TRACERS["tracer"], N_SMALL)
    return Material(train, masked_curves(2), "paths and mazes", "turn-flip")


EXTRAPOLATION = Experiment(
    "extrapolation",
    "Thinking longer, seeing further",
    "Does a model that runs longer than it was trained solve what it was never trained on?",
    _plan,
    paper="The paper states that a recurrent network shares its weights over time (S) and shows nothing of this kind. "
    "The task is our own: curves of 3 to 10 px and mazes of 5x5 cells in training, longer and larger ones in the test.",
    figures=("extrapolation", "controls", "steps-needed", "wave", "collapse", "mazes", "maze-controls"),
    seeds=5,
    own_name=CURVES,
    own_material=_material,
    about_data=f"{CURVES} and mazes of 5x5 cells, {N_TRAINING:,} training images; test curves "
    f"of {', '.join(map(str, FULL.curves))} px and mazes of {', '.join(map(str, FULL.mazes))} cells per side",
    validated_on="nothing was chosen on these test images; the settings come from training curves and curves of 20 px "
    "of other seeds",
)
