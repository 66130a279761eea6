"""Calls of one client beside the real rate limit of an account: up to a minute."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.net.http_client import call
from headrace_client import AsyncHeadrace
from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import BARE, RunningStack, running

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[2] / "examples" / "greeting-letter.json"
LIMIT = 100
"""Runs in a minute of the tier `pro`."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    with running(tmp_path, *BARE) as started:
        yield started


async def run_all(
    url: str, key: str, slug: str, count: int
) -> tuple[set[str], Counter[int], float]:
    """Run so many at once; return the executions, the answers by status, and the seconds."""
    statuses: Counter[int] = Counter()

    async def note(answer: httpx.Response) -> None:
        statuses[answer.status_code] += 1

    http = httpx.AsyncClient(event_hooks={"response": [note]})
    began = time.monotonic()
    async with AsyncHeadrace(key, url, http_client=http) as headrace:
        runs = [headrace.run(slug, {"name": "Ada"}) for _ in range(count)]
        done = await asyncio.gather(*runs)
    return {each.execution_id for each in done}, statuses, time.monotonic() - began


def test_many_runs_at_once_of_a_limited_account_meet_no_429(stack: RunningStack) -> None:
    account = make_account(stack, tier="pro")
    options = ("--account", account["id"], "--capability", "workflow:*")
    key = json_of(stack, "key", "create", *options)["key"]
    document = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    slug = call("POST", f"{stack.url}/api/workflows", key=key, body=document)[1]["slug"]

    executions, statuses, seconds = asyncio.run(run_all(stack.url, key, slug, 2 * LIMIT))

    print(f"{2 * LIMIT} runs in {seconds:.1f} s: {dict(statuses)}")
    assert len(executions) == 2 * LIMIT
    assert statuses == {200: 2 * LIMIT}
