"""A run that is interrupted before the server has answered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.client import workflow_run
from deploy.client.server_access import Access
from deploy.client.workflow_run import RunOptions, run_workflow


class SlowToStart:
    """A caller whose server answers slowly."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def start(self, slug: str, inputs: Any, tags: Any) -> dict[str, Any]:
        self.is_asked.set()
        await self.may_answer.wait()
        return {"executionId": "e-1"}


async def test_an_interruption_waits_for_the_id_of_what_was_begun(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = SlowToStart()

    @asynccontextmanager
    async def open_api(access: Access) -> AsyncIterator[None]:
        yield None

    monkeypatch.setattr(workflow_run, "open_api", open_api)
    monkeypatch.setattr(workflow_run, "WorkflowCaller", lambda api: caller)
    order = RunOptions(slug="story", inputs=(), in_background=False, watch=False, as_json=False)
    run = asyncio.create_task(run_workflow(order, Access(data_dir=Path())))
    await caller.is_asked.wait()

    run.cancel()
    await asyncio.sleep(0)
    caller.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await run

    assert "Interrupted; the execution e-1 goes on." in capsys.readouterr().err
