"""Python lines that make the recording and the figures of a panel again, without the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cortexsim.explore.panel.subject import Subject
from cortexsim.stimuli.presentation import ARGUMENTS, AnyPresentation, Mixture, Presentation

WIDEST = 96  # characters in a line
_INDENT = "    "
_LEFT_OUT: Mapping[str, Any] = {"mask_duration": None}


class Name(str):
    """An expression, which is written as it is, and not as a text in quotes."""


def written(value: Any) -> str:
    """Write a value as Python.

    Parameters
    ----------
    value : Name, Presentation, Mixture, mapping, sequence, range, or plain value
    """
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Presentation | Mixture):
        return _presentation(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(key)}: {written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Sequence) and not isinstance(value, str | range):
        return f"[{', '.join(map(written, value))}]"
    return repr(value)


def call(function: str, *given: Any, **named: Any) -> str:
    """Write a call; one that is wider than a page has a line for each argument.

    Parameters
    ----------
    function : str
    *given, **named
        Arguments, as for `written`.
    """
    arguments = [*map(written, given), *(f"{name}={written(value)}" for name, value in named.items())]
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= WIDEST:
        return line
    return "\n".join([f"{function}(", *(f"{_INDENT}{one}," for one in arguments), ")"])


def inside(text: str) -> list[str]:
    """Return the lines of a text, indented as the body of a function or a loop."""
    return [f"{_INDENT}{line}" if line else "" for line in text.splitlines()]


def model_line(subject: Subject, *, control: bool = False) -> str:
    """Write the line that loads the model of a subject, or its control model."""
    name = subject.control_name if control else subject.to_dict()["model"]
    variable = "control" if control else "model"
    if name is None:
        return f"# {variable}: your own, as it was given to the panel"
    return f"{variable} = {call('cs.zoo.get', name)}"


def data_line(variable: str, data: Mapping[str, Any] | None, n: int) -> str:
    """Write the line that draws images; images of your own are the variable `data`.

    Parameters
    ----------
    variable : str
    data : mapping or None
        As `Subject.to_dict` has it.
    n : int
        Number of images.
    """
    if data is None:
        return f"{variable} = {call('cs.datasets.spread', Name('data'), n)}  # data: your own images"
    arguments = {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()}
    function = f"cs.datasets.{arguments.pop('name')}"
    return f"{variable} = {call(function, n, **arguments)}"


def subject_lines(subject: Subject, *, control: bool = False) -> list[str]:
    """Write the lines that make the model and the images of a subject.

    Parameters
    ----------
    subject : Subject
    control : bool
        Add the feedforward control, if there is one.
    """
    controls = [model_line(subject, control=True)] if control and subject.control is not None else []
    return [model_line(subject), *controls, data_line("images", subject.to_dict()["data"], subject.n)]


def training_line(subject: Subject, n: int) -> str:
    """Write the line that draws the images of `Subject.training`, for statistics."""
    return data_line("training", subject.training_data, n)


def script(*lines: str, imports: Sequence[str] = ()) -> str:
    """Join lines to a script that begins with the imports.

    Parameters
    ----------
    *lines : str
        An empty one makes a gap.
    imports : sequence of str
        In addition to that of cortexsim.
    """
    gap = [""] if imports else []
    return "\n".join([*sorted(imports), *gap, "import cortexsim as cs", "", *lines]) + "\n"


def _presentation(shown: AnyPresentation) -> str:
    if isinstance(shown, Mixture):
        even = len(set(shown.weights)) == 1
        return call("cs.mixture", *shown.components, **({} if even else {"weights": shown.weights}))
    values = {name: getattr(shown, name) for name in ARGUMENTS[shown.kind]}
    values = {name: one for name, one in values.items() if name not in _LEFT_OUT or one != _LEFT_OUT[name]}
    return call(f"cs.{shown.kind}", **values)
