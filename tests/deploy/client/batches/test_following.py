"""Counts that are shown of a batch."""

from typing import Any, cast

import pytest

from deploy.client.batches.caller import BatchCaller
from deploy.client.batches.following import counts_text, follow_batch
from deploy.net.http_client import Unreachable
from deploy.output.problems import ApiRefused

NONE = {"queued": 0, "processing": 0, "completed": 0, "failed": 0, "cancelled": 0}


def batch(status: str = "processing", **counts: int) -> dict[str, Any]:
    return {"batchId": "b-1", "status": status, "counts": NONE | counts}


class Answers:
    """Answers reads of a batch in turn."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.left = list(answers)

    async def batch(self, batch_id: str) -> dict[str, Any]:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def follow(*answers: dict[str, Any] | Exception, shows: bool = True) -> dict[str, Any]:
    return await follow_batch(cast(BatchCaller, Answers(*answers)), "b-1", shows=shows)


def test_statuses_without_items_are_left_out() -> None:
    assert counts_text(batch(queued=2, failed=1)) == "2 queued, 1 failed"


async def test_counts_are_shown_when_they_change(capsys: pytest.CaptureFixture[str]) -> None:
    last = batch("completed", completed=2)

    found = await follow(batch(queued=2), batch(queued=2), batch(queued=1, completed=1), last)

    assert found == last
    shown = capsys.readouterr().err.splitlines()
    assert shown == ["2 queued", "1 queued, 1 completed", "2 completed"]


async def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    await follow(batch(queued=1), batch("cancelled", cancelled=1), shows=False)

    assert capsys.readouterr().err == ""


async def test_a_server_that_restarts_is_waited_for_and_a_refusal_is_not() -> None:
    last = batch("completed", completed=1)

    assert await follow(Unreachable("away"), ApiRefused(503, {}), last) == last
    with pytest.raises(ApiRefused):
        await follow(ApiRefused(404, {}), last)
