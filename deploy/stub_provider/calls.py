"""Record of calls: counters for tests, and the last calls one by one."""

import hashlib
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.stub_provider.script import CallScript

KEPT = 200
PROMPT_KEPT = 200
MAX_COUNTED = 100_000


@dataclass(slots=True, kw_only=True)
class Call:
    """One call; `status` is 0 while it is under way and when its client left."""

    method: str
    path: str
    model: str = ""
    prompt: str = ""
    idempotency_key: str | None = None
    status: int = 0
    began: float = field(default_factory=time.monotonic)
    milliseconds: float = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the call as JSON."""
        return {
            "method": self.method,
            "path": self.path,
            "model": self.model,
            "prompt": self.prompt,
            "idempotencyKey": self.idempotency_key,
            "status": self.status,
            "ms": round(self.milliseconds, 1),
        }


class CallCounters:
    """Counts calls, and the failures of a script that fails a limited number of times."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Reset all counters; calls under way are not counted when they end."""
        self._by_path: Counter[str] = Counter()
        self._by_status: Counter[int] = Counter()
        self._tokens: Counter[str] = Counter()
        self._jobs: Counter[str] = Counter()
        self._failures: Counter[bytes] = Counter()
        self._recent: deque[Call] = deque(maxlen=KEPT)
        self._running: set[int] = set()
        self._most_at_once = 0
        self._left = 0

    def begin(self, method: str, path: str) -> Call:
        """Record the arrival of a call."""
        call = Call(method=method, path=path)
        self._by_path[path] += 1
        self._recent.append(call)
        self._running.add(id(call))
        self._most_at_once = max(self._most_at_once, len(self._running))
        return call

    def end(self, call: Call, *, left: bool) -> None:
        """Record the end of a call, answered or abandoned."""
        if id(call) not in self._running:
            return
        self._running.discard(id(call))
        call.milliseconds = 1000 * (time.monotonic() - call.began)
        if left:
            self._left += 1
        else:
            self._by_status[call.status] += 1

    def spent(self, input_tokens: int, output_tokens: int) -> None:
        """Add the tokens of an answer."""
        self._tokens["input"] += input_tokens
        self._tokens["output"] += output_tokens

    def job(self, what: str) -> None:
        """Count an event of a job: created, replayed, cancelled."""
        self._jobs[what] += 1

    def is_due(self, script: CallScript, path: str, body: bytes) -> bool:
        """Return whether this call is among the first `times` of its kind, by script and body."""
        if not script.times:
            return True
        named = script.key.encode() or path.encode() + b"\0" + body
        kind = hashlib.sha256(named + repr(script).encode()).digest()
        if len(self._failures) > MAX_COUNTED:
            self._failures.clear()
        self._failures[kind] += 1
        return self._failures[kind] <= script.times

    def report(self) -> Mapping[str, Any]:
        """Return all counters as JSON."""
        return {
            "total": sum(self._by_path.values()),
            "running": len(self._running),
            "mostAtOnce": self._most_at_once,
            "clientsLeft": self._left,
            "byPath": dict(self._by_path),
            "byStatus": {str(status): count for status, count in self._by_status.items()},
            "status429": self._by_status[429],
            "tokens": {name: self._tokens[name] for name in ("input", "output")},
            "jobs": {name: self._jobs[name] for name in ("created", "replayed", "cancelled")},
            "recent": [call.as_dict() for call in self._recent],
        }
