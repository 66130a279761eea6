"""Drain of the worker that holds many executions whose model calls wait for the provider."""

import asyncio
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, running_fleet
from tests.support.drains.provider import Provider, asking, recording_provider, write_model

AT_ONCE = 64
"""Runs that are begun at the same time."""
WAIT = aiohttp.ClientTimeout(total=900)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """Runs of a drain: half of the callers wait for theirs, and half of the runs are short."""

    executions: int
    drain_seconds: float
    short_seconds: float
    """Delay of the provider in short runs, which end within the drain."""
    long_seconds: float
    """Delay in the others, which others take over."""


@dataclass(frozen=True, kw_only=True)
class Drained:
    """Outcome of a drain."""

    held: int
    """Executions of the worker when it was told to stop."""
    seconds: float
    """Time from SIGTERM to the exit."""
    code: int
    answers: Counter[str]
    """Answers of the callers, by kind and status."""
    wrong: list[str]
    """Executions that have another end than they would have had without a drain."""
    attempts_used: int
    """Attempts of nodes beyond their first."""
    repeated: int
    """Executions whose provider was called again."""
    repeated_with_one_key: int
    """Those of them with one idempotency key in all of their calls."""
    most_calls: int
    """Most calls of one execution."""
    last_end: float
    """Seconds from SIGTERM to the last end of a run."""


async def drain(folder: Path, trial: Trial) -> Drained:
    """Let one worker hold all executions, start another, and stop the first."""
    with recording_provider() as provider:
        environ = {"HEADRACE_MODELS_DIR": write_model(folder / "models"), **provider.environ}
        environ["HEADRACE_DRAIN_SECONDS"] = str(trial.drain_seconds)
        with running_fleet(folder, **environ) as fleet:
            members = [fleet.start(GATEWAY), fleet.start(WORKER)]
            for each in members:
                await asyncio.to_thread(each.wait_ready)
            return await _Drain(fleet, provider, trial).run()


class _Drain:
    def __init__(self, fleet: Fleet, provider: Provider, trial: Trial) -> None:
        self._fleet = fleet
        self._provider = provider
        self._trial = trial
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._answers: Counter[str] = Counter()
        self._wrong: list[str] = []
        self._attempts = 0
        self._told_at = self._ended_at = 0.0

    async def run(self) -> Drained:
        gateway, first = self._fleet.members
        key = await asyncio.to_thread(self._fleet.make_key)
        slug = await asyncio.to_thread(self._fleet.save, key, "Asking", asking())
        connector = aiohttp.TCPConnector(limit=0)
        headers = {"x-api-key": key}
        async with aiohttp.ClientSession(
            gateway.url, headers=headers, connector=connector, timeout=WAIT
        ) as session:
            calling = asyncio.gather(
                *(self._call(session, slug, number) for number in range(self._trial.executions))
            )
            await self._wait_held(calling)
            second = self._fleet.start(WORKER)
            await asyncio.to_thread(second.wait_ready)
            held = await self._held()
            self._told_at = time.monotonic()
            code = await asyncio.to_thread(first.end, signal.SIGTERM, 300)
            seconds = time.monotonic() - self._told_at
            await calling
        repeated = await asyncio.to_thread(self._provider.repeated)
        return Drained(
            held=held,
            seconds=seconds,
            code=code,
            answers=self._answers,
            wrong=self._wrong,
            attempts_used=self._attempts,
            repeated=len(repeated.prompts),
            repeated_with_one_key=repeated.with_one_key,
            most_calls=repeated.most,
            last_end=self._ended_at - self._told_at,
        )

    async def _wait_held(self, calling: "asyncio.Future[Any]") -> None:
        """Wait until all runs wait for the provider. Raises what a caller does."""
        while await self._held() < self._trial.executions:
            if calling.done():
                calling.result()
            await asyncio.sleep(0.1)

    async def _held(self) -> int:
        return await asyncio.to_thread(lambda: self._provider.running)

    async def _call(self, session: aiohttp.ClientSession, slug: str, number: int) -> None:
        """Run once as a caller who waits, or as one who asks again."""
        trial, waits = self._trial, number % 2 == 0
        is_short = number // 2 % 2 == 0
        delay = 1000 * (trial.short_seconds if is_short else trial.long_seconds)
        inputs = {"who": f"run {number} [[stub delay={delay:.0f}]]"}
        path = f"/api/workflows/{slug}/run" + ("" if waits else "?async=true")
        if waits:
            status, answer = await self._post(session, path, inputs)
            execution_id = answer["executionId"]
        else:
            async with self._turns:
                status, answer = await self._post(session, path, inputs)
            execution_id = answer["executionId"]
        self._answers[f"{'waiting' if waits else 'async'} {status}"] += 1
        run = await self._end(session, execution_id)
        self._ended_at = max(self._ended_at, time.monotonic())
        self._attempts += sum(max(0, node["attempts"] - 1) for node in run["nodes"])
        result = answer["result"] if status == 200 else run["result"]
        if run["status"] != "completed" or result != {"text": f"(stub) run {number}"}:
            self._wrong.append(f"{number}: {run['status']} {run['error']} {result}")

    async def _post(self, session: aiohttp.ClientSession, path: str, inputs: Any) -> Any:
        async with session.post(path, json={"inputs": inputs}) as response:
            answer = await response.json()
            assert response.status in (200, 202), answer
            return response.status, answer

    async def _end(self, session: aiohttp.ClientSession, execution_id: str) -> Any:
        while True:
            async with self._turns, session.get(f"/api/executions/{execution_id}") as response:
                run = await response.json()
            if run.get("completedAt"):
                return run
            await asyncio.sleep(2.0)
