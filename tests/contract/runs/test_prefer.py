import time

import pytest

from tests.support.contract.installation import Caller, never
from tests.support.gateway.documents import greeting


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async, wait=0", "Wait=0", "wait = 0; x=1"])
def test_a_caller_may_prefer_to_wait_shorter(caller: Caller, prefer: str) -> None:
    began = time.monotonic()

    answer = caller.run(caller.save(never()), {}, headers={"prefer": prefer})

    assert answer.status_code == 202
    assert time.monotonic() - began < 15


def test_a_run_that_ends_in_time_is_answered_as_ever(caller: Caller) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, headers={"prefer": "wait=20"})

    assert (answer.status_code, answer.json()["result"]) == (200, {"text": "Hello Eve"})


def test_the_shorter_of_both_waits_counts(caller: Caller) -> None:
    slug = caller.save(never())

    answers = [
        caller.run(slug, {}, "?timeout=0.1", headers={"prefer": "wait=30"}),
        caller.run(slug, {}, "?timeout=30", headers={"prefer": "wait=0"}),
    ]

    assert [answer.status_code for answer in answers] == [202, 202]


def test_a_timeout_beyond_the_servers_own_is_taken_as_that(caller: Caller) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, "?timeout=99999")

    assert answer.status_code == 200


def test_a_preference_that_does_not_parse_is_ignored(caller: Caller) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, headers={"prefer": "wait=soon"})

    assert answer.status_code == 200
