"""Images become PNG files in an address, with their pixels unchanged."""

import base64
import io

import numpy as np
from PIL import Image

from cortexsim._support.png import png_address


def read(address):
    head, _, data = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_numbers_and_bytes_give_the_same_image():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(read(png_address(pixels)), pixels.transpose(1, 2, 0))
    np.testing.assert_array_equal(read(png_address(pixels / 255)), pixels.transpose(1, 2, 0))


def test_values_outside_0_to_1_are_clipped():
    pixels = np.stack([np.full((1, 1), value) for value in (-0.5, 0.5, 1.5)])
    assert read(png_address(pixels))[0, 0].tolist() == [0, 128, 255]


def test_an_enlarged_image_repeats_its_pixels():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    enlarged = read(png_address(pixels, least_px=7))
    assert enlarged.shape == (6, 6, 3)
    np.testing.assert_array_equal(enlarged[::3, ::3], pixels.transpose(1, 2, 0))
