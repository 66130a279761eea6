"""Executions that a test moves by hand."""

import pytest

from engine import keyspace
from engine.graph import Plan
from engine.store import Account, Store, Workflow
from tests.engine.store.factories import accept, save
from tests.engine.store.watched_runs import Run

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
