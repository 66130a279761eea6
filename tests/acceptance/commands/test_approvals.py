"""`headrace approval`: list, approve and refuse, on a server and in process."""

import json

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.contract.approvals import asking_person

SLUG = "asked-by-command"


@pytest.fixture(scope="module")
def slug(stack: RunningStack) -> str:
    """Save a workflow that asks a person."""
    status, saved = stack.api("POST", "/api/workflows", asking_person().body(SLUG))
    assert status == 201, saved
    found: str = saved["slug"]
    return found


@pytest.fixture(params=["server", "in process"])
def way(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, ...]:
    """Options with which a command calls a gateway, or answers itself."""
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    return () if request.param == "server" else ("--account", account)


def test_approvals_are_listed_approved_and_refused(
    stack: RunningStack, slug: str, way: tuple[str, ...]
) -> None:
    runs = {}
    for who in ("Ada", "Eve"):
        begun = json_of(stack, "run", slug, "-i", f"who={who}", "--async")
        runs[f"Post for {who}?"] = begun["executionId"]
    rows = until(lambda: json_of(stack, "approval", "list", *way), lambda found: len(found) == 2)
    assert {row["title"]: row["executionId"] for row in rows} == runs
    table = stack.command("approval", "list", "--limit", "1", *way).stdout.splitlines()
    ada, eve = runs.values()

    wrong = stack.command("approval", "approve", ada, "ask", "-i", "urgent=maybe", *way)
    bare = stack.command("approval", "approve", ada, "ask", *way)
    approved = json_of(
        *(stack, "approval", "approve", ada, "ask", "-i", "urgent=yes"),
        *("-i", "copies=3", "--note", "Fine", *way),
    )
    again = stack.command("approval", "refuse", ada, "ask", "-i", "urgent=yes", *way)
    refused = stack.command("approval", "refuse", eve, "ask", *way)
    unknown = stack.command("approval", "refuse", eve, "none", *way)

    assert len(table) == 2 and "Post for" in table[1]
    assert (wrong.returncode, bare.returncode, again.returncode, unknown.returncode) == (1,) * 4
    assert "urgent" in wrong.stderr and "urgent" in bare.stderr
    assert approved["fields"] == {"urgent": True, "copies": 3} and approved["note"] == "Fine"
    assert "approve" in again.stderr
    assert refused.returncode == 0 and "refuse" in refused.stdout.splitlines()[1]
    path = f"/api/executions/{ada}"
    ended = until(lambda: stack.api("GET", path)[1], lambda found: found["completedAt"])
    assert ended["result"]["yes"] == "Ada"
    assert json_of(stack, "approval", "list", *way) == []
