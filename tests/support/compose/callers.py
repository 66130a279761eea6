"""Callers that run a workflow again and again while parts of an installation stop and die."""

import collections
import threading
import time
from collections import Counter
from typing import Any

import httpx

RETRIED = {409, 502, 503, 504}
"""Statuses after which the same call may come again; 409: the first one has not ended yet."""
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 60.0


class Callers:
    """Threads that call over kept connections, each run with an idempotency key of its own.

    A call that fails is repeated with its key, as callers should; what it saw is noted.
    """

    def __init__(self, url: str, slug: str, key: str, count: int = 8) -> None:
        self.noticed: Counter[str] = collections.Counter()
        """Failures that callers saw: statuses, and names of exceptions."""
        self.polled = 0
        """Answers 202 to calls that waited, whose result was fetched later."""
        self.wrong: list[str] = []
        self.executions: list[str] = []
        """Execution of each run that ended well."""
        self.slowest = 0.0
        self._url, self._slug, self._key = url, slug, key
        self._stops = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._call_on, args=(number,)) for number in range(count)
        ]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stops.set()
        for thread in self._threads:
            thread.join()

    def __str__(self) -> str:
        """Return what was seen, in a line."""
        return (
            f"{len(self.executions)} runs, {self.polled} polled, slowest {self.slowest:.2f} s, "
            f"noticed {dict(self.noticed)}, wrong {self.wrong[:3]}"
        )

    def _call_on(self, number: int) -> None:
        with httpx.Client(
            base_url=self._url, headers={"x-api-key": self._key}, timeout=60
        ) as client:
            turn = 0
            while not self._stops.is_set():
                turn += 1
                began = time.monotonic()
                self._run(client, f"{number}-{turn}")
                self.slowest = max(self.slowest, time.monotonic() - began)

    def _run(self, client: httpx.Client, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = self._ask(
                client,
                "POST",
                f"/api/workflows/{self._slug}/run",
                json={"inputs": {"who": name}},
                headers={"idempotency-key": f"caller-{name}"},
            )
            if answer is not None:
                self._take(client, name, answer)
                return
        self.wrong.append(f"{name} has no answer")

    def _take(self, client: httpx.Client, name: str, answer: httpx.Response) -> None:
        found = answer.json()
        execution_id = str(found.get("executionId"))
        if answer.status_code == 202:
            self.polled += 1
            found = self._poll(client, execution_id)
        if name in str(found.get("result")):
            self.executions.append(execution_id)
        else:
            self.wrong.append(f"{name}: {answer.status_code} {found}")

    def _poll(self, client: httpx.Client, execution_id: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for _ in range(300):
            answer = self._ask(client, "GET", f"/api/executions/{execution_id}")
            if answer is None:
                continue
            found = answer.json()
            if found.get("status") in {"completed", "failed", "cancelled"}:
                break
            time.sleep(PAUSE_SECONDS)
        return found

    def _ask(
        self, client: httpx.Client, method: str, path: str, **body: Any
    ) -> httpx.Response | None:
        """Call once; return None after a failure, which is noted: the call may come again."""
        try:
            answer = client.request(method, path, **body)
        except httpx.HTTPError as error:
            self._note(type(error).__name__)
            return None
        if answer.status_code in RETRIED:
            self._note(str(answer.status_code))
            return None
        return answer

    def _note(self, seen: str) -> None:
        with self._lock:
            self.noticed[seen] += 1
        time.sleep(PAUSE_SECONDS)
