"""Reads of the workers' variables."""

import asyncio

import pytest

from engine.store import Store
from gateway.admission import worker_variables
from gateway.admission.worker_variables import VariablesReader
from tests.support.eventually import eventually


@pytest.mark.parametrize(("seconds", "reads"), [(3_600.0, 1), (0.0, 20)])
async def test_what_was_read_of_late_is_not_read_again(
    store: Store,
    monitored: bytearray,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    reads: int,
) -> None:
    monkeypatch.setattr(worker_variables, "FRESH_SECONDS", seconds)
    await store.leases.variables()
    await store.client.send("PING", "before")
    reader = VariablesReader(store)

    await asyncio.gather(*(reader.read(names_variables=True) for _ in range(20)))
    await store.client.send("PING", "after")

    async def sent() -> bytes:
        return bytes(monitored)

    text = await eventually(sent, lambda observed: b'"after"' in observed)
    assert text.split(b'"before"')[1].count(b"hr:worker_variables") == reads
