"""Hosts and ports: reserving, writing and reaching addresses."""

import errno
import socket
from contextlib import ExitStack
from ipaddress import ip_address

from deploy.output.problems import CommandFailed

ANOTHER = " Take another one: `make run PORT=8001` or `headrace up --port 8001`."


def reserve_port(host: str, port: int) -> socket.socket:
    """Reserve a free port (0: any) for the gateways, which share it, without listening."""
    with _bind(host, port, shared=False) as probe:
        number = probe.getsockname()[1]
    return _bind(host, number, shared=True)


def port_of(held: socket.socket) -> int:
    """Return the number of a reserved port."""
    number: int = held.getsockname()[1]
    return number


def url_of(host: str, port: int) -> str:
    """Return the URL of an address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable_host(host: str) -> str:
    """Return a host that reaches a listening address; "every address" becomes its loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = infos[0]
        with ExitStack() as stack:
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
            stack.pop_all()
    except OSError as error:
        advice = ANOTHER if error.errno == errno.EADDRINUSE else ""
        raise CommandFailed(
            f"Port {port} on {host} cannot be listened on: {error.strerror or error}.{advice}"
        ) from error
    return bound
