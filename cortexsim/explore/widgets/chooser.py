"""Files of the reader's machine: chosen with a button or dropped on it, and copied to where the kernel reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import ipywidgets as widgets
import traitlets

from cortexsim.explore.widgets.canvas import joined, styles
from cortexsim.explore.widgets.following import Following


class Chooser(Following):
    """A button that chooses a folder or a file of the reader's machine, on which either can be dropped.

    The browser does not say where a file lies, so that what is chosen is copied into a temporary folder, which is
    deleted with the kernel.

    Parameters
    ----------
    label : str
    folder : bool
        The button chooses a folder; by default a file.
    accept : str
        Endings of the files that the button offers, such as ".mat,.npz"; by default all.

    Attributes
    ----------
    path : str
        The copy of what was chosen last: a folder, or a file where a single one was chosen.
    """

    _esm = joined("following.js", "chooser.js")
    _css = styles("chooser.css")

    label = traitlets.Unicode().tag(sync=True)
    folder = traitlets.Bool(False).tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    path = traitlets.Unicode()

    def __init__(self, label: str, *, folder: bool = False, accept: str = "") -> None:
        super().__init__(label=label, folder=folder, accept=accept)
        # those of before are kept, because earlier results name them
        self._copies: list[tempfile.TemporaryDirectory[str]] = []
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: dict[str, Any], buffers: list[Any]) -> None:
        if content["kind"] == "begin":
            self._copies.append(tempfile.TemporaryDirectory(prefix="cortexsim-"))
            return
        root = Path(self._copies[-1].name)
        if content["kind"] == "end":
            self.path = str(self._chosen(root))
            return
        # the browser's path is a name within the folder that was chosen
        parts = [part for part in PurePosixPath(content["path"]).parts if part not in ("/", "..")]
        target = root.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as file:
            file.write(bytes(buffers[0]))

    def _chosen(self, root: Path) -> Path:
        entries = list(root.iterdir())
        if len(entries) > 1:
            return root
        # a single image is a folder of one; a .mat file may contain many
        is_image = self.folder and entries[0].is_file() and entries[0].suffix.lower() != ".mat"
        return root if is_image else entries[0]


class PathBox(widgets.HBox):
    """A path, which is typed, chosen or dropped.

    Parameters
    ----------
    text : Text
    chooser : Chooser

    Attributes
    ----------
    value : str
    """

    value = traitlets.Unicode()

    def __init__(self, text: widgets.Text, chooser: Chooser) -> None:
        self.description = text.description
        super().__init__([text, chooser], layout=widgets.Layout(align_items="center"))
        traitlets.link((text, "value"), (self, "value"))
        chooser.observe(lambda change: setattr(self, "value", change["new"]), names="path")
