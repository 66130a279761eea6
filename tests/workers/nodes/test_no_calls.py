"""The fetcher of nodes in a replay."""

import pytest

from engine.errors.nodes import NodeFailed
from engine.nodes.support.base import HttpCall
from workers.nodes.no_calls import NoCalls


async def test_it_refuses_every_call() -> None:
    with pytest.raises(NodeFailed) as refused:
        await NoCalls().fetch(HttpCall(method="GET", url="https://example.com/"))

    assert refused.value.code == "replay_unmatched"
    assert not refused.value.retryable
