"""Trial: tasks over two gateways and three workers, while both are killed and started again.

`python -m tests.support.mcp.task_trial FOLDER [--tasks N] [--kills N]` prints what it saw.
"""

import argparse
import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Result
from mcp_types.jsonrpc import CONNECTION_CLOSED, INTERNAL_ERROR

from deploy.net.http_client import call
from tests.support.drains.fleet import GATEWAY, WORKER, Fleet, Member, running_fleet
from tests.support.factories import Graph
from tests.support.http.scripted_server import Target, serving
from tests.support.mcp.task_client import (
    Task,
    TaskState,
    cancel_task,
    get_task,
    task_client,
)

T = TypeVar("T")

GATEWAYS, WORKERS = 2, 3
LEASE = "2"
AHEAD = 1
"""Kills for which tasks do not wait."""
CANCELS_EVERY = 20
SLOW_SECONDS = 0.25
"""Time of a call, so short that hardly one meets three kills of its worker, which would fail it."""
PATIENCE_SECONDS = 120.0
KILLED = frozenset({CONNECTION_CLOSED, INTERNAL_ERROR})
"""Codes of calls that met a killed gateway; a task that is not found has another one."""


@dataclass(kw_only=True)
class TaskFigures:
    """Outcome of a trial."""

    tasks: int
    kills: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    """Requests that met a killed gateway and were made again."""
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Tasks with another result than theirs, as sentences."""
    executions: int = 0
    polls: int = 0
    seconds: float = 0.0
    load: tuple[float, ...] = ()


def call_then_tell() -> Graph:
    """A call of an address, whose answer is the result."""
    graph = Graph("who").node("call", "httpRequest", url="{{ who }}")
    graph.node("text", "textBox", text="{{ answer }}").node("out", "responseOutput")
    graph.wire("in.who > call.who", "call.response-out > text.answer")
    return graph.wire("text.text-out > out.result-in")


class TaskTrial:
    """A caller of two gateways that goes to the other one when one does not answer."""

    def __init__(self, fleet: Fleet, gateways: list[Member], workers: list[Member]) -> None:
        self._fleet = fleet
        self._members = {GATEWAY: gateways, WORKER: workers}
        self._which = random.Random(11)
        self.figures = TaskFigures(tasks=0)
        self.key = fleet.make_key()
        self.slug = fleet.save(self.key, "Call then tell", call_then_tell())

    async def run(self, target: Target, tasks: int, kills: int) -> TaskFigures:
        """Begin the tasks while parts are killed, and poll each to its end."""
        began = time.monotonic()
        self.figures.tasks = tasks
        killing = asyncio.gather(*(self._kill(kind, kills // 2) for kind in self._members))
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(tasks):
                    await self._await_kills(number * kills // tasks - AHEAD)
                    group.create_task(self._follow(number, target))
        finally:
            await killing  # a part that is being started belongs to the fleet before it ends
        self.figures.executions = await self._count()
        self.figures.seconds = time.monotonic() - began
        self.figures.load = os.getloadavg()
        return self.figures

    async def _await_kills(self, number: int) -> None:
        """Wait for so many kills, so that tasks are spread over all of them."""
        while self.figures.kills.total() < number:
            await asyncio.sleep(0.02)

    async def _follow(self, number: int, target: Target) -> None:
        address = f"{target.url}/slow/{SLOW_SECONDS}?n={number}"
        task = await self._begin(number, address)
        is_cancelled = number % CANCELS_EVERY == CANCELS_EVERY - 1
        if is_cancelled:
            await self._by_any(lambda session: cancel_task(session, task.task_id))
        state = await self._await_end(task)
        self.figures.statuses[state.status] += 1
        if (reason := _fault(state, task, number, is_cancelled=is_cancelled)) is not None:
            self.figures.wrong.append(f"{number}: {reason}")

    async def _begin(self, number: int, address: str) -> Task:
        async def begin(session: ClientSession) -> Result:
            return await session.call_tool(
                self.slug, {"who": address}, allow_claimed=True, allow_input_required=True
            )

        begun = await self._by_any(begin, idempotency_key=f"task-{number}")
        assert isinstance(begun, Task), begun
        return begun

    async def _await_end(self, task: Task) -> TaskState:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            state = await self._by_any(lambda session: get_task(session, task.task_id))
            self.figures.polls += 1
            if state.status != "working":
                return state
            assert time.monotonic() < deadline, state
            await asyncio.sleep((state.poll_interval_ms or 1_000) / 1_000)

    async def _by_any(self, request: Callable[[ClientSession], Awaitable[T]], **headers: str) -> T:
        """Make a request of some gateway, and of the next one where that one was killed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            gateway = self._which.choice(self._members[GATEWAY])
            async with task_client(gateway.url, self.key, **headers) as client:
                try:  # an error that leaves the client would be one of a group
                    return await request(client.session)
                except MCPError as error:
                    failure = error
            if failure.code not in KILLED or time.monotonic() > deadline:
                raise failure
            self.figures.repeated += 1
            await asyncio.sleep(0.1)

    async def _kill(self, kind: str, kills: int) -> None:
        """Kill members of one kind in turn, each once the one before it has been replaced."""
        members = self._members[kind]
        for _ in range(kills):
            await asyncio.sleep(self._which.uniform(0.5, 1.3))
            index = self._which.randrange(len(members))
            await asyncio.to_thread(members[index].end, signal.SIGKILL)
            self.figures.kills[kind] += 1
            port = members[index].port
            members[index] = await asyncio.to_thread(self._fleet.start, kind, port=port)
            await asyncio.to_thread(members[index].wait_ready)

    async def _count(self) -> int:
        """Return the number of executions of the account, which should be that of tasks."""
        count, cursor = 0, ""
        while True:
            url = f"{self._members[GATEWAY][0].url}/api/executions?limit=100{cursor}"
            status, page = await asyncio.to_thread(call, "GET", url, key=self.key)
            assert status == 200, page
            count += len(page["rows"])
            if page["nextCursor"] is None:
                return count
            cursor = f"&cursor={page['nextCursor']}"


def _fault(state: TaskState, task: Task, number: int, *, is_cancelled: bool) -> str | None:
    if state.task_id != task.task_id:
        return f"asked for {task.task_id}, got {state.task_id}"
    if state.status == "cancelled" and is_cancelled:
        return None
    if state.status != "completed" or state.result is None:
        return f"{state.status}: {state.status_message}"
    result = CallToolResult.model_validate(state.result)
    shown: Any = result.structured_content
    if result.is_error or f'"n":{number},' not in str(shown):
        return f"its result is {state.result}"
    return None


async def run_trial(folder: Path, *, tasks: int, kills: int, workers: int = WORKERS) -> TaskFigures:
    """Run the trial in a folder and return what it saw."""
    environ = {"HEADRACE_LEASE_SECONDS": LEASE}
    async with serving() as target:
        with running_fleet(folder, **environ) as fleet:
            gateways = [fleet.start(GATEWAY) for _ in range(GATEWAYS)]
            walkers = [fleet.start(WORKER) for _ in range(workers)]
            for member in (*gateways, *walkers):
                await asyncio.to_thread(member.wait_ready)
            trial = await asyncio.to_thread(TaskTrial, fleet, gateways, walkers)
            return await trial.run(target, tasks, kills)


def main() -> None:
    """Run the trial and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--kills", type=int, default=24)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    figures = asyncio.run(run_trial(options.folder, tasks=options.tasks, kills=options.kills))
    for each in fields(figures):
        value = getattr(figures, each.name)
        print(f"{each.name}: {dict(value) if isinstance(value, Counter) else value}")


if __name__ == "__main__":
    main()
