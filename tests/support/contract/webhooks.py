"""An owner of webhooks, and the shapes of deliveries."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller, cleaned
from tests.support.contract.shapes import (
    moment,
    moment_or_null,
    number,
    text_or_null,
    uuid,
    whole_or_null,
)
from tests.support.http.target import Request, Stub

CAPABILITIES = ("workflow:*", "webhook:receive")
"""Capabilities of the key of an owner."""
OWN_SECRET = "an owner's own secret, with ünicode"
EVENT = {
    "event": str,
    "executionId": str,
    "requestId": str,
    "userId": str,
    "workflowSlug": text_or_null,
    "modelIds": [str],
    "status": str,
    "creditsCost": number,
    "durationMs": int,
    "createdAt": moment,
    "completedAt": moment,
    "tags": [],
}
RUNNING = {
    "executionId": uuid,
    "requestId": uuid,
    "userId": str,
    "workflowSlug": str,
    "modelIds": [],
    "status": "processing",
    "creditsCost": number,
    "durationMs": None,
    "createdAt": moment,
    "completedAt": None,
    "tags": [str],
    "sequence": int,
}
"""Events of an execution that goes on, without the members of their kind."""
DELIVERY = {
    "id": uuid,
    "executionId": text_or_null,
    "event": str,
    "status": lambda value: value in ("pending", "delivered", "failed"),
    "attempts": [
        {"at": moment, "status": whole_or_null, "durationMs": int, "error?": str, "body?": str}
    ],
    "nextAttemptAt": moment_or_null,
    "url": str,
    "keyId": text_or_null,
    "batchId?": uuid,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A browser with a key of its account, whose webhook it sets."""

    browser: Caller
    caller: Caller
    key_id: str
    stub: Stub

    @property
    def path(self) -> str:
        return f"/api/api-keys/{self.key_id}/webhook"

    def set(self, path: str, **more: Any) -> Any:
        """Send the events to a path of the stub."""
        answer = self.browser.put(self.path, {"url": self.stub.url + path, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, slug: str, webhook: Any, query: str = "", **members: Any) -> Any:
        """Run a workflow with a webhook of its own."""
        body = {"inputs": {"name": "Eve"}, "webhook": webhook, **members}
        return self.caller.post(f"/api/workflows/{slug}/run{query}", body)

    def received(self, path: str, count: int = 1) -> list[Request]:
        """Return the requests for a path, once there are so many."""
        return until(lambda: self.stub.at(path), lambda found: len(found) >= count)

    def delivery(self, status: str) -> Any:
        """Return the one delivery, once it has this status."""

        def read() -> Any:
            return self.browser.get(f"{self.path}/deliveries").json()["rows"]

        (row,) = until(read, lambda rows: [each["status"] for each in rows] == [status])
        return row


def new_owners(
    administration: Administration, stub: Stub, *more_capabilities: str
) -> Iterator[Owner]:
    """Yield an owner of a new account, and remove its workflows afterwards."""
    browser = administration.browser(administration.account("business"))
    body = {"name": "hook", "capabilities": [*CAPABILITIES, *more_capabilities]}
    made = browser.post("/api/api-keys", body).json()
    for caller in cleaned(administration.with_key(made["key"])):
        yield Owner(browser=browser, caller=caller, key_id=made["id"], stub=stub)
