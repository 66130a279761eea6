"""Agents with workflows as tools, for tests of the pages."""

from typing import Any

from tests.support.e2e.workflows import edge, node

ORDER = {
    "name": "order",
    "label": "Number of the order",
    "type": "text",
    "required": True,
    "helperText": "Digits.",
}


def tool(name: str, text: str) -> dict[str, Any]:
    """Return a workflow that a model can call with the number of an order."""
    return {
        "name": name,
        "description": f"{name}, by its number.",
        "nodes": [
            node("form", "requestInput", 0, fields=[ORDER]),
            node("text", "textBox", 1, text=text),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "order", "text", "order"),
            edge("text", "text-out", "result", "result-in"),
        ],
    }


def agent(name: str, *tools: str, **settings: Any) -> dict[str, Any]:
    """Return a workflow whose agent has these workflows as tools, and answers a mail."""
    mail = {"name": "mail", "label": "Mail", "type": "textarea", "required": True}
    listed = [{"workflow": each} for each in tools]
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=[mail]),
            node("agent", "agent", 1, model="gpt-mini", tools=listed, **settings),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "mail", "agent", "prompt-in"),
            edge("agent", "text-out", "result", "result-in"),
        ],
    }
