"""Clients of Redis that block their thread, for work off the path of a run."""

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from engine.store.redis.address import RedisAddress


def open_blocking_client(
    address: RedisAddress, *, reply_seconds: float, connect_seconds: float
) -> "redis.Redis":
    """Return a client that never repeats a command and waits `reply_seconds` for a reply."""
    options: dict[str, Any] = {
        "db": address.db,
        "username": address.username or None,
        "password": address.password or None,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": reply_seconds,
        "socket_connect_timeout": connect_seconds,
        "protocol": 3,
    }
    if address.path:
        return redis.Redis(unix_socket_path=address.path, **options)
    if address.tls is not None:
        options |= {
            "ssl": True,
            "ssl_certfile": address.tls.certificate or None,
            "ssl_keyfile": address.tls.key or None,
            "ssl_ca_certs": address.tls.authority or None,
            "ssl_cert_reqs": "required" if address.tls.verifies else "none",
            "ssl_check_hostname": address.tls.verifies,
        }
    (node,) = address.nodes
    return redis.Redis(host=node.host, port=node.port, **options)
