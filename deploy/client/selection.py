"""Choice between the API over HTTP and the store of the local stack, for a command."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from deploy.client.api import Api
from deploy.client.callers import HttpCaller, WorkflowCaller
from deploy.client.server_access import Access
from deploy.client.workflows import HttpWorkflows, WorkflowSource
from deploy.http_client import Unreachable, call
from deploy.stack.location import Stack, find_stack

T = TypeVar("T")


@asynccontextmanager
async def open_runner(access: Access) -> AsyncIterator[WorkflowCaller]:
    """Yield a caller that runs workflows.

    It is the API that HEADRACE_URL names, else that of the local stack if it answers and there is a
    key, else the store.
    """
    remote = access.remote_api()
    if remote is not None:
        yield HttpCaller(remote)
        return
    stack, key = find_stack(access.data_dir), access.local_key()
    if key is not None and stack.url is not None and await _is_up(stack):
        yield HttpCaller(Api(stack.url, key))
        return
    from deploy.client.store_caller import open_store_caller

    async with open_store_caller(stack, key=key, account_id=access.account_id) as caller:
        yield caller


@asynccontextmanager
async def open_reader(access: Access) -> AsyncIterator[WorkflowCaller]:
    """Yield a caller that reads and cancels executions, over HTTP or in an account's store."""
    api = access.api()
    if api is not None:
        yield HttpCaller(api)
        return
    from deploy.client.store_caller import open_store_caller

    stack = find_stack(access.data_dir)
    async with open_store_caller(stack, key=None, account_id=access.account_id) as caller:
        yield caller


def with_reader(access: Access, work: Callable[[WorkflowCaller], Awaitable[T]]) -> T:
    """Run the work with a caller that reads and cancels; return its result."""

    async def run() -> T:
        async with open_reader(access) as caller:
            return await work(caller)

    return asyncio.run(run())


def with_workflows(access: Access, work: Callable[[WorkflowSource], Awaitable[T]]) -> T:
    """Run the work on an account's workflows: over HTTP, or in the store for `--account`."""

    async def run() -> T:
        api = access.api()
        if api is not None:
            return await work(HttpWorkflows(api))
        from deploy.client.documents import StoreWorkflows
        from deploy.stack.store_access import open_store
        from engine.services.workflows.graph_checks import GraphChecker
        from engine.settings import load

        stack, allow_private = find_stack(access.data_dir), load().allow_private_urls
        async with (
            open_store(stack.redis_url, stack.settings) as store,
            GraphChecker.open(allow_private=allow_private) as checker,
        ):
            account = await store.accounts.get(access.account_id or "")
            return await work(StoreWorkflows(store, account.id, checker))

    return asyncio.run(run())


async def _is_up(stack: Stack) -> bool:
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{stack.url}/healthz", timeout=2)
    except Unreachable:
        return False
    return status < 500
