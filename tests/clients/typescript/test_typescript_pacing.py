"""Calls of one TypeScript client beside the real rate limit of an account: up to a minute."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.net.http_client import call
from tests.clients.typescript.installed import install, run_program
from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import BARE, RunningStack, running

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parents[3] / "examples" / "greeting-letter.json"
PROGRAM = Path(__file__).parent / "programs" / "many_runs.mjs"
LIMIT = 100
"""Runs in a minute of the tier `pro`."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    with running(tmp_path, *BARE) as started:
        yield started


def test_many_runs_at_once_of_a_limited_account_meet_no_429(
    stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    account = make_account(stack, tier="pro")
    options = ("--account", account["id"], "--capability", "workflow:*")
    key = json_of(stack, "key", "create", *options)["key"]
    document = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    slug = call("POST", f"{stack.url}/api/workflows", key=key, body=document)[1]["slug"]
    folder = install(tmp_path_factory.mktemp("installed"))

    seen = run_program("node", PROGRAM, folder, stack.url, key, slug, str(2 * LIMIT))

    assert len(set(seen["executions"])) == 2 * LIMIT
    assert seen["statuses"] == {"200": 2 * LIMIT}
