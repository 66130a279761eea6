"""Workflows for tests of the pages."""

from typing import Any

FIELDS: list[dict[str, Any]] = [
    {
        "name": "title",
        "label": "Title",
        "type": "text",
        "required": True,
        "maxLength": 20,
        "helperText": "Shown on top.",
    },
    {"name": "body", "label": "Body", "type": "textarea", "required": False},
    {"name": "copies", "label": "Copies", "type": "number", "required": False, "min": 1, "max": 9},
    {
        "name": "warmth",
        "label": "Warmth",
        "type": "slider",
        "required": False,
        "min": 0,
        "max": 10,
        "step": 1,
        "default": 4,
    },
    {
        "name": "tone",
        "label": "Tone",
        "type": "pills",
        "required": False,
        "options": ["calm", "lively"],
        "default": "calm",
    },
    {"name": "loud", "label": "Loud", "type": "toggle", "required": False, "default": False},
    {"name": "photo", "label": "Photo", "type": "image", "required": False},
    {"name": "extra", "label": "Extra", "type": "json", "required": False, "default": {"a": 1}},
]


def every_field(name: str, **members: Any) -> dict[str, Any]:
    """Return a workflow that asks for every type of field and answers with them."""
    return {
        "name": name,
        "description": "Asks for every type of field, and answers with what it was given.",
        "tags": ["test"],
        "nodes": [
            node("form", "requestInput", 0, fields=FIELDS),
            node("text", "textBox", 1, text="# {{ title }}\n\nSome **bold** text."),
            node("result", "responseOutput", 2, fields=[{"name": "text"}, {"name": "all"}]),
        ],
        "edges": [
            edge("form", "title", "text", "title"),
            edge("text", "text-out", "result", "text"),
            edge("form", "params", "result", "all"),
        ],
        **members,
    }


def greeting(name: str, **members: Any) -> dict[str, Any]:
    """Return a workflow that greets."""
    fields = [{"name": "name", "label": "Name", "type": "text", "required": True, "default": "Ada"}]
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=fields),
            node("text", "textBox", 1, text="Hello {{ name }}!"),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "name", "text", "name"),
            edge("text", "text-out", "result", "result-in"),
        ],
        **members,
    }


def asking(name: str, model: str, output: str, prompt: str) -> dict[str, Any]:
    """Return a workflow that sends a text to a model and answers with its output."""
    fields = [
        {
            "name": "prompt",
            "label": "Prompt",
            "type": "textarea",
            "required": True,
            "default": prompt,
        }
    ]
    return {
        "name": name,
        "nodes": [
            node("form", "requestInput", 0, fields=fields),
            node("model", "customModel", 1, model=model),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "prompt", "model", "prompt-in"),
            edge("model", output, "result", "result-in"),
        ],
    }


def calling(name: str, url: str, attempts: int = 1) -> dict[str, Any]:
    """Return a workflow that sends a greeting to an address and answers with what comes back."""
    document = greeting(name)
    retry = {"attempts": attempts, "backoff": 0.1}
    call = {"url": url, "method": "POST", "body": '{"text": {{ text }}}', "retry": retry}
    document["nodes"].insert(2, node("call", "httpRequest", 2, **call))
    document["edges"][1:] = [
        edge("text", "text-out", "call", "text"),
        edge("call", "response-out", "result", "result-in"),
    ]
    return document


def node(node_id: str, kind: str, column: int, **data: Any) -> dict[str, Any]:
    """Return a node in a column of the canvas."""
    return {"id": node_id, "type": kind, "position": {"x": column * 320, "y": 0}, "data": data}


def edge(source: str, out: str, target: str, into: str) -> dict[str, str]:
    """Return a wire."""
    return {
        "id": f"{source}-{out}-{target}-{into}",
        "source": source,
        "target": target,
        "sourceHandle": out,
        "targetHandle": into,
    }


def calls_model(name: str, node_type: str, model: str, into: str, output: str) -> dict[str, Any]:
    """Return a template that sends a text to a model."""
    fields = [{"name": "about", "label": "About", "type": "text", "required": False}]
    return {
        "name": name,
        "isTemplate": True,
        "nodes": [
            node("form", "requestInput", 0, fields=fields),
            node("model", node_type, 1, model=model),
            node("result", "responseOutput", 2),
        ],
        "edges": [
            edge("form", "about", "model", into),
            edge("model", output, "result", "result-in"),
        ],
    }


def naming_addresses(name: str, picture: str, list_of: list[str]) -> dict[str, Any]:
    """Return a workflow that answers with addresses, as a text and as a list of pictures."""
    items = {"kind": "image", "items": [{"value": each} for each in list_of]}
    return {
        "name": name,
        "nodes": [
            node("text", "textBox", 0, text=picture),
            {**node("list", "list", 0), "data": items},
            node("result", "responseOutput", 1, fields=[{"name": "picture"}, {"name": "images"}]),
        ],
        "edges": [
            edge("text", "text-out", "result", "picture"),
            edge("list", "items-out", "result", "images"),
        ],
    }


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
