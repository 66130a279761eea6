"""Limit on calls that fail before the caller is known, by address.

The count is this process's own and costs memory alone, so a flood never reaches Redis.
"""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from engine.errors import EngineError, TooManyFailedCalls, Unavailable
from engine.store import Store
from gateway.admission.credentials import presented_keys, session_token
from gateway.admission.peers import Peers
from gateway.admission.request_context import context_of

MAX_ADDRESSES = 10_000

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Bucket:
    """Failures that an address has left, and whether the log has its refusal."""

    left: float
    at: float
    is_logged: bool = False

    def give_back(self) -> None:
        """Take back one failure."""
        self.left += 1


class FailedCalls:
    """Lets each address fail `per_minute` times a minute, at once or over time.

    Further calls are refused before anything is looked up. A caller with a recently valid key or
    session is let in all the same, even from a refused address.
    """

    def __init__(
        self,
        per_minute: int,
        peers: Peers,
        store: Store,
        *,
        max_addresses: int = MAX_ADDRESSES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._peers = peers
        self._store = store
        self._max_addresses = max_addresses
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def check(self, scope: Scope) -> None:
        """Raise TooManyFailedCalls when the caller's address has failed too often.

        Else the call counts as failed until `clear`, so that concurrent calls share one limit.
        """
        if not self._buckets:
            return
        address = self._caller(scope)
        bucket = self._buckets.get(address)
        if bucket is None:
            return
        self._refill(bucket)
        if bucket.left >= self._per_minute:
            del self._buckets[address]
        elif not self._is_known(scope):
            self._charge(bucket, address)
            context_of(scope).take_back_failure = bucket.give_back

    def clear(self, scope: Scope) -> None:
        """Take back the charge of a call that has not failed."""
        context = context_of(scope)
        if context.take_back_failure is not None:
            context.take_back_failure()
            context.take_back_failure = None

    def record_failure(self, scope: Scope, error: Exception) -> Exception:
        """Count the failure of a call; return the error to answer with: the same or the refusal."""
        if not _counts(error):
            return error
        try:
            self.count(scope)
        except TooManyFailedCalls as refusal:
            return refusal
        return error

    def count(self, scope: Scope) -> None:
        """Count a failed call. Raises TooManyFailedCalls when it exceeds the limit."""
        context = context_of(scope)
        is_counted, context.take_back_failure = context.take_back_failure is not None, None
        if is_counted or not self._per_minute or self._is_known(scope):
            return
        address = self._caller(scope)
        bucket = self._bucket(address)
        self._refill(bucket)
        self._charge(bucket, address)

    def count_for(self, scope: Scope, trigger_id: str) -> None:
        """Count the failures of this call for an inbound webhook alone from now on.

        Services send all events from the same addresses: the wrong secret of one webhook must not
        refuse the events of others. Raises TooManyFailedCalls.
        """
        self.clear(scope)
        context_of(scope).failures_of = trigger_id
        self.check(scope)

    def _caller(self, scope: Scope) -> str:
        address, trigger_id = self._peers.address(scope), context_of(scope).failures_of
        return f"{address} {trigger_id}" if trigger_id else address

    def _charge(self, bucket: _Bucket, address: str) -> None:
        if bucket.left < 1:
            raise self._refusal(bucket, address)
        bucket.left -= 1

    def _bucket(self, address: str) -> _Bucket:
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= self._max_addresses:
                self._buckets.popitem(last=False)
            bucket = self._buckets[address] = _Bucket(self._per_minute, self._clock())
        self._buckets.move_to_end(address)
        return bucket

    def _refill(self, bucket: _Bucket) -> None:
        now = self._clock()
        gained = (now - bucket.at) * self._per_minute / 60
        bucket.left = min(float(self._per_minute), bucket.left + gained)
        bucket.at = now

    def _refusal(self, bucket: _Bucket, address: str) -> TooManyFailedCalls:
        if not bucket.is_logged:
            bucket.is_logged = True
            fix = "Block it if it guesses keys; a proxy belongs into HEADRACE_TRUSTED_PROXIES"
            logger.warning("an address fails too often", extra={"address": address, "fix": fix})
        seconds = math.ceil((1 - bucket.left) * 60 / self._per_minute)
        return TooManyFailedCalls(self._per_minute, max(1, seconds))

    def _is_known(self, scope: Scope) -> bool:
        context = context_of(scope)
        if context.failures_of:
            return context.is_sender_known  # keys and cookies beside an event say nothing
        keys = presented_keys(scope)
        if keys:
            return len(keys) == 1 and self._store.api_keys.remembers(keys[0])
        token = session_token(scope)
        return token is not None and self._store.sessions.remembers(token)


def _counts(error: Exception) -> bool:
    """Return whether the caller is at fault and was not refused already."""
    is_ours = isinstance(error, Unavailable) or not isinstance(error, EngineError)
    return not is_ours and not isinstance(error, TooManyFailedCalls)
