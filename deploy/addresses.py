"""Hosts and ports: what can be listened on, and how it is written and reached."""

import socket
from contextlib import ExitStack
from ipaddress import ip_address

from deploy.problems import CommandFailed


def reserve_port(host: str, port: int) -> socket.socket:
    """Hold a port that is free (0: any) for the gateways, which share it, without listening."""
    with _bind(host, port, shared=False) as probe:
        number = probe.getsockname()[1]
    return _bind(host, number, shared=True)


def port_of(held: socket.socket) -> int:
    """The number of a port that is held."""
    number: int = held.getsockname()[1]
    return number


def url_of(host: str, port: int) -> str:
    """The address as people write it."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def reachable_host(host: str) -> str:
    """A host to call when it is listened on; "every address" is called by its loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bind(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with ExitStack() as stack:
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(address)
            stack.pop_all()
    except OSError as error:
        raise CommandFailed(
            f"Port {port} on {host} cannot be listened on: {error.strerror or error}."
        ) from error
    return bound
