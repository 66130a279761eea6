"""Acceptance of runs of public workflows of other accounts."""

import contextlib
from collections.abc import Iterator

from engine.errors import (
    EngineError,
    GrantExhausted,
    ModelNotFound,
    ModelTierRequired,
    WorkflowNotFound,
)
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from engine.store.workflows.records import Workflow


async def begin_public_run(client: Client, workflow: Workflow) -> bool:
    """Keep the version for a run by another account, which is accepted next.

    False: another version is live. Raises WorkflowNotFound.
    """
    key = keyspace.workflow(workflow.account_id, workflow.slug)
    reply: bytes = await client.call(
        SCRIPTS["begin_public_run"], workflow=key, version=workflow.version
    )
    if reply == b"gone":
        raise WorkflowNotFound
    return reply == b"ok"


async def count_public_run(client: Client, workflow: Workflow) -> None:
    """Count an accepted run by another account for the owner, as well as Redis lets it."""
    key = keyspace.workflow(workflow.account_id, workflow.slug)
    with contextlib.suppress(EngineError):
        await client.call(SCRIPTS["count_public_run"], workflow=key)


@contextlib.contextmanager
def hidden_models() -> Iterator[None]:
    """Replace errors that name a model by errors that name the workflow.

    Raises WorkflowNotFound for a workflow that cannot run.
    """
    try:
        yield
    except ModelNotFound:
        raise WorkflowNotFound from None
    except ModelTierRequired as error:
        context = error.context
        raise ModelTierRequired(None, context["required"], context["tier"]) from None
    except GrantExhausted:
        raise GrantExhausted(None) from None
