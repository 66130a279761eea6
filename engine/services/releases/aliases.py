"""Aliases of an account's own workflows: read, set, deleted and promoted."""

import secrets
from dataclasses import replace
from typing import Self

from msgspec import Struct, structs

from engine.errors import AliasNotFound, NoCanary, Unavailable
from engine.releases.aliases import LIVE, Alias, Aliases, Canary
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.save_workflow import check_document, finish_save
from engine.store import Store, Workflow
from engine.store.releases.aliases import CanaryChanged
from engine.store.schema import RELEASES_SCHEMA
from engine.store.workflows.saves import WorkflowSave

MAX_TRIES = 5
"""Attempts to promote while others change the alias."""


class NamedAlias(Struct, frozen=True, kw_only=True):
    """Alias with its name."""

    name: str
    version: int
    canary: Canary | None
    updated_at: int
    """Time of the last change in milliseconds since the epoch."""

    @classmethod
    def of(cls, name: str, alias: Alias) -> Self:
        """Return an entry of a workflow's aliases."""
        members = structs.asdict(alias)
        return cls(name=name, **members)


def check_schema(store: Store) -> None:
    """Raise Unavailable while processes may run that do not know aliases."""
    store.schema.require(RELEASES_SCHEMA, "Aliases")


def new_canary_id() -> str:
    """Return the id of a canary that is set."""
    return secrets.token_hex(8)


def aliases_of(workflow: Workflow) -> list[NamedAlias]:
    """Return the aliases of a workflow by name; `live` comes first where it was published."""
    others = sorted(set(workflow.aliases.by_name) - {LIVE})
    named = [LIVE, *others] if workflow.version else others
    return [_show(workflow, workflow.aliases, name) for name in named]


async def get_alias(store: Store, account_id: str, slug: str, name: str) -> NamedAlias:
    """Return one alias. Raises WorkflowNotFound, NotOwner and AliasNotFound."""
    workflow = await store.workflows.get_own(account_id, slug)
    return _show(workflow, workflow.aliases, name)


def _show(workflow: Workflow, aliases: Aliases, name: str) -> NamedAlias:
    alias = aliases.by_name.get(name)
    if alias is not None:
        return NamedAlias.of(name, alias)
    if name != LIVE or not workflow.version:
        raise AliasNotFound
    return NamedAlias(
        name=LIVE, version=workflow.version, canary=None, updated_at=workflow.updated_at
    )


async def set_alias(
    store: Store,
    account_id: str,
    slug: str,
    name: str,
    *,
    version: int | None,
    canary: Canary | None,
) -> NamedAlias:
    """Set the version and the canary of an alias; of `live` the canary alone.

    Raises Unavailable while the store's schema is old, WorkflowNotFound, NotOwner, VersionNotFound,
    InvalidBody and QuotaExceeded.
    """
    check_schema(store)
    workflow = await store.workflows.get_own(account_id, slug)
    aliases = await store.aliases.set(account_id, slug, name, version, canary)
    await _finish(store, account_id, slug)
    return _show(workflow, aliases, name)


async def delete_alias(store: Store, account_id: str, slug: str, name: str) -> None:
    """Delete an alias beside `live`. Raises Unavailable, WorkflowNotFound and AliasNotFound."""
    check_schema(store)
    await store.aliases.delete(account_id, slug, name)
    await _finish(store, account_id, slug)


async def _finish(store: Store, account_id: str, slug: str) -> None:
    store.workflows.forget_current(slug)
    await store.account_events.record_workflow(account_id, slug)


async def promote_alias(
    store: Store, account_id: str, slug: str, name: str, *, checker: GraphChecker
) -> NamedAlias:
    """Make the canary of an alias its version; for `live` its version is published.

    Raises Unavailable, WorkflowNotFound, NotOwner, AliasNotFound, NoCanary, QuotaExceeded, and for
    `live` InvalidGraph where the version cannot run any more.
    """
    check_schema(store)
    for _ in range(MAX_TRIES):
        workflow = await store.workflows.get_own(account_id, slug)
        canary = _show(workflow, workflow.aliases, name).canary
        if canary is None:
            raise NoCanary
        try:
            return await _promote(store, workflow, name, canary, checker)
        except CanaryChanged:
            continue
    raise Unavailable("The alias is being changed faster than it can be promoted")


async def _promote(
    store: Store, live: Workflow, name: str, canary: Canary, checker: GraphChecker
) -> NamedAlias:
    ids = live.account_id, live.slug
    if name != LIVE:
        promotion = await store.aliases.promote(*ids, name, canary, None)
        await _finish(store, *ids)
        return _show(live, promotion.aliases, name)
    promoted = await store.workflows.get_version(*ids, canary.version)
    # A version from a time at which it was public does not make a private workflow public again.
    document = replace(
        promoted.document,
        public_playground=live.document.public_playground,
        is_template=live.document.is_template,
    )
    await check_document(
        store, live.account_id, document, checker=checker, former=document, slug=live.slug
    )
    save = WorkflowSave(
        account_id=live.account_id,
        slug=live.slug,
        document=document,
        problems=(),
        expected="",
        operation=secrets.token_hex(8),
    )
    promotion = await store.aliases.promote(*ids, name, canary, save, live.operation)
    await store.workflows.note_promotion(live.slug, document, promotion.updated_at)
    await finish_save(store, replace(promoted, document=document))
    return NamedAlias(
        name=LIVE, version=canary.version, canary=None, updated_at=promotion.updated_at
    )
