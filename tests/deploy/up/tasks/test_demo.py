"""The demonstration of a new installation."""

from pathlib import Path

import pytest
from starlette.routing import Route

from deploy.admin.demonstration import CAPABILITIES, EXAMPLE_TAG, TIER
from deploy.admin.examples import SAMPLE_SLUG, example_documents, template_documents
from deploy.stack.location import Stack, read_private, write_private
from deploy.up.sample_run import RECORD
from deploy.up.tasks.demo import Demo
from engine.access.capabilities import Role, covers, is_under_ceiling
from engine.access.tiers import load
from engine.services.workflows.publish import update_workflow
from engine.settings import Settings
from engine.store import Store
from engine.store.redis import keyspace
from engine.store.redis.installation import SCHEMA
from engine.webhooks.signing import CAPABILITY
from gateway.app import routes
from gateway.auth.guard import Guarded
from gateway.auth.resource import Resource
from tests.support.graphs.graph_checkers import ANY_URL

DEMANDED = {
    endpoint.capability
    for route in routes(Settings())
    if isinstance(route, Route) and isinstance(route.endpoint, Resource)
    for endpoint in route.endpoint.endpoints.values()
    if isinstance(endpoint, Guarded) and endpoint.capability is not None
}


@pytest.mark.parametrize("capability", sorted({*DEMANDED, CAPABILITY}))
def test_the_key_of_the_demonstration_may_do_what_any_key_can(capability: str) -> None:
    assert covers(CAPABILITIES, capability)


def test_the_account_of_the_demonstration_may_have_such_a_key() -> None:
    ceiling = load("").terms(TIER, Role.USER).ceiling

    assert all(is_under_ceiling(each, ceiling) for each in CAPABILITIES)


@pytest.fixture
def demo(tmp_path: Path, redis_url: str) -> Demo:
    """The demonstration of a stack whose Redis is empty."""
    return Demo(Stack(data_dir=tmp_path, redis_url=redis_url))


async def names(store: Store, *, templates: bool) -> set[str]:
    [account] = await store.accounts.list()
    rows = await store.workflow_list.own(account.id)
    return {row.name for row in rows if row.is_template is templates}


async def test_a_new_installation_has_the_examples_and_the_templates(
    demo: Demo, store: Store
) -> None:
    await demo.prepare()

    templates = {document["name"] for document in template_documents().values()}
    assert await names(store, templates=True) == templates
    assert await names(store, templates=False) == {each["name"] for each in example_documents()}


async def test_templates_that_were_changed_or_deleted_stay_so(
    demo: Demo, store: Store, tmp_path: Path, redis_url: str
) -> None:
    await demo.prepare()
    before = await names(store, templates=True)
    [account] = await store.accounts.list()
    changed = {"name": "Bills"}
    await update_workflow(store, account.id, "invoice-to-json", changed, checker=ANY_URL)
    await store.workflows.delete(account.id, "page-watch")

    await Demo(Stack(data_dir=tmp_path, redis_url=redis_url)).prepare()

    after = before - {"Invoice to JSON", "Page watch"} | {"Bills"}
    assert await names(store, templates=True) == after


async def test_an_installation_from_before_gets_the_templates_that_it_has_not_had(
    demo: Demo, store: Store, tmp_path: Path, redis_url: str
) -> None:
    await demo.prepare()
    [account] = await store.accounts.list()
    for slug in ("page-watch", "invoice-to-json"):
        await store.workflows.delete(account.id, slug)
    record = read_private(tmp_path / RECORD)
    write_private(
        tmp_path / RECORD,
        record | {"templates": [each for each in record["templates"] if each != "page-watch"]},
    )

    await Demo(Stack(data_dir=tmp_path, redis_url=redis_url)).prepare()

    found = await names(store, templates=True)
    assert "Page watch" in found and "Invoice to JSON" not in found


async def test_templates_that_must_wait_for_the_schema_are_pushed_by_a_later_start(
    demo: Demo, store: Store, tmp_path: Path, redis_url: str
) -> None:
    await store.client.send("HSET", keyspace.installation(), "schema", 1)
    await demo.prepare()
    waiting = {"Enrichment of rows by a model", "Meeting report", "Daily digest"}
    waiting |= {"Post after approval", "Remind me later", "Support agent", "Reply to a review"}
    waiting |= {"Invoice to JSON", "Answer from these documents", "Meeting notes from sound"}
    before = await names(store, templates=True)

    await store.client.send("HSET", keyspace.installation(), "schema", SCHEMA)
    await Demo(Stack(data_dir=tmp_path, redis_url=redis_url)).prepare()

    assert "Summary of a text" in before and not before & waiting
    assert await names(store, templates=True) == before | waiting


async def test_the_example_that_is_run_first_leads_the_list_and_those_with_a_model_end_it(
    demo: Demo, store: Store
) -> None:
    await demo.prepare()

    [account] = await store.accounts.list()
    rows = [row for row in await store.workflow_list.own(account.id) if not row.is_template]
    newest_first = sorted(rows, key=lambda row: row.updated_at, reverse=True)
    assert newest_first[0].slug == SAMPLE_SLUG
    assert {row.slug for row in newest_first[-2:]} == {"product-sheet", "product-pictures"}
    assert all(EXAMPLE_TAG in row.tags for row in rows)
