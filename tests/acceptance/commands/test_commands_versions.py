"""Commands for drafts and versions, over HTTP and beside the stack."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, greeting, node

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


def test_workflows_that_call_each_other_are_pushed_and_pulled_together(
    stack: RunningStack, tmp_path: Path
) -> None:
    letter = {
        "slug": "letter-of-files",
        "name": "Letter of files",
        "nodes": [
            node("sub", "subWorkflow", workflow="greeting-of-files"),
            node("out", "responseOutput"),
        ],
        "edges": [edge("sub", "result-out", "out", "result-in")],
    }
    inner = deepcopy(greeting("Inner of files")) | {"slug": "greeting-of-files"}
    inner["nodes"][0]["data"]["fields"][0] |= {"default": "Ada"}
    files = [tmp_path / "letter.json", tmp_path / "inner.json"]
    for file, document in zip(files, (letter, inner), strict=True):
        file.write_text(json.dumps(document))

    pushed = json_of(stack, "workflow", "push", *map(str, files))
    called, outer = (row["slug"] for row in pushed)
    target = tmp_path / "pulled" / "outer.json"
    target.parent.mkdir()
    pulled = json_of(stack, "workflow", "pull", outer, str(target), "--with-called")
    refused = stack.command("workflow", "delete", called)
    forced = stack.command("workflow", "delete", called, "--force")

    assert (called, outer) == ("inner-of-files", "letter-of-files")
    assert [Path(row["file"]).name for row in pulled] == ["outer.json", f"{called}.json"]
    documents = [json.loads(Path(row["file"]).read_text()) for row in pulled]
    calls = {each["id"]: each["data"].get("workflow") for each in documents[0]["nodes"]}
    assert calls["sub"] == documents[1]["slug"] == called
    assert refused.returncode == 1 and f"'{outer}'" in refused.stderr
    assert forced.returncode == 0, forced.stderr
    stack.command("workflow", "delete", outer)


def test_tests_are_pulled_compared_and_pushed_with_their_document(
    stack: RunningStack, write: Write, tmp_path: Path
) -> None:
    greets = {"inputs": {"name": "Ada"}, "expect": ['result == "Hello Ada"']}
    slug = json_of(stack, "workflow", "push", write(greeting("Tested", tests={"greets": greets})))
    target = tmp_path / "tested.json"

    json_of(stack, "workflow", "pull", slug["slug"], str(target))
    pulled = json.loads(target.read_text())
    same = stack.command("workflow", "diff", str(target))
    pulled["tests"]["greets"]["expect"] = ["true"]
    target.write_text(json.dumps(pulled))
    differs = stack.command("workflow", "diff", str(target))
    stack.command("workflow", "push", str(target))
    got = json_of(stack, "workflow", "get", slug["slug"])

    assert same.stdout.endswith("No changes.\n")
    assert '~ test greets\n    expect: ["result' in differs.stdout
    assert got["tests"] == {"greets": greets | {"expect": ["true"]}}
    stack.command("workflow", "delete", slug["slug"])
