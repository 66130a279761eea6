"""Runs that wait for a person, in tests of the pages."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page

from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.e2e.workflows import FIELDS, edge, node

FORM = [each for each in FIELDS if each["type"] != "image"]
"""A field of every type that an approval may have."""


def asking_person(name: str, **members: Any) -> dict[str, Any]:
    """Return a workflow that asks a person about its input `what`, and answers with the answer."""
    what = {"name": "what", "label": "What", "type": "text", "required": True}
    ask = {"title": "Post it?", "message": "{{ what }}", "fields": FORM, **members}
    outputs = [{"name": each} for each in ("approved", "refused", "answer")]
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=[what]),
            node("ask", "approval", 1, **ask),
            node("result", "responseOutput", 2, fields=outputs),
        ],
        "edges": [
            edge("form", "what", "ask", "value-in"),
            edge("form", "what", "ask", "what"),
            edge("ask", "approved-out", "result", "approved"),
            edge("ask", "refused-out", "result", "refused"),
            edge("ask", "answer-out", "result", "answer"),
        ],
    }


def begin(stack: RunningStack, slug: str, inputs: Mapping[str, Any]) -> str:
    """Begin a run and return its id."""
    _, begun = stack.api("POST", f"/api/workflows/{slug}/run?async=true", {"inputs": inputs})
    return str(begun["executionId"])


def link_of(page: Page, execution_id: str) -> str:
    """Return the link of the approval for which a run waits, as its account sees it."""

    def waiting() -> Any:
        return page.request.get(f"/api/executions/{execution_id}").json()["waitingFor"]

    [entry] = until(waiting)
    return str(entry["url"])
