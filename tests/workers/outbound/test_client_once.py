"""One attempt is one call on the wire, however the connection ends."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.limits.outbound import CallAllowance
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.factories import Graph, Runner
from tests.support.http.raw_server import Dropping, failure, redirect, serving_apart
from workers.outbound.client import Egress

LARGE = 200_000


@pytest.fixture
def dropping() -> Iterator[Dropping]:
    with serving_apart(Dropping()) as dropping:
        yield dropping


class Leases:
    """Grants one call at a time, and counts them."""

    def __init__(self) -> None:
        self.calls = 0

    async def lease(self, account_id: str, host: str, *, calls: int, sent: int) -> CallAllowance:
        self.calls += 1
        return CallAllowance(calls=1, seconds=60)


def get(url: str, **more: Any) -> HttpCall:
    return HttpCall(method="GET", url=url, **more)


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "PATCH"])
async def test_a_call_that_is_read_and_not_answered_is_not_sent_again(
    dropping: Dropping, egress: Egress, method: str, resets: bool
) -> None:
    dropping.resets = resets
    await egress.fetch(get(f"{dropping.url}/ok"))

    failed = await failure(egress, HttpCall(method=method, url=f"{dropping.url}/drop"))

    assert (failed.code, failed.retryable) == ("connection_failed", True)
    assert dropping.lines == ["GET /ok", f"{method} /drop"]
    assert dropping.connections == 1


async def test_a_first_call_that_is_not_answered_is_not_sent_again(
    dropping: Dropping, egress: Egress
) -> None:
    await failure(egress, get(f"{dropping.url}/drop"))

    assert dropping.lines == ["GET /drop"]


async def test_a_first_call_is_not_sent_again_though_the_kernel_counts_nothing_of_it(
    dropping: Dropping, egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.outbound.connection.acknowledged_bytes", lambda sock: 1)

    await failure(egress, get(f"{dropping.url}/drop", timeout_seconds=PATIENCE_SECONDS))

    assert dropping.lines == ["GET /drop"]


async def test_redirects_are_calls_of_their_own_and_none_is_repeated(dropping: Dropping) -> None:
    dropping.pages = {"/0": redirect(302, "/1"), "/1": redirect(307, "/drop")}
    leases = Leases()
    egress = Egress(allow_private=True, leases=leases)

    await failure(egress, get(f"{dropping.url}/0", max_redirects=5, account_id="acc"))
    await egress.close()

    assert dropping.lines == ["GET /0", "GET /1", "GET /drop"]
    assert leases.calls == 3


LIMITED = "[pro]\noutbound_calls_per_minute = 4\noutbound_calls_per_host = 4\n"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(LIMITED)
    return replace(settings, tiers_file=str(path))


@pytest.mark.usefixtures("walker", "young_window", "brisk_sweeper")
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
async def test_wire_record_and_budget_count_the_same_attempts(
    runner: Runner, account: Account, store: Store, dropping: Dropping, method: str
) -> None:
    retry = {"attempts": 3, "backoff": 0}
    graph = Graph().node("warm", "httpRequest", url=f"{dropping.url}/ok")
    graph.node("h", "httpRequest", url=f"{dropping.url}/drop", method=method, retry=retry)
    graph.node("out", "responseOutput").wire("warm.response-out > h.body-in")
    graph.wire("h.response-out > out.result-in")

    execution = await runner.run(graph)

    assert dropping.lines == ["GET /ok", *[f"{method} /drop"] * 3]
    assert [node.attempts for node in execution.nodes[:2]] == [1, 3]
    lease = await store.outbound.lease(account.id, "127.0.0.1", calls=1, sent=0)
    assert lease.calls == 0  # of 4 that were allowed


@pytest.mark.parametrize("is_seen", [True, False], ids=["closed before", "closed meanwhile"])
@pytest.mark.parametrize("size", [0, 1, LARGE])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_call_that_met_a_closed_connection_is_sent_on_a_new_one(
    dropping: Dropping, method: str, size: int, is_seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_seen:
        monkeypatch.setattr("workers.outbound.connection.is_quiet", lambda sock: True)
    leases = Leases()
    egress = Egress(allow_private=True, leases=leases)
    call = HttpCall(method=method, url=f"{dropping.url}/ok?2", body=b"x" * size, account_id="acc")
    await egress.fetch(get(f"{dropping.url}/ok?1", account_id="acc"))

    dropping.hang_up()
    got = await egress.fetch(call)
    await egress.close()

    assert (got.status, dropping.connections) == (200, 2)
    assert dropping.lines == ["GET /ok?1", f"{method} /ok?2"]
    assert dropping.requests[-1].endswith(b"\r\n\r\n" + b"x" * size)
    assert leases.calls == 2
