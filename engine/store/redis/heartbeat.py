"""Heartbeat of a worker process, in a thread that a busy event loop cannot starve."""

import logging
import math
import threading
import time
from collections.abc import Iterable

from redis.exceptions import MasterDownError, NoPermissionError, ReadOnlyError, RedisError

from engine.errors import WrongStore
from engine.store.dispatch.worker_leases import pack_variables
from engine.store.redis import errors, keyspace, process_keys
from engine.store.redis.address import RedisAddress
from engine.store.redis.blocking_client import BlockingClient
from engine.store.redis.installation import Guard, parse_marker
from engine.store.redis.scripts import SCRIPTS

BEATS_PER_LEASE = 6

log = logging.getLogger(__name__)


class Heartbeat:
    """Renews the one lease of a worker process.

    With a guard it sends nothing to a Redis without this installation's data.
    """

    def __init__(
        self,
        address: RedisAddress,
        worker_id: str,
        lease_seconds: float,
        guard: Guard | None = None,
    ) -> None:
        self._guard = guard
        self._variables = ""
        self._worker_id = worker_id
        self._lease_seconds = lease_seconds
        self._stopped = threading.Event()
        self._beat_at = time.monotonic()
        self._silence_ended_at = -math.inf
        # After a lost beat there must be time for others before the lease ends.
        self._client = BlockingClient(
            address, reply_seconds=lease_seconds / 3, connect_seconds=lease_seconds / 3
        )
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    @property
    def last_silence(self) -> float:
        """Monotonic time at which there had been no beat for half a lease last; -inf: never.

        At such a time leases of other living workers may be over too.
        """
        now = time.monotonic()
        return now if now - self._beat_at > self._lease_seconds / 2 else self._silence_ended_at

    def publish(self, variables: Iterable[str]) -> None:
        """Report, from the next beat on, the names of manifests' variables that are set here."""
        self._variables = pack_variables(variables)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; the lease expires by itself."""
        self._stopped.set()
        self._thread.join(timeout=2)
        self._client.close()

    def _run(self) -> None:
        pause = self._lease_seconds / BEATS_PER_LEASE
        while not self._stopped.is_set():
            try:
                if self._may_beat():
                    self._beat()
            except (ReadOnlyError, MasterDownError):
                log.warning("heartbeat reached a replica, connecting again")
            except NoPermissionError as error:
                errors.log_refusal("NOPERM", errors.parse_missing(str(error)))
            except RedisError as error:
                log.warning("heartbeat failed", extra={"reason": type(error).__name__})
            except Exception:  # a worker without a heartbeat counts as dead while it works
                log.exception("heartbeat failed unexpectedly")
            self._stopped.wait(pause)

    def _may_beat(self) -> bool:
        if self._guard is None:
            return True
        fields = self._client.execute("HGETALL", keyspace.installation())
        try:
            self._guard.check(parse_marker(fields))
        except WrongStore:
            return False  # the store's client logs the cause
        return True

    def _beat(self) -> None:
        command = SCRIPTS["beat_worker"].command(
            workers=process_keys.workers(),
            variables=process_keys.worker_variables(),
            worker=self._worker_id,
            lease_ms=int(self._lease_seconds * 1000),
            names=self._variables,
        )
        self._client.execute(*command)
        silence = self.last_silence
        self._silence_ended_at, self._beat_at = silence, time.monotonic()
