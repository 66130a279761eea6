"""Limits of each credential: requests and tokens a minute, and concurrent calls."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from deploy.stub_provider.errors import StubRefused

MAX_CREDENTIALS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """None: no limit. A bucket holds the refill of `burst_seconds`, and is full at first."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    burst_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitState:
    """State of a limit: the remaining amount, and the seconds until it is whole again."""

    limit: int | None
    """None: the limit is not reported."""
    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStates:
    """States of both limits of a credential; None: no such limit."""

    requests: LimitState | None = None
    tokens: LimitState | None = None


class Bucket:
    """Token bucket; a call may take it below zero, and the next one waits for the refill."""

    def __init__(self, per_minute: int, burst_seconds: float, now: float) -> None:
        self._limit = per_minute
        self._rate = per_minute / 60
        self._size = max(1.0, self._rate * burst_seconds)
        self._level = self._size
        self._at = now

    def wait(self, now: float) -> float:
        """Return the seconds until one more may be taken; 0 when it may be taken now."""
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        # A bucket filled in many small steps falls short of a whole one by rounding alone.
        return 0.0 if self._level >= 1 - 1e-9 else (1 - self._level) / self._rate

    def take(self, amount: float) -> None:
        """Take an amount, even beyond the level."""
        self._level -= amount

    def state(self) -> LimitState:
        """Return the state as of the last `wait` or `take`."""
        return LimitState(
            limit=self._limit,
            remaining=max(0, math.floor(self._level + 1e-9)),
            reset_seconds=max(0.0, (self._size - self._level) / self._rate),
        )


@dataclass(slots=True, kw_only=True)
class _Credential:
    requests: Bucket | None
    tokens: Bucket | None
    running: int = 0


@dataclass(slots=True)
class CredentialLimits:
    """Limits of every credential that has called."""

    options: LimitOptions
    clock: Callable[[], float] = time.monotonic
    _credentials: dict[str, _Credential] = field(default_factory=dict)

    @contextlib.contextmanager
    def count_call(self, name: str) -> Iterator[None]:
        """Count a call while the context lasts. Raises StubRefused (429) beyond a limit."""
        credential = self._of(name)
        self._check(credential)
        if credential.requests is not None:
            credential.requests.take(1)
        credential.running += 1
        try:
            yield
        finally:
            credential.running -= 1

    def spend(self, name: str, tokens: int) -> None:
        """Take the tokens of an admitted call."""
        bucket = self._of(name).tokens
        if bucket is not None:
            bucket.take(tokens)

    def limit_states(self, name: str) -> LimitStates:
        """Return the states of a credential's limits."""
        credential = self._of(name)
        return LimitStates(
            requests=credential.requests.state() if credential.requests else None,
            tokens=credential.tokens.state() if credential.tokens else None,
        )

    def forget(self) -> None:
        """Fill every bucket; calls under way still count."""
        for credential in self._credentials.values():
            fresh = self._new()
            credential.requests, credential.tokens = fresh.requests, fresh.tokens

    def _check(self, credential: _Credential) -> None:
        most = self.options.concurrency
        if most is not None and credential.running >= most:
            raise StubRefused(429, f"(stub) {most} calls are under way already.", retry_after=1)
        now = self.clock()
        for bucket, unit in ((credential.requests, "requests"), (credential.tokens, "tokens")):
            wait = 0.0 if bucket is None else bucket.wait(now)
            if wait:
                raise StubRefused(429, f"(stub) Rate limit reached for {unit}.", retry_after=wait)

    def _of(self, name: str) -> _Credential:
        if name not in self._credentials:
            if len(self._credentials) >= MAX_CREDENTIALS:
                self._credentials.pop(next(iter(self._credentials)))
            self._credentials[name] = self._new()
        return self._credentials[name]

    def _new(self) -> _Credential:
        return _Credential(
            requests=self._bucket(self.options.requests_per_minute),
            tokens=self._bucket(self.options.tokens_per_minute),
        )

    def _bucket(self, per_minute: int | None) -> Bucket | None:
        if per_minute is None:
            return None
        return Bucket(per_minute, self.options.burst_seconds, self.clock())
