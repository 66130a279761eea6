"""`headrace approval`: list, approve and refuse, on a server and in process."""

import json

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack
from tests.support.contract.approvals import asking_person

SLUG = "asked-by-command"


@pytest.fixture(scope="module")
def slug(stack: RunningStack) -> str:
    """Save a workflow that asks a person."""
    status, saved = stack.api("POST", "/api/workflows", asking_person().body(SLUG))
    assert status == 201, saved
    found: str = saved["slug"]
    return found


def asked(stack: RunningStack, slug: str, who: str) -> str:
    """Begin a run that asks; return its id once it waits."""
    path = f"/api/workflows/{slug}/run?async=true"
    status, begun = stack.api("POST", path, {"inputs": {"who": who}})
    assert status == 202, begun
    execution_id: str = begun["executionId"]
    stack.waiting(execution_id)
    return execution_id


def test_an_approval_is_listed_and_approved_once(stack: RunningStack, slug: str) -> None:
    execution_id = asked(stack, slug, "Ada")

    table = stack.command("approval", "list", "--limit", "1").stdout.splitlines()
    wrong = stack.command("approval", "approve", execution_id, "ask", "-i", "copies=3")
    approved = json_of(
        *(stack, "approval", "approve", execution_id, "ask", "-i", "urgent=yes"),
        *("-i", "copies=3", "--note", "Fine"),
    )
    again = stack.command("approval", "refuse", execution_id, "ask")

    assert len(table) == 2 and execution_id in table[1] and "Post for Ada?" in table[1]
    assert (wrong.returncode, again.returncode) == (1, 1)
    assert "urgent" in wrong.stderr and "approved" in again.stderr
    assert approved["fields"] == {"urgent": True, "copies": 3} and approved["note"] == "Fine"
    assert stack.ended(execution_id)["result"]["yes"] == "Ada"


def test_the_command_answers_in_process_too(stack: RunningStack, slug: str) -> None:
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    execution_id = asked(stack, slug, "Eve")

    rows = json_of(stack, "approval", "list", "--account", account)
    refused = stack.command("approval", "refuse", execution_id, "ask", "--account", account)

    assert (execution_id, "ask") in [(row["executionId"], row["nodeId"]) for row in rows]
    assert refused.returncode == 0 and "session" in refused.stdout.splitlines()[1]
    assert stack.ended(execution_id)["result"]["no"] == "Eve"
