"""Pages of metrics in Prometheus's text format: of all processes and the state, or of one."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from engine.errors import EngineError
from engine.services.metrics import facts
from engine.services.metrics.publishing import GONE_SECONDS, bound_providers
from engine.store import Store
from engine.store.metrics.samples import add_up, without_gauges
from engine.store.metrics.snapshots import RETIRED, Snapshot, is_process, parse_all
from engine.telemetry.metrics import snapshot

HELD = "headrace_executions_held"
CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"


async def sum_page(store: Store, process: str, media_free_bytes: int | None = None) -> bytes:
    """Return the metrics of all processes and of the state.

    Without Redis: those of this process, counts of the others as they were last read, and
    `headrace_redis_up 0`. `media_free_bytes` is the free space of the media folder's file system;
    None: unknown. Samples are added up in a thread: many processes have some 100,000.
    """
    try:
        # The store knows which samples of this process are already in the sum of gone processes.
        await store.snapshots.put(process, snapshot())
        found, now = await store.snapshots.all()
        snapshots, ended = await asyncio.to_thread(_parse, found, now)
        held = sum(map(_held_by, snapshots))
        state = await facts.read(store, held)
    except EngineError:
        snapshots, ended = store.snapshots.recall(process, snapshot()), []
        state = [facts.sample(facts.REDIS_UP, 0)]
    if media_free_bytes is not None:
        state.append(facts.sample(facts.MEDIA_FREE, media_free_bytes))
    return await asyncio.to_thread(
        lambda: _render([*bound_providers(add_up(snapshots), ended), *state])
    )


def _parse(found: Mapping[str, bytes], now: int) -> tuple[list[Sequence[Any]], Sequence[Any]]:
    """Return the samples of all processes, and those of ended ones again."""
    snapshots = parse_all(found)
    ended = snapshots[RETIRED].samples if RETIRED in snapshots else []
    return [_counted(name, each, now) for name, each in snapshots.items()], ended


def _counted(name: str, found: Snapshot, now: int) -> Sequence[Any]:
    """Return the samples of a process; of one that counts as gone, those that only grow."""
    is_gone = is_process(name) and found.at < now - GONE_SECONDS
    return without_gauges(found.samples) if is_gone else found.samples


def _held_by(samples: Sequence[Any]) -> float:
    """Return the number of executions that a process holds."""
    rows = [rows for family, _, _, rows, *_ in samples if family == HELD]
    return float(sum(value for each in rows for _, _, value, *_ in each))


def process_page() -> bytes:
    """Return the metrics that this process has counted."""
    return _render(add_up([snapshot()]))


def _render(families: Sequence[Any]) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(families))
    return generate_latest(registry)


class _Families(Collector):
    def __init__(self, families: Sequence[Any]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for name, kind, text, rows in self._families:
            metric = Metric(name, text, kind)
            for sample, labels, value in rows:
                metric.add_sample(sample, labels, value)
            yield metric
