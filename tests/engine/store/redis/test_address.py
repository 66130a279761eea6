"""Forms of addresses of Redis."""

import ssl
from pathlib import Path

import pytest

from engine.settings import SettingError, Settings
from engine.store.redis.address import RedisAddress, RedisNode, Tls, Topology


def test_one_server() -> None:
    address = RedisAddress.parse("redis://ada:p%40ss@redis.example:6380/2")

    assert address == RedisAddress(
        nodes=(RedisNode(host="redis.example", port=6380),), db=2, username="ada", password="p@ss"
    )
    assert str(address) == "redis.example:6380/2"
    assert "p@ss" not in repr(address)


def test_a_unix_socket() -> None:
    address = RedisAddress.parse("unix:///run/redis.sock?db=1")

    assert (address.path, address.nodes, address.db) == ("/run/redis.sock", (), 1)
    assert str(address) == "/run/redis.sock"


def test_a_service_of_sentinels() -> None:
    address = RedisAddress.parse("redis+sentinel://u:p%2Cw@a:1,[::1]:2,c/main?db=3")

    assert address.topology is Topology.SENTINEL
    assert address.nodes == (
        RedisNode(host="a", port=1),
        RedisNode(host="::1", port=2),
        RedisNode(host="c", port=26379),
    )
    assert (address.service, address.db, address.password) == ("main", 3, "p,w")
    assert str(address) == "a:1,[::1]:2,c:26379 (main)/3"


def test_a_cluster_with_tls() -> None:
    address = RedisAddress.parse("rediss+cluster://a:1,b", Tls(certificate="/c", key="/k"))

    assert address.is_cluster
    assert address.nodes == (RedisNode(host="a", port=1), RedisNode(host="b", port=6379))
    assert address.tls == Tls(certificate="/c", key="/k")


def test_one_server_of_a_group_has_its_user_and_tls() -> None:
    group = RedisAddress.parse("rediss+sentinel://u:p@a/main")

    one = group.at(RedisNode(host="b", port=1))

    assert one == RedisAddress(
        nodes=(RedisNode(host="b", port=1),), username="u", password="p", tls=Tls()
    )


def test_the_query_names_other_files() -> None:
    url = "rediss://a?ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k&ssl_cert_reqs=none"

    address = RedisAddress.parse(url, Tls(authority="/other"))

    assert address.tls == Tls(certificate="/c", key="/k", authority="/ca", verifies=False)


def test_files_do_not_make_tls_of_a_plain_address() -> None:
    assert RedisAddress.parse("redis://a", Tls(authority="/ca")).tls is None


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://a",
        "redis+other://a",
        "redis+sentinel://a:1",
        "redis+sentinel://a:1/",
        "redis+sentinel://a:1/main/2",
        "redis+sentinel:///main",
        "redis+sentinel://a:b/main",
        "redis+sentinel://a:0/main",
        "redis+sentinel://a:70000/main",
        "redis+sentinel://a,,b/main",
        "redis+cluster://a/main",
        "redis+cluster://a?db=1",
        "http+cluster://a",
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    with pytest.raises(ValueError):
        RedisAddress.parse(url)


def test_a_wrong_setting_is_named_without_its_password() -> None:
    with pytest.raises(SettingError) as caught:
        RedisAddress.of_queue(Settings(queue_url="redis+sentinel://u:secret@a:1"))

    assert str(caught.value).startswith("HEADRACE_QUEUE_URL is not a URL of Redis: the form is")
    assert "secret" not in str(caught.value)


def test_a_missing_file_of_tls_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Tls(authority=str(tmp_path / "none")).context()
    (tmp_path / "empty").write_text("")
    with pytest.raises((OSError, ssl.SSLError)):
        Tls(certificate=str(tmp_path / "empty")).context()
