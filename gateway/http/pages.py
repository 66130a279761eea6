"""Plain pages: HTML that needs no script and no other host."""

from html import escape

from starlette.responses import Response

PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>'
    "body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:12vh auto;padding:0 1rem}}"
    "button{{font:inherit;padding:.5rem 1.5rem}}code{{font:14px ui-monospace,monospace}}"
    "li{{margin:.75rem 0}}code{{overflow-wrap:anywhere}}"
    ":root{{color-scheme:light dark}}</style></head><body><h1>{title}</h1>{body}</body></html>"
)
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    # The link must not leave this origin, yet the form's own origin must be sent.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def page(title: str, body: str, status: int = 200) -> Response:
    """Return a page; `body` is HTML, `title` is text."""
    html = PAGE.format(title=escape(title), body=body)
    return Response(html, status, HEADERS, media_type="text/html")
