"""The history of a stack has its ended runs, without anything to set up."""

import json

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, until

LETTER = "greeting-letter"


def test_a_run_of_a_stack_is_in_its_history_after_a_while(stack: RunningStack) -> None:
    done = stack.command("run", LETTER, "-i", "name=Ada", "--async", "--json")
    assert done.returncode == 0, done.stderr
    execution_id = json.loads(done.stdout)["executionId"]

    def is_exported() -> bool:
        exported = stack.command("history", "export").stdout.splitlines()
        return execution_id in [json.loads(line)["id"] for line in exported]

    until(is_exported)
    status = json_of(stack, "history", "status")
    assert (status["isCurrent"], status["error"]) == (True, None)
    assert status["executions"] >= 1
    assert "sqlite" in json_of(stack, "migrate")["database"]
