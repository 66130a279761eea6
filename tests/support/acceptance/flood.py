"""A flood of runs as a process of its own: URL, key, count, connections."""

import asyncio
import sys

from tests.support.acceptance.http_load import ask_for_runs


def must_be_accepted(status: int, _: dict[str, str]) -> None:
    """Fail for refused runs, since they would not be a flood."""
    assert status == 202, status


if __name__ == "__main__":
    url, key, count, connections = sys.argv[1:]
    turns = iter(range(int(count)))
    asyncio.run(ask_for_runs(url, key, turns, int(connections), must_be_accepted))
