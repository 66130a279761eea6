"""Occurrences of a trigger move to the history, and its lists are the same afterwards."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import redis

from tests.support.acceptance.callers import make_caller
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import running, until
from tests.support.acceptance.topology import TOPOLOGY
from tests.support.contract.installation import Caller, open_client
from tests.support.gateway.documents import greeting

ENVIRON = {"HEADRACE_HOT_MINUTES": "0.25"}
EVENTS = 12
FAILED, SKIPPED = {3, 7}, {5}
"""Numbers of events without inputs that fit, and of those that the condition leaves out."""


def body_of(number: int) -> dict[str, Any]:
    """Return the body of an event."""
    return {
        "name": number if number in FAILED else f"Ada {number}",
        "wanted": number not in SKIPPED,
    }


def kept(server: redis.Redis, trigger_id: str) -> int:
    """Return how many occurrences of a trigger Redis has."""
    keys = server.scan_iter(f"*:occurrences:*{trigger_id}")
    return sum(int(server.hlen(key)) for key in keys)  # type: ignore[arg-type]


@pytest.mark.timeout(180)
@pytest.mark.skipif(bool(TOPOLOGY), reason="it looks for keys in one server")
def test_lists_of_occurrences_are_the_same_in_the_history(tmp_path: Path) -> None:
    with running(tmp_path, "--no-demo", **ENVIRON) as stack:
        account, key = make_caller(stack, "ada")
        with open_client(stack.url, {"x-api-key": key}) as client:
            caller = Caller(client)
            made = caller.post(
                "/api/triggers",
                {
                    "kind": "webhook",
                    "name": "Events",
                    "workflowSlug": caller.save(greeting()),
                    "verify": {"kind": "none"},
                    "when": "body.wanted",
                    "inputs": {"name": "body.name"},
                },
            )
            assert made.status_code == 201, made.text
            hook = stack.url + urlsplit(made.json()["url"]).path
            statuses = [httpx2.post(hook, json=body_of(n)).status_code for n in range(EVENTS)]
            path = f"/api/triggers/{made.json()['id']}"
            paths = [f"{path}/occurrences{query}" for query in ("", "?status=failed", "?limit=5")]
            rows = caller.get(paths[0]).json()["rows"]
            started = [row for row in rows if row["status"] == "started"]
            for row in started:
                caller.ended(row["executionId"])
            paths += [f"{path}/occurrences/{row['id']}" for row in started[:2]]
            paths += [f"/api/executions?triggerId={made.json()['id']}"]
            hot = [caller.get(each).json() for each in paths]

            server = redis.Redis.from_url(stack.redis_url)
            until(lambda: kept(server, made.json()["id"]), lambda count: count <= len(SKIPPED))
            archived = [caller.get(each).json() for each in paths]
            json_of(stack, "account", "erase", account, "--yes")
            assert [name for name in server.scan_iter() if account.encode() in name] == []

    assert statuses == [
        400 if number in FAILED else 200 if number in SKIPPED else 202 for number in range(EVENTS)
    ]
    assert [row["status"] for row in rows].count("failed") == len(FAILED)
    assert len(started) == EVENTS - len(FAILED) - len(SKIPPED)
    for before, after in zip(hot[3:5], archived[3:5], strict=True):
        assert before.pop("body") is not None and before.pop("headers") is not None
        assert (after.pop("body"), after.pop("headers")) == (None, None)
    assert archived == hot
