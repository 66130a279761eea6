"""Facts of the store's state, as the page of metrics shows them."""

from engine.services.metrics import facts
from engine.store import Store


async def test_an_idle_store_has_facts_that_are_0(store: Store) -> None:
    found = {name: rows[0][2] for name, _, _, rows in await facts.read(store)}

    assert found[facts.REDIS_UP.name] == 1
    for fact in (facts.HINTS_WAITING, facts.OLDEST_HINT, facts.EXECUTIONS_DUE):
        assert found[fact.name] == 0
