"""Arithmetic of a HorizontalPodAutoscaler as KEDA sets it up: number of workers from samples.

It is that of Kubernetes (`replica_calculator.go`, `horizontal.go`) for external metrics with
`behavior`. Times are in seconds of one clock.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

TOLERANCE = 0.1
"""Difference of the ratio to 1 that changes nothing."""


class MetricType(Enum):
    """Meaning of a threshold."""

    VALUE = "Value"
    """Compared with the value itself."""
    AVERAGE_VALUE = "AverageValue"
    """Compared with the value divided by the number of workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Query of KEDA's scaler `prometheus`, and its threshold."""

    query: str
    threshold: float
    metric_type: MetricType

    def propose(self, value: float, current: int, ready: int) -> int:
        """Return the number of workers for a value."""
        is_average = self.metric_type is MetricType.AVERAGE_VALUE
        ratio = value / self.threshold / (current if is_average else 1)
        if abs(1 - ratio) <= TOLERANCE:
            return current
        return math.ceil(value / self.threshold) if is_average else math.ceil(ratio * ready)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Most workers that start, or end, in a period: a number or a percentage."""

    pods: int = 0
    percent: int = 0
    period_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Behaviour in one direction; of several policies the one that allows most holds."""

    window_seconds: float
    policies: Sequence[Policy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Fewest and most workers, and the behaviour between."""

    fewest: int
    most: int
    up: Rules
    down: Rules


@dataclass(slots=True)
class Autoscaler:
    """State between decisions: former recommendations, and changes that were made."""

    triggers: Sequence[Trigger]
    limits: Limits
    _recommended: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, values: Sequence[float | None], current: int, ready: int) -> int:
        """Return the number of workers that there shall be.

        `values` are those of the triggers, None for a query without an answer: the others may then
        start workers and not end any.
        """
        if not self._recommended:
            self._recommended.append((now, current))
        desired = self._propose(values, current, ready)
        if desired is None:
            return current
        stable = self._stabilize(now, desired, current)
        wanted = self._limit(now, stable, current)
        if wanted != current:
            self._changes.append((now, wanted - current))
        return wanted

    def _propose(self, values: Sequence[float | None], current: int, ready: int) -> int | None:
        pairs = zip(self.triggers, values, strict=True)
        found = [each.propose(value, current, ready) for each, value in pairs if value is not None]
        desired = max(found, default=0)
        if len(found) < len(values) and desired <= current:
            return None
        return max(self.limits.fewest, min(self.limits.most, desired))

    def _stabilize(self, now: float, desired: int, current: int) -> int:
        up = self._within(now, self.limits.up.window_seconds)
        down = self._within(now, self.limits.down.window_seconds)
        least, most = min([desired, *up]), max([desired, *down])
        self._recommended.append((now, desired))
        return min(max(current, least), most)

    def _within(self, now: float, seconds: float) -> Sequence[int]:
        return [count for at, count in self._recommended if at > now - seconds]

    def _limit(self, now: float, desired: int, current: int) -> int:
        if desired > current:
            rooms = [self._highest(now, each, current) for each in self.limits.up.policies]
            return min(desired, max(current, *rooms))
        if desired < current:
            rooms = [self._lowest(now, each, current) for each in self.limits.down.policies]
            return max(desired, min(current, *rooms))
        return current

    def _highest(self, now: float, policy: Policy, current: int) -> int:
        before = current - self._changed(now, policy)
        return (
            before + policy.pods if policy.pods else math.ceil(before * (1 + policy.percent / 100))
        )

    def _lowest(self, now: float, policy: Policy, current: int) -> int:
        before = current - self._changed(now, policy)
        return before - policy.pods if policy.pods else int(before * (1 - policy.percent / 100))

    def _changed(self, now: float, policy: Policy) -> int:
        """Return the workers that were added in the period of a policy, less those removed."""
        return sum(by for at, by in self._changes if at > now - policy.period_seconds)
