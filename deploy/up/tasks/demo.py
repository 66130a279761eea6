"""The demonstration: a first account with a key, examples and templates."""

from collections.abc import Iterable, Mapping
from typing import Any

from deploy.admin.examples import example_documents, template_documents
from deploy.admin.sign_in import make_login_link
from deploy.stack.location import Stack, read_private, write_private
from deploy.stack.store_access import open_store
from deploy.up.sample_run import RECORD, SLUG
from engine.access.capabilities import APPROVE, Role, Tier
from engine.errors import InvalidGraph, Unauthorized
from engine.graph.calls import callees_first, with_replaced_calls
from engine.ids.slugs import slugify
from engine.models.availability import needed_variables
from engine.models.registry import shipped_models
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.publish import create_workflow
from engine.services.workflows.schema_checks import check_schema
from engine.store import Account, Store
from engine.store.audit import COMMAND

EMAIL = "demo@localhost"
TIER = Tier.BUSINESS
EXAMPLE_TAG = "example"
"""Tag by which the pages tell examples from workflows that somebody drew."""
CAPABILITIES = ("workflow:*", "model:*", "execution:*", APPROVE, "webhook:receive")
"""Capabilities for every call that a key can make."""


class Demo:
    """Demonstration of a new installation; existing accounts and workflows are kept."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._path = stack.data_dir / RECORD
        self._record = read_private(self._path)

    async def prepare(self) -> None:
        """Create the account, the key and the workflows, unless there are accounts already.

        A workflow is pushed once: one that was changed or deleted since is left as it is.
        """
        async with open_store(self._stack.redis_url) as store:
            account = await self._account(store)
            if account is None:
                return
            if self._record.get("accountId") != account.id:
                self._record = {}
            if not await self._has_key(store):
                await self._make_key(store, account)
            async with GraphChecker.open(allow_private=False) as checker:
                if not self._record.get("complete"):
                    await _push_new(store, checker, account, _examples())
                    self._write(complete=True)
                await self._push_templates(store, checker, account)

    async def sign_in(self, base: str) -> dict[str, str]:
        """Return `accountId` and a `link` below `base` that signs a browser in, if there is one."""
        account_id = self._record.get("accountId")
        if account_id is None:
            return {}
        async with open_store(self._stack.redis_url) as store:
            link = await make_login_link(store, account_id, base)
        return {"accountId": account_id, "link": link}

    async def _account(self, store: Store) -> Account | None:
        accounts = await store.accounts.list()
        if not accounts:
            return await store.accounts.create(email=EMAIL, tier=TIER, role=Role.ADMIN)
        return next((account for account in accounts if account.email == EMAIL), None)

    async def _has_key(self, store: Store) -> bool:
        try:
            await store.api_keys.authorize(self._record.get("key", ""))
        except Unauthorized:
            return False
        return True

    async def _make_key(self, store: Store, account: Account) -> None:
        _, secret = await store.api_keys.create(
            account, name="Demo", capabilities=CAPABILITIES, by=COMMAND
        )
        self._write(accountId=account.id, key=secret)

    async def _push_templates(self, store: Store, checker: GraphChecker, account: Account) -> None:
        """Push the templates that this installation has not had yet.

        One that must wait for a newer schema of the store is pushed by a later start.
        """
        templates, pushed = template_documents(), self._record.get("templates", [])
        missing = {
            name: document
            for name, document in templates.items()
            if name not in pushed
            and not check_schema(store.schema, document["nodes"], document["edges"])
        }
        if missing:
            await _push_new(store, checker, account, missing.values())
            self._write(templates=sorted({*pushed, *missing}))

    def _write(self, **values: Any) -> None:
        self._record |= values
        write_private(self._path, self._record)


def _examples() -> list[dict[str, Any]]:
    """Return the examples, tagged, in an order that shows the one that was run first on the pages.

    Lists are newest first, so that one comes last, and those that need a model begin.
    """
    documents = [
        {**document, "tags": [*document["tags"], EXAMPLE_TAG]} for document in example_documents()
    ]
    needy = {model.internal_name for model in shipped_models() if needed_variables(model)}

    def place(document: Mapping[str, Any]) -> tuple[bool, bool]:
        models = {node["data"].get("model") for node in document["nodes"]}
        return slugify(document["name"]) == SLUG, models.isdisjoint(needy)

    return sorted(documents, key=place)


async def _push_new(
    store: Store, checker: GraphChecker, account: Account, documents: Iterable[Mapping[str, Any]]
) -> None:
    """Push the documents whose names are new, each after those of them that it calls."""
    there = {each.name: each.slug for each in await store.workflow_list.own(account.id)}
    slugs: dict[str, str] = {}
    for document in callees_first([{**each, "slug": slugify(each["name"])} for each in documents]):
        slug = there.get(document["name"])
        if slug is None:
            slug = await _push(store, checker, account, with_replaced_calls(document, slugs))
        slugs[document["slug"]] = slug


async def _push(
    store: Store, checker: GraphChecker, account: Account, document: Mapping[str, Any]
) -> str:
    """Save a document as a new workflow; return its slug."""
    try:
        saved = await create_workflow(store, account.id, document, checker=checker)
    except InvalidGraph:
        # Its models are unavailable here; a draft reports that when it is run.
        draft = {**document, "draft": True}
        saved = await create_workflow(store, account.id, draft, checker=checker)
    return saved.slug
