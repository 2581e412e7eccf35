"""A mask has its target's mean and RMS contrast in each channel, and depends on (seed, stimulus) alone."""

import pytest
import torch
from torch import Tensor

from cortexsim._support import randomness
from cortexsim.stimuli.masks import MASKS, GivenMask, _texture, make_masks, match_contrast

INDEX = torch.arange(12)


def targets_of(kind: str) -> Tensor:
    """Draw 12 images of 16 x 16 pixels in float64."""
    drawn = randomness.uniform(1, kind, INDEX, (3, 16, 16)).double()
    match kind:
        case "even":
            return drawn
        case "low contrast":
            return 0.5 + 0.02 * (drawn - 0.5)
        case "dark":
            return drawn**6
        case "sparse":
            return (drawn > 0.97).double() * 0.9
        case "almost black and white":
            return ((drawn > 0.5).double() * 0.98 + 0.01).clamp(0, 1)
        case "bright with few dark dots":
            return 1 - (drawn > 0.95).double() * 0.8
    raise ValueError(kind)


KINDS = ("even", "low contrast", "dark", "sparse", "almost black and white", "bright with few dark dots")


def moments(images: Tensor) -> tuple[Tensor, Tensor]:
    return images.mean((-2, -1)), images.std((-2, -1), correction=0)


def masks_of(mask, targets, seed=0, index=INDEX, others=None):
    if mask == "given":
        mask = GivenMask.of(torch.rand((3, 16, 16), generator=torch.Generator().manual_seed(5)))
    # images of many greys: one of two greys could not take on every mean and contrast
    return make_masks(mask, targets, targets_of("even") if others is None else others, seed, index)


@pytest.mark.parametrize("mask", [*MASKS, "given"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_mask_has_its_targets_mean_and_contrast_in_each_channel_after_clipping(mask, kind):
    targets = targets_of(kind)
    masks = masks_of(mask, targets)
    assert 0 <= float(masks.min()) <= float(masks.max()) <= 1
    for got, wanted in zip(moments(masks), moments(targets), strict=True):
        # a step of grey in 8 bits is 0.004
        torch.testing.assert_close(got, wanted, rtol=0, atol=0.005)


@pytest.mark.parametrize("mask", MASKS)
def test_a_black_and_white_target_is_approached(mask):
    targets = (targets_of("even") > 0.7).double()
    for got, wanted in zip(moments(masks_of(mask, targets)), moments(targets), strict=True):
        torch.testing.assert_close(got, wanted, rtol=0, atol=0.03)


@pytest.mark.parametrize("mask", ["noise", "phase-scrambled", "pixel-shuffled", "target"])
def test_a_flat_target_gets_a_flat_mask_of_its_grey(mask):
    targets = torch.full((12, 3, 16, 16), 0.3, dtype=torch.float64)
    torch.testing.assert_close(masks_of(mask, targets), targets, rtol=0, atol=1e-4)


def test_a_pixel_shuffled_mask_is_a_permutation_of_the_targets_pixels():
    targets = targets_of("even")
    masks = masks_of("pixel-shuffled", targets)
    for mask, target in zip(masks, targets, strict=True):
        assert not torch.equal(mask, target)
        # whole pixels move: each keeps its three colours
        assert set(map(tuple, mask.flatten(1).T.tolist())) == set(map(tuple, target.flatten(1).T.tolist()))


def test_the_target_as_its_own_mask_is_the_very_same():
    targets = targets_of("even")
    assert torch.equal(masks_of("target", targets), targets)


def test_a_phase_scrambled_mask_keeps_the_amplitudes_of_an_unclipped_target():
    targets = targets_of("low contrast")
    masks = masks_of("phase-scrambled", targets)
    # the mean is set apart; neither is clipped, so all other amplitudes are the target's
    amplitudes = [torch.fft.rfft2(images).abs().flatten(2)[..., 1:] for images in (masks, targets)]
    torch.testing.assert_close(*amplitudes, rtol=0.02, atol=1e-3)
    assert float((masks - targets).abs().mean()) > 1e-3


def test_a_mask_of_another_image_is_never_the_same_stimulus():
    # each image is known again by the place of its one bright pixel
    targets = torch.zeros((12, 3, 16, 16), dtype=torch.float64)
    targets[INDEX, :, INDEX, INDEX] = 1.0
    for seed in range(30):
        brightest = masks_of("image", targets, seed, others=targets).mean(1).flatten(1).argmax(1)
        partner = brightest // 17
        assert not bool((partner == INDEX).any())
    assert len(set(partner.tolist())) > 3


@pytest.mark.parametrize("mask", [*MASKS, "given"])
def test_a_mask_does_not_depend_on_the_batch_or_its_order(mask):
    targets = targets_of("even")
    whole = masks_of(mask, targets)
    parts = [masks_of(mask, targets[part], index=part, others=targets) for part in INDEX.split(5)]
    backwards = masks_of(mask, targets.flip(0), index=INDEX.flip(0), others=targets)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-9)
    torch.testing.assert_close(backwards.flip(0), whole, rtol=0, atol=1e-9)


@pytest.mark.parametrize("mask", ["noise", "phase-scrambled", "pixel-shuffled", "texture", "image"])
def test_another_seed_gives_another_mask_and_every_stimulus_its_own(mask):
    targets = targets_of("even")[:1].expand(12, -1, -1, -1)
    first, second = (masks_of(mask, targets, seed) for seed in (0, 1))
    assert not torch.allclose(first, second)
    assert len(first.round(decimals=6).unique(dim=0)) > 4


def test_a_given_mask_keeps_its_pixels_and_equals_itself():
    pixels = torch.rand(3, 4, 6)
    assert torch.equal(GivenMask.of(pixels).pixels(), pixels)
    assert GivenMask.of(pixels) == GivenMask.of(pixels.double())
    assert GivenMask.of(pixels) != GivenMask.of(1 - pixels)


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (2, 3, 8, 8)])
def test_a_given_mask_of_a_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"a mask must have shape \(3, height, width\), got"):
        GivenMask.of(torch.rand(shape))


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_a_given_mask_outside_0_to_1_is_refused(value):
    with pytest.raises(ValueError, match=r"a mask's pixels must lie in \[0, 1\]"):
        GivenMask.of(torch.full((3, 8, 8), value))


def test_a_given_mask_of_another_size_than_the_images_is_refused():
    with pytest.raises(ValueError, match=r"the mask has shape \(3, 4, 4\), but the images have \(3, 16, 16\)"):
        masks_of(GivenMask.of(torch.rand(3, 4, 4)), targets_of("even"))


def test_a_mask_without_contrast_is_refused():
    with pytest.raises(ValueError, match=r"without contrast .*; show flash\(\) for a blank"):
        match_contrast(torch.full((12, 3, 16, 16), 0.5, dtype=torch.float64), targets_of("even"))


def test_another_image_as_mask_needs_another_image():
    with pytest.raises(ValueError, match="needs at least 2 stimuli, got 1"):
        make_masks("image", targets_of("even")[:1], targets_of("even")[:1], 0, INDEX[:1])


def test_an_unknown_mask_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown mask 'nois'.*did you mean 'noise'\?"):
        masks_of("nois", targets_of("even"))


def test_a_texture_is_made_of_pieces_of_other_stimuli():
    # each image has a grey of its own
    greys = torch.linspace(0.1, 0.9, 12, dtype=torch.float64)
    others = greys[:, None, None, None].expand(-1, 3, 16, 16)
    made = _texture(others, others, 0, INDEX)
    patches = made.reshape(12, 3, 4, 4, 4, 4)
    assert torch.equal(patches, patches[..., :1, :, :1].expand_as(patches))
    assert set(made.unique().tolist()) <= set(greys.tolist())
    assert not bool((made == others).any())
    assert all(len(one.unique()) > 4 for one in made)


def test_a_texture_covers_a_field_that_no_whole_number_of_patches_fills():
    drawn = torch.rand((5, 3, 10, 7), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    masks = make_masks("texture", drawn, drawn, 0, INDEX[:5])
    assert masks.shape == drawn.shape
    torch.testing.assert_close(moments(masks)[1], moments(drawn)[1], rtol=0, atol=0.005)


def test_a_texture_needs_another_image():
    with pytest.raises(ValueError, match="a mask of kind 'texture' needs at least 2 stimuli, got 1"):
        make_masks("texture", targets_of("even")[:1], targets_of("even")[:1], 0, INDEX[:1])
