"""Errors as text in a panel: Jupyter shows no exception of a widget's callback."""

from __future__ import annotations

import html
import traceback


def alert(what: str, error: Exception, then: str = "") -> str:
    """Write an error as HTML that a screen reader reads out, with the traceback collapsed.

    Parameters
    ----------
    what : str
        The action that failed, such as "This could not be drawn".
    error : Exception
        Its message says what is allowed.
    then : str
        Advice.
    """
    trace = html.escape("".join(traceback.format_exception(error)))
    after = f"<div>{html.escape(then)}</div>" if then else ""
    return (
        f'<div role="alert" style="line-height:1.5;border-left:3px solid #d55e00;padding-left:8px">'
        f"<b>{html.escape(what)}.</b> {html.escape(message_of(error))}{after}"
        f"<details><summary>for a bug report</summary><pre>{trace}</pre></details></div>"
    )


def message_of(error: Exception) -> str:
    """Return the message of an error, without the number that the system gives to its own errors."""
    if isinstance(error, OSError) and error.strerror and error.filename is None:
        return error.strerror
    return str(error) or type(error).__name__
