"""Name look-ups: shared, bounded in time and number."""

import asyncio
import contextlib
import itertools
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.http.raw_server import Stub, failure
from workers.outbound.client import Egress
from workers.outbound.dns import (
    MAX_ACCOUNT_LOOKUPS,
    MAX_LOOKUPS,
    NameNotFound,
    NameResolver,
)


async def test_calls_at_the_same_time_share_a_look_up(
    stub: Stub, one_host: Egress, resolve: Callable[..., list[str]]
) -> None:
    asked = resolve(itertools.repeat(["127.0.0.1"]))
    call = HttpCall(method="GET", url=f"http://name.example:{stub.port}/")

    await asyncio.gather(*(one_host.fetch(call) for _ in range(50)))

    assert len(asked) == 1


async def test_a_look_up_has_a_deadline(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[Any]:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.1)
    failed = await failure(egress, HttpCall(method="GET", url="http://name.example/"))
    released.set()

    assert (failed.code, failed.retryable) == ("connection_failed", True)


async def test_the_deadline_of_a_call_holds_for_its_look_up(
    egress: Egress, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(*_: object, **__: object) -> list[Any]:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    call = HttpCall(method="GET", url="http://name.example/", timeout_seconds=0.1)
    failed = await failure(egress, call)
    released.set()

    assert failed.code == "timeout"


@pytest.mark.F42
async def test_a_look_up_without_a_thread_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    lookups = NameResolver()

    for _ in range(MAX_LOOKUPS + 1):
        with pytest.raises(NameNotFound):
            await lookups.find("name.example")


class HangingNames:
    """Names below `hangs.example` have a server that does not answer before `released`."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked: list[str] = []

    def look_up(self, host: str, *_: object, **__: object) -> list[Any]:
        self.asked.append(host)
        if host.endswith(".hangs.example"):
            self.released.wait(PATIENCE_SECONDS)
        return [(0, 0, 0, "", ("8.8.8.8", 0))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[HangingNames]:
    names = HangingNames()
    monkeypatch.setattr(socket, "getaddrinfo", names.look_up)
    yield names
    names.released.set()


def hanging(count: int, of: str = "") -> list[str]:
    return [f"{number}{of}.hangs.example" for number in range(count)]


async def start_all(
    lookups: NameResolver, hosts: list[str], account: str, names: HangingNames, asked: int
) -> list["asyncio.Task[list[str]]"]:
    """Start look-ups of an account, and wait until as many names in all were asked for."""
    tasks = [asyncio.create_task(lookups.find(each, account)) for each in hosts]
    await asyncio.sleep(0.01)
    await eventually(lambda: _return(len(names.asked)), lambda count: count >= asked)
    return tasks


async def _return(value: int) -> int:
    return value


@pytest.mark.A91g
async def test_names_that_hang_keep_other_accounts_from_nothing(names: HangingNames) -> None:
    lookups = NameResolver()
    tasks = await start_all(lookups, hanging(200), "a", names, MAX_ACCOUNT_LOOKUPS)

    assert await lookups.find("b.example", "b") == ["8.8.8.8"]
    assert await lookups.find("c.example") == ["8.8.8.8"]
    assert len(names.asked) == MAX_ACCOUNT_LOOKUPS + 2
    assert not any(each.done() for each in tasks)
    await asyncio.gather(*map(_give_up, tasks))


async def _give_up(task: "asyncio.Task[list[str]]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.A91g
async def test_a_name_that_waits_for_one_account_waits_for_no_other(names: HangingNames) -> None:
    lookups = NameResolver()
    hosts = [*hanging(MAX_ACCOUNT_LOOKUPS), "same.example"]
    tasks = await start_all(lookups, hosts, "a", names, MAX_ACCOUNT_LOOKUPS)

    assert await lookups.find("same.example", "b") == ["8.8.8.8"]

    assert not tasks[-1].done()
    names.released.set()
    await asyncio.gather(*tasks)


async def test_the_deadline_counts_from_the_start_of_the_look_up(
    names: HangingNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = NameResolver()
    first = await start_all(lookups, hanging(MAX_ACCOUNT_LOOKUPS), "a", names, MAX_ACCOUNT_LOOKUPS)
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.0)
    waiting = asyncio.create_task(lookups.find("good.example", "a"))
    await asyncio.sleep(0.1)
    assert not waiting.done()

    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 10.0)
    names.released.set()

    assert await waiting == ["8.8.8.8"]
    await asyncio.gather(*first)


async def test_a_look_up_holds_its_slot_until_its_thread_has_ended(
    names: HangingNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.05)
    lookups = NameResolver()
    found = await asyncio.gather(
        *(lookups.find(each, "a") for each in hanging(MAX_ACCOUNT_LOOKUPS)), return_exceptions=True
    )
    assert all(isinstance(each, NameNotFound) for each in found)

    waiting = asyncio.create_task(lookups.find("good.example", "a"))
    await lookups.find("other.example", "b")

    assert "good.example" not in names.asked
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 10.0)
    names.released.set()
    assert await waiting == ["8.8.8.8"]


@pytest.mark.A91g
async def test_when_all_slots_hang_accounts_take_turns(names: HangingNames) -> None:
    lookups = NameResolver()
    accounts = [f"acc_{number}" for number in range(MAX_LOOKUPS // MAX_ACCOUNT_LOOKUPS)]
    tasks = []
    for number, each in enumerate(accounts, 1):
        asked = number * MAX_ACCOUNT_LOOKUPS
        tasks += await start_all(lookups, hanging(50, each), each, names, asked)
    other = asyncio.create_task(lookups.find("other.example", "other"))
    await asyncio.sleep(0)

    names.released.set()

    await other
    assert names.asked.index("other.example") <= MAX_LOOKUPS + len(accounts) + MAX_LOOKUPS
    await asyncio.gather(*tasks)


async def test_a_look_up_that_nobody_waits_for_any_more_does_not_start(
    names: HangingNames,
) -> None:
    lookups = NameResolver()
    first = await start_all(lookups, hanging(MAX_ACCOUNT_LOOKUPS), "a", names, MAX_ACCOUNT_LOOKUPS)
    for each in await start_all(lookups, ["late.example"] * 3, "a", names, 0):
        await _give_up(each)

    names.released.set()
    await asyncio.gather(*first)
    assert await lookups.find("good.example", "a") == ["8.8.8.8"]

    assert "late.example" not in names.asked
    assert not lookups._lookups


async def test_who_stops_waiting_takes_the_look_up_from_nobody(names: HangingNames) -> None:
    lookups = NameResolver()
    first, second = await start_all(lookups, hanging(1) * 2, "a", names, 1)
    await _give_up(first)

    names.released.set()

    assert await second == ["8.8.8.8"]
    assert len(names.asked) == 1


HANGING = """
import asyncio, contextlib, socket, time
from workers.outbound.client import Egress
from engine.nodes.support.base import HttpCall; from engine.errors.nodes import NodeFailed

async def main():
    socket.getaddrinfo = lambda *_, **__: time.sleep(30)
    egress = Egress(allow_private=True)
    with contextlib.suppress(NodeFailed):
        await egress.fetch(HttpCall(method="GET", url="http://a.example/", timeout_seconds=0.1))
    await egress.close()

asyncio.run(main())
"""


async def test_the_end_of_a_process_does_not_wait_for_a_look_up() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HANGING), cwd=Path(__file__).parents[3]
    )

    assert await asyncio.wait_for(child.wait(), 25) == 0
