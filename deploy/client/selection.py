"""Choice of the server for a command: the one that is named, the local one, or this process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from deploy.client.api import Api
from deploy.client.callers import WorkflowCaller
from deploy.client.server_access import Access
from deploy.client.servers import HttpServer
from deploy.client.workflows import AccountWorkflows
from deploy.net.http_client import Unreachable, call
from deploy.stack.location import find_stack

T = TypeVar("T")


@asynccontextmanager
async def open_api(access: Access) -> AsyncIterator[Api]:
    """Yield the API that HEADRACE_URL names, else that of the local stack.

    Where no gateway answers, and for a named account, this process answers from the stack's Redis.
    """
    remote = access.remote_api()
    if remote is not None:
        yield remote
        return
    stack, key = find_stack(access.data_dir), access.local_key()
    if key is not None and stack.url is not None and await _is_up(stack.url):
        yield Api(HttpServer(stack.url), key)
        return
    from deploy.client.in_process import open_in_process  # imports the gateway, which takes long

    async with open_in_process(stack, access.account_id) as server:
        yield Api(server, key)


def _with_api(access: Access, work: Callable[[Api], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_api(access) as api:
            return await work(api)

    return asyncio.run(run())


def with_caller(access: Access, work: Callable[[WorkflowCaller], Awaitable[T]]) -> T:
    """Do the work with the runs and executions of the command's account; return its result."""
    return _with_api(access, lambda api: work(WorkflowCaller(api)))


def with_workflows(access: Access, work: Callable[[AccountWorkflows], Awaitable[T]]) -> T:
    """Do the work on the workflows of the command's account; return its result."""
    return _with_api(access, lambda api: work(AccountWorkflows(api)))


async def _is_up(url: str) -> bool:
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{url}/healthz", timeout=2)
    except Unreachable:
        return False
    return status < 500
