import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.conftest import RedisServer
from tests.support.redis.certificates import Certificates, make_certificates
from tests.support.redis.fronts import RETRANSMISSION_SECONDS, DelayProxy, TlsFront

ONCE = Retry(NoBackoff(), 0)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def front(redis_server: RedisServer, certificates: Certificates) -> Iterator[TlsFront]:
    started = TlsFront(redis_server.url, certificates, asks_for_certificate=True)
    yield started
    started.close()


def ping(front: Any, **options: Any) -> object:
    with redis.Redis(port=front.port, retry=ONCE, socket_timeout=5, **options) as client:
        return client.ping()


def test_tls_asks_for_a_certificate_of_its_authority(
    front: TlsFront, certificates: Certificates
) -> None:
    trusting = {"ssl": True, "ssl_ca_certs": str(certificates.ca)}
    ours = {"ssl_certfile": certificates.client_cert, "ssl_keyfile": certificates.client_key}
    others = {"ssl_certfile": certificates.stranger_cert, "ssl_keyfile": certificates.stranger_key}

    assert ping(front, **trusting, **{key: str(path) for key, path in ours.items()})
    for wrong in (
        trusting,
        trusting | {key: str(path) for key, path in others.items()},
        {"ssl": True, **{key: str(path) for key, path in ours.items()}},
        {},
    ):
        with pytest.raises(redis.ConnectionError):
            ping(front, **wrong)


def test_a_port_may_take_both(redis_server: RedisServer, certificates: Certificates) -> None:
    front = TlsFront(redis_server.url, certificates, takes_plain=True)

    assert ping(front)
    assert ping(front, ssl=True, ssl_ca_certs=str(certificates.ca))
    front.close()


def test_delay_and_loss_make_replies_late(redis_server: RedisServer) -> None:
    front = DelayProxy(redis_server.url, delay=0.05)
    with redis.Redis(port=front.port) as client:
        assert seconds_of(client) >= 0.1
        front.delay, front.loss = 0.0, 1.0
        assert seconds_of(client) >= 2 * RETRANSMISSION_SECONDS
        front.loss = 0.0
        client.set("key", "v" * 1_000_000)
        assert len(client.get("key")) == 1_000_000
    front.close()


def test_a_cut_front_refuses_until_it_is_mended(redis_server: RedisServer) -> None:
    front = DelayProxy(redis_server.url)
    assert ping(front)

    front.cut()

    with pytest.raises(redis.ConnectionError):
        ping(front)
    front.mend()
    assert ping(front)
    front.close()


def test_a_lost_reply_is_that_of_a_command_that_was_run(redis_server: RedisServer) -> None:
    front = DelayProxy(redis_server.url)
    with redis.Redis(port=front.port, retry=ONCE, protocol=2) as client:
        client.ping()
        front.replies_to_lose = 1

        with pytest.raises(redis.ConnectionError):
            client.incr("counted")

        assert client.incr("counted") == 2
    front.close()


def seconds_of(client: redis.Redis) -> float:
    client.ping()
    began = time.monotonic()
    client.ping()
    return time.monotonic() - began
