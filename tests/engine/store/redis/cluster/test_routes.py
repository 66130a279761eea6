"""The routes cover the commands of the sources, and agree with the server."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from engine.store.redis import keyspace, process_keys
from engine.store.redis.cluster import routes

ROOT = Path(__file__).parents[5]
SOURCES = [
    path
    for folder in ("engine", "gateway", "workers", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
CLIENTS = ("client", "_client", "hint_client")


def commands(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the plain commands that a source gives to a client, each with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name) | ast.Attribute(attr=name), attr=method),
                args=[first, *_],
            ) if name in CLIENTS and method in ("send", "post"):
                match first:
                    case ast.Starred(value=ast.Tuple(elts=[word, *_])):
                        first = word
                assert isinstance(first, ast.Constant), f"{path}:{node.lineno} names no command"
                yield node.lineno, str(first.value)


def test_every_command_of_the_sources_has_a_route() -> None:
    found = {command for path in SOURCES for _, command in commands(path)}

    assert {"HGET", "ZRANGE", "PUBLISH", "TIME", "MEMORY"} <= found
    for command in sorted(found):
        routes.route([command, "hr:a", "hr:a"])


def test_the_table_has_no_command_that_the_sources_lack() -> None:
    found = {command for path in SOURCES for _, command in commands(path)}

    assert routes.commands() - found == set()


def test_an_unknown_command_raises() -> None:
    with pytest.raises(ValueError, match="'RENAME' has no route"):
        routes.route(["RENAME", "hr:a", "hr:b"])


def test_a_command_without_its_key_raises() -> None:
    with pytest.raises(ValueError, match="'GET' has no route"):
        routes.route(["GET"])


@pytest.mark.parametrize(
    "key",
    [
        keyspace.accounts(7),
        keyspace.installation(),
        keyspace.slugs(),
        process_keys.metrics_folded("p"),
        *("{}x", "a{", "a}b{c", "{a}{b}", "a{b}c", "é{ü}", ""),
    ],
)
def test_slots_are_those_of_the_library(key: str) -> None:
    assert routes.slot_of(key) == key_slot(key.encode())


def test_commands_without_a_key_go_to_the_clock_of_the_leases() -> None:
    slot = routes.slot_of(process_keys.workers())

    assert {routes.route(["TIME"]), routes.route(["PING"])} == {slot}
    assert routes.route(["PUBLISH", "channel", "a"]) == routes.ANY_PRIMARY


def test_places_of_keys_are_those_of_the_server(redis_cleaner: redis.Redis) -> None:
    for name, place in routes.key_places().items():
        known_as = "memory|usage" if name == "MEMORY" else name.lower()
        [(_, _, _, first, *_)] = redis_cleaner.execute_command("COMMAND INFO", known_as)

        assert first == place, name
