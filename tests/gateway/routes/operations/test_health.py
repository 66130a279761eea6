"""Liveness and readiness of the gateway."""

import pytest

from engine.store import Store
from tests.gateway.conftest import MakeClient
from tests.support.media.disk import Disk


async def test_the_process_lives(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


USED = "headrace_redis_memory_used_bytes"


async def test_the_process_is_ready_when_its_store_answers(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


async def test_the_metrics_count_requests_by_route(make_client: MakeClient, api_key: str) -> None:
    client = await make_client(api_key)
    row = 'headrace_http_requests_total{method="GET",route="/api/workflows/{slug}",status="404"}'
    for slug in ("a", "b", "c"):
        await client.get(f"/api/workflows/{slug}")

    answer = await client.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert f"{row} " in answer.text
    assert "headrace_redis_up 1.0" in answer.text


async def test_the_metrics_of_the_process_have_no_facts_of_the_store(
    make_client: MakeClient,
) -> None:
    answer = await (await make_client()).get("/metrics/process")

    assert answer.status_code == 200
    assert "headrace_http_requests_in_flight 1.0" in answer.text
    assert "headrace_redis_up" not in answer.text


async def test_the_metrics_tell_the_memory_of_redis_and_its_limit(
    make_client: MakeClient, store: Store
) -> None:
    client = await make_client()
    await store.client.send("CONFIG", "SET", "maxmemory", 123_456_789)

    answer = await client.get("/metrics")

    assert "headrace_redis_memory_limit_bytes 1.23456789e+08" in answer.text
    [line] = [line for line in answer.text.splitlines() if line.startswith(f"{USED} ")]
    assert float(line.split()[1]) > 0


async def test_the_metrics_tell_how_long_runs_wait_for_a_worker(make_client: MakeClient) -> None:
    answer = await (await make_client()).get("/metrics")

    assert "headrace_hints_waiting 0.0" in answer.text
    assert "headrace_oldest_hint_seconds 0.0" in answer.text


async def test_the_metrics_tell_what_room_the_media_folder_has(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await make_client()
    Disk(monkeypatch, free=12_345)

    answer = await client.get("/metrics")

    assert "headrace_media_free_bytes 12345.0" in answer.text


@pytest.mark.parametrize("host", ["x/../admin?", "metrics", "a:b:c", ""])
async def test_the_host_header_decides_nothing(make_client: MakeClient, host: str) -> None:
    client = await make_client()

    answer = await client.get("/api/whoami", headers={"host": host})

    assert answer.status_code in (400, 401)
