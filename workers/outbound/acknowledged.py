"""The kernel's count of bytes that the other end of a TCP connection has acknowledged."""

import asyncio
import socket
import struct

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_ACKNOWLEDGED = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` in Linux's `struct tcp_info`."""


def acknowledged_bytes(transport: asyncio.BaseTransport | None) -> int | None:
    """Return the bytes acknowledged since the connection began; None where unknown."""
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is None or _TCP_INFO is None:
        return None
    view = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, sock.fileno())
    try:
        info = view.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKNOWLEDGED.size)
    except OSError:
        return None
    finally:
        view.detach()
    if len(info) < _ACKNOWLEDGED.size:
        return None
    (count,) = _ACKNOWLEDGED.unpack(info)
    return int(count)
