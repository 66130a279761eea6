"""A run that is interrupted before the server has answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy import running
from deploy.client.access import Access
from deploy.running import Order, run_order


class SlowToStart:
    """A caller whose server takes its time to answer."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def start(self, slug: str, inputs: Any) -> dict[str, Any]:
        self.is_asked.set()
        await self.may_answer.wait()
        return {"executionId": "e-1"}


async def test_an_interruption_waits_for_the_id_of_what_was_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = SlowToStart()

    @asynccontextmanager
    async def open_runner(access: Access) -> AsyncIterator[SlowToStart]:
        yield caller

    monkeypatch.setattr(running, "open_runner", open_runner)
    order = Order(slug="story", inputs=(), in_background=False, watch=False, as_json=False)
    run = asyncio.create_task(run_order(order, Access(data_dir=Path())))
    await caller.is_asked.wait()

    run.cancel()
    await asyncio.sleep(0)
    caller.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert "Interrupted; the execution e-1 goes on." in capsys.readouterr().err
