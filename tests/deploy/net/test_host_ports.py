import socket

import pytest

from deploy.net.host_ports import port_of, reachable_host, reserve_port, url_of
from deploy.output.problems import CommandFailed


def test_a_free_port_is_found_and_held_for_those_who_share_it() -> None:
    with reserve_port("127.0.0.1", 0) as held, socket.socket() as gateway:
        gateway.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        gateway.bind(("127.0.0.1", port_of(held)))
        gateway.listen()

        with socket.create_connection(gateway.getsockname()):
            accepted, _ = gateway.accept()
            accepted.close()


def test_a_port_in_use_is_refused_with_the_way_to_another_one() -> None:
    expected = pytest.raises(CommandFailed, match=r"make run PORT=8001")
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other, expected:
        reserve_port("127.0.0.1", other.getsockname()[1])


def test_a_port_that_somebody_listens_on_is_refused_in_a_sentence() -> None:
    expected = pytest.raises(CommandFailed, match=r"Port \d+ on 127.0.0.1 cannot be listened on")
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other, expected:
        reserve_port("127.0.0.1", other.getsockname()[1])


def test_a_host_that_does_not_exist_is_refused_in_a_sentence() -> None:
    with pytest.raises(CommandFailed, match="cannot be listened on"):
        reserve_port("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "::1"),
        ("", "127.0.0.1"),
        ("example.org", "example.org"),
    ],
)
def test_every_address_is_called_by_its_loopback(host: str, expected: str) -> None:
    assert reachable_host(host) == expected


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert url_of("::1", 8000) == "http://[::1]:8000"
    assert url_of("127.0.0.1", 8000) == "http://127.0.0.1:8000"
