"""What is settled before the first step of a training: its precision, its optimizer, and what identifies it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from cortexsim._support.hashing import checksum
from cortexsim.model.cortex import Cortex
from cortexsim.training.recipe import Recipe


def precision_on(device: torch.device) -> str:
    """Return the precision that "auto" means on a device: bfloat16 where it is computed with, not emulated."""
    if device.type == "cuda":
        # it came with compute capability 8; torch.cuda.is_bf16_supported counts emulation too
        return "bfloat16" if torch.cuda.get_device_capability(device)[0] >= 8 else "float32"
    # the only way to ask torch; a version without it gets float32, which is right everywhere
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
    return "bfloat16" if native and torch.backends.mkldnn.is_available() else "float32"


def refuse_too_few(recipe: Recipe, images: Tensor) -> None:
    """Refuse a recipe that needs more training images, or larger ones, than there are."""
    n = len(images)
    if n < recipe.batch_size:
        raise ValueError(f"{n} training images do not fill a batch of {recipe.batch_size}; give a smaller batch_size")
    fewest = min(share for _, share in recipe.curriculum)
    if round(fewest * n) < 1:
        raise ValueError(f"the curriculum begins with a share of {fewest:g} of {n} images, which is none")
    smallest, side = min(scale for _, scale in recipe.growth), min(images.shape[-2:])
    if round(smallest * side) < 1:
        raise ValueError(
            f"growth {recipe.growth} shrinks images of {side} px to a scale of {smallest:g}, less than a pixel"
        )


def identity_of(model: Cortex, recipe: Recipe, images: Tensor, labels: Tensor, easiest: Tensor) -> dict[str, Any]:
    """Return, as plain values, all that determines the result of a training; see `state.write_state`.

    Parameters
    ----------
    model : Cortex
    recipe : Recipe
    images, labels : Tensor
        Of all stimuli, also of those held out.
    easiest : Tensor
        The training images from the easiest to the most difficult.
    """
    return {
        # it changes memory, not results: a training that ran out of memory may continue with it
        "recipe": {name: value for name, value in recipe.to_dict().items() if name != "recompute"},
        "graph": model.graph.to_dict(),
        "model": {
            "pre_net": model.pre_net_name,
            "input_gain": model.input_gain,
            "sharing": model.sharing if isinstance(model.sharing, str) else "by a table",
            "normalization": model.normalization,
        },
        "images": checksum(images),
        "labels": checksum(labels),
        "difficulty": checksum(easiest),
        "post_net": model.post_net_name,
        "frozen": sorted(name for name, weights in model.named_parameters() if not weights.requires_grad),
        "n": len(images),
    }


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe; weights decay, gains and biases do not."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": others, "weight_decay": 0.0}]
    # one kernel for all weights, where launching many takes longer than running them
    fused = True if all(p.is_cuda for p in model.parameters()) else None
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.learning_rate, betas=(recipe.momentum, 0.99), fused=fused)
    return torch.optim.SGD(
        groups,
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov and recipe.momentum > 0,
        fused=fused,
    )
