"""Measure the models of contours and digits that ship on a second test set, and write data/models/fresh.json.

uv run python tools/measure_fresh.py

The cards' test set is the same for all models; its images were read when the models were compared. This one was drawn
afterwards, once, with another seed, and nothing was chosen from it. Contours are balanced between the two answers
within each length here (`matched=True`), so that chance is 50 % for curves of any length.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import xarray as xr

import cortexsim as cs
from cortexsim.model.classes import labels_for
from cortexsim.stimuli.images import as_images
from cortexsim.training.evaluate import predictions

RESULT = Path(__file__).resolve().parents[1] / "data" / "models" / "fresh.json"
N, SEED, UNTIL = 1000, 1, 12


def contours() -> xr.Dataset:
    """Draw the second test set of contours."""
    return cs.datasets.contours(N, part="test", seed=SEED, matched=True)


def digits() -> xr.Dataset:
    """Draw the second test set of digits, half of them occluded, with seeds that no set of the cards has."""
    free = cs.datasets.digits(N // 2, part="test", seed=2 * SEED, occlusion="none")
    occluded = cs.datasets.digits(N // 2, part="test", seed=2 * SEED + 1, occlusion=(0.05, 0.5))
    return xr.concat([free, occluded], "stimulus", combine_attrs="override")


SETS = {
    "contours": (contours, f"contours, test part, seed {SEED}, {N} stimuli, balanced within each length"),
    "digits": (digits, f"digits, half of them occluded, test part, seeds {2 * SEED} and {2 * SEED + 1}, {N} stimuli"),
}


def measured(model: cs.Cortex, data: xr.Dataset) -> dict[str, float]:
    """Return the fraction that is right at each readout time, of the sustained image."""
    times = model.readable(cs.sustained(), UNTIL)
    named = predictions(model, as_images(data), times, cs.sustained(), batch_size=100)
    right = (named == labels_for(model, data)).float().mean(1)
    return {str(time): round(float(share), 4) for time, share in zip(times, right, strict=True)}


def main() -> None:
    """Measure all of them."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    for task, (draw, described) in SETS.items():
        data = draw()
        for name in cs.zoo.pretrained():
            if name.startswith(f"ventral-stream-{task}"):
                accuracy = measured(cs.zoo.load(name), data)
                found[name] = {"data": described, "date": f"{datetime.now(UTC):%Y-%m-%d}", "accuracy": accuracy}
                print(name, accuracy, flush=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
