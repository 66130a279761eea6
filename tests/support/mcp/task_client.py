"""Tasks of the revision 2026-07-28 for the official client, which leaves them to extensions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import anyio
import httpx2
from mcp.client import Client, ClientExtension
from mcp.client.extension import ClaimContext, ResultClaim
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Request, RequestParams, Result
from pydantic import Field

from deploy.client.mcp.answering_transport import AnsweringTransport

MODERN = "2026-07-28"
TASKS = "io.modelcontextprotocol/tasks"


class TaskParams(RequestParams):
    """Parameters of a request about a task."""

    task_id: str = Field(alias="taskId")


class GetTask(Request[TaskParams, Literal["tasks/get"]]):
    """Request of the state of a task."""

    method: Literal["tasks/get"] = "tasks/get"
    name_param = "taskId"


class CancelTask(Request[TaskParams, Literal["tasks/cancel"]]):
    """Request to stop a task."""

    method: Literal["tasks/cancel"] = "tasks/cancel"
    name_param = "taskId"


class Task(Result):
    """A task, as a call begins it."""

    result_type: Literal["task"] = Field(default="task", alias="resultType")
    task_id: str = Field(alias="taskId")
    status: str
    created_at: str = Field(alias="createdAt")
    last_updated_at: str = Field(alias="lastUpdatedAt")
    ttl_ms: int | None = Field(alias="ttlMs")
    poll_interval_ms: int | None = Field(default=None, alias="pollIntervalMs")
    status_message: str | None = Field(default=None, alias="statusMessage")


class TaskState(Task):
    """The state of a task, with its result at its end."""

    result_type: Literal["complete"] = Field(alias="resultType")  # type: ignore[assignment]
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class TaskEnded(Exception):
    """The task ended without a result."""


class Tasks(ClientExtension):
    """Waits for the results of tasks."""

    identifier = TASKS

    def __init__(self) -> None:
        self.seen: list[str] = []
        """Ids of the tasks that calls began."""

    def claims(self) -> Sequence[ResultClaim[Any]]:
        """Take the results of calls that are tasks."""
        return (ResultClaim(result_type="task", model=Task, resolve=self._wait),)

    async def _wait(self, task: Task, context: ClaimContext) -> CallToolResult:
        self.seen.append(task.task_id)
        return await result_of(context.session, task)


async def get_task(session: ClientSession, task_id: str) -> TaskState:
    """Return the state of a task."""
    return await session.send_request(GetTask(params=TaskParams(taskId=task_id)), TaskState)


async def cancel_task(session: ClientSession, task_id: str) -> Result:
    """Ask for a task to stop."""
    return await session.send_request(CancelTask(params=TaskParams(taskId=task_id)), Result)


async def result_of(session: ClientSession, task: Task) -> CallToolResult:
    """Poll a task until its end and return its result."""
    while task.status == "working":
        await anyio.sleep((task.poll_interval_ms or 1_000) / 1_000)
        task = await get_task(session, task.task_id)
    if not isinstance(task, TaskState) or task.result is None:
        raise TaskEnded(task.status)
    return CallToolResult.model_validate(task.result)


@asynccontextmanager
async def task_client(
    url: str, key: str, *extensions: ClientExtension, mode: str = MODERN, **headers: str
) -> AsyncIterator[Client]:
    """Open a client of `/mcp` below the URL; by default it waits for tasks itself."""
    known = {"x-api-key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    # The library's client would end with the first connection that fails; so it is an error.
    answering = AnsweringTransport(httpx2.AsyncHTTPTransport())
    async with httpx2.AsyncClient(headers=known, timeout=60, transport=answering) as http_client:
        transport = streamable_http_client(f"{url}/mcp", http_client=http_client)
        async with Client(transport, mode=mode, extensions=extensions or (Tasks(),)) as client:
            yield client
