"""Looks at the canaries of a workflow: one that breaks its rule is taken back."""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.releases.aliases import Canary
from engine.releases.run_counts import CanaryCounts
from engine.releases.verdict import RollBack, judge_canary
from engine.store import Store
from engine.store.releases.canaries import RolledBack
from engine.telemetry import metrics
from engine.values.plain import moment
from engine.webhooks.payload import canary_body

log = logging.getLogger(__name__)
NO_COUNTS = CanaryCounts()


async def look_at_canaries(store: Store, account_id: str, slug: str, now: int) -> None:
    """Judge the canaries of a workflow at which a look was taken at `now`. Raises Unavailable.

    A look that breaks off is repeated, and a roll back is recorded in one step: each canary is
    taken back once.
    """
    watched = await store.canaries.read(account_id, slug)
    for name, alias in watched.aliases.by_name.items():
        canary = alias.canary
        counts = NO_COUNTS if canary is None else watched.counts.get(canary.id, NO_COUNTS)
        verdict = None if canary is None else judge_canary(canary, counts.canary)
        if canary is not None and verdict is not None:
            told = _facts(slug, name, alias.version, canary, counts, verdict, now)
            rolled_back = RolledBack(
                slug=slug,
                alias=name,
                canary_id=canary.id,
                reason=verdict.reason,
                told=msgspec.json.encode(told),
                body=canary_body(told),
            )
            await _roll_back(store, account_id, rolled_back, verdict, now)
    await store.canaries.settle(account_id, slug, watched, now)


def _facts(
    slug: str,
    name: str,
    version: int,
    canary: Canary,
    counts: CanaryCounts,
    verdict: RollBack,
    now: int,
) -> Mapping[str, Any]:
    """Return the facts of a roll back in the contract's names."""
    return {
        "workflowSlug": slug,
        "alias": name,
        "version": version,
        "canary": _rule(canary),
        "reason": verdict.reason,
        "counts": {"canary": counts.canary.summary, "live": counts.live.summary},
        "rolledBackAt": moment(now),
    }


def _rule(canary: Canary) -> Mapping[str, Any]:
    return {
        "id": canary.id,
        "version": canary.version,
        "percent": canary.percent,
        "minRuns": canary.min_runs,
        "maxErrorRate": canary.max_error_rate,
        "maxP95Ms": canary.max_p95_ms,
    }


async def _roll_back(
    store: Store, account_id: str, rolled_back: RolledBack, verdict: RollBack, now: int
) -> None:
    keys = await store.api_keys.list(account_id)
    valid = [each.id for each in keys if each.expires_at is None or now < each.expires_at]
    receivers = await store.canaries.receivers(account_id, valid)
    if not await store.canaries.roll_back(account_id, rolled_back, receivers):
        return
    metrics.CANARIES_ROLLED_BACK.labels(verdict.cause.value).inc()
    extra = {
        "account_id": account_id,
        "workflow": rolled_back.slug,
        "alias": rolled_back.alias,
        "reason": verdict.reason,
    }
    log.warning("a canary was taken back", extra=extra)
