"""Pages of metrics: of all processes and the state, of one process, and without Redis."""

import pytest

from engine.errors import Unavailable
from engine.services.metrics.page import process_page, sum_page
from engine.store import Store
from engine.store.metrics.snapshots import Snapshots
from engine.telemetry import metrics


async def test_the_page_has_the_sum_of_all_processes_and_facts(store: Store) -> None:
    sample = "headrace_claims_refused_total"
    await store.snapshots.put("other", [[sample[:-6], "counter", "T.", [[sample, {}, 1_000]]]])
    own = metrics.REGISTRY.get_sample_value(sample) or 0

    page = (await sum_page(store, "own", media_free_bytes=5)).decode()

    assert f"\n{sample} {1_000 + own}\n" in page
    assert "\nheadrace_redis_up 1.0\n" in page
    assert "\nheadrace_media_free_bytes 5.0\n" in page


async def test_the_page_of_a_process_has_neither_others_nor_facts(store: Store) -> None:
    sample = "headrace_claims_refused_total"
    await store.snapshots.put("other", [[sample[:-6], "counter", "T.", [[sample, {}, 1_000]]]])

    page = process_page().decode()

    assert f"\n{sample} {metrics.REGISTRY.get_sample_value(sample)}\n" in page
    assert "headrace_redis_up" not in page


async def test_without_redis_the_page_has_this_process_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put(*_: object) -> None:
        raise Unavailable("Redis cannot be reached")

    monkeypatch.setattr(Snapshots, "put", put)

    page = (await sum_page(store, "own")).decode()

    assert "\nheadrace_redis_up 0.0\n" in page
    assert "\nheadrace_claims_refused_total " in page
