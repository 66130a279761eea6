"""JSON output of commands on a running stack."""

import json
from typing import Any

from tests.support.acceptance.running_stack import RunningStack


def json_of(stack: RunningStack, *arguments: str, **environ: str) -> Any:
    done = stack.command(*arguments, "--json", **environ)
    assert done.returncode == 0, done.stderr or done.stdout
    assert done.stderr == ""
    return json.loads(done.stdout)


def make_account(stack: RunningStack, *more: str, tier: str = "pro") -> dict[str, Any]:
    made = json_of(stack, "account", "create", "--email", "eve@example.org", "--tier", tier, *more)
    assert isinstance(made, dict)
    return made
