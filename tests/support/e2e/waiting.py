"""Workflows that wait, for tests of the pages."""

from typing import Any

from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.executions import run
from tests.support.e2e.workflows import edge, greeting, node

BUDGET = {
    "name": "budget",
    "label": "Budget",
    "type": "number",
    "required": True,
    "min": 1,
    "max": 500,
    "helperText": "In euros, at most 500.",
}
CHANNEL = {
    "name": "channel",
    "label": "Channel",
    "type": "pills",
    "required": False,
    "options": ["blog", "newsletter", "both"],
    "default": "blog",
}


def asking(name: str, **settings: Any) -> dict[str, Any]:
    """Return a workflow that greets once somebody approves, and answers with both ways."""
    document = greeting(name)
    title = "Publish “{{ about }}”?"
    data = {"title": title, "message": "It goes to 4,200 readers.", "fields": [BUDGET, CHANNEL]}
    outputs = [{"name": "sent"}, {"name": "kept"}, {"name": "answer"}]
    document["nodes"][2:] = [
        node("ask", "approval", 2, **{**data, **settings}),
        node("result", "responseOutput", 3, fields=outputs),
    ]
    document["edges"][1:] = [
        edge("text", "text-out", "ask", "value-in"),
        edge("form", "name", "ask", "about"),
        edge("ask", "approved-out", "result", "sent"),
        edge("ask", "refused-out", "result", "kept"),
        edge("ask", "answer-out", "result", "answer"),
    ]
    return document


def delaying(name: str, seconds: float) -> dict[str, Any]:
    """Return a workflow that greets after a while."""
    document = greeting(name)
    document["nodes"].insert(2, node("pause", "delay", 2, seconds=seconds))
    document["edges"][1:] = [
        edge("text", "text-out", "pause", "value-in"),
        edge("pause", "value-out", "result", "result-in"),
    ]
    return document


def waiting(stack: RunningStack, slug: str, key: str = "") -> str:
    """Begin a run, and return the id of its execution once it waits."""
    execution_id = run(stack, slug, key)
    options = {"key": key} if key else {}
    stack.waiting(execution_id, **options)
    return execution_id
