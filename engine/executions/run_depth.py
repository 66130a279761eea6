"""Depth of runs that begin runs: bounds loops of workflows that call each other over HTTP."""

HEADER = "Headrace-Depth"
"""Carried by the calls of a run's nodes: the depth of that run."""
MAX_DEPTH = 8


def child_depth(header: str | None) -> int:
    """The depth of a run that a call with this header begins, from 1.

    A header that is no number of a run counts as none: only this installation sends one.
    """
    if header is None or not header.isascii() or not header.isdigit() or len(header) > 3:
        return 1
    return int(header) + 1
