"""The guide of Redis's users: it names the commands that the code sends, and no others."""

import pytest
import redis

from tests.support.redis.processes import ServerProcess, wait_until
from tests.support.redis.sentinel import running_group
from tests.support.redis.users import (
    PASSWORD,
    add_user,
    find_sent,
    read_commands,
    read_denials,
    read_rules,
)

BY_LIBRARY = {"CLIENT|SETINFO", "COMMAND", "CLUSTER|SLOTS", "ASKING"}
"""Commands that redis-py sends by itself, the last three to a cluster."""


@pytest.fixture
def known(redis_url: str) -> set[str]:
    with redis.Redis.from_url(redis_url) as client:
        return {name.decode().upper() for name in client.execute_command("COMMAND LIST")}


def test_the_user_may_send_the_commands_that_the_code_sends_and_no_others(known: set[str]) -> None:
    sent = find_sent(known)

    assert {"EVALSHA", "HGETALL", "BLMPOP", "CLIENT|UNBLOCK", "SUBSCRIBE", "PUBLISH"} <= sent
    # HELLO, like AUTH, needs no right.
    assert read_commands("headrace") == (sent - {"HELLO"}) | BY_LIBRARY


def test_the_user_of_backups_may_also_send_the_commands_that_copy_a_server(known: set[str]) -> None:
    sent = find_sent(known, by_backups=True)

    assert {"SYNC", "SCAN", "XSETID"} <= sent
    assert read_commands("headrace-backup") == sent - read_commands("headrace")


def test_the_user_of_the_queue_has_less(known: set[str]) -> None:
    assert read_commands("headrace-queue") < read_commands("headrace")


@pytest.mark.parametrize("user", ["headrace", "headrace-queue"])
def test_a_user_begins_with_nothing_and_has_no_whole_category(user: str) -> None:
    rules = read_rules(user)

    assert rules[:3] == ["reset", "on", ">PASSWORD"]
    assert [rule for rule in rules if rule.startswith(("+@", "all"))] == []
    assert all(rule.startswith(("~hr:", "~{hr")) for rule in rules if rule[0] == "~")


def test_sentinels_fail_over_with_the_users_that_are_documented_for_servers() -> None:
    with running_group() as group:
        for server in group.servers:
            with server.client() as client:
                for user in ("headrace-replica", "headrace-sentinel"):
                    add_user(client, user)
                client.config_set("masteruser", "headrace-replica")
                client.config_set("masterauth", PASSWORD)
        for sentinel in group.sentinels:
            for option in (("auth-user", "headrace-sentinel"), ("auth-pass", PASSWORD)):
                sentinel.command("SENTINEL", "SET", group.service, *option)
        old = group.primary()
        old.command("CLIENT", "KILL", "TYPE", "replica")
        users = {"headrace-replica", "headrace-sentinel"}
        wait_until(lambda: users <= users_of(old), "connections of the users")
        group.await_replicas()

        old.kill()
        new = group.await_failover(old)

        wait_until(lambda: new.info()["connected_slaves"] == 1, "a replica of the new primary")
        assert users <= users_of(new)
        for server in group.servers:
            if server.is_running:
                with server.client() as client:
                    assert read_denials(client) == []


def users_of(server: ServerProcess) -> set[str]:
    """Return the users of the connections of a server."""
    with server.client() as client:
        return {each["user"] for each in client.client_list()}
