"""Kinds of lists of runs that a worker feeds beside batches."""

from engine.services.media import MediaService
from engine.services.runs.listed_runs import ListKinds
from engine.settings import Settings
from engine.store import Store


def make_list_kinds(store: Store, settings: Settings, media_service: MediaService) -> ListKinds:
    """Return all kinds by the kind of their records."""
    return {}
