"""Fixtures of outbound tests: names and hosts under control of a test."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.support.workers.open_gates import OneHost
from workers.outbound.client import Egress


@pytest.fixture
async def one_host() -> AsyncIterator[Egress]:
    egress = Egress(gate=OneHost(allow_private=False))
    yield egress
    await egress.close()


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[list[str]]], list[str]]:
    """Let names resolve to one set of addresses after another; the names asked are noted."""

    def install(answers: Iterator[list[str]]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: object, **_: object) -> list[Any]:
            asked.append(host)
            return [(0, 0, 0, "", (address, 0)) for address in next(answers)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return install
