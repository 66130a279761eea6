"""Workflows with a part that runs for each item, for tests of the pages."""

from typing import Any

from tests.support.e2e.workflows import edge, node

WORD = {"name": "word", "label": "Word", "type": "text", "required": True}


def greeted(text: str = "Hello {{ word }}!") -> dict[str, Any]:
    """Return the graph for one item: a text with the item in it."""
    return {
        "nodes": [
            node("item", "requestInput", 0, fields=[WORD]),
            node("text", "textBox", 1, text=text),
            node("greeting", "responseOutput", 2),
        ],
        "edges": [
            edge("item", "word", "text", "word"),
            edge("text", "text-out", "greeting", "result-in"),
        ],
    }


def for_each(name: str, body: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Return a workflow that runs a graph for each word of a list."""
    words = {"name": "words", "label": "Words", "type": "json", "required": True}
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=[words]),
            node("rows", "forEach", 1, body=body, over="word", **settings),
            node("result", "responseOutput", 2, fields=[{"name": "texts"}, {"name": "errors"}]),
        ],
        "edges": [
            edge("form", "words", "rows", "word"),
            edge("rows", "results-out", "result", "texts"),
            edge("rows", "errors-out", "result", "errors"),
        ],
    }


def asked() -> dict[str, Any]:
    """Return the graph for one item that asks a model; marks of the stub in the item are obeyed."""
    return {
        "nodes": [
            node("item", "requestInput", 0, fields=[WORD]),
            node("model", "customModel", 1, model="gpt-mini"),
            node("answer", "responseOutput", 2),
        ],
        "edges": [
            edge("item", "word", "model", "prompt-in"),
            edge("model", "text-out", "answer", "result-in"),
        ],
    }
