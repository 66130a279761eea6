"""Warnings about names in a request that are ignored because nothing has them."""

from collections.abc import Collection, Iterable

MAX_NAME = 64
"""Most characters of an ignored name that a warning repeats."""
MAX_LISTED = 10
"""Most names that have a warning of their own."""


def warn_of_ignored(
    noun: str, names: Iterable[str], known: Collection[str], reason: str
) -> tuple[str, ...]:
    """Return a sentence for each name that is not known, and one for those beyond the tenth."""
    unknown = [name for name in names if name not in known]
    warnings = [
        f"The {noun} '{name[:MAX_NAME]}' was ignored: {reason}" for name in unknown[:MAX_LISTED]
    ]
    if len(unknown) > MAX_LISTED:
        warnings.append(f"{len(unknown) - MAX_LISTED} more {noun}s were ignored")
    return tuple(warnings)
