"""Train the residual networks of notebook 02, with weights that all steps share and with weights of each step's own.

    uv run python tools/train_residual.py

Both have one state of 8 channels on 16x16 px and 12 steps, and are read out at every step in training. They are saved
as data/models/residual-digits.safetensors and residual-digits-unshared.safetensors (or in the folder --to). Accuracy on
1,000 digits of the test part is printed for every step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import cortexsim as cs
from cortexsim.explore.studies.folding_forms import MODELS, MOST_STEPS, N_CLASSES, SIDE, network
from cortexsim.stimuli.images import as_images
from cortexsim.training.evaluate import accuracies

HERE = Path(__file__).resolve().parents[1] / "data" / "models"
N_TRAINING, N_TEST = 6000, 1000


def trained(*, shared: bool, seed: int, epochs: int) -> cs.Cortex:
    """Train one of the two networks, from the initial weights of a seed."""
    model = cs.Cortex(
        network(MOST_STEPS),
        N_CLASSES,
        MOST_STEPS,
        sharing="time" if shared else "none",
        generator=torch.Generator().manual_seed(seed),
    )
    recipe = cs.Recipe(
        epochs=epochs,
        batch_size=64,
        optimizer="adamw",
        learning_rate=0.005,
        augmentation="none",
        presentation=cs.flash(1),
        calibration_images=1000,
        calibrate_until=MOST_STEPS,
        precision="float32",
        seed=seed,
    )
    for progress in cs.train(model, cs.datasets.digits(N_TRAINING, size=SIDE, debris="none"), recipe, report_every=50):
        print(progress, flush=True)
    return model.eval()


def main() -> None:
    """Train and save both, and print how many test digits they classify correctly at each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--to", type=Path, default=HERE)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    test = cs.datasets.digits(N_TEST, size=SIDE, part="test", debris="none")
    for shared, name in MODELS.items():
        model = trained(shared=shared, seed=asked.seed, epochs=asked.epochs)
        cs.save(model, asked.to / f"{name}.safetensors")
        labels = torch.as_tensor(test["label"].values)
        found = accuracies(model, as_images(test), labels, list(range(1, MOST_STEPS + 1)), cs.flash(1))
        print(name, {time: round(value, 3) for time, value in found.items()}, flush=True)


if __name__ == "__main__":
    main()
