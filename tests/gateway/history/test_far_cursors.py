"""Places and times that no row has, on lists that go on in the history."""

from dataclasses import replace

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.settings import Settings
from engine.store import Store
from engine.store.executions.record_fields import make_cursor
from tests.gateway.conftest import MakeBrowser
from tests.support.bodies.queries import questions
from tests.support.gateway.documents import greeting

pytestmark = pytest.mark.A112

UNKNOWN = "00000000-0000-4000-8000-000000000000"
LISTS = [each for each in questions() if "cursor" in each.names]
PARAMETERS = ("batch_id", "trigger_id", "replay_id", "key_id")
CURSORS = (
    *(make_cursor(at, UNKNOWN) for at in (0, -1, 2**53, 2**63, 10**30, 10**400)),
    *(make_cursor(0, name) for name in ("0", "greeting", "9" * 15)),
    "0-0-00",
)
TIMES = ("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z")
FAR = (*TIMES, "9999-12-31T23:59:59.999Z")
WITH_TIMES = ("/api/ledger", "/api/executions", "/api/usage/series")


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url)


@pytest.fixture
async def admin(make_browser: MakeBrowser, store: Store) -> httpx2.AsyncClient:
    """A browser of an administrator without a rate limit, with a workflow."""
    account = await store.accounts.create(email="root@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    browser = await make_browser(account)
    await browser.post("/api/workflows", json=greeting())
    return browser


async def test_a_cursor_of_no_place_is_refused_or_gives_a_page(admin: httpx2.AsyncClient) -> None:
    run = {"inputs": {"name": "Ada"}}
    started = await admin.post("/api/workflows/greeting/run?async=true", json=run)
    ids = {"slug": "greeting", "execution_id": started.json()["executionId"]}
    statuses = {}

    for each in LISTS:
        path = each.route.format_map({**dict.fromkeys(PARAMETERS, UNKNOWN), **ids})
        for cursor in CURSORS:
            answer = await admin.get(path, params={"cursor": cursor, "limit": "1"})
            statuses[path, cursor] = answer.status_code

    assert len(LISTS) > 15
    assert {each: found for each, found in statuses.items() if found not in (200, 400, 404)} == {}


@pytest.mark.parametrize("path", WITH_TIMES)
async def test_times_long_ago_and_far_ahead_bound_a_list(
    admin: httpx2.AsyncClient, path: str
) -> None:
    for name in ("from", "to"):
        for time in FAR:
            answer = await admin.get(path, params={name: time})

            assert answer.status_code in (200, 400), (name, time, answer.text)


async def test_a_ledger_from_long_ago_has_all_entries_and_one_to_long_ago_none(
    admin: httpx2.AsyncClient,
) -> None:
    whole = (await admin.get("/api/ledger")).json()["rows"]

    for time in TIMES:
        since = await admin.get("/api/ledger", params={"from": time})
        until = await admin.get("/api/ledger", params={"to": time})

        assert (since.json()["rows"], until.json()["rows"]) == (whole, [])
