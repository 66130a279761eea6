"""Calls of tools by the names that their clients know."""

from dataclasses import replace

from engine.store import Store
from engine.store.accounts.tool_calls import ToolCallName

NAME = ToolCallName(account_id="acc_1", key_id="key_1", session="s", request_id="1")


async def test_a_call_is_found_by_its_whole_name_until_it_is_forgotten(store: Store) -> None:
    await store.tool_calls.note(NAME, "e1", seconds=60)

    assert await store.tool_calls.find(NAME) == "e1"
    for other in (
        replace(NAME, account_id="acc_2"),
        replace(NAME, key_id="key_2"),
        replace(NAME, session="t"),
        replace(NAME, request_id='"1"'),
    ):
        assert await store.tool_calls.find(other) is None
    await store.tool_calls.forget(NAME)
    assert await store.tool_calls.find(NAME) is None


async def test_a_call_is_forgotten_after_its_time(store: Store) -> None:
    await store.tool_calls.note(NAME, "e1", seconds=60)

    left = await store.client.send("PTTL", NAME.redis_key)

    assert 0 < left <= 60_000
