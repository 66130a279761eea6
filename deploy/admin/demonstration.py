"""The demonstration of an installation: an account with a key, examples and templates."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.admin.examples import SAMPLE_SLUG, example_documents, template_documents
from deploy.admin.sign_in import make_login_link
from deploy.output.problems import CommandFailed
from engine.access.capabilities import APPROVE, Role, Tier
from engine.errors import InvalidGraph
from engine.graph.calls import callees_first, with_replaced_calls
from engine.ids.slugs import slugify
from engine.models.availability import needed_variables
from engine.models.registry import shipped_models
from engine.services.workflow_tests.save_tests import (
    MEMBER,
    save_new_tests,
    tests_of,
    with_replaced,
)
from engine.services.workflows.graph_checks import GraphChecker
from engine.services.workflows.publish import create_workflow
from engine.services.workflows.schema_checks import check_schema
from engine.store import Account, Store
from engine.store.audit import COMMAND
from engine.store.schema import RELEASES_SCHEMA

EMAIL = "demo@localhost"
TIER = Tier.BUSINESS
EXAMPLE_TAG = "example"
"""Tag by which the pages tell examples from workflows that somebody drew."""
CAPABILITIES = ("workflow:*", "model:*", "execution:*", APPROVE, "webhook:receive")
"""Capabilities for every call that a key can make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """Account of a demonstration, a new key of it, and a link that signs in."""

    account_id: str
    key: str
    link: str
    is_new: bool
    """Whether its workflows were made now."""


async def demonstrate(store: Store, base: str) -> Demonstration:
    """Make the demonstration of a new installation, else another key of the one that is there.

    The link is below `base`. Raises CommandFailed where other accounts came first.
    """
    account = await find_account(store)
    if account is None:
        raise CommandFailed(
            f"This installation has accounts, but not that of the demonstration, {EMAIL}, which is "
            "made in a new installation alone."
        )
    is_new = not await store.workflow_list.own(account.id)
    if is_new:
        async with GraphChecker.open(allow_private=False) as checker:
            await push_examples(store, checker, account)
            await push_templates(store, checker, account)
    return Demonstration(
        account_id=account.id,
        key=await make_key(store, account),
        link=await make_login_link(store, account.id, base),
        is_new=is_new,
    )


async def find_account(store: Store) -> Account | None:
    """Return the account, created where there is none at all; None if there are others alone."""
    accounts = await store.accounts.list()
    if not accounts:
        return await store.accounts.create(email=EMAIL, tier=TIER, role=Role.ADMIN)
    return next((account for account in accounts if account.email == EMAIL), None)


async def make_key(store: Store, account: Account) -> str:
    """Make a key of the account; return it."""
    _, secret = await store.api_keys.create(
        account, name="Demo", capabilities=CAPABILITIES, by=COMMAND
    )
    return secret


async def push_examples(store: Store, checker: GraphChecker, account: Account) -> None:
    """Push the examples whose names are new."""
    await _push_new(store, checker, account, _examples())


async def push_templates(
    store: Store, checker: GraphChecker, account: Account, former: Collection[str] = ()
) -> list[str]:
    """Push the templates but for the `former` ones; return the names of those pushed.

    One that must wait for a newer schema of the store is left to a later call.
    """
    missing = {
        name: document
        for name, document in template_documents().items()
        if name not in former
        and not check_schema(store.schema, document["nodes"], document["edges"])
        and (MEMBER not in document or store.schema.allows(RELEASES_SCHEMA))
    }
    if missing:
        await _push_new(store, checker, account, missing.values())
    return list(missing)


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
        return slugify(document["name"]) == SAMPLE_SLUG, models.isdisjoint(needy)

    return sorted(documents, key=place)


async def _push_new(
    store: Store, checker: GraphChecker, account: Account, documents: Iterable[Mapping[str, Any]]
) -> None:
    """Push the documents whose names are new, each after those of them that it calls.

    Documents with tests come last, after the judges of these.
    """
    there = {each.name: each.slug for each in await store.workflow_list.own(account.id)}
    slugs: dict[str, str] = {}
    named = [{**each, "slug": slugify(each["name"])} for each in documents]
    for document in callees_first(sorted(named, key=lambda each: MEMBER in each)):
        slug = there.get(document["name"])
        if slug is None:
            slug = await _push(store, checker, account, document, slugs)
        slugs[document["slug"]] = slug


async def _push(
    store: Store,
    checker: GraphChecker,
    account: Account,
    document: Mapping[str, Any],
    slugs: Mapping[str, str],
) -> str:
    """Save a document, with calls of `slugs`, as a new workflow; return its slug."""
    document = with_replaced_calls(document, slugs)
    tests = await tests_of(document, store, account.id, checker.expressions) or {}
    try:
        saved = await create_workflow(store, account.id, document, checker=checker)
    except InvalidGraph:
        # Its models are unavailable here; a draft reports that when it is run.
        draft = {**document, "draft": True}
        saved = await create_workflow(store, account.id, draft, checker=checker)
    judged = {name: with_replaced(each, {}, slugs) for name, each in tests.items()}
    await save_new_tests(store, saved, judged)
    return saved.slug
