"""Limiter of calls to providers: the worker's client of the governor."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from msgspec import structs

from engine.errors.nodes import NodeFailed
from engine.models.limits import ModelLimits
from engine.models.manifest import Model
from engine.net.url_policy import PORTS, UrlRefused, check_url
from engine.nodes.support.base import BodyConsumer, HttpAnswer, HttpCall
from engine.store.limits.governor import USUAL_PACING, CallOutcome, CallReport, Governor, Pacing
from engine.store.redis import provider_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.subscription import Subscription
from engine.telemetry.metrics import provider_label
from workers.providers.answers.errors import (
    RATE_LIMITED,
    TIMEOUT,
    UNAVAILABLE,
    failure_of_transport,
    read_wait,
)
from workers.providers.answers.rate_headers import read_limits
from workers.providers.limiter.provider_queue import ProviderQueue

CHARACTERS_PER_TOKEN = 4
MAX_QUEUES = 256
"""Queues of a process above which idle ones are dropped."""
TROUBLE = frozenset({408, *range(500, 600)})

Fetch = Callable[[HttpCall], Awaitable[HttpAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterKey:
    """Key of the queue in which a call waits: its credential and the limits stated for it."""

    provider: str
    label: str
    """Name of the provider in metrics."""
    limits: ModelLimits
    patience: float
    """Longest wait in seconds of a call without a deadline."""
    pacing: Pacing = USUAL_PACING

    @classmethod
    def for_model(cls, model: Model, environ: Mapping[str, str]) -> "LimiterKey | None":
        """Return the key for a call of a model; None without a provider.

        Models with one credential and the same stated limits share a queue. Without stated limits
        each model has its own, since limits in a provider's headers hold for one model.
        """
        endpoint = model.call.endpoint
        if endpoint is None:
            return None
        base_url = endpoint.place(environ)
        shared = repr(model.limits) if model.limits != ModelLimits() else model.internal_name
        identity = "\0".join((base_url, endpoint.api_key_env, shared))
        return cls(
            provider=hashlib.sha256(identity.encode()).hexdigest()[:16],
            label=provider_label(_host_of(base_url) or endpoint.base_url_env),
            limits=model.limits,
            patience=endpoint.timeout_seconds,
        )


def _host_of(url: str) -> str:
    """Return the host of a URL, with its port where it is not the default one; else empty."""
    try:
        target = check_url(url, allow_private=True)
    except UrlRefused:
        return ""
    is_usual = target.port == PORTS[target.scheme]
    return target.host if is_usual else f"{target.host}:{target.port}"


class LimiterTurn:
    """A call's turn at a provider; the outcome that is noted last is reported."""

    def __init__(self, provider_queue: ProviderQueue, call_id: str, account_id: str) -> None:
        self._provider_queue = provider_queue
        self._call_id = call_id
        self._account_id = account_id
        self._outcome = CallOutcome.LEFT
        self._wait_ms = 0
        self._tokens = -1

    def note_answer(
        self, status: int, headers: Mapping[str, str], tokens: int | None = None
    ) -> None:
        """Note the status and headers of an answer."""
        self._provider_queue.learn(read_limits(headers))
        if status == 429:
            self._outcome, self._wait_ms = CallOutcome.REFUSED, round(read_wait(headers) * 1000)
        else:
            self._outcome = CallOutcome.FAILED if status in TROUBLE else CallOutcome.DONE
        if tokens is not None:
            self.used(tokens)

    def done(self) -> None:
        """Note that the call was answered as it should be."""
        self._outcome = CallOutcome.DONE

    def failed(self) -> None:
        """Note that the provider could not be reached, or broke off."""
        self._outcome = CallOutcome.FAILED

    def used(self, tokens: int) -> None:
        """Note the tokens that the call used."""
        self._tokens = tokens

    def observe(self, fetch: Fetch) -> Fetch:
        """Return a `fetch` that notes the outcome of each call."""

        async def fetch_observed(call: HttpCall) -> HttpAnswer:
            try:
                answer = await fetch(
                    structs.replace(call, consume=self._observe_body(call.consume))
                )
            except NodeFailed as failure:
                self._note(failure_of_transport(failure))
                raise
            self.note_answer(answer.status, answer.headers)
            return answer

        return fetch_observed

    def _observe_body(self, take: BodyConsumer | None) -> BodyConsumer | None:
        """Return a `take` that notes the head before the body, which may yet break off."""

        async def take_observed(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            self.note_answer(answer.status, answer.headers)
            await cast(BodyConsumer, take)(answer, pieces)

        return take and take_observed

    def _note(self, failure: NodeFailed) -> None:
        if failure.code in (UNAVAILABLE, TIMEOUT):
            self.failed()
        elif failure.code == RATE_LIMITED:
            self._outcome, self._wait_ms = CallOutcome.REFUSED, round(failure.retry_after * 1000)

    def report(self) -> CallReport:
        """Return the report of the outcome."""
        amounts = {CallOutcome.REFUSED: self._wait_ms, CallOutcome.DONE: self._tokens}
        return CallReport(
            kind=self._outcome,
            call_id=self._call_id,
            account_id=self._account_id,
            amount=amounts.get(self._outcome, 0),
        )


class CallLimiter:
    """Grants calls their turns, over all worker processes."""

    def __init__(self, governor: Governor, process_id: str) -> None:
        self._governor = governor
        self._channel = provider_keys.turns(process_id)
        self.provider_queues: dict[str, ProviderQueue] = {}
        """Queues of the providers that this process calls."""
        self._drop_above = MAX_QUEUES

    @contextlib.asynccontextmanager
    async def running(self, address: RedisAddress) -> AsyncIterator[None]:
        """Receive notices of granted turns for as long as the context lasts."""
        async with Subscription(address, self._channel).running(self._wake):
            try:
                yield
            finally:
                for provider_queue in self.provider_queues.values():
                    await provider_queue.close()

    @contextlib.asynccontextmanager
    async def turn(
        self,
        limiter_key: LimiterKey,
        account_id: str,
        tokens: int,
        patience: float,
        note_turn: Callable[[], None] = lambda: None,
    ) -> AsyncIterator[LimiterTurn]:
        """Wait up to `patience` seconds for a turn; `tokens` is an estimate of the usage.

        `note_turn` is called when the wait is over. Raises NodeFailed when there is no turn in time
        or the provider's breaker is open.
        """
        provider_queue = self._provider_queue(limiter_key)
        try:
            call_id = await provider_queue.enter(account_id, tokens, patience)
        finally:
            note_turn()
        turn = LimiterTurn(provider_queue, call_id, account_id)
        try:
            yield turn
        finally:
            provider_queue.leave(turn.report())

    def _provider_queue(self, limiter_key: LimiterKey) -> ProviderQueue:
        provider_queue = self.provider_queues.get(limiter_key.provider)
        if provider_queue is None:
            self._drop_idle_queues()
            provider_queue = self.provider_queues[limiter_key.provider] = ProviderQueue(
                self._governor,
                self._channel,
                limiter_key.provider,
                limiter_key.label,
                limiter_key.limits,
                limiter_key.pacing,
            )
        return provider_queue

    def _drop_idle_queues(self) -> None:
        """Drop idle queues when there are too many."""
        if len(self.provider_queues) < self._drop_above:
            return
        self.provider_queues = {
            name: provider_queue
            for name, provider_queue in self.provider_queues.items()
            if not provider_queue.is_discardable
        }
        self._drop_above = max(MAX_QUEUES, 2 * len(self.provider_queues))

    def _wake(self, data: bytes) -> None:
        provider_queue = self.provider_queues.get(data.decode(errors="replace"))
        if provider_queue is not None:
            provider_queue.wake()


def guess_tokens(values: Mapping[str, Any]) -> int:
    """Estimate the tokens of these values; the governor learns the real usage."""
    return 1 + _characters(list(values.values())) // CHARACTERS_PER_TOKEN


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(_characters(each) for each in value)
    return 0
