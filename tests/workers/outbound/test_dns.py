"""Name look-ups: shared, bounded in time and number."""

import asyncio
import itertools
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from tests.support.eventually import PATIENCE_SECONDS
from tests.support.http.raw_server import Stub, failure
from workers.outbound.client import Egress
from workers.outbound.dns import MAX_LOOKUPS, NameNotFound, NameResolver


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


async def test_a_look_up_without_a_thread_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    lookups = NameResolver()

    for _ in range(MAX_LOOKUPS + 1):
        with pytest.raises(NameNotFound):
            await lookups.find("name.example")


async def test_look_ups_that_hang_make_others_wait_and_no_more(
    monkeypatch: pytest.MonkeyPatch, resolve: Callable[..., list[str]]
) -> None:
    released = threading.Event()
    answers: Iterator[list[str]] = iter(
        lambda: ["8.8.8.8"] if released.wait(PATIENCE_SECONDS) else [], None
    )
    asked = resolve(answers)
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 0.3)
    lookups = NameResolver()
    names = [f"{number}.example" for number in range(MAX_LOOKUPS + 10)]

    found = await asyncio.gather(*map(lookups.find, names), return_exceptions=True)
    assert all(isinstance(each, NameNotFound) for each in found)
    assert len(asked) == MAX_LOOKUPS
    monkeypatch.setattr("workers.outbound.dns.LOOKUP_SECONDS", 10.0)
    released.set()

    assert await lookups.find("last.example") == ["8.8.8.8"]


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

    assert await asyncio.wait_for(child.wait(), 15) == 0
