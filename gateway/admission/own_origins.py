"""Own origins: those whose pages may write with a session."""

from typing import Self
from urllib.parse import urlsplit

from starlette.types import Scope

from engine.net.addresses import is_loopback
from engine.settings import PREFIX, Settings
from gateway.admission.credentials import header_values

VARIABLE = PREFIX + "PUBLIC_URL"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}


class OwnOrigins:
    """Origins of the installation's own pages.

    With a public URL it is that origin alone. A gateway that listens on the loopback alone has each
    name of the loopback with its port: `Origin` and `Host` that agree on another name may come from
    a page that has led its name to this machine. Elsewhere it is the requested host.
    """

    def __init__(self, public_url: str, host: str) -> None:
        self._public = _origin_of(public_url) if public_url else ""
        self._loopback = {*LOOPBACK_NAMES, _bracketed(host)} if is_loopback(host) else set()
        self.is_https = self._public.startswith("https:")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build them from the settings."""
        return cls(settings.public_url, settings.host)

    def include(self, origin: str, scope: Scope) -> bool:
        """Return whether an `Origin` header is an own one."""
        return origin.lower() in self._of(scope)

    def include_host(self, scope: Scope) -> bool:
        """Return whether the requested host is that of an own origin."""
        hosts = {origin.partition("//")[2] for origin in self._of(scope)}
        return all(host.lower() in hosts for host in header_values(scope, b"host"))

    def _of(self, scope: Scope) -> set[str]:
        if self._public:
            return {self._public}
        if self._loopback:
            port = scope["server"][1]
            return {_origin("http", name, port) for name in self._loopback}
        hosts = [host.lower() for host in header_values(scope, b"host")]
        return {f"{scheme}://{host}" for scheme in DEFAULT_PORTS for host in hosts}


def _origin_of(url: str) -> str:
    """Return the origin of a URL as browsers write it."""
    parts = urlsplit(url)
    return _origin(parts.scheme, _bracketed(parts.hostname or ""), parts.port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _origin(scheme: str, host: str, port: int | None) -> str:
    is_default = port is None or port == DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"
