"""Executions that a test moves step by step."""

import pytest

from engine.graph.plan import Plan
from engine.store import Account, Store, Workflow
from engine.store.redis import keyspace
from tests.support.store.records import accept, save
from tests.support.store.watched_runs import Run

Saved = tuple[Workflow, Plan]


@pytest.fixture
async def run(store: Store, account: Account) -> Run:
    return Run(store, account, await save(store, account))


@pytest.fixture
async def saved(store: Store, account: Account) -> Saved:
    return await save(store, account)


@pytest.fixture
async def reference(store: Store, account: Account, saved: Saved) -> str:
    accepted = await accept(store, account, *saved)
    return keyspace.reference(account.id, accepted.id)
