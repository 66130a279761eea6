"""Commands for drafts and versions, over HTTP and beside the stack."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import greeting

Write = Callable[[dict[str, Any]], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(document: dict[str, Any]) -> str:
        file = tmp_path / "workflow.json"
        file.write_text(json.dumps(document))
        return str(file)

    return write


def test_a_workflow_in_a_file_is_compared_drafted_published_and_rolled_back(
    stack: RunningStack, write: Write, tmp_path: Path
) -> None:
    remote = {"HEADRACE_URL": stack.url, "HEADRACE_API_KEY": stack.key}
    slug = json_of(stack, "workflow", "push", write(greeting("By command")), **remote)["slug"]
    changed = deepcopy(greeting("By command", draft=True))
    changed["nodes"][0]["data"]["fields"][0]["maxLength"] = 5
    file = write(changed)

    same = stack.command("workflow", "diff", write(greeting("By command")), slug, **remote)
    differs = stack.command("workflow", "diff", write(changed), slug, **remote)
    pushed = json_of(stack, "workflow", "push", file, **remote)
    refused = stack.command("workflow", "publish", slug, "--yes", **remote)
    unasked = stack.command("workflow", "publish", slug, "--force", **remote)
    forced = stack.command(
        *("workflow", "publish", slug, "--force", "--yes", "--note", "Shorter"), **remote
    )
    versions = json_of(stack, "workflow", "versions", slug, **remote)
    restored = json_of(stack, "workflow", "restore", slug, "1", "--yes", **remote)
    target = str(tmp_path / "pulled.json")
    json_of(stack, "workflow", "pull", slug, target, **remote)
    again = stack.command("workflow", "diff", target, **remote)

    assert (same.returncode, same.stdout) == (0, f"{slug} against version 1:\nNo changes.\n")
    assert differs.returncode == 3
    assert "~ node in" in differs.stdout and "! breaks callers: " in differs.stdout
    assert pushed["into"] == "draft"
    assert (refused.returncode, unasked.returncode) == (1, 1)
    assert "--force" in refused.stderr and "~ node in" in refused.stdout
    assert "--yes" in unasked.stderr
    assert forced.returncode == 0, forced.stderr
    assert [(row["version"], row["isLive"], row["note"]) for row in versions] == [
        *((2, True, "Shorter"), (1, False, None)),
    ]
    assert restored["version"] == 3
    assert again.returncode == 0, again.stdout
    stack.command("workflow", "delete", slug, **remote)


def test_a_draft_is_pulled_and_pushed_as_a_draft(
    stack: RunningStack, write: Write, tmp_path: Path
) -> None:
    slug = json_of(stack, "workflow", "push", write(greeting("Idea", draft=True)))["slug"]
    target = str(tmp_path / "idea.json")

    json_of(stack, "workflow", "pull", slug, target, "--draft")
    pushed = json_of(stack, "workflow", "push", target)

    assert (pushed["slug"], pushed["into"], pushed["version"]) == (slug, "draft", None)
    stack.command("workflow", "delete", slug)
