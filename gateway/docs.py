"""The API described: the OpenAPI document, and a page for people made from it."""

from html import escape
from importlib.metadata import version
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router

from gateway.description.document import make_document
from gateway.endpoints import Resource, public
from gateway.services import GatewayRequest
from gateway.wire import json_response

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#8881;padding:1rem;overflow:auto}"
    "section{border-top:1px solid #8884;margin-top:1.5rem}dt{font-weight:600}"
    ":root{color-scheme:light dark}"
)
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
    '<body><h1>{title}</h1><p>The same for programs: <a href="openapi.json">openapi.json</a>. '
    "Send your key in the header <code>x-api-key</code>.</p>{sections}"
    "<h2>Shapes</h2>{shapes}</body></html>"
)
SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
}


@public
async def openapi(request: GatewayRequest) -> Response:
    """The API as an OpenAPI document."""
    return json_response(_document(request.scope["router"]))


@public
async def show_docs(request: GatewayRequest) -> Response:
    """The API as a page."""
    page = make_page(_document(request.scope["router"]))
    return Response(page, headers=SAFE, media_type="text/html")


def _document(router: Router) -> dict[str, Any]:
    return make_document(router.routes, version("headrace"))


def make_page(document: dict[str, Any]) -> str:
    """The document as HTML."""
    sections = [
        _section(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    shapes = [
        f'<h3 id="{escape(name)}">{escape(name)}</h3><pre>{_pretty(schema)}</pre>'
        for name, schema in document["components"]["schemas"].items()
    ]
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    return PAGE.format(title=title, style=STYLE, sections="".join(sections), shapes="".join(shapes))


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = [_parameter(each) for each in operation["parameters"]]
    if "requestBody" in operation:
        rows.append(f"<dt>Body</dt><dd>{_shape_link(operation['requestBody'])}</dd>")
    rows += [
        f"<dt>{status}</dt><dd>{_shape_link(response)}</dd>"
        for status, response in operation["responses"].items()
    ]
    summary = escape(f"{operation['summary']} {operation.get('description', '')}".strip())
    heading = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    return f"<section>{heading}<p>{summary}</p><dl>{''.join(rows)}</dl></section>"


def _parameter(parameter: dict[str, Any]) -> str:
    label = escape(f"{parameter['name']} ({parameter['in']})")
    return f"<dt>{label}</dt><dd><code>{_inline(parameter['schema'])}</code></dd>"


def _shape_link(holder: dict[str, Any]) -> str:
    schema = holder["content"]["application/json"]["schema"]
    names = [escape(each["$ref"].rpartition("/")[2]) for each in schema.get("oneOf", [schema])]
    return ", ".join(f'<a href="#{name}">{name}</a>' for name in names)


def _inline(schema: Any) -> str:
    return escape(msgspec.json.encode(schema).decode())


def _pretty(schema: Any) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(schema)).decode())


routes: list[BaseRoute] = [
    Route("/openapi.json", Resource(GET=openapi)),
    Route("/docs", Resource(GET=show_docs)),
]
