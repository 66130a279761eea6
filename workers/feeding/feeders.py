"""Feeders of one worker."""

import asyncio

from msgspec import Struct

from engine.services.expressions import Expressions
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.child_plans import ChildPlans
from engine.services.runs.children import ChildAcceptance
from engine.services.runs.pure_children import WalkPure, walk_none
from engine.services.triggers.scheduled_runs import ScheduledRuns
from engine.settings import Settings
from engine.store import Store
from workers.feeding.batch_feeder import BatchFeeder
from workers.feeding.children_feeder import ChildrenFeeder
from workers.feeding.list_kinds import make_list_kinds
from workers.feeding.schedule_feeder import ScheduleFeeder


class Feeders(Struct, frozen=True):
    """Feeders of batches, of groups of children and of schedules."""

    batches: BatchFeeder
    children: ChildrenFeeder
    schedules: ScheduleFeeder
    expressions: Expressions
    """Processes that evaluate expressions of tests."""

    async def stop(self) -> None:
        """Begin nothing more, and wait for what is on its way."""
        feeders = self.batches, self.children, self.schedules
        await asyncio.gather(*(each.stop() for each in feeders))
        await self.expressions.close()


def make_feeders(
    store: Store, settings: Settings, media_service: MediaService, walk: WalkPure = walk_none
) -> Feeders:
    """Return the feeders of a worker; `walk` walks children of pure nodes as they begin."""
    allow_http = settings.allow_private_urls
    runs = Acceptance(store=store, media_service=media_service, allow_http=allow_http)
    children = ChildAcceptance(
        store,
        media_service,
        ChildPlans(store),
        allow_http=allow_http,
        max_run_bytes=settings.max_run_bytes,
        walk=walk,
    )
    expressions = Expressions()
    list_kinds = make_list_kinds(store, settings, media_service, expressions)
    return Feeders(
        batches=BatchFeeder(store, runs, list_kinds),
        children=ChildrenFeeder(store, children),
        schedules=ScheduleFeeder(ScheduledRuns(store=store, acceptance=runs)),
        expressions=expressions,
    )
