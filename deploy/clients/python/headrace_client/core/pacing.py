"""Pace of the calls of one bucket of a rate limit, so that many at a time do not run into 429.

The server counts calls in windows of one length. Each answer of a limited route says how many calls
a window allows, how many are left, and when it ends. An answer may come minutes after its call was
counted, so the pace counts calls itself, by the window in which they were sent.
"""

import email.utils
import math
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FIRST_CALLS = 10
"""Calls at once while the limit is unknown."""
FIRST_SECONDS = 1.0
"""Interval between such groups of calls, which go while no call was answered yet."""
CHECK_SECONDS = 0.05
LATER_CHECK_SECONDS = 0.25
"""Interval at which a call without a place looks for an answer, in the first second and later."""
POLICY = re.compile(r";\s*w=(\d+)")
WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """Rate limit headers of one answer; `reset` is on the clock of the server."""

    limit: int
    remaining: int
    reset: float
    window: float

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "RateHeaders | None":
        """Return the headers of an answer; None without them."""
        try:
            limit, remaining, reset = (
                int(headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")
            )
        except (KeyError, ValueError):
            return None
        window = POLICY.search(headers.get("ratelimit-policy", ""))
        return cls(limit, remaining, reset, float(window[1]) if window else WINDOW_SECONDS)


class Pace:
    """Pace of one bucket, shared by all threads and tasks of a client."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offset = -math.inf
        """Clock of the server less ours, at least: `Date` has whole seconds."""
        self._known: RateHeaders | None = None
        self._is_unlimited = False
        self._sent = 0
        """Calls in the window that `_ends` ends; of an unknown window, since `_began`."""
        self._ends = -math.inf
        self._began: float | None = None

    def take(self) -> float:
        """Take a place for one call; return 0, or the seconds after which to ask again."""
        with self._lock:
            now = self._clock()
            if self._is_unlimited:
                return 0.0
            wait = self._unknown_wait(now) if self._known is None else self._wait(self._known, now)
            if wait == 0.0:
                self._sent += 1
            return wait

    def _unknown_wait(self, now: float) -> float:
        if self._began is None:
            self._began = now
        elapsed = now - self._began
        if self._sent < FIRST_CALLS * (1 + elapsed // FIRST_SECONDS):
            return 0.0
        return CHECK_SECONDS if elapsed < FIRST_SECONDS else LATER_CHECK_SECONDS

    def _wait(self, known: RateHeaders, now: float) -> float:
        if now >= self._ends:
            self._sent = 0
            self._ends += known.window * (1 + (now - self._ends) // known.window)
        return 0.0 if self._sent < known.limit else self._ends - now

    def learn(self, headers: Mapping[str, str], *, is_answer: bool) -> None:
        """Learn from the answer of a call; only one of the route itself shows that nothing limits.

        An answer before the account is known (401), or of a proxy, has no headers.
        """
        found = RateHeaders.read(headers)
        with self._lock:
            if found is None:
                self._is_unlimited = self._is_unlimited or (is_answer and self._known is None)
                return
            self._is_unlimited = False
            now = self._clock()
            self._offset = max(self._offset, _read_date(headers) - now)
            ends = found.reset - self._offset if self._offset > -math.inf else now + found.window
            self._adopt(found, ends, now)

    def _adopt(self, found: RateHeaders, ends: float, now: float) -> None:
        used = found.limit - found.remaining
        same_window = abs(ends - self._ends) < found.window / 2
        if self._known is None or same_window:
            self._sent = max(self._sent, used)
            self._ends = ends
        elif ends > self._ends and ends > now:
            self._sent, self._ends = used, ends
        self._known = found


def _read_date(headers: Mapping[str, str]) -> float:
    try:
        return email.utils.parsedate_to_datetime(headers.get("date", "")).timestamp()
    except ValueError:
        return -math.inf


class Paces:
    """Pace of each bucket."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._lock = threading.Lock()

    def of(self, bucket: str) -> Pace:
        """Return the pace of a bucket."""
        with self._lock:
            return self._paces.setdefault(bucket, Pace(self._clock))
