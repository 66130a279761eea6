"""New connections of outbound calls: names resolved once, every address checked, TLS by name."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

from engine.net.addresses import parse_address
from workers.outbound.address_gate import AddressGate
from workers.outbound.connection import OutboundConnection
from workers.outbound.dns import NameNotFound, NameResolver

CONNECT_SECONDS = 10.0
"""For all addresses of a name together, with TLS."""


class AddressDenied(OSError):
    """An address or a port that must not be called."""


class NotConnected(OSError):
    """No address took the connection."""


class NotConnectedInTime(NotConnected):
    """No address took the connection within CONNECT_SECONDS."""


class NotTrusted(NotConnected):
    """No trusted TLS connection could be made."""


class Origin(NamedTuple):
    """Scheme, host without brackets, and port."""

    scheme: str
    host: str
    port: int


def _make_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


TLS_CONTEXT = _make_context()
"""Trusts the system's certificates; made at import, since it reads them from files."""


class Connector:
    """Connects to addresses that the gate admits."""

    def __init__(self, gate: AddressGate, lookups: NameResolver) -> None:
        self._gate = gate
        self._lookups = lookups
        self._loop = asyncio.get_running_loop()

    async def connect(
        self, origin: Origin, account_id: str, on_lost: Callable[[OutboundConnection], None]
    ) -> OutboundConnection:
        """Return a new connection. Raises NameNotFound, AddressDenied or NotConnected."""
        addresses = await self._find_addresses(origin, account_id)
        failure: OSError = NotConnected()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                for address in addresses:
                    try:
                        return await self._connect(origin, address, on_lost)
                    except AddressDenied:
                        raise
                    except ssl.SSLError:
                        failure = NotTrusted()
                    except OSError:
                        failure = NotConnected()
        except TimeoutError:
            raise NotConnectedInTime from None
        raise failure

    async def _find_addresses(self, origin: Origin, account_id: str) -> list[str]:
        """Return the checked addresses of a host; one that is denied refuses all.

        A name without an admitted address may look like an unknown one: see
        `AddressGate.hides_names`.
        """
        if parse_address(origin.host) is not None:
            return [origin.host]
        addresses = await self._lookups.find(origin.host, account_id)
        admitted = [each for each in addresses if self._gate.admits(each, origin.port)]
        if not admitted and self._gate.hides_names:
            raise NameNotFound
        if len(admitted) < len(addresses):
            raise AddressDenied
        return addresses

    async def _connect(
        self, origin: Origin, address: str, on_lost: Callable[[OutboundConnection], None]
    ) -> OutboundConnection:
        sock = self._open_socket(address, origin.port)
        try:
            await self._loop.sock_connect(sock, (address, origin.port))
        except BaseException:
            sock.close()
            raise
        is_secure = origin.scheme == "https"
        _, connection = await self._loop.create_connection(  # which closes the socket if it fails
            lambda: OutboundConnection(self._loop, sock, on_lost),
            sock=sock,
            ssl=TLS_CONTEXT if is_secure else None,
            server_hostname=origin.host if is_secure else None,
        )
        return connection

    def _open_socket(self, address: str, port: int) -> socket.socket:
        """Open a socket for the very address that is about to be connected, if it is admitted."""
        if not self._gate.admits(address, port):
            raise AddressDenied
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        sock.setblocking(False)
        return sock
