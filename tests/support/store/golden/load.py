"""Records of earlier releases, loaded into a server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

FOLDER = Path(__file__).parent
RELEASES = sorted(path.stem for path in FOLDER.glob("*.json"))
"""Releases whose records are kept."""
HOUR_MS = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Golden:
    """Names and values by which a reader finds the records of a release."""

    release: str
    account: str
    key_id: str
    secret: str
    session: str
    webhook_secret: str
    executions: dict[str, str]
    """Ids of executions by their names in `make.py`."""
    who: dict[str, str]
    """Inputs of executions of the chain that have yet to end, by name."""


def load(client: redis.Redis, release: str) -> Golden:
    """Replace all data of a server by the records of a release."""
    content = json.loads((FOLDER / f"{release}.json").read_text(encoding="utf-8"))
    with client.pipeline() as transaction:
        transaction.flushall()
        for name, kind, value, expires in content["keys"]:
            key = _bytes(name)
            for command in _commands(kind, key, _bytes(value)):
                transaction.execute_command(*command)
            if expires:
                transaction.pexpire(key, HOUR_MS)
        transaction.execute()
    return Golden(
        release=release,
        account=content["account"],
        key_id=content["key"]["id"],
        secret=content["key"]["secret"],
        session=content["session"],
        webhook_secret=content["webhookSecret"],
        executions=content["executions"],
        who=content["who"],
    )


def _commands(kind: str, key: Any, value: Any) -> list[tuple[Any, ...]]:
    flat = [each for pair in value for each in pair] if kind in ("hash", "zset") else value
    match kind:
        case "string":
            return [("SET", key, value)]
        case "hash":
            return [("HSET", key, *flat)]
        case "zset":
            return [("ZADD", key, *(each for pair in value for each in reversed(pair)))]
        case "set":
            return [("SADD", key, *flat)]
        case "list":
            return [("RPUSH", key, *flat)]
        case "stream":
            return [("XADD", key, name, *fields) for name, fields in value]
    raise ValueError(f"a key of type {kind}")


def _bytes(value: Any) -> Any:
    """Return texts as the bytes that they stand for, also in lists."""
    if isinstance(value, str):
        return value.encode("latin-1")
    return [_bytes(each) for each in value] if isinstance(value, list) else value
