"""The last hour of the installation in the browsers of admins."""

import httpx2
import pytest

from engine.access.capabilities import Role, Tier
from engine.store import Store
from engine.store.metrics.installation_sample import (
    ActivityCounts,
    Durations,
    InstallationFacts,
    InstallationSample,
    Latencies,
    NodeTypeSample,
    ProviderSample,
)
from engine.values.plain import moment
from tests.gateway.conftest import MakeBrowser

SERIES = "/api/admin/installation/series"


@pytest.fixture
async def admins(make_browser: MakeBrowser, store: Store) -> httpx2.AsyncClient:
    admin = await store.accounts.create(email="r@e.com", tier=Tier.ENTERPRISE, role=Role.ADMIN)
    return await make_browser(admin)


async def put(store: Store, age_ms: int, node_type: str = "llm") -> int:
    """Put a sample of so long ago; return its time."""
    at = await store.leases.now() - age_ms
    sample = InstallationSample(
        at=at,
        seconds=10.0,
        counts=ActivityCounts(completed=4, failed=1, causes={"provider": 1}),
        facts=InstallationFacts(workers=2, waiting={"walk": 3}, slots=16),
        latencies=Latencies(execution=Durations(4, 2.0, ((0.25, 0), (0.5, 4)))),
        node_types=(NodeTypeSample(node_type, 4, 1, Durations(5, 2.5, ((0.25, 0), (0.5, 5)))),),
        providers=(ProviderSample("openai", {"ok": 4, "failed": 1}),),
    )
    await store.last_hour.put(sample, at, [], await store.last_hour.totals())
    return at


async def test_an_installation_without_samples_has_none(admins: httpx2.AsyncClient) -> None:
    found = (await admins.get(SERIES)).json()

    assert found["sampleSeconds"] == 10
    assert (found["samples"], found["nodeTypes"], found["providers"]) == ([], [], [])


async def test_samples_are_served_oldest_first_with_the_sums_of_the_hour(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    times = [await put(store, age_ms) for age_ms in (20_000, 10_000)]

    found = (await admins.get(SERIES)).json()

    assert [each["at"] for each in found["samples"]] == [moment(at) for at in times]
    sample = found["samples"][0]
    assert (sample["completed"], sample["failed"], sample["causes"]) == (4, 1, {"provider": 1})
    assert (sample["waiting"], sample["workers"], sample["slots"]) == ({"walk": 3}, 2, 16)
    assert (sample["p50Ms"], sample["waitP95Ms"]) == (375, None)
    assert found["nodeTypes"] == [
        {
            "type": "llm",
            "completed": 8,
            "failed": 2,
            "attempts": 10,
            "p50Ms": 375,
            "p95Ms": 488,
            "totalSeconds": 5.0,
        }
    ]
    [provider] = found["providers"]
    assert (provider["calls"], provider["outcomes"]) == (10, {"ok": 8, "failed": 2})


async def test_samples_after_a_time_come_with_the_sums_of_the_whole_hour(
    admins: httpx2.AsyncClient, store: Store
) -> None:
    first, second = [await put(store, age_ms) for age_ms in (20_000, 10_000)]

    found = (await admins.get(SERIES, params={"after": moment(first)})).json()

    assert [each["at"] for each in found["samples"]] == [moment(second)]
    assert found["nodeTypes"][0]["completed"] == 8


async def test_a_time_without_a_zone_is_refused(admins: httpx2.AsyncClient) -> None:
    assert (await admins.get(SERIES, params={"after": "2026-03-01"})).status_code == 400


async def test_a_user_has_no_access(make_browser: MakeBrowser, store: Store) -> None:
    user = await store.accounts.create(email="u@e.com", tier=Tier.PRO)

    assert (await (await make_browser(user)).get(SERIES)).status_code == 403
