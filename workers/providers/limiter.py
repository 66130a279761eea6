"""The governor's side in a worker: every call of a provider has its turn."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from engine.errors.nodes import NodeFailed
from engine.models.limits import ModelLimits
from engine.models.manifest import Model
from engine.net.url_policy import PORTS, UrlRefused, check_url
from engine.nodes.support.base import BodyConsumer, HttpAnswer, HttpCall
from engine.store import governor as turns
from engine.store.governor import USUAL_PACING, CallOutcome, CallReport, Pacing
from engine.store.redis import keyspace
from engine.store.redis.subscription import Subscription
from workers.providers.errors import RATE_LIMITED, TIMEOUT, UNAVAILABLE, of_transport, read_wait
from workers.providers.provider_queue import ProviderQueue
from workers.providers.rate_headers import read_limits

CHARACTERS_PER_TOKEN = 4
LANES = 256
"""Lanes of a process from which on those without calls are dropped."""
TROUBLE = frozenset({408, *range(500, 600)})

Fetch = Callable[[HttpCall], Awaitable[HttpAnswer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterKey:
    """Which line a call stands in: that of its credential and the limits stated for it."""

    provider: str
    label: str
    """Names the provider in metrics."""
    limits: ModelLimits
    patience: float
    """Seconds that a call without a deadline waits at most."""
    pacing: Pacing = USUAL_PACING

    @classmethod
    def of(cls, model: Model, environ: Mapping[str, str]) -> "LimiterKey | None":
        """The ticket for a call of a model; None where there is no provider.

        Models with one credential share a line when the same limits are stated for them. Without
        stated limits each has its own, since what providers tell holds for one of their models.
        """
        endpoint = model.call.endpoint
        if endpoint is None:
            return None
        place = endpoint.place(environ)
        shared = repr(model.limits) if model.limits != ModelLimits() else model.internal_name
        named = "\0".join((place, endpoint.api_key_env, shared))
        return cls(
            provider=hashlib.sha256(named.encode()).hexdigest()[:16],
            label=_host_of(place) or endpoint.base_url_env,
            limits=model.limits,
            patience=endpoint.timeout_seconds,
        )


def _host_of(url: str) -> str:
    """The host that calls go to, with its port where it is not the usual one; else nothing."""
    try:
        target = check_url(url, allow_private=True)
    except UrlRefused:
        return ""
    is_usual = target.port == PORTS[target.scheme]
    return target.host if is_usual else f"{target.host}:{target.port}"


class LimiterTurn:
    """A call's time with a provider; what is told last is what became of it."""

    def __init__(self, provider_queue: ProviderQueue, call_id: str, account_id: str) -> None:
        self._provider_queue = provider_queue
        self._call_id = call_id
        self._account_id = account_id
        self._kind = CallOutcome.LEFT
        self._wait_ms = 0
        self._tokens = -1

    def told(self, status: int, headers: Mapping[str, str], tokens: int | None = None) -> None:
        """The provider has answered."""
        self._provider_queue.learn(read_limits(headers))
        if status == 429:
            self._kind, self._wait_ms = CallOutcome.REFUSED, round(read_wait(headers) * 1000)
        else:
            self._kind = CallOutcome.FAILED if status in TROUBLE else CallOutcome.DONE
        if tokens is not None:
            self.used(tokens)

    def done(self) -> None:
        """The call was answered as it should be."""
        self._kind = CallOutcome.DONE

    def failed(self) -> None:
        """The provider could not be reached, or broke off."""
        self._kind = CallOutcome.FAILED

    def used(self, tokens: int) -> None:
        """The call took so many tokens."""
        self._tokens = tokens

    def listening(self, fetch: Fetch) -> Fetch:
        """A way out that tells what comes back."""

        async def listen(call: HttpCall) -> HttpAnswer:
            try:
                answer = await fetch(replace(call, consume=self._reader(call.consume)))
            except NodeFailed as failure:
                self._note(of_transport(failure))
                raise
            self.told(answer.status, answer.headers)
            return answer

        return listen

    def _reader(self, take: BodyConsumer | None) -> BodyConsumer | None:
        """Tells what comes back when its body is still to come, and may yet break off."""

        async def hear(answer: HttpAnswer, pieces: AsyncIterator[bytes]) -> None:
            self.told(answer.status, answer.headers)
            await cast(BodyConsumer, take)(answer, pieces)

        return take and hear

    def _note(self, failure: NodeFailed) -> None:
        if failure.code in (UNAVAILABLE, TIMEOUT):
            self.failed()
        elif failure.code == RATE_LIMITED:
            self._kind, self._wait_ms = CallOutcome.REFUSED, round(failure.retry_after * 1000)

    def event(self) -> CallReport:
        """What became of it."""
        amounts = {CallOutcome.REFUSED: self._wait_ms, CallOutcome.DONE: self._tokens}
        return CallReport(
            kind=self._kind,
            call_id=self._call_id,
            account_id=self._account_id,
            amount=amounts.get(self._kind, 0),
        )


class CallLimiter:
    """Lets calls through when it is their turn, over all worker processes."""

    def __init__(self, governor: turns.Governor, process_id: str) -> None:
        self._governor = governor
        self._channel = keyspace.turns(process_id)
        self.provider_queues: dict[str, ProviderQueue] = {}
        """The providers that this process calls."""
        self._most_lanes = LANES

    @contextlib.asynccontextmanager
    async def running(self, redis_url: str) -> AsyncIterator[None]:
        """Hear of turns for as long as the context lasts."""
        async with Subscription(redis_url, self._channel).running(self._completion):
            try:
                yield
            finally:
                for provider_queue in self.provider_queues.values():
                    await provider_queue.close()

    @contextlib.asynccontextmanager
    async def turn(
        self, limiter_key: LimiterKey, account_id: str, tokens: int, patience: float
    ) -> AsyncIterator[LimiterTurn]:
        """A turn, within `patience` seconds; `tokens` are about what the call takes.

        Raises NodeFailed when there is none in time or the provider is in trouble.
        """
        provider_queue = self._provider_queue(limiter_key)
        turn = LimiterTurn(
            provider_queue, await provider_queue.enter(account_id, tokens, patience), account_id
        )
        try:
            yield turn
        finally:
            provider_queue.leave(turn.event())

    def _provider_queue(self, limiter_key: LimiterKey) -> ProviderQueue:
        provider_queue = self.provider_queues.get(limiter_key.provider)
        if provider_queue is None:
            self._drop_lanes()
            provider_queue = self.provider_queues[limiter_key.provider] = ProviderQueue(
                self._governor,
                self._channel,
                limiter_key.provider,
                limiter_key.label,
                limiter_key.limits,
                limiter_key.pacing,
            )
        return provider_queue

    def _drop_lanes(self) -> None:
        """Keep no more lanes than are needed, and some."""
        if len(self.provider_queues) < self._most_lanes:
            return
        self.provider_queues = {
            name: provider_queue
            for name, provider_queue in self.provider_queues.items()
            if not provider_queue.is_like_new
        }
        self._most_lanes = max(LANES, 2 * len(self.provider_queues))

    def _completion(self, data: bytes) -> None:
        provider_queue = self.provider_queues.get(data.decode(errors="replace"))
        if provider_queue is not None:
            provider_queue.completion()


def guess_tokens(values: Mapping[str, Any]) -> int:
    """About how many tokens these values are; what calls take in the end is learned."""
    return 1 + _characters(list(values.values())) // CHARACTERS_PER_TOKEN


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(_characters(each) for each in value)
    return 0
