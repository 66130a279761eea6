"""The page on which an owner answers a client, for the rules of all pages."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.support.oauth.browser_flow import challenge_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

REDIRECT = "https://claude.ai/api/mcp/auth_callback"


def show_connect(page: "Page") -> None:
    """Show the request of a client, with a workflow chosen."""
    client = {
        "client_name": "Claude",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
    }
    made = page.request.post("/oauth/register", data=client).json()
    query = {
        "response_type": "code",
        "client_id": made["client_id"],
        "redirect_uri": REDIRECT,
        "code_challenge": challenge_of("x" * 43),
        "code_challenge_method": "S256",
    }
    page.goto(f"/oauth/authorize?{urlencode(query)}")
    page.get_by_role("checkbox").first.check()


CONNECT_PAGES: dict[str, Callable[["Page"], None]] = {"connect": show_connect}
