"""An hour of samples of a busy installation, of which one provider failed for ten minutes."""

import math
import random
import time

import redis

from engine.store.metrics.installation_sample import (
    ActivityCounts,
    Durations,
    InstallationFacts,
    InstallationSample,
    Latencies,
    NodeTypeSample,
    ProviderSample,
    pack_sample,
)
from engine.store.metrics.last_hour import MOST_SAMPLES, SAMPLE_SECONDS
from engine.store.redis import process_keys

FAULT = range(120, 180)
"""Samples during which the provider fails."""
MEGABYTE = 1_048_576


def fill_last_hour(redis_url: str) -> None:
    """Put samples into all slots of the last hour that have none."""
    chance = random.Random(7)
    now = int(time.time()) // SAMPLE_SECONDS
    samples = {
        (now - MOST_SAMPLES + 1 + number) % MOST_SAMPLES: pack_sample(
            _sample((now - MOST_SAMPLES + 1 + number) * SAMPLE_SECONDS * 1000, number, chance)
        )
        for number in range(MOST_SAMPLES)
    }
    with redis.Redis.from_url(redis_url) as client:
        for slot, data in samples.items():
            client.hsetnx(process_keys.last_hour(), str(slot), data)


def _sample(at: int, number: int, chance: random.Random) -> InstallationSample:
    is_fault = number in FAULT
    runs = round(90 + 40 * math.sin(number / 40) + chance.uniform(-12, 12))
    failed = round(runs * 0.6) if is_fault else int(chance.random() < 0.1)
    waiting = round(max(0.0, (number - 120) * 4 if is_fault else chance.uniform(0, 6)))
    return InstallationSample(
        at=at,
        seconds=float(SAMPLE_SECONDS),
        counts=ActivityCounts(
            accepted=runs,
            completed=runs - failed,
            failed=failed,
            requests=runs * 2,
            server_errors=int(is_fault and chance.random() < 0.3),
            deliveries=runs // 5,
            deliveries_failed=0,
            causes={"provider": failed} if failed else {},
        ),
        facts=InstallationFacts(
            workers=2,
            gateways=1,
            waiting={"walk": waiting, "bulk": waiting // 4, "deliver": int(chance.uniform(0, 3))},
            oldest_hint_seconds=waiting / 60,
            held=30 + waiting,
            slots=20_000,
            active=40 + waiting,
            parked=12,
            redis_used=(180 + number // 8) * MEGABYTE,
            redis_limit=512 * MEGABYTE,
            history_lag_seconds=chance.uniform(0, 2),
        ),
        latencies=Latencies(
            execution=_durations(runs, (2.5, 5.0) if is_fault else (0.25, 0.5)),
            hint_wait=_durations(runs, (0.5, 1.0) if is_fault else (0.001, 0.0025)),
            loop_lag=_durations(40, (0.0025, 0.005)),
            redis=_durations(10, (0.001, 0.0025)),
        ),
        node_types=(
            NodeTypeSample("customModel", runs - failed, failed, _durations(runs, (0.25, 0.5))),
            NodeTypeSample("httpRequest", runs, 0, _durations(runs, (0.05, 0.1))),
            NodeTypeSample("textBox", runs, 0),
        ),
        providers=(
            ProviderSample("openai", {"ok": runs}, _durations(runs, (0.25, 0.5))),
            ProviderSample(
                "anthropic",
                {"ok": runs // 4, **({"failed": failed, "throttled": 3} if is_fault else {})},
                _durations(runs // 4, (2.5, 5.0) if is_fault else (0.5, 1.0)),
            ),
        ),
    )


def _durations(count: int, bucket: tuple[float, float]) -> Durations:
    lower, upper = bucket
    beyond = count // 20
    return Durations(
        count, count * upper, ((lower, 0), (upper, count - beyond), (upper * 2, beyond))
    )
