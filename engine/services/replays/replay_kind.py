"""Replays as lists of runs: each item runs the recorded inputs of an earlier execution."""

from engine.executions.sources import Source
from engine.process.lru_cache import LruCache
from engine.services.media import MediaService
from engine.services.replays.replay_facts import EXECUTION, GRAPH, ReplayFacts, read_draft
from engine.services.replays.replay_runs import ReplayedDraft, ReplayRun
from engine.services.replays.rows import ReplayRows
from engine.services.runs.listed_runs import ListedRun
from engine.store import Batch, NewItem, Store
from engine.store.batches.feeding import FedBatch

DRAFTS_KEPT = 16
"""Drafts of replays that a worker keeps: all items of a replay begin with one."""


class ReplayKind:
    """Begins the items of replays, and compares them once all are over."""

    source = Source.REPLAY

    def __init__(self, store: Store, media_service: MediaService, *, allow_http: bool) -> None:
        """`allow_http`: media in inputs may have plain `http` URLs."""
        self._store = store
        self._media_service = media_service
        self._allow_http = allow_http
        self._drafts: LruCache[str, ReplayedDraft] = LruCache(DRAFTS_KEPT)

    async def prepare(
        self, account_id: str, batch: FedBatch, index: int, item: NewItem
    ) -> ListedRun:
        """See `ListKind.prepare`. Raises WorkflowNotFound for a draft that is gone."""
        facts = await ReplayFacts.read(self._store, account_id, batch.id)
        draft = await self._draft(account_id, batch.id) if facts.is_of_draft else None
        target = ReplayRun(
            store=self._store,
            media_service=self._media_service,
            allow_http=self._allow_http,
            slug=batch.slug,
            execution_id=item.inputs[EXECUTION],
            against=batch.version if draft is None else draft,
            calls=facts.calls,
        )
        return ListedRun(target, {})

    async def _draft(self, account_id: str, replay_id: str) -> ReplayedDraft:
        draft = self._drafts.get(replay_id)
        if draft is None:
            draft = await read_draft(self._store, account_id, replay_id)
            self._drafts.put(replay_id, draft)
        return draft

    async def settle(self, batch: Batch) -> None:
        """Compare all items, and drop the draft, which no item needs any more."""
        await ReplayRows(self._store, self._media_service, batch).complete()
        await self._store.lists.drop(batch.account_id, batch.id, GRAPH)
