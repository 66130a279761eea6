"""Acceptance tests on other servers: HEADRACE_TEST_TOPOLOGY is `single`, `sentinel` or `cluster`.

Each stack that would start a Redis of its own gets new servers instead, one set for each folder of
data, so that a stack which starts again finds its data.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.failover.servers import SingleServer
from tests.support.redis.cluster import RedisCluster
from tests.support.redis.sentinel import SentinelGroup

TOPOLOGY = os.environ.get("HEADRACE_TEST_TOPOLOGY", "")
REDIS_URL = "HEADRACE_REDIS_URL"
AT_REST = "saves a running installation; for clusters at rest see tests/deploy/commands"
EMBEDDED = "is about the Redis that `headrace up` starts"

EXCLUDED: dict[str, str] = {
    "test_the_stack_starts_answers_and_leaves_nothing_behind": EMBEDDED,
    "test_a_newcomer_is_shown_the_pages_a_link_to_sign_in_and_the_data": EMBEDDED,
    "test_the_console_tells_of_the_start_and_says_at_the_end_where_the_data_is": EMBEDDED,
    "test_a_redis_that_cannot_start_is_told_with_its_reason": EMBEDDED,
    "test_a_backup_is_restored_into_an_empty_data_directory": EMBEDDED,
    "test_what_waits_for_30_days_goes_on_and_lacks_nothing": EMBEDDED,
}
"""Parts of the names of tests that need the Redis of `headrace up`, and the reasons."""

EXCLUDED_ON_CLUSTERS: dict[str, str] = {
    "test_a_backup_is_restored_into_an_empty_redis": AT_REST,
    "test_the_file_holds_no_key_and_is_its_owners_alone": AT_REST,
    "test_each_of_many_backups_under_load_is_consistent": AT_REST,
}
"""Parts of the names of tests that a cluster does not pass, and the reasons."""

_servers: dict[Path, RedisCluster | SentinelGroup | SingleServer] = {}


def redis_environ(data_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the setting that names a stack's servers; none for a Redis that the stack starts."""
    if not TOPOLOGY or REDIS_URL in environ:
        return {}
    if data_dir not in _servers:
        _servers[data_dir] = servers = _make_servers()
        servers.start()
    return {REDIS_URL: _servers[data_dir].address()}


@contextlib.contextmanager
def closing_new_servers() -> Iterator[None]:
    """Close the servers that were started within the context."""
    kept = set(_servers)
    try:
        yield
    finally:
        for data_dir in set(_servers) - kept:
            _servers.pop(data_dir).stop()


def skip_excluded(items: list[pytest.Item]) -> None:
    """Skip tests that do not run on the chosen servers, with their reasons."""
    if not TOPOLOGY:
        return
    excluded = EXCLUDED | (EXCLUDED_ON_CLUSTERS if TOPOLOGY == "cluster" else {})
    for item in items:
        for part, reason in excluded.items():
            if part in item.nodeid:
                item.add_marker(pytest.mark.skip(f"not on {TOPOLOGY}: {reason}"))


def _make_servers() -> RedisCluster | SentinelGroup | SingleServer:
    if TOPOLOGY == "single":
        return SingleServer()
    if TOPOLOGY == "sentinel":
        return SentinelGroup(is_marked=False)
    assert TOPOLOGY == "cluster", f"HEADRACE_TEST_TOPOLOGY: {TOPOLOGY}"
    return RedisCluster(is_marked=False)
