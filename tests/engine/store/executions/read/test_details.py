"""Details of an execution beside its row."""

import pytest

from engine.errors import ExecutionNotFound
from engine.store import Account, Store
from engine.store.executions.read.details import MAX_INPUTS_BYTES
from tests.support.factories import Runner, greeting


async def test_an_execution_says_what_it_was_called_with(runner: Runner) -> None:
    slug = await runner.save(greeting())
    execution_id = await runner.begin(slug, {"who": "Ada"}, key_id="key_1", request_id="req-1")

    details = await runner.store.executions.details(runner.account.id, execution_id)

    assert (details.inputs, details.key_id, details.request_id) == (
        {"who": "Ada"},
        "key_1",
        "req-1",
    )
    assert details.delivery_id == ""


async def test_a_run_of_a_session_has_no_key(runner: Runner) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "Ada"}, key_id="")

    details = await runner.store.executions.details(runner.account.id, execution_id)

    assert (details.key_id, details.request_id) == ("", "")


@pytest.mark.parametrize("size", [MAX_INPUTS_BYTES, 300_000], ids=["on record", "offloaded"])
async def test_large_inputs_are_measured_and_not_read(runner: Runner, size: int) -> None:
    execution_id = await runner.begin(await runner.save(greeting()), {"who": "x" * size})

    details = await runner.store.executions.details(runner.account.id, execution_id)

    assert details.inputs is None
    assert size < details.inputs_bytes < size + 20


async def test_the_delivery_of_the_end_is_named_once_it_is_there(runner: Runner) -> None:
    store, account_id = runner.store, runner.account.id
    execution_id = await runner.begin(
        await runner.save(greeting()), {"who": "Ada"}, webhook_url="https://example.com/"
    )
    before = await store.executions.details(account_id, execution_id)

    await store.executions.cancel(account_id, execution_id)

    after = await store.executions.details(account_id, execution_id)
    assert (before.delivery_id, after.delivery_id) == ("", execution_id)


async def test_an_unknown_execution_has_no_details(store: Store, account: Account) -> None:
    with pytest.raises(ExecutionNotFound):
        await store.executions.details(account.id, "unknown")
