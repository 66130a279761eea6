"""An account with one of each object, and requests to all routes with their ids."""

from collections.abc import Iterator, Sequence

from tests.support.bodies.sender import Exchange, Findings, Sender, Target, send_all, still_slow
from tests.support.bodies.targets import Target as Write
from tests.support.bodies.targets import targets
from tests.support.contract.installation import Administration
from tests.support.contract.triggers import greeting, hook, make, schedule

CONNECTIONS = 12
OFTENER = 4
"""Times that a route with a body gets one more than a route without."""
TIMES = 3
"""Times that a slow request is sent again."""
MANY = 1_000
"""Requests of which some are taken and some are refused, whatever the seed."""
SETTINGS = {
    "HEADRACE_ALLOW_PRIVATE_URLS": "1",
    "HEADRACE_FAILED_CALLS_PER_MINUTE": "0",
    "HEADRACE_WEBHOOK_TIME_SCALE": "0.00001",
}
NOBODY = "http://127.0.0.1:9/"
EVERYTHING = ("workflow:*", "model:*", "execution:*", "webhook:receive")


class Scene:
    """An account of an administrator with one of each object, and requests to all routes."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration
        self.account = administration.account("enterprise", role="admin")
        self.key = administration.key(self.account, *EVERYTHING)
        self.browser = administration.browser(self.account)
        self.cookie = str(self.browser.client.cookies["headrace_session"])
        self.caller = administration.with_key(self.key)

    def writes(self) -> list[Write]:
        """Return the routes that write, with ids of objects; those with a body come oftener."""
        names = self.names()
        slug, own_slug = names["slug"], {"slug": self._save("Edited")}
        own = {f"{each.method} {each.route}": own_slug for each in targets() if changes(each)}
        timed = make(self.caller, schedule(slug))["id"]
        own["POST /api/triggers/{trigger_id}/run"] = {"trigger_id": timed}
        for route in ("PATCH /api/triggers/{trigger_id}", "POST /api/triggers/{trigger_id}/rotate"):
            own[route] = {"trigger_id": make(self.caller, hook(slug))["id"]}
        own["PUT /api/models/{internal_name}"] = {"internal_name": "saved"}
        found = [each.at(names, own) for each in targets()]
        return [*found, *OFTENER * [each for each in found if each.has_body]]

    def names(self) -> dict[str, str]:
        """Make one of each object; return the ids by the names of path parameters."""
        slug = self._save("Greeting")
        execution_id = self.caller.start(slug, {"name": "Ada"})
        event_hook = make(self.caller, hook(slug))
        case = {"name": "greets", "inputs": {"name": "Ada"}, "expect": {}}
        self.caller.put(f"/api/workflows/{slug}/tests/greets", case)
        key = {"name": "k", "capabilities": ["workflow:run", "webhook:receive"]}
        key_id = str(self.browser.post("/api/api-keys", key).json()["id"])
        self.browser.put(f"/api/api-keys/{key_id}/webhook", {"url": NOBODY})
        absent = ("batch_id", "replay_id", "test_run_id", "delivery_id", "grant_request")
        return {
            **dict.fromkeys((*absent, "occurrence_id", "session_id", "asset_id"), execution_id),
            "slug": slug,
            "internal_name": "echo",
            "execution_id": execution_id,
            "node_id": "text",
            "token": str(event_hook["url"]).rpartition("/")[2],
            "trigger_id": event_hook["id"],
            "version": "1",
            "alias_name": "live",
            "test_name": "greets",
            "key_id": key_id,
            "account_id": self._administration.account("pro"),
            "secret_name": "STRIPE_KEY",
            "name": "app.js",
        }

    def _save(self, name: str) -> str:
        return self.caller.save({**greeting(), "name": name})

    async def send(
        self, aims: Sequence[Target], numbers: Iterator[int], seed: int, findings: Findings
    ) -> list[Exchange]:
        """Send a request for each number; return those that are slow alone, too."""
        url = self._administration.url
        senders = [Sender(url, seed, self.key, self.cookie) for _ in range(CONNECTIONS)]
        await send_all(senders, aims, numbers, findings)
        if findings.statuses.total() > MANY:
            assert {200, 400} <= findings.statuses.keys(), findings.statuses
        slow = await still_slow(senders[0], findings.slow, TIMES)
        senders[0].close()
        return slow


def changes(target: Write) -> bool:
    """Whether requests of a route change the workflow, which then runs no more as it did."""
    parts = ("/draft", "/publish", "/aliases", "/versions", "/restore")
    whole = (target.method, target.route) == ("PUT", "/api/workflows/{slug}")
    return whole or (
        target.route.startswith("/api/workflows/{slug}")
        and any(each in target.route for each in parts)
    )
