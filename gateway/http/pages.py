"""Plain pages: HTML that needs no script and no other host."""

import hashlib
from base64 import b64encode
from html import escape

from starlette.responses import Response

from gateway.http.types import Content

STYLE = """
:root { color-scheme: light dark; --ground: #faf9f6; --surface: #fff; --line: #e5e1d8;
  --text: #1d1b17; --muted: #635e54; --accent: #0f6266; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ground: #151412; --surface: #1e1c19;
  --line: #322f2a; --text: #f2efe9; --muted: #aca598; --accent: #74c9c5; --on-accent: #062628; } }
body { max-width: 34rem; margin: 14vh auto; padding: 0 1rem; background: var(--ground);
  color: var(--text); font: 15px/1.6 system-ui, sans-serif; }
main { padding: 2rem; border: 1px solid var(--line); border-radius: 16px;
  background: var(--surface); }
h1 { margin: 0 0 1rem; font-size: 1.625rem; line-height: 1.25; letter-spacing: -0.018em; }
p { margin: 1rem 0 0; color: var(--muted); }
a { color: var(--accent); }
button { min-height: 2.5rem; padding: 0 1.5rem; border: 0; border-radius: 10px;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 560; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
"""
"""The design of the pages of `gateway/ui`, in little."""
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
    "<body><main><h1>{title}</h1>{body}</main></body></html>"
)

HTML_PAGE = Content(
    component="Page", kind=str, media_type="text/html", examples=("<!doctype html>…",)
)


def policy_for(style: str) -> str:
    """Return the Content-Security-Policy of a page whose only code is this style element."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


HEADERS = {
    "content-security-policy": policy_for(STYLE),
    "cache-control": "no-store",
    # The link must not leave this origin, yet the form's own origin must be sent.
    "referrer-policy": "same-origin",
}


def page(title: str, body: str, status: int = 200) -> Response:
    """Return a page; `body` is HTML, `title` is text."""
    html = PAGE.format(title=escape(title), style=STYLE, body=body)
    return Response(html, status, HEADERS, media_type="text/html")
