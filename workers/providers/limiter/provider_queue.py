"""Queue of this process's calls to one provider, which wait for turns from Redis.

While no limit is known, calls do not wait; then only failures are reported, and the success that
ends a row of them.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.errors import EngineError
from engine.errors.nodes import NodeFailed
from engine.executions.retry import jittered
from engine.models.limits import ModelLimits
from engine.store.limits.governor import (
    ALL,
    LEASE_SECONDS,
    USUAL_PACING,
    CallOutcome,
    CallReport,
    Governor,
    Pacing,
    ProviderStanding,
)
from engine.telemetry import metrics
from workers.providers.answers.errors import RATE_LIMITED, UNAVAILABLE

RENEW_SECONDS = LEASE_SECONDS / 4
RETRY_SECONDS = 0.2
RATE_SECONDS = 10.0
"""Window over which the rate of calls is measured."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _WaitingCall:
    request: CallReport
    turn: asyncio.Future[None]
    until: float


class ProviderQueue:
    """One provider's calls in this process; `label` names the provider in metrics."""

    def __init__(
        self,
        governor: Governor,
        channel: str,
        provider: str,
        label: str,
        limits: ModelLimits,
        pacing: Pacing = USUAL_PACING,
    ) -> None:
        self._governor = governor
        self._channel = channel
        self._provider = provider
        self._stated = limits
        self._pacing = pacing
        self._reported_limits = ModelLimits()
        self._needs_turns = limits != ModelLimits()
        self._failures = 0
        self._open_until = 0.0
        self._blamed: str | None = None
        self._ids = itertools.count()
        self._waiting: dict[str, _WaitingCall] = {}
        self._running: set[str] = set()
        self._reports: list[CallReport] = []
        self._acknowledgements: list[CallReport] = []
        self._rate = _Rate()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._gauge = metrics.PROVIDER_WAITING.labels(label)
        self._granted = metrics.PROVIDER_GRANTED.labels(label)
        self._refused = metrics.PROVIDER_REFUSED.labels(label)
        self._breaker = metrics.PROVIDER_BREAKER.labels(label)
        self._label = label

    @property
    def is_discardable(self) -> bool:
        """True when there are no calls, and a new queue would know as much."""
        is_idle = self._task is None and not (self._waiting or self._running or self._reports)
        has_learned = (
            self._reported_limits != ModelLimits() or self._failures or self._blamed is not None
        )
        return is_idle and not has_learned and self._needs_turns == (self._stated != ModelLimits())

    async def enter(self, account_id: str, tokens: int, patience: float) -> str:
        """Wait for a turn; returns the call's id, empty where calls need no turn.

        Raises NodeFailed when the provider's breaker is open, or when there is no turn in time.
        """
        now = asyncio.get_running_loop().time()
        if self._is_blamed(account_id) and now < self._open_until:
            raise _breaker_open(self._open_until - now)
        call_id = ""
        if self._needs_turns:
            try:
                call_id = await self._wait(account_id, tokens, now + patience)
            finally:
                seconds = asyncio.get_running_loop().time() - now
                metrics.PROVIDER_TURN_SECONDS.labels(self._label).observe(seconds)
        self._granted.inc()
        self._rate.add()
        return call_id

    def leave(self, report: CallReport) -> None:
        """Report the end of a call."""
        self._running.discard(report.call_id)
        if report.kind is CallOutcome.REFUSED:
            self._refused.inc()
        if report.call_id or report.kind in (CallOutcome.REFUSED, CallOutcome.FAILED):
            self._report(replace(report, calls_per_minute=self._rate.per_minute()))
        elif report.kind is CallOutcome.DONE and self._failures:
            self._report(report)

    def learn(self, reported: ModelLimits) -> None:
        """Use limits from a provider's headers where the manifest states none.

        They are passed on once, and lapse when they are not reported again.
        """
        self._reported_limits = _first_of(reported, self._reported_limits)
        self._needs_turns = self._needs_turns or self._reported_limits != ModelLimits()

    def wake(self) -> None:
        """Exchange reports now: a call may have its turn."""
        self._woken.set()

    async def close(self) -> None:
        """Send the last reports within a short time, and end."""
        task = self._task
        if task is not None:
            self._woken.set()
            await asyncio.wait([task], timeout=RETRY_SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _wait(self, account_id: str, tokens: int, until: float) -> str:
        call_id = f"{next(self._ids):x}"
        loop = asyncio.get_running_loop()
        request = CallReport(
            kind=CallOutcome.ASK, call_id=call_id, account_id=account_id, amount=tokens
        )
        waiting = self._waiting[call_id] = _WaitingCall(request, loop.create_future(), until)
        self._report(request)
        self._gauge.inc()
        try:
            async with asyncio.timeout_at(until if math.isfinite(until) else None):
                await waiting.turn
        except TimeoutError:
            self._withdraw(call_id)
            raise _no_turn_in_time(0) from None
        except BaseException:
            self._withdraw(call_id)
            raise
        finally:
            self._gauge.dec()
        return call_id

    def _withdraw(self, call_id: str) -> None:
        self._waiting.pop(call_id, None)
        self._running.discard(call_id)
        self._report(CallReport(kind=CallOutcome.LEFT, call_id=call_id))

    def _report(self, report: CallReport) -> None:
        self._reports.append(report)
        self._woken.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"turns at {self._provider}")

    async def _run(self) -> None:
        try:
            await self._exchange_reports()
        except Exception:
            log.exception("turns cannot be asked for", extra={"provider": self._provider})
            self._reports, self._acknowledgements = [], []
            for waiting in self._waiting.values():
                if not waiting.turn.done():
                    waiting.turn.set_exception(_turn_lost())
        finally:
            self._task = None

    async def _exchange_reports(self) -> None:
        """Exchange reports for turns while calls wait, run, or are to be reported."""
        is_known = False
        while self._waiting or self._running or self._reports:
            self._woken.clear()
            reports, self._reports = [*self._acknowledgements, *self._reports], []
            reported, self._reported_limits = self._reported_limits, ModelLimits()
            self._acknowledgements = []
            limits = _first_of(self._stated, reported)
            try:
                standing = await self._governor.turn(
                    self._provider, self._channel, limits, reports, pacing=self._pacing
                )
            except EngineError:
                self._reports = [*reports, *self._reports]
                self._reported_limits = _first_of(self._reported_limits, reported)
                await asyncio.sleep(jittered(RETRY_SECONDS))
                continue
            if standing.was_unknown and is_known:
                self._reports += [each.request for each in self._waiting.values()]
            is_known = True
            self._apply(standing)
            await self._sleep(standing.due_seconds if self._waiting else None)

    async def _sleep(self, due: float | None) -> None:
        if self._reports or not (self._waiting or self._running):
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RENEW_SECONDS if due is None else due):
                await self._woken.wait()

    def _apply(self, standing: ProviderStanding) -> None:
        now = asyncio.get_running_loop().time()
        for call_id in standing.granted:
            self._acknowledgements.append(CallReport(kind=CallOutcome.TOOK, call_id=call_id))
            waiting = self._waiting.pop(call_id, None)
            if waiting is not None and not waiting.turn.done():
                self._running.add(call_id)
                waiting.turn.set_result(None)
        self._needs_turns = standing.must_ask or self._reported_limits != ModelLimits()
        self._failures = standing.failures
        self._note_breaker(standing, now)
        for waiting in list(self._overdue(standing, now)):
            if not waiting.turn.done():
                waiting.turn.set_exception(self._refusal(standing, waiting))

    def _overdue(self, standing: ProviderStanding, now: float) -> Iterator[_WaitingCall]:
        """Yield the calls that cannot have a turn in time."""
        for waiting in self._waiting.values():
            is_shut_out = standing.open_seconds > 0 and self._is_blamed(waiting.request.account_id)
            if is_shut_out or now + standing.pause_seconds > waiting.until:
                yield waiting

    def _refusal(self, standing: ProviderStanding, waiting: _WaitingCall) -> NodeFailed:
        if standing.open_seconds > 0 and self._is_blamed(waiting.request.account_id):
            return _breaker_open(standing.open_seconds)
        return _no_turn_in_time(standing.pause_seconds)

    def _note_breaker(self, standing: ProviderStanding, now: float) -> None:
        was_open, is_open = self._blamed is not None, standing.open_seconds > 0
        self._open_until = now + standing.open_seconds
        self._blamed = standing.blamed if is_open else None
        self._breaker.inc(is_open - was_open)

    def _is_blamed(self, account_id: str) -> bool:
        return self._blamed in (ALL, account_id)


def _first_of(first: ModelLimits, second: ModelLimits) -> ModelLimits:
    """Return the limits of the first, and those of the second where it has none."""
    return ModelLimits(
        requests_per_minute=first.requests_per_minute or second.requests_per_minute,
        tokens_per_minute=first.tokens_per_minute or second.tokens_per_minute,
        concurrency=first.concurrency or second.concurrency,
    )


class _Rate:
    """Estimates the recent number of calls per minute."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._now, self._before = 0, 0.0

    def add(self) -> None:
        """Count a call."""
        self._rotate()
        self._now += 1

    def per_minute(self) -> int:
        """Return the current estimate."""
        age = self._rotate()
        seconds = max(age, 1.0) if not self._before else RATE_SECONDS
        carried = self._before * max(0.0, 1 - age / RATE_SECONDS)
        return math.ceil((self._now + carried) * 60 / seconds)

    def _rotate(self) -> float:
        """Return the age of the current window in seconds."""
        age = time.monotonic() - self._began
        if age >= RATE_SECONDS:
            self._before = self._now if age < 2 * RATE_SECONDS else 0
            self._began += age - age % RATE_SECONDS
            self._now, age = 0, age % RATE_SECONDS
        return age


def _breaker_open(seconds: float) -> NodeFailed:
    message = "The provider has failed several times in a row and is not asked for now"
    return NodeFailed(UNAVAILABLE, message, retryable=True, retry_after=seconds)


def _turn_lost() -> NodeFailed:
    return NodeFailed(UNAVAILABLE, "No turn at the provider can be had", retryable=True)


def _no_turn_in_time(seconds: float) -> NodeFailed:
    message = "The provider's limits leave no turn for this call in time"
    return NodeFailed(RATE_LIMITED, message, retryable=True, retry_after=seconds)
