"""An example of everything that is sent and answered, by the name of its shape."""

from typing import Any

from gateway.openapi.examples import ACCOUNT_ID, CREATED

FIELD = {
    "name": "name",
    "label": "Your name",
    "type": "text",
    "required": True,
    "maxLength": 40,
}
GRAPH = {
    "nodes": [
        {
            "id": "in",
            "type": "requestInput",
            "position": {"x": 0, "y": 0},
            "data": {"fields": [FIELD], "values": {"name": "Ada"}},
        },
        {
            "id": "text",
            "type": "textBox",
            "position": {"x": 300, "y": 0},
            "data": {"text": "Hello {{ name }}"},
        },
        {"id": "out", "type": "responseOutput", "position": {"x": 600, "y": 0}, "data": {}},
    ],
    "edges": [
        {
            "id": "in-text",
            "source": "in",
            "sourceHandle": "name",
            "target": "text",
            "targetHandle": "name",
        },
        {
            "id": "text-out",
            "source": "text",
            "sourceHandle": "text-out",
            "target": "out",
            "targetHandle": "result-in",
        },
    ],
}
ABOUT = {"name": "Greeting", "description": "Greets by name", "tags": ["demo"]}
SCHEMA = {
    "name": "Greeting",
    "description": "Greets by name",
    "fields": [FIELD],
    "values": {"name": "Ada"},
}


EXAMPLES: dict[str, list[Any]] = {
    "WorkflowDocument": [{**ABOUT, **GRAPH}, {"name": "An idea", "draft": True}],
    "WorkflowUpdate": [{"description": "Greets everybody by name"}],
    "Workflow": [
        {
            "slug": "greeting",
            **ABOUT,
            **GRAPH,
            "viewport": {"x": 0, "y": 0, "zoom": 1},
            "publicPlayground": False,
            "isTemplate": False,
            "folderId": None,
            "cover": None,
            "hidden": False,
            "archived": False,
            "version": 3,
            "createdBy": ACCOUNT_ID,
            "createdAt": CREATED,
            "updatedAt": CREATED,
        }
    ],
    "WorkflowList": [
        [
            {
                "slug": "greeting",
                **ABOUT,
                "isTemplate": False,
                "hidden": False,
                "archived": False,
                "cover": None,
                "createdBy": ACCOUNT_ID,
                "estimatedCreditCost": 0,
                "folderId": None,
                "updatedAt": CREATED,
            }
        ]
    ],
    "Schema": [{**SCHEMA, "estimatedCreditCost": 0}],
    "PublicSchema": [SCHEMA],
    "JsonSchema": [
        {
            "title": "Greeting",
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"name": {"title": "Your name", "type": "string", "maxLength": 40}},
            "required": ["name"],
            "additionalProperties": True,
        }
    ],
    "OpenApi": [
        {
            "openapi": "3.1.0",
            "info": {"title": "Greeting", "version": "3"},
            "servers": [{"url": "https://headrace.example.com"}],
            "paths": {},
            "components": {},
        }
    ],
    "Deleted": [{"success": True}],
    "Status": [{"status": "ok"}],
    "Readiness": [{"status": "ready"}, {"status": "ready", "degraded": ["hints"]}],
    "Page": ["<!doctype html>…"],
    "Metrics": ["# TYPE headrace_redis_up gauge\nheadrace_redis_up 1.0\n"],
}
