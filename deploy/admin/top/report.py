"""One reading as JSON, for programs."""

from typing import Any

from deploy.admin.top.reading import Reading
from engine.services.installation_state import WorkerState
from engine.store.metrics.installation_sample import (
    Durations,
    InstallationSample,
    NodeTypeSample,
    ProviderSample,
)
from engine.values.plain import moment

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def as_dict(reading: Reading) -> dict[str, Any]:
    """Return the reading; unknown values are null."""
    state, sample, minutes = reading.state, reading.recent, reading.minutes
    facts = sample.facts if sample else None
    oldest_end = state.history.executions.oldest_at
    return {
        "at": moment(state.at),
        "problems": list(reading.problems),
        "gateways": state.gateways,
        "workers": [_worker(each) for each in state.workers],
        "queues": [
            {"name": each.name, "waiting": each.waiting, "oldestAt": moment(each.oldest_at)}
            for each in state.queues
        ],
        "rates": None if sample is None else _rates(sample),
        "executions": None
        if facts is None
        else {
            "active": facts.active,
            "held": facts.held,
            "slots": facts.slots or None,
            "parked": facts.parked,
            "dueLagSeconds": facts.due_lag_seconds,
        },
        "tableSeconds": None if minutes is None else minutes.seconds,
        "nodeTypes": [_node_type(each) for each in (minutes.node_types if minutes else ())],
        "providers": [_provider(each) for each in (minutes.providers if minutes else ())],
        "redis": {"usedBytes": state.redis.used, "limitBytes": state.redis.limit or None},
        "history": {
            "behindSeconds": 0 if oldest_end is None else max(0, state.at - oldest_end) // 1000,
            "waiting": state.history.executions.count,
            "refused": state.history.state.refused,
            "problem": state.history.problem() or None,
        },
        "webhooks": {
            "due": state.deliveries_due,
            "lateSeconds": facts.oldest_delivery_seconds if facts else None,
        },
    }


def _worker(worker: WorkerState) -> dict[str, Any]:
    return {
        "id": worker.id,
        "alive": worker.is_alive,
        "executions": worker.executions,
        "memoryBytes": worker.memory,
        "memoryLimitBytes": worker.memory_limit,
    }


def _rates(sample: InstallationSample) -> dict[str, Any]:
    counts, latencies, rate = sample.counts, sample.latencies, sample.rate
    return {
        "seconds": sample.seconds,
        "completedPerSecond": rate(counts.completed),
        "failedPerSecond": rate(counts.failed),
        "cancelledPerSecond": rate(counts.cancelled),
        "requestsPerSecond": rate(counts.requests),
        "serverErrorsPerSecond": rate(counts.server_errors),
        "deliveriesPerSecond": rate(counts.deliveries),
        "causes": counts.causes,
        "runSeconds": _quantiles(latencies.execution),
        "waitSeconds": _quantiles(latencies.hint_wait),
        "loopLagSeconds": _quantiles(latencies.loop_lag),
        "redisSeconds": _quantiles(latencies.redis),
    }


def _quantiles(durations: Durations) -> dict[str, float | None]:
    return {name: durations.quantile(share) for name, share in QUANTILES.items()}


def _node_type(row: NodeTypeSample) -> dict[str, Any]:
    return {
        "type": row.type,
        "completed": row.completed,
        "failed": row.failed,
        "attempts": row.durations.count,
        "totalSeconds": row.durations.seconds,
        "seconds": _quantiles(row.durations),
    }


def _provider(row: ProviderSample) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "calls": row.calls,
        "outcomes": row.outcomes,
        "seconds": _quantiles(row.durations),
    }
