"""The audit log in the browsers of admins."""

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.store import Store
from tests.gateway.conftest import MakeBrowser
from tests.support.gateway.saved_manifests import OWN, TEXT

AUDIT = "/api/admin/audit"


@pytest.fixture
async def admins(make_browser: MakeBrowser, store: Store) -> httpx2.AsyncClient:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    return await make_browser(admin)


async def test_the_log_comes_in_pages_newest_first(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    for number in range(3):
        await store.accounts.create(email=f"user{number}@example.org", tier=Tier.PRO)
    every = (await admins.get(AUDIT)).json()["rows"]

    found: list[object] = []
    query = {"limit": "2"}
    while True:
        page = (await admins.get(AUDIT, params=query)).json()
        found += page["rows"]
        if page["nextCursor"] is None:
            break
        query["cursor"] = page["nextCursor"]

    assert found == every
    times = [row["at"] for row in every]
    assert times == sorted(times, reverse=True)
    emails = {row["after"]["email"] for row in every if row["action"] == "account.create"}
    assert emails >= {f"user{number}@example.org" for number in range(3)}


@pytest.mark.parametrize("query", [{"limit": "201"}, {"limit": "0"}, {"cursor": "nonsense"}])
async def test_a_page_that_cannot_be_is_refused(
    admins: httpx2.AsyncClient, query: dict[str, str]
) -> None:
    answer = await admins.get(AUDIT, params=query)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] in query


async def test_work_on_models_is_in_the_log(admins: httpx2.AsyncClient) -> None:
    await admins.post("/api/models", json={"manifest": TEXT})
    await admins.put(OWN, json={"manifest": TEXT})
    await admins.delete(OWN)

    rows = (await admins.get(AUDIT)).json()["rows"][:3]

    assert [row["action"] for row in rows] == ["model.delete", "model.update", "model.create"]
    me = (await admins.get("/api/me")).json()["user"]["id"]
    assert {row["by"] for row in rows} == {me}
