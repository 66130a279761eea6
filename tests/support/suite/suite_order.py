"""Order of the tests over parallel processes."""

import os
from collections.abc import Sequence
from typing import Protocol, TypeVar

STARTS_STACKS = ("tests/acceptance/", "tests/benchmarks/")
"""Folders with tests that start whole stacks, nearly half of the run's time."""


class Item(Protocol):
    """A collected test."""

    nodeid: str


T = TypeVar("T", bound=Item)


def processes() -> int:
    """Return the number of processes that share the tests."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def deal(items: Sequence[T], count: int) -> list[T]:
    """Order the tests so that each of `count` equal parts begins with its share of the long ones.

    `--dist worksteal` gives each process one such part. The long tests of one process alone would
    end long after everything else. A module stays whole, so that its stack is started once.
    """
    long = [item for item in items if item.nodeid.startswith(STARTS_STACKS)]
    short = [item for item in items if not item.nodeid.startswith(STARTS_STACKS)]
    modules = list(dict.fromkeys(_module(item) for item in long))
    ordered: list[T] = []
    for part in range(count):
        ours = modules[part * len(modules) // count : (part + 1) * len(modules) // count]
        ordered += (item for item in long if _module(item) in ours)
        missing = (part + 1) * len(items) // count - len(ordered)
        ordered += short[: max(missing, 0)]
        short = short[max(missing, 0) :]
    return ordered


def _module(item: Item) -> str:
    return item.nodeid.partition("::")[0]
