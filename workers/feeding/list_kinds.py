"""Kinds of lists of runs that a worker feeds beside batches."""

from engine.executions.batches import BatchKind
from engine.services.expressions import Expressions
from engine.services.media import MediaService
from engine.services.replays.replay_kind import ReplayKind
from engine.services.runs.listed_runs import ListKinds
from engine.services.workflow_tests.run_kind import WorkflowTestKind
from engine.settings import Settings
from engine.store import Store


def make_list_kinds(
    store: Store, settings: Settings, media_service: MediaService, expressions: Expressions
) -> ListKinds:
    """Return all kinds by the kind of their records."""
    allow_http = settings.allow_private_urls
    return {
        BatchKind.TESTS: WorkflowTestKind(store, media_service, expressions, allow_http),
        BatchKind.REPLAY: ReplayKind(store, media_service, allow_http=allow_http),
    }
