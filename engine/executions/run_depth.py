"""Depth of runs that begin runs: bounds loops of workflows that call each other."""

HEADER = "Headrace-Depth"
"""Header on the calls of a run's nodes: the depth of that run."""
MAX_DEPTH = 8
"""Most depth of a run, by children and over HTTP; that of a run which a caller begins is 0."""


def child_depth(header: str | None) -> int:
    """Return the depth, from 1, of a run that a call with this header starts.

    An invalid header counts as absent: only this installation sends one.
    """
    if header is None or not header.isascii() or not header.isdigit() or len(header) > 3:
        return 1
    return int(header) + 1
