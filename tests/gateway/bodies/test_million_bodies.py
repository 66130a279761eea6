"""Hostile JSON bodies against every route that takes one, on a gateway of its own process.

`make fuzz-bodies BODIES=1000000 SEED=7` sends so many; a body that was not answered as it should be
is made again by the seed and its number: `BODIES_FIRST=123 BODIES=1`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.bodies.sender import Findings, Sender, send_all, still_slow
from tests.support.bodies.targets import LEFT_OUT, Target, targets
from tests.support.contract.installation import Administration, Caller
from tests.support.contract.triggers import greeting, hook, make, schedule

BODIES = int(os.environ.get("BODIES", "20000"))
FIRST = int(os.environ.get("BODIES_FIRST", "0"))
SEED = int(os.environ.get("SEED", "1"))
CONNECTIONS = 12
OFTENER = 4
"""Times that a route with a body gets one more than a route without."""
TOLD_EVERY = 20_000
SETTINGS = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_FAILED_CALLS_PER_MINUTE": "0",
    "HEADRACE_WEBHOOK_TIME_SCALE": "0.00001",
}
EVERYTHING = ("workflow:*", "model:*", "execution:*", "webhook:receive")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    with running(tmp_path, *BARE, **SETTINGS) as started:
        yield started


@pytest.fixture
def administration(stack: RunningStack) -> Iterator[Administration]:
    made = Administration(stack)
    yield made
    made.close()


class Scene:
    """An account of an administrator with one of each object, and requests to all routes."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self.account = administration.account("enterprise", role="admin")
        self.key = administration.key(self.account, *EVERYTHING)
        self.browser = administration.browser(self.account)
        self.cookie = str(self.browser.client.cookies["headrace_session"])
        self.caller = administration.with_key(self.key)

    def aims(self) -> list[Target]:
        """Make the objects; return the routes with their ids."""
        caller = self.caller
        slug = self._save(caller, "Greeting")
        edited = {"slug": self._save(caller, "Edited")}
        execution_id = caller.start(slug, {"name": "Ada"})
        event_hook, timed = make(caller, hook(slug)), make(caller, schedule(slug))
        case = {"name": "greets", "inputs": {"name": "Ada"}, "expect": {}}
        caller.put(f"/api/workflows/{slug}/tests/greets", case)
        names = {
            "slug": slug,
            "internal_name": "echo",
            "execution_id": execution_id,
            "node_id": "text",
            "token": str(event_hook["url"]).rpartition("/")[2],
            "trigger_id": event_hook["id"],
            "version": "1",
            "alias_name": "live",
            "test_name": "greets",
            "key_id": self._made_id(
                "/api/api-keys", {"name": "k", "capabilities": ["workflow:run"]}
            ),
            "account_id": self._administration.account("pro"),
            "secret_name": "STRIPE_KEY",
            **self._strangers(execution_id),
        }
        own = {f"{each.method} {each.route}": edited for each in targets() if changes(each)}
        own["POST /api/triggers/{trigger_id}/run"] = {"trigger_id": timed["id"]}
        for route in ("PATCH /api/triggers/{trigger_id}", "POST /api/triggers/{trigger_id}/rotate"):
            own[route] = {"trigger_id": make(caller, hook(slug))["id"]}
        own["PUT /api/models/{internal_name}"] = {"internal_name": "saved"}
        found = [each.at(names, own) for each in targets()]
        return [*found, *OFTENER * [each for each in found if each.has_body]]

    def _save(self, caller: Caller, name: str) -> str:
        return caller.save({**greeting(), "name": name})

    def _made_id(self, path: str, body: dict[str, Any]) -> str:
        answer = self.browser.post(path, body)
        return str(answer.json().get("id", "0"))

    def _strangers(self, execution_id: str) -> dict[str, str]:
        """Return ids that name nothing, for routes whose body is read before them or never."""
        names = ("batch_id", "replay_id", "test_run_id", "delivery_id", "grant_request")
        return dict.fromkeys(names, execution_id)


def changes(target: Target) -> bool:
    """Whether requests of a route change the workflow, which then runs no more as it did."""
    parts = ("/draft", "/publish", "/aliases", "/versions", "/restore")
    whole = (target.method, target.route) == ("PUT", "/api/workflows/{slug}")
    return whole or (
        target.route.startswith("/api/workflows/{slug}")
        and any(each in target.route for each in parts)
    )


def told(numbers: range, findings: Findings) -> Iterator[int]:
    """Yield the numbers, and print now and then how far they are."""
    began = time.monotonic()
    for number in numbers:
        done = number - numbers.start
        if done and done % TOLD_EVERY == 0:
            rate = done / (time.monotonic() - began)
            print(
                f"{done:,} bodies, {rate:.0f}/s, {dict(sorted(findings.statuses.items()))}", end=" "
            )
            print(f"wrong {len(findings.wrong)}, slow {len(findings.slow)}", flush=True)
            for each in findings.wrong[-3:]:
                print(f"  {each}", flush=True)
        yield number


@pytest.mark.A110
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_body_gets_a_500_or_waits_a_second(
    stack: RunningStack,
    administration: Administration,
    record_property: Callable[[str, Any], None],
) -> None:
    scene, findings = Scene(administration), Findings()
    aims = scene.aims()
    numbers = told(range(FIRST, FIRST + BODIES), findings)

    async def send() -> list[str]:
        senders = [
            Sender(administration.url, SEED, scene.key, scene.cookie) for _ in range(CONNECTIONS)
        ]
        await send_all(senders, aims, numbers, findings)
        slow = await still_slow(senders[0], findings.slow, times=3)
        senders[0].close()
        return [str(each) for each in slow]

    slow = asyncio.run(send())

    for name, value in (
        ("bodies", sum(findings.statuses.values())),
        ("routes", len(set(aims))),
        ("answers_of_500", sum(each.status == 500 for each in findings.wrong)),
        ("runs_failed_by_their_server", findings.statuses[500]),
        ("slower_than_1_s_beside_other_work", len(findings.slow)),
        ("slower_than_1_s_alone", len(slow)),
    ):
        record_property(name, value)
    for route, seconds in sorted(findings.seconds.items(), key=lambda each: -each[1]):
        statuses = {status: n for (at, status), n in findings.by_route.items() if at == route}
        print(f"{route}: {seconds / sum(statuses.values()) * 1000:.1f} ms, {statuses}")
    print(*(each for each in stack.errors if "Traceback" in each))
    print(*findings.wrong, sep="\n")
    assert [str(each) for each in findings.wrong] == [], f"with the seed {SEED}"
    assert slow == [], f"with the seed {SEED}"
    assert scene.caller.get("/healthz").status_code == 200


@pytest.mark.A110
def test_every_write_of_the_route_table_is_aimed_at() -> None:
    found = {(each.method, each.route) for each in targets()}

    assert found.isdisjoint(LEFT_OUT)
    assert (
        len(found) > 50 and ("POST", "/mcp") in found and ("PUT", "/api/workflows/{slug}") in found
    )
