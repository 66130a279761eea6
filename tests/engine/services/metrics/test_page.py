"""Pages of metrics: of all processes and the state, of one process, and without Redis."""

import threading
from collections.abc import Callable

import pytest

from engine.errors import Unavailable
from engine.services.metrics import page as pages
from engine.services.metrics import publishing
from engine.services.metrics.page import process_page, sum_page
from engine.services.metrics.publishing import GONE_SECONDS
from engine.store import Store
from engine.store.metrics.snapshots import Snapshots
from engine.store.redis import process_keys
from engine.store.redis.record_packing import pack
from engine.telemetry import metrics
from engine.telemetry.metrics import MOST_PROVIDERS


async def test_the_page_has_the_sum_of_all_processes_and_facts(store: Store) -> None:
    sample = "headrace_claims_refused_total"
    await store.snapshots.put("other", [[sample[:-6], "counter", "T.", [[sample, {}, 1_000]]]])
    own = metrics.REGISTRY.get_sample_value(sample) or 0.0

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


async def test_many_samples_do_not_hold_up_the_event_loop(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = list[threading.Thread]()

    def note(work: Callable[..., object]) -> Callable[..., object]:
        def call(*values: object) -> object:
            threads.append(threading.current_thread())
            return work(*values)

        return call

    for name in ("parse_all", "add_up", "_render"):
        monkeypatch.setattr(pages, name, note(getattr(pages, name)))
    await sum_page(store, "own")

    assert len(threads) == 3
    assert threading.main_thread() not in threads


async def test_without_redis_the_page_has_this_process_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put(*_: object) -> None:
        raise Unavailable("Redis cannot be reached")

    monkeypatch.setattr(Snapshots, "put", put)

    page = (await sum_page(store, "own")).decode()

    assert "\nheadrace_redis_up 0.0\n" in page
    assert "\nheadrace_claims_refused_total " in page


async def test_without_redis_counts_of_others_stay_and_their_gauges_go(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, gauge = "headrace_claims_refused_total", "headrace_executions_held"
    await store.snapshots.put(
        "other",
        [
            [count[:-6], "counter", "T.", [[count, {}, 1_000]]],
            [gauge, "gauge", "T.", [[gauge, {}, 500]]],
        ],
    )
    before = value_of(count, (await sum_page(store, "own")).decode())

    async def put(*_: object) -> None:
        raise Unavailable("Redis cannot be reached")

    monkeypatch.setattr(Snapshots, "put", put)
    metrics.CLAIMS_REFUSED.inc()
    page = (await sum_page(store, "own")).decode()

    assert before >= 1_000
    assert value_of(count, page) == before + 1
    assert value_of(gauge, page) < 500


async def test_a_process_that_was_folded_counts_once_without_redis(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = "headrace_claims_refused_total"
    monkeypatch.setattr(publishing, "GONE_SECONDS", -2)
    await sum_page(store, "own")
    await publishing.retire(store)
    before = value_of(count, (await sum_page(store, "own")).decode())

    async def put(*_: object) -> None:
        raise Unavailable("Redis cannot be reached")

    monkeypatch.setattr(Snapshots, "put", put)

    assert value_of(count, (await sum_page(store, "own")).decode()) == before


def value_of(sample: str, page: str) -> float:
    """Return the value of a sample without labels."""
    [line] = [line for line in page.splitlines() if line.startswith(f"{sample} ")]
    return float(line.split()[1])


async def test_processes_that_call_many_providers_have_a_hundred_names_together(
    store: Store,
) -> None:
    name = "headrace_provider_calls_total"

    async def put(process: str, first: int, count: int) -> None:
        rows = [[name, {"provider": f"p{n}.example"}, 1] for n in range(first, first + count)]
        await store.snapshots.put(process, [[name[:-6], "counter", "T.", rows]])

    for process in range(5):
        await put(f"worker-{process}", 60 * process, 60)

    page = (await sum_page(store, "own")).decode()

    rows = [line for line in page.splitlines() if line.startswith(f'{name}{{provider="p')]
    assert len(rows) == MOST_PROVIDERS
    assert f'{name}{{provider="other"}} 200.0' in page


async def test_gauges_of_a_process_that_is_gone_do_not_count(store: Store) -> None:
    head = f"{await _seconds(store) - GONE_SECONDS - 1}|1|".encode()
    slots = ["headrace_worker_slots", "gauge", "T.", [["headrace_worker_slots", {}, 32]]]
    name = "headrace_claims_refused_total"
    refused = [name[:-6], "counter", "T.", [[name, {}, 2_000]]]
    key = process_keys.metrics()
    await store.client.send("HSET", key, "worker-1", head + pack([slots, refused]))

    page = (await sum_page(store, "own")).decode()

    assert "headrace_worker_slots 32" not in page
    value = float(page.split(f"\n{name} ")[1].split("\n")[0])
    assert value >= 2_000


async def _seconds(store: Store) -> int:
    return (await store.snapshots.all())[1]
