"""Commands that show the children of a run."""

import json
from pathlib import Path
from typing import Any

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node

ROWS = [{"name": "Ada"}, {}, {"name": "Grace"}]


def each_name() -> dict[str, Any]:
    """A workflow whose body reads the name of each row."""
    field = {"name": "row", "label": "Row", "type": "json", "required": True}
    body = {
        "nodes": [
            node("in", "requestInput", fields=[field]),
            node("name", "transform", expression="value.name"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "row", "name", "value-in"),
            edge("name", "value-out", "out", "result-in"),
        ],
    }
    return {
        "name": "Each name by command",
        "nodes": [
            node("in", "requestInput", fields=[{**field, "name": "rows", "default": ROWS}]),
            node("each", "forEach", body=body, onItemError="skip"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "rows", "each", "row"),
            edge("each", "results-out", "out", "result-in"),
        ],
    }


def test_children_are_listed_and_shown_with_their_parent(
    stack: RunningStack, tmp_path: Path
) -> None:
    file = tmp_path / "each.json"
    file.write_text(json.dumps(each_name()))
    slug = json_of(stack, "workflow", "push", str(file))["slug"]
    ran = json_of(stack, "run", slug)
    root = ran["executionId"]

    shown = stack.command("execution", "show", root)
    listed = json_of(stack, "execution", "list", "--parent", root, "--node", "each")
    failed = stack.command(
        *("execution", "list", "--parent", root, "--node", "each", "--status", "failed")
    )
    child = stack.command("execution", "show", listed[2]["executionId"])
    half = stack.command("execution", "list", "--parent", root)

    assert ran["result"] == ["Ada", "Grace"]
    [line] = [each for each in shown.stdout.splitlines() if each.startswith("each ")]
    assert line.split("  ")[-1].strip() == "3 of 3, 1 failed"
    assert [(row["childIndex"], row["status"]) for row in listed] == [
        *((0, "completed"), (1, "failed"), (2, "completed")),
    ]
    assert listed[1]["executionId"] in failed.stdout
    assert listed[0]["executionId"] not in failed.stdout
    assert f"item 2 of node 'each' of {root}" in child.stdout
    assert child.stdout.rstrip().endswith("Grace")
    assert (half.returncode, "--node" in half.stderr) == (2, True)
    stack.command("workflow", "delete", slug)
