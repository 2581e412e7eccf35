"""What is no batch of images is refused, with what it is and what it should be."""

import pytest
import torch
import xarray as xr

from cortexsim._support.hashing import checksum
from cortexsim.stimuli.images import as_float, as_images, check_images, stimulus_coordinates


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 1, 8, 8), (2, 8, 8, 3), (2, 3, 8), (2, 4, 8, 8), (1, 1, 2, 3, 8, 8)])
def test_a_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(stimulus, 3, height, width\), or .* got \("):
        check_images(torch.rand(shape))


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 3, 8, 8), (2, 3, 0, 8)])
def test_no_images_are_refused(shape):
    with pytest.raises(ValueError, match="there are no images"):
        check_images(torch.rand(shape))


def test_another_size_than_the_models_is_refused():
    with pytest.raises(ValueError, match="sees images of 8x8 pixels, got 16x8"):
        check_images(torch.rand(2, 3, 16, 8), (8, 8))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.int8, torch.complex64])
def test_another_dtype_is_refused(dtype):
    with pytest.raises(TypeError, match=r"floating point in \[0, 1\] or uint8, got torch"):
        check_images(torch.ones((2, 3, 8, 8), dtype=dtype))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_pixel_that_is_not_finite_is_refused(value):
    images = torch.rand(2, 3, 8, 8)
    images[1, 2, 3, 4] = value
    with pytest.raises(ValueError, match="images must be finite, got NaN or infinity"):
        check_images(images)


@pytest.mark.parametrize("value", [-0.1, 1.1, 255.0])
def test_pixels_outside_0_to_1_are_refused(value):
    images = torch.rand(2, 3, 8, 8)
    images[1, 2, 3, 4] = value
    with pytest.raises(ValueError, match=r"pixels must lie in \[0, 1\] \(or be uint8\), got"):
        check_images(images)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_bytes_and_every_floating_point_are_images(dtype):
    images = torch.ones((2, 3, 8, 8), dtype=dtype)
    check_images(images, (8, 8))
    assert len(checksum(images)) == 16


def test_movies_are_images_too():
    check_images(torch.rand(2, 5, 3, 8, 8), (8, 8))


def test_anything_but_an_array_is_refused():
    with pytest.raises(TypeError, match=r"images must be a torch\.Tensor, a Dataset, .* got set"):
        as_images({1.0, 2.0})


def test_a_Dataset_without_images_is_refused():
    with pytest.raises(ValueError, match=r"needs the variable 'image', got \['picture'\]"):
        as_images(xr.Dataset({"picture": ("x", [1])}))


def test_a_reversed_Dataset_gives_reversed_images(shown_images):
    backwards = as_images(shown_images.isel(stimulus=slice(None, None, -1)))
    assert torch.equal(backwards, as_images(shown_images).flip(0))


def test_a_read_only_Dataset_is_copied(shown_images):
    shown_images["image"].values.flags.writeable = False
    as_images(shown_images).zero_()
    assert float(shown_images["image"].max()) > 0


def test_bytes_become_numbers_from_0_to_1():
    assert as_float(torch.tensor([0, 51, 255], dtype=torch.uint8)).tolist() == pytest.approx([0, 0.2, 1])


def test_floating_point_is_unchanged():
    images = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    assert as_float(images) is images


def test_stimulus_coordinates_are_those_along_stimuli(shown_images):
    with_more = shown_images.assign_coords(rotation=("stimulus", range(5)), scale=3, y=range(8))
    assert set(stimulus_coordinates(with_more)) == {"label", "rotation"}
    assert stimulus_coordinates(torch.rand(2, 3, 8, 8)) == {}


def test_the_checksum_changes_with_one_pixel_and_not_with_the_layout(pictures):
    changed = pictures.clone()
    changed[3, 1, 2, 2] += 1e-9
    assert checksum(pictures) == checksum(pictures.contiguous(memory_format=torch.channels_last))
    assert checksum(pictures) != checksum(changed)


@pytest.mark.parametrize("dim", ["frame", "channel", "y", "x"])
def test_images_whose_numbers_along_a_dimension_fall_are_refused(dim):
    values = xr.DataArray(torch.rand(2, 3, 3, 4, 4).numpy(), dims=("stimulus", "frame", "channel", "y", "x"))
    numbered = values.assign_coords({dim: range(values.sizes[dim])})
    assert as_images(numbered).equal(as_images(values))
    turned = numbered.isel({dim: slice(None, None, -1)})
    with pytest.raises(ValueError, match=rf"the coordinate '{dim}' of images must be in rising order, got \[[23], "):
        as_images(turned)
    assert as_images(turned.sortby(dim)).equal(as_images(values))


def test_channels_named_by_bytes_are_put_in_order():
    values = xr.DataArray(torch.rand(2, 3, 4, 4).numpy(), dims=("stimulus", "channel", "y", "x"))
    turned = values.isel(channel=[2, 1, 0]).assign_coords(channel=[b"blue", b"green", b"red"])
    assert as_images(turned).equal(as_images(values))


def test_a_sparse_tensor_is_refused():
    with pytest.raises(TypeError, match=r"images must be a dense tensor, got the layout torch.sparse_coo"):
        check_images(torch.rand(2, 3, 8, 8).to_sparse())
