"""Images as PNG data URLs, for pages and figures."""

from __future__ import annotations

import base64
import io

import numpy as np


def png_address(pixels: np.ndarray, *, least_px: int = 1) -> str:
    """Return an image as a data URL.

    Parameters
    ----------
    pixels : array, shape (3, height, width)
        RGB: bytes, or numbers in [0, 1].
    least_px : int
        Repeat each pixel until the image is about that wide, so that later scaling does not blur it.

    Returns
    -------
    str
        Begins with "data:image/png;base64,".
    """
    from PIL import Image

    as_bytes = pixels if pixels.dtype == np.uint8 else (np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)
    times = max(1, least_px // as_bytes.shape[-1])
    enlarged = as_bytes.transpose(1, 2, 0).repeat(times, 0).repeat(times, 1)
    written = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(enlarged)).save(written, format="png")
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode()
