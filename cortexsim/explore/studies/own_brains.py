"""A panel that compares a model over time with your own images and brain data, next to two baselines."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import brains, zoo
from cortexsim._support.checks import unknown
from cortexsim._support.png import png_address
from cortexsim._support.progress import Report
from cortexsim.analyse._compare_rdms import METHODS
from cortexsim.analyse._rdm import METRICS
from cortexsim.brains.matrices import STIMULI, labelled_matrices
from cortexsim.datasets import classes, digits
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, Text
from cortexsim.explore.panel.script import Name, call, script
from cortexsim.explore.panel.study import Study
from cortexsim.explore.panel.tasks import shipped
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.studies import own_brains_questions
from cortexsim.explore.studies.own_brains_questions import agreements
from cortexsim.model.cortex import Cortex
from cortexsim.plot import brain as brain_figure
from cortexsim.stimuli.presentation import sustained
from cortexsim.zoo.models import path_of

OWN, AS_FILE_SAYS = "your own", "as the file says"
N_EXAMPLE = 40
N_BOOTSTRAP = 200
LEAST_STIMULI = 4  # for a comparison of RDMs
N_SHOWN, THUMB_PX = 20, 48
LABELS = "the labels of these images (an example, not brain data)"


class Brains(Study):
    """Agreement of a model's dissimilarities with a brain's over model time, next to pixels and untrained weights.

    Without a file it shows an example: digits, and a matrix made of their labels in place of brain data.

    Parameters
    ----------
    model : Cortex or str, optional
        A task with a pretrained model, such as "digits", a path ending in .safetensors, or a model of your own.
    images : str
        A folder of images, with or without a subfolder for each class, or a .mat file that contains them.
    brain : str
        A file of dissimilarity matrices; see `brains.read`. By default, a matrix made of the images' labels.
    question : str
        A key of `QUESTIONS`, or "" for none.

    Raises
    ------
    ValueError, TypeError
        If there is no such model. Errors in files are shown in the panel.

    Examples
    --------
    >>> import cortexsim as cs
    >>> panel = cs.explore.Brains("digits", question="")
    >>> sorted(panel.choices)
    ['brain', 'dims', 'images', 'matrix', 'method', 'metric', 'model', 'presentation', 'until', 'variable']
    """

    QUESTIONS: ClassVar[Mapping[str, Guess]] = own_brains_questions.QUESTIONS
    EXERCISES: ClassVar[Mapping[str, Guess]] = own_brains_questions.EXERCISES
    FORMER_VALUES: ClassVar[Mapping[str, Mapping[str, str]]] = {"presentation": unmasked.FORMER_NAMES}
    ACTION: ClassVar[str] = "compare over time"
    MORE: ClassVar[tuple[str, ...]] = ("matrix", "variable", "dims", "presentation", "until", "metric", "method")

    def __init__(
        self, model: Cortex | str | None = None, images: str = "", brain: str = "", *, question: str = ""
    ) -> None:
        tasks = {task.title: name for name, task in shipped().items()}
        if isinstance(model, str) and path_of(model) is not None:
            model = zoo.get(model)
        if isinstance(model, str) and model not in tasks.values():
            raise ValueError(unknown("model", model, tasks.values()) + ", or a path ending in .safetensors")
        if model is not None and not isinstance(model, Cortex | str):
            raise TypeError(f"model must be a task's name, a path or a Cortex, got {type(model).__name__}")
        self._models: dict[str, Cortex] = {OWN: model} if isinstance(model, Cortex) else {}
        first = "digits" if "digits" in tasks.values() else next(iter(tasks.values()))
        chosen = OWN if isinstance(model, Cortex) else model or first
        until = self._model(chosen).readout_time
        # weights that are not shared over time end at the readout time
        last = max(self._model(chosen).readable(sustained(), 3 * until))
        metrics = [metric for metric in METRICS if metric != "crossnobis"]
        methods = [method for method in METHODS if "cov" not in method]
        controls: dict[str, Control] = {
            "model": Menu("model", {OWN: OWN} if chosen == OWN else tasks, chosen, width_px=380),
            "images": Text("images", str(images), "empty: the example; or a folder, or .mat", width_px=430),
            "brain": Text("brain", str(brain), "empty: the labels; or .mat, .npz, .h5, .nc", width_px=430),
            "matrix": Text("name of one matrix", "", "all", width_px=260),
            "variable": Text("variable", "", "the only one", width_px=190),
            "dims": Menu("matrices are of", [AS_FILE_SAYS, "subject", "session"], width_px=240),
            "presentation": Menu("shown", unmasked.MENU, width_px=170),
            "until": Menu("last time", range(2, last + 1), min(until + 3, last), width_px=150),
            "metric": Menu("dissimilarity", metrics, width_px=220),
            "method": Menu("compared by", methods, "spearman", width_px=210),
        }
        super().__init__(None, controls, question)

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Read the files, and compare."""
        model = self._model(choices["model"])
        report(0.0, "reading the images …")
        images = self._images(choices["images"], model)
        report(0.0, "reading the matrices …")
        rdms = self._matrices(choices, images)
        found = brains.compare(
            model,
            images,
            rdms,
            until=choices["until"],
            presentation=UNMASKED[choices["presentation"]],
            metric=choices["metric"],
            method=choices["method"],
            n_bootstrap=N_BOOTSTRAP,
            report=report,
        )
        source = images.attrs.get("name", "images") if choices["images"] else "the example: digits in debris"
        n, first = images.sizes["stimulus"], images["image"].isel(stimulus=slice(0, N_SHOWN))
        return xr.Dataset(
            {"similarity": found, "shown": first.reset_coords(drop=True).rename(stimulus="first").variable},
            attrs={"images": str(source), "n_images": n, "method": choices["method"], "model": choices["model"]},
        )

    def script(self, choices: Chosen) -> str:
        """Write the lines that read the files, and compare."""
        path, brain = choices["images"].strip(), choices["brain"].strip()
        own, size = choices["model"] == OWN, Name("model.image_size")
        example = call("cs.datasets.digits", N_EXAMPLE, part="test", size=Name("model.image_size[0]"))
        if brain:
            matrices = [f"rdms = {call('cs.brains.read', brain, **_selection(choices))}"]
        else:
            # the form of `brains.read`: one subject, one session
            matrices = [
                'label = images["label"].values',
                "different = (label[:, None] != label)[None, None].astype(float)",
                'rdms = xr.DataArray(different, dims=("subject", "session", "stimulus", "other_stimulus"))',
            ]
        compared = call(
            "cs.brains.compare",
            Name("model"),
            Name("images"),
            Name("rdms"),
            until=choices["until"],
            presentation=UNMASKED[choices["presentation"]],
            metric=choices["metric"],
            method=choices["method"],
            n_bootstrap=N_BOOTSTRAP,
        )
        named = call("cs.zoo.load", str(shipped()[choices["model"]].model)) if not own else ""
        return script(
            "# model: your own, as it was given to the panel" if own else f"model = {named}",
            f"images = {call('cs.brains.images', path, size=size) if path else example}",
            *matrices,
            f"similarity = {compared}",
            "figure = cs.plot.brain(similarity)",
            "figure",
            imports=[] if brain else ["import xarray as xr"],
        )

    def draw(self, result: xr.Dataset) -> dict[str, go.Figure]:
        """Draw the agreement, with one panel for each state."""
        example = result["similarity"].attrs["source"] == LABELS
        title = "agreement with the labels (in place of brain data)" if example else None
        return {"agreement": brain_figure(result["similarity"], title=title)}

    def say(self, result: xr.Dataset) -> str:
        """Report the agreement of the last state, of the untrained one and of the pixels at the last time."""
        about = result["similarity"].attrs
        text = f"{result.attrs['n_images']} images ({result.attrs['images']}), compared with {about['source']}. "
        if "brain_time" in result.dims:
            return text + "Brain time is a separate axis: see the maps."
        text += agreements(result)
        if "ceiling_low" in result.coords:
            low, high = float(result["ceiling_low"]), float(result["ceiling_high"])
            text += f" Noise ceiling {low:.2f} to {high:.2f} over {about['n_subjects']} subjects."
        else:
            text += " A single matrix has no noise ceiling."
        return text

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the first images, as the model sees them, below the figure."""
        return [*super().show(figures), self._strip]

    def _draw(self, result: Any) -> None:
        self._strip = _strip(result)
        super()._draw(result)

    @classmethod
    def _reopened(cls, settings: Mapping[str, Any], *, model: Any, data: Any) -> Self:
        named = settings["choices"].get("model")
        if named == OWN and model is None:
            raise ValueError("these settings were saved from a model object; pass the same model again with model=...")
        return cls(model if named == OWN else named, question=settings["question"])

    # --- inside

    def _model(self, name: str) -> Cortex:
        if name not in self._models:
            self._models[name] = zoo.load(str(shipped()[name].model))
        return self._models[name]

    @staticmethod
    def _images(path: str, model: Cortex) -> xr.Dataset:
        size = model.image_size
        if path.strip():
            found = brains.images(path.strip(), size=size)
            if found.sizes["stimulus"] < LEAST_STIMULI:
                raise ValueError(
                    f"a comparison needs at least {LEAST_STIMULI} images, but {path} contains {found.sizes['stimulus']}"
                )
            return found
        if size[0] != size[1]:
            raise ValueError(
                f"the images of the example are square, but this model needs {size[0]} x {size[1]} px: give «images»"
            )
        return digits(N_EXAMPLE, part="test", size=size[0])

    @staticmethod
    def _matrices(choices: Chosen, images: xr.Dataset) -> xr.DataArray:
        path, options = choices["brain"].strip(), _selection(choices)
        if path:
            try:
                return brains.read(path, **options)
            except ValueError as error:
                raise type(error)(_in_words_of_the_panel(str(error))) from error
        if options:
            raise ValueError(
                f"{', '.join(options)} selects matrices of a file, but no file is given: choose one under «brain»"
            )
        if "label" not in images.coords or len(classes(images)) < 2:
            raise ValueError(
                "these images have no classes to make a matrix of: give a file of matrices under «brain», or images in "
                "a subfolder for each class"
            )
        label = images["label"].values
        return labelled_matrices((label[:, None] != label).astype(float), STIMULI, {}, source=LABELS)


def _in_words_of_the_panel(message: str) -> str:
    """Return a message with the names of controls in place of arguments."""
    message = re.sub(r"pass dims=.*", "say under «matrices are of» what they are", message, flags=re.DOTALL)
    for argument, control in (("name=", "«name of one matrix»"), ("variable=", "«variable»")):
        message = message.replace(argument, control)
    return message


def _selection(choices: Chosen) -> dict[str, Any]:
    """Return the arguments of `brains.read` that select matrices of a file."""
    texts = {"name": choices["matrix"].strip(), "variable": choices["variable"].strip()}
    options: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if choices["dims"] != AS_FILE_SAYS:
        options["dims"] = (choices["dims"],)
    return options


def _strip(result: xr.Dataset) -> widgets.HTML:
    """Show the first images as the model sees them, in the order of the matrices."""
    pictures = []
    for position, pixels in enumerate(result["shown"].values):
        pictures.append(
            f'<img alt="image {position}" title="image {position}" src="{png_address(np.asarray(pixels))}" '
            f'style="width:{THUMB_PX}px;height:{THUMB_PX}px;image-rendering:pixelated;margin:0">'
        )
    n, (height, width) = result.attrs["n_images"], result["shown"].shape[-2:]
    more = f"the first {len(pictures)} of {n} images" if n > len(pictures) else f"the {n} images"
    caption = f"{more} as the model sees them ({height} x {width} px), in the order that the matrices must have:"
    return widgets.HTML(
        f'<div style="line-height:1.4">{html.escape(caption)}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:2px">{"".join(pictures)}</div>'
    )
