"""How the nodes of an execution are called, wherever they are shown."""

from collections.abc import Sequence
from typing import Protocol

from engine.errors import NotFound
from engine.graph.plan import NodeName
from engine.store import Store


class NamedVersion(Protocol):
    """The version of a workflow that an execution began with, and its models."""

    @property
    def workflow_slug(self) -> str:
        """Empty for the run of a model."""
        ...

    @property
    def workflow_version(self) -> int:
        """As it was saved."""
        ...

    @property
    def model_ids(self) -> Sequence[str]:
        """Internal names."""
        ...


async def node_names(store: Store, account_id: str, of: NamedVersion) -> Sequence[NodeName]:
    """The names by index; none when the workflow is gone, and with it how its nodes were called."""
    slug, version = of.workflow_slug, of.workflow_version
    try:
        return await store.workflows.node_names(account_id, slug, version, of.model_ids)
    except NotFound:
        return ()
