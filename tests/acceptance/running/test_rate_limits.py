"""Rate limits over real gateways: exact, however calls are spread over them."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from deploy.net.http_client import call
from tests.support.acceptance.http_load import ask_for_runs
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.factories import greeting


def make_key(stack: RunningStack, tier: str) -> str:
    """Create an account; return its key."""
    made = stack.command("account", "create", "--email", "a@localhost", "--tier", tier, "--json")
    account = json.loads(made.stdout)["id"]
    key = stack.command("key", "create", "--account", account, "--preset", "Full deploy", "--json")
    return str(json.loads(key.stdout)["key"])


def accepted_by_window(
    folder: Path, *, tier: str, requests: int, connections: int
) -> tuple[Counter[int], Counter[str]]:
    """Return the count of each status, and the accepted runs by the end of their window."""
    statuses: Counter[int] = Counter()
    accepted: Counter[str] = Counter()

    def note(status: int, headers: dict[str, str]) -> None:
        statuses[status] += 1
        if status == 202:
            accepted[headers["x-ratelimit-reset"]] += 1

    with running(folder, "--no-demo", "--gateways", "2") as stack:
        assert len(stack.part("gateway")) == 2
        key = make_key(stack, tier)
        body = greeting().body("Limited")
        _, saved = call("POST", stack.url + "/api/workflows", key=key, body=body)
        url = f"{stack.url}/api/workflows/{saved['slug']}/run"
        asyncio.run(ask_for_runs(url, key, iter(range(requests)), connections, note))
    return statuses, accepted


@pytest.mark.thorough
def test_no_call_too_many_gets_through_two_gateways(tmp_path: Path) -> None:
    statuses, accepted = accepted_by_window(tmp_path, tier="pro", requests=600, connections=20)

    assert statuses.keys() == {202, 429}
    assert statuses.total() == 600
    assert max(accepted.values()) == 100


@pytest.mark.A22
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_call_too_many_gets_through_two_gateways_and_a_hundred_connections(
    tmp_path: Path,
) -> None:
    statuses, accepted = accepted_by_window(
        tmp_path, tier="business", requests=10_000, connections=100
    )

    assert statuses.keys() == {202, 429}
    assert statuses.total() == 10_000
    assert max(accepted.values()) == 1_000
