"""Event streams under way in this process: a bound per account, and signals to all of an account.

Streams sleep between events. They are woken when their access may have ended, when notifications
may have been lost, and when the process stops.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from engine.errors import TooManyStreams
from engine.store import Principal
from engine.store.redis import channels
from engine.store.redis.address import RedisAddress
from engine.store.redis.subscription import Subscription
from gateway.admission.request_context import RequestContext

MOST_OF_AN_ACCOUNT = 50
"""Streams of `…/events` that an account may have open; runs that stream are bounded as runs."""
RETRY_SECONDS = 5


class Sleeper(Protocol):
    """The sleep of a stream."""

    def wake(self) -> None:
        """End the sleep."""
        ...


class OpenStream:
    """One stream, as far as signals reach it."""

    def __init__(self, sleeper: Sleeper) -> None:
        self._sleeper = sleeper
        self.must_authenticate = False
        """Whether the key or session of the stream may have ended since it was checked."""

    def wake(self) -> None:
        """Let the stream look for events now."""
        self._sleeper.wake()


class OpenStreams:
    """All streams of the process by account."""

    def __init__(self, most: int = MOST_OF_AN_ACCOUNT) -> None:
        self._most = most
        self._places: Counter[str] = Counter()
        self._streams: dict[str, set[OpenStream]] = {}

    def take_place(self, context: RequestContext, principal: Principal) -> None:
        """Take one of the account's places until `free_place`. Raises TooManyStreams."""
        self.free_place(context)
        account_id = principal.account.id
        if self._places[account_id] >= self._most:
            raise TooManyStreams(principal.terms.tier.value, self._most, RETRY_SECONDS)
        self._places[account_id] += 1
        context.streaming_account_id = account_id

    def free_place(self, context: RequestContext) -> None:
        """Give the place of a request back; nothing happens without one."""
        account_id, context.streaming_account_id = context.streaming_account_id, ""
        if account_id:
            self._places[account_id] -= 1
            if not self._places[account_id]:
                del self._places[account_id]

    @contextlib.contextmanager
    def signalling(self, account_id: str, sleeper: Sleeper) -> Iterator[OpenStream]:
        """Let signals of the account reach a stream while the context lasts."""
        stream = OpenStream(sleeper)
        others = self._streams.setdefault(account_id, set())
        others.add(stream)
        try:
            yield stream
        finally:
            others.discard(stream)
            if not others and self._streams.get(account_id) is others:
                del self._streams[account_id]

    def wake(self, account_id: str) -> None:
        """Wake the streams of an account."""
        for stream in self._streams.get(account_id, ()):
            stream.wake()

    def wake_all(self) -> None:
        """Wake all streams: notifications may be lost, or the process stops."""
        for account_id in self._streams:
            self.wake(account_id)

    def suspect(self, account_id: str) -> None:
        """Let the streams of an account check their key or session anew."""
        for stream in self._streams.get(account_id, ()):
            stream.must_authenticate = True
        self.wake(account_id)

    def suspect_all(self) -> None:
        """Let all streams check their keys and sessions: changes may have been missed."""
        for account_id in self._streams:
            self.suspect(account_id)

    @contextlib.asynccontextmanager
    async def following_access(self, address: RedisAddress) -> AsyncIterator[None]:
        """Follow changes of accounts, keys and sessions while the context lasts."""
        subscription = Subscription(address, channels.access_changes())
        async with subscription.running(
            lambda data: self.suspect(data.decode(errors="replace")), self.suspect_all
        ):
            yield
