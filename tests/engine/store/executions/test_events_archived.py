"""Events of executions that Redis forgets: a reader sees all of them, or none yet."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS, Script
from tests.support.history.archived import History, opened
from tests.support.store.records import save
from tests.support.store.watched_runs import CHANNEL, Run


@pytest.fixture
async def history(settings: Settings, database: Database) -> AsyncIterator[History]:
    async with opened(settings, database) as history:
        yield history


@pytest.mark.parametrize("watcher", [None, CHANNEL], ids=["unwatched", "watched"])
async def test_entries_of_an_execution_that_is_forgotten_while_they_are_read_are_whole(
    history: History,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    watcher: str | None,
) -> None:
    run = Run(history.store, account, await save(history.store, account))
    await run.accept(watcher)
    await run.claim()
    await run.end()
    expected = await run.read()
    call, moved = Client.call, False

    async def call_and_move(client: Client, script: Script, **names: Any) -> Any:
        nonlocal moved
        reply = await call(client, script, **names)
        if script is SCRIPTS["watch_execution"] and not moved:
            moved = True
            await history.move(run.reference)
        return reply

    monkeypatch.setattr(Client, "call", call_and_move)

    assert await run.read() == expected
    assert moved
    assert await run.read() == expected
