"""The kernel's view of a connection."""

import socket
import sys
from collections.abc import Iterator

import pytest

from workers.outbound.socket_state import acknowledged_bytes, is_quiet

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a TCP connection, the first of which does not block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    near.setblocking(False)
    with near, far:
        yield near, far


def test_a_connection_is_quiet_until_something_comes(pair: Pair) -> None:
    near, far = pair
    assert is_quiet(near)

    far.sendall(b"x")

    assert not is_quiet(near)
    assert near.recv(10) == b"x"
    assert is_quiet(near)


def test_a_connection_whose_end_has_come_is_not_quiet(pair: Pair) -> None:
    near, far = pair
    far.close()

    assert not is_quiet(near)


def test_a_closed_socket_is_not_quiet(pair: Pair) -> None:
    near, _ = pair
    near.close()

    assert not is_quiet(near)
    assert acknowledged_bytes(near) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts")
def test_bytes_are_counted_once_they_have_arrived(pair: Pair) -> None:
    near, far = pair
    near.send(b"x" * 10)
    far.recv(10)
    first = acknowledged_bytes(near)
    near.send(b"x" * 20)
    far.recv(20)
    second = acknowledged_bytes(near)

    assert first is not None and second is not None
    assert second - first == 20


def test_a_kernel_that_counts_nothing_proves_nothing() -> None:
    class Uncounted(socket.socket):
        def getsockopt(self, *_: int) -> bytes:  # type: ignore[override]
            return bytes(128)

    with Uncounted() as sock:
        assert acknowledged_bytes(sock) is None
