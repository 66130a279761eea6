"""The owner of an account, signed in to a browser, who answers requests of clients."""

from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.support.acceptance.running_stack import RunningStack

ALL = "all"


class Person:
    """Signs in once, and goes the way of a browser for each client."""

    def __init__(self, stack: RunningStack, account_id: str) -> None:
        self._url = stack.url
        link = stack.command("login-link", "--account", account_id).stdout.split()[0]
        signed_in = httpx2.get(link)
        assert signed_in.status_code == 303
        self._cookie = f"headrace_session={signed_in.cookies['headrace_session']}"

    def consent(self, url: str, grant: Any) -> dict[str, str]:
        """Visit the address that a client opens; return the `location` that leads back to it.

        `grant` lists workflows, is `all`, or None for a refusal.
        """
        shown = httpx2.get(url)
        assert shown.status_code == 302, shown.text
        page = urlsplit(str(shown.headers["location"])).path
        body = {"granted": grant is not None, "workflows": None if grant == ALL else grant}
        path = page.replace("/app/connect/", "/api/grant-requests/")
        headers = {"origin": self._url, "cookie": self._cookie}
        answered = httpx2.post(self._url + path, json=body, headers=headers)
        assert answered.status_code == 200, answered.text
        return {"location": answered.json()["redirectTo"]}
