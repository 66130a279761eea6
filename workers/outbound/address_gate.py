"""Check of URLs and addresses before calls; this machine and our Redis are refused."""

import asyncio
import errno
import socket
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from engine.net.addresses import Address, is_metadata, is_public, parse_address
from engine.net.url_policy import PORTS, Target, UrlRefused, check_url
from engine.settings import Settings
from engine.store.redis.address import RedisAddress
from workers.outbound.dns import NameNotFound

REFRESH_SECONDS = 60.0
UNASSIGNED = ("240.0.0.1", "100::1")
"""No machine has these: a kernel that binds them binds any, which then proves nothing."""

Find = Callable[[str], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPort:
    """A host, by name or address, and a port."""

    host: str
    port: int


class AddressGate:
    """Checks each URL, and again the very address of each connection."""

    def __init__(
        self,
        *,
        allow_private: bool,
        stores: Iterable[HostPort] = (),
        ours: Iterable[HostPort] = (),
    ) -> None:
        self._allow_private = allow_private
        self._stores = tuple(stores)
        own = {endpoint.host for endpoint in (*self._stores, *ours)}
        self._addresses: dict[str, frozenset[Address | None]] = {
            host: frozenset({parse_address(host)} - {None}) for host in own
        }
        self._names = [host for host in own if parse_address(host) is None]
        self._stale_at = 0.0
        self._refreshing = asyncio.Lock()

    @classmethod
    def for_providers(cls, settings: Settings) -> "AddressGate":
        """Return the gate for calls of models, whose addresses only the operator chooses.

        A provider of one's own, and the model that runs here, have private addresses; link-local
        addresses and metadata services are refused all the same.
        """
        return cls.for_workflows(replace(settings, allow_private_urls=True, local_model_url=""))

    @classmethod
    def for_workflows(cls, settings: Settings) -> "AddressGate":
        """Return the gate of a worker with these settings: for all URLs in workflows."""
        addresses = (RedisAddress.of_state(settings), RedisAddress.of_queue(settings))
        stores = [
            HostPort(host=node.host.lower(), port=node.port)
            for node in dict.fromkeys(node for each in addresses for node in each.nodes)
        ]
        if local_model := _endpoint(settings.local_model_url, PORTS):
            stores.append(local_model)
        ours = [
            HostPort(host=host.lower(), port=port)
            for host, port in (
                (settings.host, settings.port),
                (settings.metrics_host, settings.metrics_port),
            )
            if host
        ]
        if public := _endpoint(settings.public_url, PORTS):
            ours.append(public)
        return cls(allow_private=settings.allow_private_urls, stores=stores, ours=ours)

    @property
    def hides_names(self) -> bool:
        """True when callers must not learn which names have private addresses."""
        return not self._allow_private

    def check(self, url: str) -> Target:
        """Return the target of a URL. Raises UrlRefused."""
        target = check_url(url, allow_private=self._allow_private)
        if not self._allow_private and target.host in self._addresses:
            raise UrlRefused("The URL leads to a part of Headrace itself")
        return target

    def admits(self, address: str, port: int) -> bool:
        """Return whether this address may be connected."""
        parsed = parse_address(address)
        if any(parsed in self._addresses[store.host] for store in self._stores_at(port)):
            return False
        if self._allow_private:
            return not is_metadata(address)
        if port not in PORTS.values() or not is_public(address):
            return False
        return not any(parsed in known for known in self._addresses.values()) and not is_own(
            address
        )

    @property
    def is_stale(self) -> bool:
        """True when the addresses of our own names must be looked up again."""
        return bool(self._names) and time.monotonic() >= self._stale_at

    async def refresh(self, find: Find) -> None:
        """Look up the addresses of our own names when they are stale."""
        if not self.is_stale:
            return
        async with self._refreshing:
            if time.monotonic() < self._stale_at:
                return
            if self._stale_at:  # calls meanwhile use the known addresses
                self._stale_at = time.monotonic() + REFRESH_SECONDS
            for name in self._names:
                await self._learn(name, find)
            self._stale_at = time.monotonic() + REFRESH_SECONDS

    async def _learn(self, name: str, find: Find) -> None:
        try:
            addresses = await find(name)
        except NameNotFound:
            return  # the known addresses still hold
        self._addresses[name] = frozenset(map(parse_address, addresses)) - {None}

    def _stores_at(self, port: int) -> Iterable[HostPort]:
        return (store for store in self._stores if store.port == port)


def _endpoint(url: str, ports: Mapping[str, int]) -> HostPort | None:
    """Return host and port of a URL with one of these schemes, by default the scheme's port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None  # the store says so better
    if parts.scheme not in ports or not host:
        return None
    return HostPort(host=host, port=port or ports[parts.scheme])


def is_own(address: str) -> bool:
    """Return whether an address is one of this machine's interfaces: the kernel binds no other."""
    unassigned = UNASSIGNED[":" in address]
    try:
        return _binds(address) and not _binds(unassigned) or _source(address) == address
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return False  # without IPv6 there are no such addresses here
        raise


def _binds(address: str) -> bool:
    with _probe(address) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _source(address: str) -> str | None:
    """Return the source address of a packet to `address`; none is sent."""
    with _probe(address) as probe:
        try:
            probe.connect((address, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def _probe(address: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
