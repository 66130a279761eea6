"""Objects of an account: one of each kind that requests name."""

import re
from typing import Any

import httpx2

from engine.ids.triggers import new_occurrence_id
from engine.store import Account, NewRecord, Store
from engine.triggers.occurrences import Occurrence, OccurrenceStatus
from tests.support.eventually import eventually
from tests.support.gateway.matrix.requests import HOOK, REMOTE, SCHEDULE, gallery
from tests.support.media.files import png
from tests.support.oauth.grants import REQUEST

SHARED = {"internal_name": "seeing", "node_id": "text", "version": "1", "name": "x", "token": "x"}
"""Parts of paths that name no object of an account."""
NO_UUID = "00000000-0000-4000-8000-000000000000"
UNKNOWN = {
    **SHARED,
    "account_id": "acc_0",
    "alias_name": "unknown",
    "asset_id": "0" * 24,
    "batch_id": NO_UUID,
    "delivery_id": NO_UUID,
    "execution_id": NO_UUID,
    "grant_request": "hr_grant_0",
    "key_id": "key_000000000000000000000000",
    "occurrence_id": NO_UUID,
    "replay_id": NO_UUID,
    "request_id": "req-unknown",
    "schedule_id": "trg_000000000000",
    "secret_name": "UNKNOWN",
    "session_id": "ses_0",
    "slug": "unknown",
    "tag": "unknown",
    "test_name": "unknown",
    "test_run_id": NO_UUID,
    "trace_id": "0" * 31 + "1",
    "trigger_id": "trg_000000000000",
}
"""Well-formed ids of no object."""


class Maker:
    """Makes the objects of one account, whose names hold a label."""

    def __init__(
        self, browser: httpx2.AsyncClient, store: Store, account: Account, label: str
    ) -> None:
        self._browser = browser
        self._store = store
        self._account = account
        self._label = label
        self._key = ""
        self.ids: dict[str, str] = {
            **SHARED,
            "account_id": account.id,
            "alias_name": f"alias-{label}",
            "request_id": f"req-{label}",
            "secret_name": f"SECRET_{label.upper()}",
            "tag": f"tag-{label}",
            "test_name": f"test-{label}",
            "trace_id": label.encode().hex().ljust(32, "1"),
        }

    async def make(self) -> dict[str, str]:
        """Make one object of each kind; return the ids by kind."""
        await self._make_workflow()
        await self._make_key()
        await self._run()
        await self._make_releases()
        await self._make_triggers()
        rows = (await self._ask("GET", "/api/sessions"))["rows"]
        self.ids["session_id"] = rows[-1]["id"]
        self.ids["grant_request"] = await self._store.grant_requests.open(REQUEST, "192.0.2.7")
        return self.ids

    async def make_more(self) -> None:
        """Make a second execution, batch, asset and trigger, so that lists have two pages."""
        ids = dict(self.ids)
        await self._make_workflow()
        await self.begin()
        await self._make_batch()
        await self._make_triggers()
        self.ids = ids

    async def _ask(self, method: str, path: str, **members: Any) -> dict[str, Any]:
        answer = await self._browser.request(method, path.format(**self.ids), **members)
        assert answer.is_success, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    async def _make_workflow(self) -> None:
        ids = self.ids
        file = {"file": ("a.png", png(), "image/png")}
        ids["asset_id"] = (await self._ask("POST", "/api/assets", files=file))["id"]
        await self._ask("PUT", "/api/secrets/{secret_name}", json={"value": "its first value"})
        saved = gallery(f"Gallery {self._label}", tags=[ids["tag"]])
        ids["slug"] = (await self._ask("POST", "/api/workflows", json=saved))["slug"]

    async def begin(self) -> str:
        """Begin a run by the key of the account; return its id."""
        ids = self.ids
        trace = {"traceparent": f"00-{ids['trace_id']}-1111111111111111-01"}
        begun = await self._ask(
            "POST",
            "/api/workflows/{slug}/run?async=true",
            json={"inputs": {"name": self._label}, "tags": [ids["tag"]]},
            headers={"x-api-key": self._key, "x-request-id": ids["request_id"], **trace},
        )
        return str(begun["executionId"])

    async def _run(self) -> None:
        ids = self.ids
        ids["execution_id"] = await self.begin()
        path = f"/api/executions/{ids['execution_id']}"

        async def is_over() -> bool:
            return bool((await self._ask("GET", path))["status"] == "completed")

        await eventually(is_over)
        await self._make_batch()

    async def _make_batch(self) -> None:
        ids = self.ids
        items = {"items": [{"inputs": {"name": self._label}}], "tags": [ids["tag"]]}
        made = await self._ask("POST", "/api/workflows/{slug}/batch", json=items)
        ids["batch_id"] = made["batchId"]

    async def _make_releases(self) -> None:
        ids = self.ids
        test = {"inputs": {"name": "Eve"}, "expect": ["true"]}
        await self._ask("PUT", "/api/workflows/{slug}/aliases/{alias_name}", json={"version": 1})
        await self._ask("PUT", "/api/workflows/{slug}/tests/{test_name}", json=test)
        path = "/api/workflows/{slug}/tests/run"
        ids["test_run_id"] = (await self._ask("POST", path, json={"version": 1}))["testRunId"]
        replay = {"executionIds": [ids["execution_id"]], "against": 1, "calls": "recorded"}
        made = await self._ask("POST", "/api/workflows/{slug}/replay", json=replay)
        ids["replay_id"] = made["replayId"]
        await self._ask("PUT", "/api/workflows/{slug}/draft", json=gallery("Draft"))

    async def _make_triggers(self) -> None:
        ids = self.ids
        hook = {**HOOK, "workflowSlug": ids["slug"], "verify": {"kind": "none"}}
        schedule = {**SCHEDULE, "workflowSlug": ids["slug"], "inputs": {"name": "Eve"}}
        ids["trigger_id"] = (await self._ask("POST", "/api/triggers", json=hook))["id"]
        ids["schedule_id"] = (await self._ask("POST", "/api/triggers", json=schedule))["id"]
        occurrence = Occurrence(
            id=new_occurrence_id(),
            trigger_id=ids["trigger_id"],
            at=1,
            status=OccurrenceStatus.FAILED,
        )
        await self._store.occurrences.record_event(self._account.id, NewRecord(occurrence))
        ids["occurrence_id"] = occurrence.id

    async def _make_key(self) -> None:
        ids = self.ids
        wish = {"name": self._label, "capabilities": ["workflow:run", "webhook:receive"]}
        made = await self._ask("POST", "/api/api-keys", json=wish)
        ids["key_id"], self._key = made["id"], made["key"]
        await self._ask("PUT", "/api/api-keys/{key_id}/webhook", json={"url": REMOTE})
        webhook = await self._store.webhooks.get(self._account.id, ids["key_id"])
        sent = await self._store.deliveries.add_test(self._account.id, ids["key_id"], webhook)
        ids["delivery_id"] = sent.id


CHANGING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[0-9:.]+Z|key_[0-9a-f]+|trg_[A-Za-z0-9]+|hr_[\w-]+|whsec_[\w+/=]+"
    r'|"(?:last4|prefix|revision|version|ms|durationMs)":[^,}]+|signature=[\w-]+|expires=\d+'
)
"""Parts of answers that differ from one answer to the next: new ids, times, keys and numbers."""


async def ask(client: httpx2.AsyncClient, **arguments: Any) -> httpx2.Response:
    """Return the answer to a request; of a stream that lasts, only how it begins."""
    async with client.stream(**arguments) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            return httpx2.Response(answer.status_code, headers=answer.headers)
        await answer.aread()
        return answer


def comparable(answer: httpx2.Response, named: str) -> tuple[int, str, list[str]]:
    """Return what must not differ: the status, the body, and the headers' names and values.

    The id that the request named is left out, and so are parts that differ from answer to answer.
    """
    left_out = {"date", "x-request-id", "content-length", "etag", "location"}
    headers = [
        f"{name}: {value}"
        for name, value in answer.headers.multi_items()
        if name not in left_out and "ratelimit" not in name
    ]
    return (
        answer.status_code,
        CHANGING.sub("…", answer.text.replace(named, "<named>")),
        [each.replace(named, "<named>") for each in headers],
    )
