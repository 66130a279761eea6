"""Addresses of Redis: one server, a service that sentinels watch, or a cluster.

The forms are `redis://`, `rediss://` (TLS) and `unix://` of one server, as redis-py reads them,
`redis+sentinel://h1:p,h2:p/<service>` and `redis+cluster://h1:p,h2:p`, and with `rediss` in front
for TLS. User, password, TLS and the query's options hold for sentinels and servers alike.
"""

import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from redis.asyncio.connection import parse_url

from engine.settings import FALSE_WORDS, PREFIX, SettingError, Settings

SERVER_PORT = 6379
SENTINEL_PORT = 26379
MAX_PORT = 65_535
NO_CHECK = ("none", "CERT_NONE")
CERT_SETTING = f"{PREFIX}REDIS_TLS_CERT"
KEY_SETTING = f"{PREFIX}REDIS_TLS_KEY"


class Topology(Enum):
    """Arrangement of the servers behind an address."""

    SINGLE = ""
    SENTINEL = "+sentinel"
    CLUSTER = "+cluster"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisNode:
    """Host and port of a server or a sentinel."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS of connections: PEM files, each empty for none."""

    certificate: str = ""
    """Certificate of this client."""
    key: str = ""
    """Key of that certificate."""
    authority: str = ""
    """Certificates of the authorities that are trusted in place of the system's."""
    verifies: bool = True
    """Whether the server's certificate is checked."""
    checks_name: bool = True
    """Whether the certificate must be of the host of the address, besides."""

    def context(self) -> ssl.SSLContext:
        """Return the context of a connection; files that were renewed are read again.

        Raises OSError (ssl.SSLError) for a wrong file.
        """
        return _make_context(self, *(Path(name).stat().st_mtime_ns for name in self._files))

    def check(self) -> None:
        """Raise ValueError, with a sentence that names the file, if a file cannot be used."""
        if self.key and not self.certificate:
            raise ValueError(f"{KEY_SETTING} names a key without its certificate ({CERT_SETTING})")
        for name in self._files:
            try:
                with Path(name).open("rb") as file:
                    file.read(1)
            except OSError as error:
                raise ValueError(f"the file {name} cannot be read: {error.strerror}") from None
        try:
            ssl.create_default_context(cafile=self.authority or None)
        except ssl.SSLError:
            text = f"the file {self.authority} has no certificate of an authority (PEM)"
            raise ValueError(text) from None
        try:
            self.context()
        except ssl.SSLError:
            key = f"the key in {self.key}" if self.key else "a key, and there is no " + KEY_SETTING
            text = f"the file {self.certificate} is no certificate (PEM) that goes with {key}"
            raise ValueError(text) from None

    @property
    def _files(self) -> tuple[str, ...]:
        return tuple(name for name in (self.certificate, self.key, self.authority) if name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """Parsed address; its text has neither user nor password."""

    topology: Topology = Topology.SINGLE
    nodes: tuple[RedisNode, ...] = ()
    """The server, the sentinels, or some servers of the cluster; empty for a Unix socket."""
    path: str = ""
    """Path of a Unix socket."""
    service: str = ""
    """Name under which the sentinels know the primary."""
    db: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Tls | None = None
    """None: connections without TLS."""

    @classmethod
    def parse(cls, url: str, tls: Tls | None = None) -> "RedisAddress":
        """Return the address of a URL, with the files of `tls` where the URL asks for TLS.

        Raises ValueError.
        """
        scheme = url.partition("://")[0]
        for topology in (Topology.SENTINEL, Topology.CLUSTER):
            if scheme.endswith(topology.value):
                return _parse_group(url, topology, tls or Tls())
        return _parse_single(url, tls or Tls())

    @classmethod
    def of_state(cls, settings: Settings) -> "RedisAddress":
        """Return the address of the state. Raises SettingError."""
        return _parse_setting("REDIS_URL", settings.redis_url, settings)

    @classmethod
    def of_queue(cls, settings: Settings) -> "RedisAddress":
        """Return the address of the hints and messages. Raises SettingError."""
        if not settings.queue_url:
            return cls.of_state(settings)
        return _parse_setting("QUEUE_URL", settings.queue_url, settings)

    @property
    def is_cluster(self) -> bool:
        """Whether the servers are a cluster."""
        return self.topology is Topology.CLUSTER

    @property
    def library_options(self) -> dict[str, Any]:
        """Options of redis-py for user, password and TLS, of servers and sentinels."""
        options: dict[str, Any] = {
            "username": self.username or None,
            "password": self.password or None,
            "protocol": 3,
        }
        tls = self.tls
        if tls is None:
            return options
        return options | {
            "ssl": True,
            "ssl_certfile": tls.certificate or None,
            "ssl_keyfile": tls.key or None,
            "ssl_ca_certs": tls.authority or None,
            "ssl_cert_reqs": "required" if tls.verifies else "none",
            "ssl_check_hostname": tls.verifies and tls.checks_name,
        }

    def at(self, node: RedisNode) -> "RedisAddress":
        """Return the address of one server of the group, with the same user and TLS."""
        return replace(self, topology=Topology.SINGLE, nodes=(node,), service="")

    def __str__(self) -> str:
        if self.path:
            return self.path
        place = ",".join(map(str, self.nodes))
        if self.service:
            place += f" ({self.service})"
        return f"{place}/{self.db}" if self.db else place


def _parse_single(url: str, tls: Tls) -> RedisAddress:
    options: Mapping[str, Any] = parse_url(url)
    has_tls = url.startswith("rediss://")
    path = options.get("path", "")
    node = RedisNode(host=options.get("host", "localhost"), port=options.get("port", SERVER_PORT))
    return RedisAddress(
        nodes=() if path else (node,),
        path=path,
        db=options.get("db", 0),
        username=options.get("username") or "",
        password=options.get("password") or "",
        tls=_with_options(tls, options) if has_tls else None,
    )


def _parse_group(url: str, topology: Topology, tls: Tls) -> RedisAddress:
    # Not `urlsplit`, which takes a list of hosts with an IPv6 address for a wrong one.
    scheme, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    kind = scheme.removesuffix(topology.value)
    if kind not in ("redis", "rediss"):
        raise ValueError(f"the scheme {scheme!r} is not known")
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    userinfo, _, places = authority.rpartition("@")
    username, _, password = userinfo.partition(":")
    is_sentinel = topology is Topology.SENTINEL
    default_port = SENTINEL_PORT if is_sentinel else SERVER_PORT
    service = unquote(path)
    if is_sentinel == (not service) or "/" in service:
        form = (
            "redis+sentinel://HOST:PORT,…/SERVICE" if is_sentinel else "redis+cluster://HOST:PORT,…"
        )
        raise ValueError(f"the form is {form}")
    db = _number(options.get("db", "0"), "the number of the database")
    if db and not is_sentinel:
        raise ValueError("a cluster has the database 0 alone")
    return RedisAddress(
        topology=topology,
        nodes=tuple(_parse_node(place, default_port) for place in places.split(",")),
        service=service,
        db=db,
        username=unquote(username),
        password=unquote(password),
        tls=_with_options(tls, options) if kind == "rediss" else None,
    )


def _parse_node(place: str, default_port: int) -> RedisNode:
    host, colon, port = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, port = place, str(default_port)
    number = _number(port, "a port")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not 0 < number <= MAX_PORT:
        raise ValueError(f"{place!r} is not HOST:PORT")
    return RedisNode(host=host, port=number)


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} is not {name}")
    return int(text)


def _with_options(tls: Tls, options: Mapping[str, Any]) -> Tls:
    """Return the TLS of a URL whose query may name other files."""
    return Tls(
        certificate=options.get("ssl_certfile") or tls.certificate,
        key=options.get("ssl_keyfile") or tls.key,
        authority=options.get("ssl_ca_certs") or tls.authority,
        verifies=options.get("ssl_cert_reqs") not in NO_CHECK,
        checks_name=str(options.get("ssl_check_hostname", True)).lower() not in FALSE_WORDS,
    )


def _parse_setting(name: str, url: str, settings: Settings) -> RedisAddress:
    tls = Tls(
        certificate=settings.redis_tls_cert,
        key=settings.redis_tls_key,
        authority=settings.redis_tls_ca,
    )
    try:
        address = RedisAddress.parse(url, tls)
    except ValueError as error:  # the URL may hold a password, so it is not shown
        raise SettingError(f"{PREFIX}{name} is not a URL of Redis: {error}") from None
    try:
        if address.tls is not None:
            address.tls.check()
    except ValueError as error:
        raise SettingError(f"TLS of {PREFIX}{name}: {error}") from None
    return address


@functools.lru_cache(16)
def _make_context(tls: Tls, *_times: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.authority or None)
    if tls.certificate:
        context.load_cert_chain(tls.certificate, tls.key or None, password="")
    context.check_hostname = tls.verifies and tls.checks_name
    if not tls.verifies:
        context.verify_mode = ssl.CERT_NONE
    return context
