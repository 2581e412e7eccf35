"""The screen at one time: the image or mask that is shown, or nothing."""

from __future__ import annotations

import ipywidgets as widgets
import numpy as np

from cortexsim._support.png import png_address

_SIDE_PX = 150


class Screen(widgets.HTML):
    """An image, enlarged without blurring, and its kind."""

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(width=f"{_SIDE_PX + 20}px", flex="0 0 auto"))

    def show(self, shown: str, pixels: np.ndarray | None) -> None:
        """Show the input of one time.

        Parameters
        ----------
        shown : str
            "image", "mask" or "nothing".
        pixels : array, shape (3, height, width), optional
            RGB in [0, 1]; None where nothing is shown, or the image is not known.
        """
        box = (
            f"width:{_SIDE_PX}px;height:{_SIDE_PX}px;box-sizing:border-box;image-rendering:pixelated;"
            "object-fit:contain;border:1px solid rgba(128,128,128,.6)"
        )
        if pixels is not None:
            picture = f'<img alt="{shown}" style="{box}" src="{png_address(pixels)}">'
        else:
            hatched = "repeating-linear-gradient(-45deg,transparent 0 9px,rgba(128,128,128,.45) 9px 10px)"
            word = "nothing enters" if shown == "nothing" else f"{shown}: no picture was given"
            picture = (
                f'<div style="{box};background:{hatched};display:flex;align-items:center;justify-content:center;'
                f'text-align:center;line-height:1.3">{word}</div>'
            )
        self.value = f'<div style="line-height:1.6"><b>on the screen</b>  {shown}</div>{picture}'
