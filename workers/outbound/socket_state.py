"""The kernel's view of a TCP connection: bytes that nobody has read, and acknowledged bytes."""

import socket
import struct

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None)
_ACKNOWLEDGED = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` in Linux's `struct tcp_info`."""


def is_quiet(sock: socket.socket) -> bool:
    """Return whether neither a byte nor the end has come that nobody has read yet."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def acknowledged_bytes(sock: socket.socket) -> int | None:
    """Return the bytes acknowledged since the connection began; None where unknown."""
    if _TCP_INFO is None:
        return None
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ACKNOWLEDGED.size)
    except OSError:
        return None
    if len(info) < _ACKNOWLEDGED.size:
        return None
    (count,) = _ACKNOWLEDGED.unpack(info)
    return int(count) or None  # of a used connection, 0 says that nothing is counted
