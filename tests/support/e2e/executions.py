"""Executions in tests of the pages."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from playwright.sync_api import Locator, Page

from deploy.stack.store_access import with_store
from engine.store import Store
from engine.store.archive.ended_executions import EndedExecutions
from engine.store.redis import keyspace
from tests.support.acceptance.running_stack import RunningStack, until


def run(stack: RunningStack, slug: str, key: str = "") -> str:
    """Begin a run, and return the id of its execution."""
    options = {"key": key} if key else {}
    path = f"/api/workflows/{slug}/run?async=true"
    _, answer = stack.api("POST", path, {"inputs": {"name": "Grace"}}, **options)
    return str(answer["executionId"])


def ended(stack: RunningStack, execution_id: str) -> dict[str, Any]:
    """Wait for the end of an execution, and return it."""
    path = f"/api/executions/{execution_id}"
    return until(lambda: stack.api("GET", path)[1], lambda found: found["completedAt"] is not None)


def panel(page: Page, node: str) -> Locator:
    """Return the values of a node."""
    return page.get_by_role("region", name=f"Node {node}")


def leave_to_the_history(stack: RunningStack, account_id: str, execution_id: str) -> None:
    """Wait until an ended execution is archived, and let Redis forget it."""
    reference = keyspace.reference(account_id, execution_id)

    async def forget(store: Store) -> None:
        executions = EndedExecutions(store.client)
        while reference in await executions.unarchived(1_000):
            await asyncio.sleep(0.1)
        facts = await executions.last_facts([reference])
        later = await store.leases.now() + 60_000
        assert await executions.forget(reference, later, facts[reference].retry)

    # The thread of the test has the event loop of the browser.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(with_store, stack.data_dir, forget).result()
