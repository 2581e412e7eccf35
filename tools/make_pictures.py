"""Draw the pictures of the README from the models that ship: the moving one, and what its ten lines draw.

uv run python tools/make_pictures.py
"""

from __future__ import annotations

import argparse
import contextlib
import re
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from PIL import Image, ImageDraw, ImageFont

import cortexsim as cs

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"
SIZE, LENGTH, SEED = 48, 60, 3
UNTIL = 66  # steps
SCALE, MARGIN, HEADER, FOOTER = 8, 16, 34, 34  # px
STEP_MS, LAST_MS = 90, 2500
TAG, LINE, PAPER, INK = np.array([255.0, 153, 0]), np.array([150.0, 150, 150]), (17, 17, 17), (230, 230, 230)


def logits_of(name: str, paths: xr.Dataset, until: int) -> np.ndarray:
    """Return the logit of "on the dot's curve" over time, shape (time, y, x)."""
    model = cs.zoo.load(name).at_size(SIZE).eval()
    recording = cs.simulate(model, paths, cs.sustained(), until=until, record=[])
    logits = recording["readout"]["logits"].values[0]
    return logits[:, 1] - logits[:, 0]


def tile(paths: xr.Dataset, logits: np.ndarray) -> Image.Image:
    """Draw lines in grey, tagged pixels in orange, and the dot as it is shown."""
    tagged = (1 / (1 + np.exp(-logits)))[..., None]
    line = paths["line"].values[0][..., None]
    colours = line * (LINE + (TAG - LINE) * tagged) + ~line * TAG * tagged / 2
    dot = int(paths["cue_y"][0]), int(paths["cue_x"][0])
    colours[dot] = paths["image"].values[0][:, dot[0], dot[1]]
    drawn = Image.fromarray(np.round(colours).astype(np.uint8))
    return drawn.resize((SIZE * SCALE, SIZE * SCALE), Image.Resampling.NEAREST)


def frame(tiles: list[tuple[str, str, Image.Image]]) -> Image.Image:
    """Put tiles next to each other, each with a title above and a sentence below."""
    side = SIZE * SCALE
    width = len(tiles) * side + (len(tiles) + 1) * MARGIN
    made = Image.new("RGB", (width, HEADER + side + FOOTER), PAPER)
    draw = ImageDraw.Draw(made)
    for index, (title, text, one) in enumerate(tiles):
        left = MARGIN + index * (side + MARGIN)
        made.paste(one, (left, HEADER))
        draw.text((left, 8), title, INK, ImageFont.load_default(18))
        draw.text((left, HEADER + side + 8), text, INK, ImageFont.load_default(16))
    return made


def run_the_ten_lines() -> None:
    """Run the code of the README in the folder of pictures, where its figure is saved."""
    code = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    path = FOLDER / "wave.png"
    path.unlink(missing_ok=True)
    with contextlib.chdir(FOLDER):
        exec(code[1], {})
    print(f"saved {path} ({path.stat().st_size / 1e3:.0f} kB)")


def main() -> None:
    """Draw the long curve that is traced, and the network with unshared weights that stops; run the README's code."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.set_num_threads(1)
    paths = cs.datasets.paths(1, size=SIZE, length=(LENGTH, LENGTH), part="test", seed=SEED)
    tracer = logits_of("tracer", paths, UNTIL)
    last = cs.zoo.load("tracer-unshared").readout_time
    unshared = logits_of("tracer-unshared", paths, last)
    target, line = paths["target"].values[0].astype(bool), paths["line"].values[0]

    def right(logits: np.ndarray) -> str:
        return f"{int((logits[target] > 0).sum())} of {int(target.sum())} px tagged"

    frames = []
    for time in range(UNTIL + 1):
        stopped = min(time, last)
        solved = (((tracer[time] > 0) == target) | ~line).all()
        ends = f", no weights for step {last + 1}" if time > last else ""
        shared = f"t = {time}: {right(tracer[time])}{', solved' if solved else ''}"
        frames.append(
            frame(
                [
                    ("Weights shared over time", shared, tile(paths, tracer[time])),
                    (
                        "Weights not shared over time",
                        f"t = {stopped}: {right(unshared[stopped])}{ends}",
                        tile(paths, unshared[stopped]),
                    ),
                ]
            )
        )
    FOLDER.mkdir(parents=True, exist_ok=True)
    durations = [STEP_MS] * UNTIL + [LAST_MS]
    path = FOLDER / "tracer.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, lossless=True, method=6)
    print(f"saved {path} ({path.stat().st_size / 1e3:.0f} kB)")
    run_the_ten_lines()


if __name__ == "__main__":
    main()
