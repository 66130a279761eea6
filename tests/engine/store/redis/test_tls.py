"""TLS with and without client certificates: one server, sentinels with their servers, a cluster."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from engine.errors import Unavailable
from engine.settings import SettingError, Settings
from engine.store.redis import errors
from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient
from engine.store.redis.cluster.opening import open_client
from engine.store.redis.subscription import Subscription
from tests.support.eventually import eventually
from tests.support.redis.certificates import Certificates, make_certificates
from tests.support.redis.cluster import running_cluster
from tests.support.redis.fronts import TlsFront
from tests.support.redis.sentinel import running_group

Settle = Callable[..., Settings]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def front(redis_url: str, certificates: Certificates) -> Iterator[TlsFront]:
    started = TlsFront(redis_url, certificates, asks_for_certificate=True)
    yield started
    started.close()


@pytest.fixture
def settle(certificates: Certificates) -> Settle:
    """Return a function that makes settings with all files, but for those that are given."""

    def settle(url: str, **files: object) -> Settings:
        chosen = {
            "redis_tls_ca": certificates.ca,
            "redis_tls_cert": certificates.client_cert,
            "redis_tls_key": certificates.client_key,
        } | files
        return Settings(redis_url=url, **{name: str(file) for name, file in chosen.items()})

    return settle


@pytest.fixture(autouse=True)
def nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_logged", {})


async def echo(address: RedisAddress) -> Any:
    client = open_client(address)
    try:
        return await client.send("ECHO", "here")
    finally:
        await client.close()


def blocking_echo(address: RedisAddress) -> Any:
    client = BlockingClient(address, reply_seconds=5)
    try:
        return client.execute("ECHO", "here")
    finally:
        client.close()


async def test_a_server_that_asks_for_a_certificate_gets_it(
    front: TlsFront, settle: Settle
) -> None:
    address = RedisAddress.of_state(settle(f"rediss://localhost:{front.port}"))

    assert await echo(address) == b"here"
    assert blocking_echo(address) == b"here"
    heard = list[bytes]()
    async with Subscription(address, "channel").running(heard.append):
        client = open_client(address)

        async def hears() -> bool:
            await client.send("PUBLISH", "channel", "message")
            return bool(heard)

        assert await eventually(hears)
        await client.close()


async def test_options_of_the_url_name_files_too(
    front: TlsFront, certificates: Certificates
) -> None:
    url = f"rediss://localhost:{front.port}?ssl_certfile={certificates.client_cert}"
    url += f"&ssl_keyfile={certificates.client_key}"
    for check in (f"ssl_ca_certs={certificates.ca}", "ssl_cert_reqs=none"):
        address = RedisAddress.of_state(Settings(redis_url=f"{url}&{check}"))

        assert await echo(address) == b"here"
        assert blocking_echo(address) == b"here"


async def test_without_a_certificate_of_this_client_the_log_names_the_settings(
    front: TlsFront, settle: Settle, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"rediss://localhost:{front.port}"
    strangers = {
        "redis_tls_cert": certificates.stranger_cert,
        "redis_tls_key": certificates.stranger_key,
    }
    for files in ({"redis_tls_cert": "", "redis_tls_key": ""}, strangers):
        address = RedisAddress.of_state(settle(url, **files))

        with pytest.raises(Unavailable) as caught:
            await echo(address)

        assert "HEADRACE_REDIS_TLS_CERT" in caught.value.reason
        assert "HEADRACE" not in caught.value.message
        with pytest.raises(RedisError):
            blocking_echo(address)
    logged = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert logged
    assert all("HEADRACE_REDIS_TLS_CERT" in str(vars(each)) for each in logged)
    assert not any(each.exc_info for each in logged)


async def test_an_authority_that_did_not_sign_the_server_is_named_in_the_log(
    front: TlsFront, settle: Settle, certificates: Certificates
) -> None:
    others = certificates.ca.with_name("other-ca.pem")
    address = RedisAddress.of_state(settle(f"rediss://localhost:{front.port}", redis_tls_ca=others))

    with pytest.raises(Unavailable) as caught:
        await echo(address)

    assert "HEADRACE_REDIS_TLS_CA" in caught.value.reason
    with pytest.raises(RedisError):
        blocking_echo(address)


async def test_a_certificate_of_another_host_is_refused_unless_names_are_not_checked(
    front: TlsFront, settle: Settle
) -> None:
    url = f"rediss://127.1:{front.port}"  # the same host under a name that is not certified
    certified = RedisAddress.of_state(settle(url))
    with pytest.raises(Unavailable) as caught:
        await echo(certified)
    assert "a name or an IP address of the certificate" in caught.value.reason
    with pytest.raises(RedisError):
        blocking_echo(certified)

    unchecked = RedisAddress.of_state(settle(f"{url}?ssl_check_hostname=false"))

    assert await echo(unchecked) == b"here"
    assert blocking_echo(unchecked) == b"here"


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"redis_tls_ca": "/nowhere/ca.pem"}, "/nowhere/ca.pem cannot be read: No such file"),
        ({"redis_tls_cert": "/nowhere/c.crt"}, "/nowhere/c.crt cannot be read: No such file"),
        ({"redis_tls_key": ""}, "goes with a key, and there is no HEADRACE_REDIS_TLS_KEY"),
        ({"redis_tls_cert": ""}, "HEADRACE_REDIS_TLS_KEY names a key without its certificate"),
        ({"redis_tls_ca": "{garbage}"}, "has no certificate of an authority"),
        ({"redis_tls_cert": "{garbage}"}, "is no certificate (PEM) that goes with the key"),
        ({"redis_tls_key": "{stranger}"}, "is no certificate (PEM) that goes with the key"),
        ({"redis_tls_ca": "{folder}"}, "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_of_the_setting(
    files: dict[str, str],
    sentence: str,
    settle: Settle,
    certificates: Certificates,
    tmp_path: Path,
) -> None:
    (garbage := tmp_path / "garbage").write_text("no PEM")
    places = {"garbage": garbage, "stranger": certificates.stranger_key, "folder": tmp_path}
    settings = settle("rediss://h", **{name: text.format(**places) for name, text in files.items()})

    with pytest.raises(SettingError) as caught:
        RedisAddress.of_state(settings)

    assert str(caught.value).startswith("TLS of HEADRACE_REDIS_URL: ")
    assert sentence in str(caught.value)


def test_files_do_not_matter_without_tls(settle: Settle) -> None:
    assert RedisAddress.of_state(settle("redis://h", redis_tls_ca="/nowhere")).tls is None


async def test_renewed_files_are_read_at_the_next_connect(
    front: TlsFront, settle: Settle, certificates: Certificates, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert", tmp_path / "key"
    cert.write_bytes(certificates.stranger_cert.read_bytes())
    key.write_bytes(certificates.stranger_key.read_bytes())
    files = {"redis_tls_cert": cert, "redis_tls_key": key}
    address = RedisAddress.of_state(settle(f"rediss://localhost:{front.port}", **files))
    with pytest.raises(Unavailable):
        await echo(address)

    cert.write_bytes(certificates.client_cert.read_bytes())
    key.write_bytes(certificates.client_key.read_bytes())

    assert await echo(address) == b"here"


async def test_sentinels_and_their_servers_have_one_user_and_certificate(
    settle: Settle, certificates: Certificates
) -> None:
    make_front = partial(
        TlsFront, certificates=certificates, asks_for_certificate=True, takes_plain=True
    )
    with running_group(1, 1, user="ada", password="se:cr%t@", fronts=make_front) as group:
        nodes = ",".join(f"localhost:{group.port_of(each)}" for each in group.sentinels)
        url = f"rediss+sentinel://ada:se%3Acr%25t%40@{nodes}/{group.service}"
        address = RedisAddress.of_state(settle(url))

        assert await echo(address) == b"here"
        assert blocking_echo(address) == b"here"
        for front in (group.front(group.sentinels[0]), group.front(group.primary())):
            assert front.refused == []
        old = await asyncio.to_thread(group.kill_primary)
        await asyncio.to_thread(group.await_failover, old)

        assert await echo(address) == b"here"

        nobody = RedisAddress.of_state(settle(url, redis_tls_cert="", redis_tls_key=""))
        with pytest.raises(Unavailable) as caught:
            await echo(nobody)
        assert "HEADRACE_REDIS_TLS_CERT" in caught.value.reason


@pytest.mark.thorough
async def test_all_servers_of_a_cluster_have_one_user_and_certificate(
    settle: Settle, certificates: Certificates
) -> None:
    make_front = partial(
        TlsFront, certificates=certificates, asks_for_certificate=True, takes_plain=True
    )
    with running_cluster(3, 0, user="ada", password="se:cr%t@", fronts=make_front) as cluster:
        places = cluster.address().rpartition("@")[2]
        url = f"rediss+cluster://ada:se%3Acr%25t%40@{places}"
        client = open_client(RedisAddress.of_state(settle(url)))
        blocking = BlockingClient(RedisAddress.of_state(settle(url)), reply_seconds=5)

        for number in range(10):
            assert await client.send("SET", f"key{number}", 1) == b"OK"
            assert blocking.execute("GET", f"key{number}") == b"1"
        await client.close()
        blocking.close()

        nobody = settle(url, redis_tls_cert="", redis_tls_key="")
        client = open_client(RedisAddress.of_state(nobody))
        with pytest.raises(Unavailable):
            await client.send("GET", "key1")
        await client.close()
