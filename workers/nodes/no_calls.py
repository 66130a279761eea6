"""Fetcher of nodes in a replay, where nobody may be called."""

from engine.errors.nodes import REPLAY_UNMATCHED, NodeFailed
from engine.nodes.support.base import HttpAnswer, HttpCall
from workers.providers.base import Fetcher

REFUSED = "The node would make a call that the earlier run has not recorded"


class NoCalls(Fetcher):
    """Refuses all calls."""

    async def fetch(self, call: HttpCall) -> HttpAnswer:
        raise NodeFailed(REPLAY_UNMATCHED, REFUSED)
