"""Addresses that models' calls may not have: link-local ones and metadata services."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from tests.engine.net.test_url_policy import METADATA
from tests.support.http.raw_server import failure
from workers.outbound.address_gate import AddressGate
from workers.outbound.client import Egress

ADDRESSES = [
    *("169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("fd00:ec2::254", "fd20:ce::254", "fe80::a", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
]


@pytest.fixture
async def models() -> AsyncIterator[Egress]:
    """A client of models' calls."""
    egress = Egress(gate=AddressGate.for_providers(Settings(port=1)))
    yield egress
    await egress.close()


@pytest.mark.A43
@pytest.mark.parametrize("url", METADATA)
async def test_no_url_of_a_metadata_service_is_called(models: Egress, url: str) -> None:
    assert (await failure(models, HttpCall(method="GET", url=url))).code == "url_blocked"


@pytest.mark.A43
@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_name_that_resolves_to_a_metadata_service_is_called(
    models: Egress, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(host: str, port: object, **_: object) -> list[Any]:
        return [(0, 0, 0, "", (each, 0)) for each in ("127.0.0.1", address)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    call = HttpCall(method="GET", url="http://provider.example:1/v1", timeout_seconds=2)

    assert (await failure(models, call)).code == "url_blocked"


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "192.168.1.1", "fd00::1", "8.8.8.8"])
def test_private_addresses_are_called_by_models(address: str) -> None:
    assert AddressGate.for_providers(Settings(port=1)).admits(address, 8_000)
