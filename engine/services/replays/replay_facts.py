"""Facts of a replay that all its items share: the draft or version, and the kind of calls."""

from collections.abc import Mapping
from typing import Any, Self

from msgspec import Struct

from engine.errors import WorkflowNotFound
from engine.executions.replays import ReplayCalls
from engine.graph.document import RecordValues
from engine.graph.draft_graph import DraftGraph
from engine.releases.aliases import DRAFT
from engine.services.replays.replay_runs import ReplayedDraft
from engine.store import Store

EXECUTION = "execution"
"""Member of an item of a replay: the id of the earlier execution."""
AGAINST, CALLS, GRAPH, VALUES = "against", "calls", "draft", "values"
"""Fields of the record of a replay; `draft` is the packed graph, or the name of its object."""


class ReplayFacts(Struct, frozen=True, kw_only=True):
    """Facts of a replay on record."""

    against: str
    """`draft`, or the number of the version."""
    calls: ReplayCalls

    @classmethod
    async def read(cls, store: Store, account_id: str, replay_id: str) -> Self:
        """Return the facts of a replay. Raises Unavailable."""
        found = await store.lists.facts(account_id, replay_id, AGAINST, CALLS)
        return cls(
            against=found.get(AGAINST, b"").decode(),
            calls=ReplayCalls(found.get(CALLS, ReplayCalls.RECORDED.encode()).decode()),
        )

    @property
    def is_of_draft(self) -> bool:
        """Whether the replay is of the draft as it was when the replay began."""
        return self.against == DRAFT

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the record."""
        return {AGAINST: self.against, CALLS: self.calls.value}


async def read_draft(store: Store, account_id: str, replay_id: str) -> ReplayedDraft:
    """Return the draft of a replay. Raises WorkflowNotFound once it is gone, and StorageFailed."""
    try:
        graph = await store.lists.value(account_id, replay_id, GRAPH)
    except FileNotFoundError:
        graph = None
    if graph is None:
        raise WorkflowNotFound
    found = await store.lists.facts(account_id, replay_id, VALUES)
    policy = found.get(VALUES, RecordValues.ALL.encode()).decode()
    return ReplayedDraft(graph=DraftGraph.of(graph), record_values=RecordValues(policy))
