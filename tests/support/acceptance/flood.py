"""A flood of runs from a process of its own: URL, key, how many, over how many connections."""

import asyncio
import sys

from tests.support.acceptance.http_load import ask_for_runs


def must_be_accepted(status: int, _: dict[str, str]) -> None:
    """A flood that is refused would be none."""
    assert status == 202, status


if __name__ == "__main__":
    url, key, count, connections = sys.argv[1:]
    turns = iter(range(int(count)))
    asyncio.run(ask_for_runs(url, key, turns, int(connections), must_be_accepted))
