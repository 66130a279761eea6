"""Names of an execution's nodes."""

from collections.abc import Sequence
from typing import Protocol

from engine.errors import NotFound
from engine.graph.plan import NodeName
from engine.services.runs.recorded_plans import read_child_names
from engine.store import Store


class NamedVersion(Protocol):
    """Version of a workflow that an execution began with, and its models."""

    @property
    def workflow_slug(self) -> str:
        """Slug of the workflow; empty for the run of a model."""
        ...

    @property
    def workflow_version(self) -> int:
        """Saved version of the workflow; 0 for a draft."""
        ...

    @property
    def is_child(self) -> bool:
        """Whether a node of another execution began it."""
        ...

    @property
    def model_ids(self) -> Sequence[str]:
        """Internal names of the models."""
        ...


async def node_names(
    store: Store, account_id: str, execution_id: str, of: NamedVersion
) -> Sequence[NodeName]:
    """Return the names by index; none when the workflow was deleted."""
    slug, version = of.workflow_slug, of.workflow_version
    if of.is_child:
        names = await read_child_names(store, account_id, execution_id)
        if names is not None:
            return names
    # Without a workflow and a model it ran a graph of ours, which stands on its record.
    if not version and (slug or not of.model_ids):
        return await store.executions.node_names(account_id, execution_id)
    try:
        return await store.workflows.node_names(account_id, slug, version, of.model_ids)
    except NotFound:
        return ()
