"""A panel that compares a model over time with your own images and brain data, next to two baselines."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import xarray as xr

from cortexsim import brains, zoo
from cortexsim._support.checks import unknown
from cortexsim._support.png import png_address
from cortexsim._support.progress import Report
from cortexsim.analyse._compare_rdms import METHODS, TITLES
from cortexsim.brains.comparison import METRICS, dissimilarities
from cortexsim.brains.matrices import DIMS, STIMULI, labelled_matrices
from cortexsim.brains.names import are_matched, in_order_of
from cortexsim.datasets import classes, digits
from cortexsim.explore.panel import unmasked
from cortexsim.explore.panel.asking import Guess
from cortexsim.explore.panel.controls import Chosen, Control, Menu, PathText, Text
from cortexsim.explore.panel.script import Name, call, script
from cortexsim.explore.panel.study import Study
from cortexsim.explore.panel.tasks import shipped
from cortexsim.explore.panel.unmasked import UNMASKED
from cortexsim.explore.studies import own_brains_questions
from cortexsim.explore.studies.own_brains_questions import agreements
from cortexsim.model.cortex import Cortex
from cortexsim.plot import brain as brain_figure
from cortexsim.plot import dissimilarity
from cortexsim.stimuli.images import as_images
from cortexsim.stimuli.presentation import sustained
from cortexsim.zoo.models import path_of, pretrained

OWN, AS_FILE_SAYS = "your own", "as the file says"
# the data of their task are not needed here
PHOTOGRAPHS = {
    "photographs (CIFAR-10)": "ventral-stream-cifar10-jpeg",
    "photographs, feedforward control": "ventral-stream-cifar10-jpeg-feedforward",
}
N_EXAMPLE = 40
N_BOOTSTRAP = 200
LEAST_STIMULI = 4  # for a comparison of RDMs
N_SHOWN, THUMB_PX, NAME_PX = 20, 48, 98
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
        tasks = _offered()
        if isinstance(model, str) and model not in tasks.values() and path_of(model) is not None:
            model = zoo.get(model)
        if isinstance(model, str) and model not in tasks.values():
            raise ValueError(unknown("model", model, tasks.values()) + ", or a path ending in .safetensors")
        if model is not None and not isinstance(model, Cortex | str):
            raise TypeError(f"model must be a task's name, a path or a Cortex, got {type(model).__name__}")
        self._read: dict[str, list[tuple[str, int, int]]] = {}  # files of each measurement, as they were
        self._models: dict[str, Cortex] = {OWN: model} if isinstance(model, Cortex) else {}
        first = "digits" if "digits" in tasks.values() else next(iter(tasks.values()))
        chosen = OWN if isinstance(model, Cortex) else model or first
        until = self._model(chosen).readout_time
        # weights that are not shared over time end at the readout time
        last = max(self._model(chosen).readable(sustained(), 3 * until))
        methods = [method for method in METHODS if "cov" not in method]
        controls: dict[str, Control] = {
            "model": Menu("model", {OWN: OWN} if chosen == OWN else tasks, chosen, width_px=380),
            "images": PathText(
                Text("images", str(images), "empty: the example; or a folder, or .mat", width_px=380),
                "choose a folder",
                folder=True,
            ),
            "brain": PathText(
                Text("brain", str(brain), "empty: the labels; or .mat, .npz, .h5, .nc", width_px=430),
                "choose a file",
                accept=".mat,.npz,.h5,.hdf5,.nc,.npy,.csv,.tsv",
            ),
            "matrix": Text("name of one matrix", "", "all", width_px=260),
            "variable": Text("variable", "", "the only one", width_px=190),
            "dims": Menu("matrices are of", [AS_FILE_SAYS, *DIMS[:3]], width_px=240),
            "presentation": Menu("shown", unmasked.MENU, width_px=170),
            "until": Menu("last time", range(2, last + 1), min(until + 3, last), width_px=150),
            "metric": Menu("dissimilarity", METRICS, width_px=220),
            "method": Menu("compared by", {TITLES[one]: one for one in methods}, "spearman", width_px=270),
        }
        super().__init__(None, controls, question)

    def run(self) -> None:
        """Measure the present choices in the background; an earlier result is shown if its files are unchanged."""
        chosen = self.choices
        if self._read.get(self._key_of(chosen)) != _files(chosen):
            self._made.pop(self._key_of(chosen), None)
        super().run()

    def measure(self, choices: Chosen, report: Report) -> xr.Dataset:
        """Read the files, and compare."""
        self._read[self._key_of(choices)] = _files(choices)
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
        report(0.95, "drawing the matrices …")
        last, until, shown = model.graph.state_names[-1], choices["until"], UNMASKED[choices["presentation"]]
        own = dissimilarities(model, as_images(images), shown, until=until, states=[last], metric=choices["metric"])[
            last
        ]
        matrices = {
            "brain_rdm": in_order_of(images, rdms).mean([dim for dim in rdms.dims if dim not in STIMULI]),
            "model_rdm": own.sel(time=until),
        }
        return xr.Dataset(
            {
                "similarity": found,
                "shown": first.reset_coords(drop=True).rename(stimulus="first").variable,
                "stimulus_name": ("stimulus", _names_of(images)),
                **{name: (STIMULI, one.transpose(*STIMULI).values) for name, one in matrices.items()},
            },
            attrs={
                "images": str(source),
                "n_images": n,
                "method": choices["method"],
                "model": choices["model"],
                "matched": int(are_matched(images, rdms)),
                "statistics": int(model.needs_statistics),
            },
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
        named = call("cs.zoo.load", _in_zoo(choices["model"])) if not own else ""
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
        last = str(result["similarity"]["state"].values[-1])
        titles = {"brain_rdm": "the labels" if example else "brain", "model_rdm": f"{last} of the model, last time"}
        named = result["stimulus_name"].values
        matrices = {
            name: _matrix(result[name].assign_coords(class_name=("stimulus", named)), text)
            for name, text in titles.items()
        }
        figures = {"agreement": brain_figure(result["similarity"], title=title), **matrices}
        if "brain_time" in result.dims:
            figures["training"] = brain_figure(result["similarity"], minus="untrained")
        return figures

    def say(self, result: xr.Dataset) -> str:
        """Report the agreement of the last state, of the untrained one and of the pixels at the last time."""
        about = result["similarity"].attrs
        statistics = " Statistics were taken on these images." if result.attrs["statistics"] else ""
        text = f"{result.attrs['n_images']} images ({result.attrs['images']}), compared with {about['source']}. "
        if "brain_time" in result.dims:
            return text + "Brain time is a separate axis: see the maps." + statistics
        text += agreements(result)
        if "ceiling_low" in result.coords:
            low, high = float(result["ceiling_low"]), float(result["ceiling_high"])
            text += f" Noise ceiling {low:.2f} to {high:.2f} over {about['n_subjects']} subjects."
        return text + statistics

    def show(self, figures: Mapping[str, go.Figure]) -> Sequence[widgets.Widget]:
        """Put the first images, as the model sees them, and the two matrices below the figure."""
        agreement, brain, model, *others = super().show(figures)
        row = widgets.Layout(display="grid", grid_template_columns="repeat(2, minmax(0, 1fr))")
        shown = [agreement, self._strip, widgets.Box([brain, model], layout=row)]
        self.fold(others)
        return shown

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
            self._models[name] = zoo.load(_in_zoo(name))
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
        named = {"stimulus_name": ("stimulus", images["file_name"].values)} if "file_name" in images.coords else {}
        return labelled_matrices((label[:, None] != label).astype(float), STIMULI, named, source=LABELS)


def _offered() -> dict[str, str]:
    """Return the models that the menu offers, by their titles: those of tasks, and those trained on photographs."""
    photographs = {title: name for title, name in PHOTOGRAPHS.items() if name in pretrained()}
    return {task.title: name for name, task in shipped().items()} | photographs


def _in_zoo(name: str) -> str:
    """Return the name in the zoo of a model that the menu offers."""
    return name if name in PHOTOGRAPHS.values() else str(shipped()[name].model)


def _files(choices: Chosen) -> list[tuple[str, int, int]]:
    """List the files of the choices, those in folders and subfolders too, with size and time of the last change."""
    given = [Path(path) for name in ("images", "brain") if (path := choices[name].strip())]
    # Path.is_dir raises an error for a name that is too long
    inside = [one for path in given if os.path.isdir(path) for pattern in ("*", "*/*") for one in path.glob(pattern)]
    found = []
    for one in [*given, *inside]:
        try:
            stat = one.stat()
        except OSError:  # reading it says what is wrong
            continue
        found.append((str(one), stat.st_size, stat.st_mtime_ns))
    return sorted(found)


def _in_words_of_the_panel(message: str) -> str:
    """Return a message with the names of controls in place of arguments."""
    message = re.sub(r"pass dims=.*", "say under «matrices are of» what they are", message, flags=re.DOTALL)
    message = message.replace(", or pass allow_pickle=True if it is your own", "")
    for argument, control in (("name=", "«name of one matrix»"), ("variable=", "«variable»")):
        message = message.replace(argument, control)
    # lists and tuples of texts
    return re.sub(r"[\[(]('[^\])]*')[\])]", lambda found: found[1].replace("'", ""), message)


def _selection(choices: Chosen) -> dict[str, Any]:
    """Return the arguments of `brains.read` that select matrices of a file."""
    texts = {"name": choices["matrix"].strip(), "variable": choices["variable"].strip()}
    options: dict[str, Any] = {name: text for name, text in texts.items() if text}
    if choices["dims"] != AS_FILE_SAYS:
        options["dims"] = (choices["dims"],)
    return options


def _names_of(images: xr.Dataset) -> list[str]:
    """Return a name for each image: that of its file, else its class and number, else its number."""
    if "file_name" in images.coords:
        return [str(name) for name in images["file_name"].values]
    numbers = range(1, images.sizes["stimulus"] + 1)
    if "label" not in images.coords:
        return list(map(str, numbers))
    names = classes(images)
    return [f"{names[label]} ({k})" for label, k in zip(images["label"].values.tolist(), numbers, strict=True)]


def _matrix(rdm: xr.DataArray, title: str) -> go.Figure:
    """Draw a matrix on a scale of its own, with the names of stimuli in the hover text."""
    figure = dissimilarity(rdm, title=title, highest=float(np.nanmax(rdm.values)) or 1.0)
    figure.layout.shapes = ()
    figure.update_traces(colorbar_tickformat=".2f")
    return figure.update_xaxes(showticklabels=False).update_yaxes(showticklabels=False).update_layout(height=300)


def _strip(result: xr.Dataset) -> widgets.HTML:
    """Show the first images as the model sees them, with their names, in the order of the matrices."""
    pictures = []
    for pixels, name in zip(result["shown"].values, result["stimulus_name"].values, strict=False):
        said = html.escape(str(name), quote=True)
        pictures.append(
            f'<figure style="margin:0;width:{NAME_PX}px" title="{said}"><img alt="{said}" '
            f'src="{png_address(np.asarray(pixels))}" style="width:{THUMB_PX}px;height:{THUMB_PX}px;'
            'image-rendering:pixelated;margin:0;display:block"><figcaption style="overflow:hidden;'
            f'text-overflow:ellipsis;white-space:nowrap">{said}</figcaption></figure>'
        )
    n, (height, width) = result.attrs["n_images"], result["shown"].shape[-2:]
    more = f"the first {len(pictures)} of {n} images" if n > len(pictures) else f"the {n} images"
    order = (
        "matched with the matrices by name"
        if result.attrs["matched"]
        else "in the order of the rows of the matrices. Check the names"
    )
    caption = f"{more} as the model sees them ({height} x {width} px), {order}:"
    return widgets.HTML(
        f'<div style="line-height:1.4">{html.escape(caption)}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:4px">{"".join(pictures)}</div>'
    )
