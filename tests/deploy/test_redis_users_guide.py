"""The guide of Redis's users: it names the commands that the code sends, and no others."""

import pytest
import redis

from tests.support.redis.users import find_sent, read_commands, read_rules

BY_LIBRARY = {"CLIENT|SETINFO"}
"""Commands that redis-py sends by itself."""


@pytest.fixture
def known(redis_url: str) -> set[str]:
    with redis.Redis.from_url(redis_url) as client:
        return {name.decode().upper() for name in client.execute_command("COMMAND LIST")}


def test_the_user_may_send_the_commands_that_the_code_sends_and_no_others(known: set[str]) -> None:
    sent = find_sent(known)

    assert {"EVALSHA", "HGETALL", "BLMPOP", "CLIENT|UNBLOCK", "SUBSCRIBE", "PUBLISH"} <= sent
    # HELLO, like AUTH, needs no right.
    assert read_commands("headrace") == sent - {"HELLO"} | BY_LIBRARY


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
