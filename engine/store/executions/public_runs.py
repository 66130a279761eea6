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


async def begin_public_run(client: Client, workflow: Workflow, *, is_kept: bool = False) -> bool:
    """Keep the version for a run by another account, which is accepted next.

    `is_kept`: it need not be live, since an earlier call has kept it. False: another version is
    live. Raises WorkflowNotFound.
    """
    ids = workflow.account_id, workflow.slug, workflow.version
    return await keep_public_version(client, *ids, is_kept=is_kept)


async def keep_public_version(
    client: Client, owner_id: str, slug: str, version: int, *, is_kept: bool = False
) -> bool:
    """Keep a version of an account for runs by others; else like `begin_public_run`."""
    reply: bytes = await client.call(
        SCRIPTS["begin_public_run"],
        workflow=keyspace.workflow(owner_id, slug),
        version=version,
        is_kept="1" if is_kept else None,
    )
    if reply == b"gone":
        raise WorkflowNotFound
    return reply == b"ok"


async def keep_called_version(client: Client, owner_id: str, slug: str, version: int) -> bool:
    """Keep a version that a public workflow of its account calls, for a run by another account.

    False: it is gone.
    """
    reply: bytes = await client.call(
        SCRIPTS["begin_public_run"],
        workflow=keyspace.workflow(owner_id, slug),
        version=version,
        is_called="1",
    )
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
