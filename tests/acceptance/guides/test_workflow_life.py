"""The script `examples/workflow_life.py`, run as its header says."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import RunningStack, environment

SCRIPT = Path(__file__).parents[3] / "examples" / "workflow_life.py"
TOLD = re.compile(
    r"""Drafted life-of-a-letter: version None
(Checked: .+
)+Mended: 0 problems
The node 'letter' gives: Dear Grace,
Published version 1
A caller gets: Dear Grace,
A caller gets: Dear Grace,
Refused, BREAKING_CHANGE: .*'sender'.*
Published version 2
A caller gets: Dear Grace, .*'sender'.*
Rolled back to version 1, which is version 3 now
A caller gets: Dear Grace,
"""
)


def test_a_workflow_lives_through_drafts_versions_and_a_roll_back(stack: RunningStack) -> None:
    account = make_account(stack)["id"]
    key = json_of(stack, "key", "create", "--account", account, "--preset", "Full deploy")["key"]

    done = subprocess.run(
        [sys.executable, SCRIPT],
        env=environment(HEADRACE_URL=stack.url, HEADRACE_API_KEY=key),
        capture_output=True,
        text=True,
        timeout=150,
    )

    assert done.returncode == 0, done.stderr
    assert TOLD.fullmatch(done.stdout), done.stdout
    assert json_of(stack, "workflow", "list", "--account", account) == []


def test_the_script_needs_nothing_but_httpx() -> None:
    imported = set(re.findall(r"^(?:import|from) (\w+)", SCRIPT.read_text(), re.M))

    assert imported - sys.stdlib_module_names == {"httpx"}
