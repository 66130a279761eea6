"""Documentation of the API: the OpenAPI document, and a page for people made from it."""

from collections.abc import Iterable, Mapping
from html import escape
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, Router

from gateway.auth.endpoints import operation, public
from gateway.auth.resource import Resource
from gateway.http.pages import HTML_PAGE, policy_for
from gateway.http.responses import LargeResponse, encode_json
from gateway.http.types import JSON
from gateway.openapi.document import OpenApiView, make_document
from gateway.openapi.errors import STATUSES
from gateway.services import GatewayRequest

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#8881;padding:1rem;overflow:auto}"
    "section{border-top:1px solid #8884;margin-top:1.5rem}dt{font-weight:600}"
    ":root{color-scheme:light dark}"
)
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
    '<body><h1>{title}</h1><p>The same for programs: <a href="openapi.json">openapi.json</a>, and '
    "of each workflow with the inputs that it asks for: "
    "<code>/api/workflows/{{slug}}/openapi.json</code>. "
    "Send your key in the header <code>x-api-key</code>.</p>{sections}"
    "<h2>Errors</h2>{errors}<h2>Shapes</h2>{shapes}</body></html>"
)
SAFE = {"content-security-policy": policy_for(STYLE)}


@operation(answers={200: OpenApiView})
@public
async def openapi(request: GatewayRequest) -> Response:
    """The API as an OpenAPI document."""
    return LargeResponse(_description.describe(request.scope["router"]).document, media_type=JSON)


@operation(answers={200: HTML_PAGE})
@public
async def show_docs(request: GatewayRequest) -> Response:
    """The API as a page."""
    page = _description.describe(request.scope["router"]).page
    return LargeResponse(page, headers=SAFE, media_type="text/html")


class Description(NamedTuple):
    """The document and the page as they are sent."""

    document: bytes
    page: bytes


class LastDescription:
    """Description of a router, made once: that takes 40 ms, and anybody may ask for it."""

    def __init__(self) -> None:
        self._router: Router | None = None
        self._made = Description(b"", b"")

    def describe(self, router: Router) -> Description:
        """Return the description of the router's routes."""
        if self._router is not router:
            document = make_document(router.routes, version("headrace"))
            self._made = Description(encode_json(document), make_page(document).encode())
            self._router = router
        return self._made


_description = LastDescription()


def make_page(document: dict[str, Any]) -> str:
    """Return the document as HTML."""
    shapes = document["components"]["schemas"]
    examples = document["components"]["examples"]
    sections = [
        _section(method, path, operation, examples)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    title = f"{document['info']['title']} {document['info']['version']}"
    return PAGE.format(
        title=escape(title),
        style=STYLE,
        sections="".join(sections),
        errors="".join(_error(code, examples) for code in sorted(STATUSES, key=_by_status)),
        shapes="".join(
            _block(name, schema) for name, schema in shapes.items() if name not in STATUSES
        ),
    )


def _by_status(code: str) -> tuple[int, str]:
    return STATUSES[code], code


def _section(method: str, path: str, operation: dict[str, Any], examples: Mapping[str, Any]) -> str:
    rows = [_parameter(each) for each in operation["parameters"]]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        rows.append(f"<dt>Body</dt><dd>{_shown(content, examples)}</dd>")
    rows += [
        f"<dt>{status}</dt><dd>{_answer(response['content'], examples)}</dd>"
        for status, response in operation["responses"].items()
    ]
    summary = escape(f"{operation['summary']} {operation.get('description', '')}".strip())
    heading = f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
    return f"<section>{heading}<p>{summary}</p><dl>{''.join(rows)}</dl></section>"


def _parameter(parameter: dict[str, Any]) -> str:
    label = escape(f"{parameter['name']} ({parameter['in']})")
    words = f"{escape(parameter['description'])} <code>{_inline(parameter['schema'])}</code>"
    if "example" in parameter:
        words += f", for example <code>{_inline(parameter['example'])}</code>"
    return f"<dt>{label}</dt><dd>{words}</dd>"


def _answer(content: Mapping[str, Any], examples: Mapping[str, Any]) -> str:
    """Render an answer; errors are links to their examples further down."""
    names = _shapes(content[JSON]) if JSON in content else []
    is_error = names and STATUSES.keys() >= set(names)
    return _links(names) if is_error else _shown(content, examples)


def _shown(content: Mapping[str, Any], examples: Mapping[str, Any]) -> str:
    """Render each media type of a body with its examples."""
    return "".join(
        f"<p>{_links(_shapes(holder))} <code>{escape(media_type)}</code></p>"
        + "".join(_example(examples[name]) for name in holder["examples"])
        for media_type, holder in content.items()
    )


def _error(code: str, examples: Mapping[str, Any]) -> str:
    numbered = (name for name in examples if name.rpartition("-")[0] == code)
    shown = "".join(_example(examples[name]) for name in (code, *numbered))
    return f'<h3 id="{escape(code)}">{STATUSES[code]} {escape(code)}</h3>{shown}'


def _block(name: str, value: Any) -> str:
    return f'<h3 id="{escape(name)}">{escape(name)}</h3><pre>{_pretty(value)}</pre>'


def _example(example: Mapping[str, Any]) -> str:
    return f"<pre>{_pretty(example['value'])}</pre>"


def _shapes(holder: Mapping[str, Any]) -> list[str]:
    schema = holder["schema"]
    return [each["$ref"].rpartition("/")[2] for each in schema.get("oneOf", [schema])]


def _links(names: Iterable[str]) -> str:
    return ", ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in names)


def _inline(value: Any) -> str:
    return escape(msgspec.json.encode(value).decode())


def _pretty(value: Any) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(value)).decode())


routes: list[BaseRoute] = [
    Route("/openapi.json", Resource(GET=openapi)),
    Route("/docs", Resource(GET=show_docs)),
]
