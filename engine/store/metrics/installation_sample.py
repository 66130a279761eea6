"""Activity of the whole installation in some seconds, as the last hour keeps it.

Versions that run side by side read each other's samples: a new member stands last in its struct
and has a default.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)
Buckets = tuple[tuple[float, int], ...]
"""Upper bound of a bucket in seconds, and its own count; most empty buckets are left out."""


class Durations(msgspec.Struct, array_like=True, frozen=True):
    """Durations that were observed."""

    count: int = 0
    seconds: float = 0.0
    """Sum of the durations."""
    buckets: Buckets = ()
    """The empty bucket below a filled one is kept: its bound is the lower end of the filled one."""

    def quantile(self, share: float) -> float | None:
        """Return the duration in seconds that this share does not exceed, as Prometheus does.

        None without durations. Beyond the last finite bound, that bound.
        """
        rank = share * sum(number for _, number in self.buckets)
        below, lower = 0, 0.0
        for upper, number in self.buckets:
            if number and below + number >= rank:
                is_last = upper == float("inf")
                return lower if is_last else lower + (upper - lower) * (rank - below) / number
            below, lower = below + number, upper
        return None


class NodeTypeSample(msgspec.Struct, array_like=True, frozen=True):
    """Nodes of one type."""

    type: str
    completed: int = 0
    failed: int = 0
    durations: Durations = Durations()
    """Attempts that did not run in place."""


class ProviderSample(msgspec.Struct, array_like=True, frozen=True):
    """Calls to one provider."""

    provider: str
    outcomes: dict[str, int] = {}
    """Number of calls by outcome."""
    durations: Durations = Durations()

    @property
    def calls(self) -> int:
        """Return the number of calls that reached the provider or should have."""
        return sum(self.outcomes.values())

    @property
    def failed(self) -> int:
        """Return the number of calls that brought no answer."""
        return self.calls - self.outcomes.get("ok", 0)


class ActivityCounts(msgspec.Struct, array_like=True, frozen=True):
    """Events of a time."""

    accepted: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    requests: int = 0
    server_errors: int = 0
    """Requests that were answered with 500 or more."""
    deliveries: int = 0
    """Attempts at deliveries of webhooks."""
    deliveries_failed: int = 0
    causes: dict[str, int] = {}
    """Failed executions by cause."""


class InstallationFacts(msgspec.Struct, array_like=True, frozen=True):
    """State at one moment. An age is in seconds, 0 where nothing waits."""

    workers: int = 0
    gateways: int = 0
    waiting: dict[str, int] = {}
    """Hints by queue."""
    oldest_hint_seconds: float = 0.0
    held: int = 0
    """Executions that workers hold."""
    slots: int = 0
    """Limit of `held`; 0: unknown."""
    active: int = 0
    """Executions that have not ended."""
    parked: int = 0
    """Executions that wait without a worker: for a time, an answer, or their children."""
    due_lag_seconds: float = 0.0
    """Time for which the oldest step or schedule is overdue."""
    deliveries_due: int = 0
    oldest_delivery_seconds: float = 0.0
    redis_used: int = 0
    redis_limit: int = 0
    """0: none."""
    history_waiting: int = 0
    history_lag_seconds: float = 0.0
    callers_waiting: int = 0
    """Synchronous callers."""
    requests_in_flight: int = 0
    breakers_open: dict[str, int] = {}
    """Workers that do not call a provider, since it fails, by provider."""


class Latencies(msgspec.Struct, array_like=True, frozen=True):
    """Durations that callers and operators feel."""

    execution: Durations = Durations()
    """From the acceptance of an execution to its end."""
    hint_wait: Durations = Durations()
    """From the acceptance to the begin."""
    loop_lag: Durations = Durations()
    redis: Durations = Durations()


class InstallationSample(msgspec.Struct, array_like=True, frozen=True):
    """Activity of the seconds before `at`, and the state at `at`."""

    at: int
    """In milliseconds of Redis's clock."""
    seconds: float
    counts: ActivityCounts = ActivityCounts()
    facts: InstallationFacts = InstallationFacts()
    latencies: Latencies = Latencies()
    node_types: tuple[NodeTypeSample, ...] = ()
    """Only those with activity."""
    providers: tuple[ProviderSample, ...] = ()

    def rate(self, count: int) -> float:
        """Return the events per second of a count."""
        return count / self.seconds if self.seconds > 0 else 0.0


pack_sample = msgspec.msgpack.Encoder().encode
unpack_sample = msgspec.msgpack.Decoder(InstallationSample).decode


def combine(samples: Sequence[InstallationSample]) -> InstallationSample:
    """Return one sample of the whole time; its state is that of the last one."""
    last = samples[-1]
    return InstallationSample(
        at=last.at,
        seconds=sum(each.seconds for each in samples),
        counts=_add([each.counts for each in samples], ActivityCounts),
        facts=last.facts,
        latencies=_add([each.latencies for each in samples], Latencies),
        node_types=_add_named([row for each in samples for row in each.node_types], "type"),
        providers=_add_named([row for each in samples for row in each.providers], "provider"),
    )


def add_durations(parts: Iterable[Durations]) -> Durations:
    """Return all durations together."""
    kept = [each for each in parts if each.count]
    if len(kept) < 2:
        return kept[0] if kept else Durations()
    buckets: dict[float, int] = {}
    for each in kept:
        for bound, number in each.buckets:
            buckets[bound] = buckets.get(bound, 0) + number
    return Durations(
        count=sum(each.count for each in kept),
        seconds=sum(each.seconds for each in kept),
        buckets=tuple(sorted(buckets.items())),
    )


def _add(rows: Sequence[Row], kind: type[Row]) -> Row:
    return kind(*(_sum([getattr(row, name) for row in rows]) for name in kind.__struct_fields__))


def _add_named(rows: Iterable[Row], name: str) -> tuple[Row, ...]:
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(getattr(row, name), []).append(row)
    return tuple(
        type(same[0])(key, *(_sum(values) for values in _columns(same)))
        for key, same in by_name.items()
    )


def _columns(rows: Sequence[msgspec.Struct]) -> Iterable[list[Any]]:
    """Return the values of each member but the first, which names the row."""
    for name in rows[0].__struct_fields__[1:]:
        yield [getattr(row, name) for row in rows]


def _sum(values: Sequence[Any]) -> Any:
    if isinstance(values[0], Durations):
        return add_durations(values)
    if isinstance(values[0], dict):
        return _sum_by_key(values)
    return sum(values)


def _sum_by_key(values: Iterable[Mapping[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in values:
        for key, number in each.items():
            sums[key] = sums.get(key, 0) + number
    return sums
