"""Records of earlier releases: this code reads them all, and walks their executions to the end.

A failure says that an installation of that release could not be upgraded. The files of the records
never change.
"""

from typing import Any

import pytest
import redis

from engine.access.capabilities import Role, Tier
from engine.errors import NotFound
from engine.executions.execution import Execution
from engine.executions.statuses import TERMINAL, ExecutionStatus, NodeStatus
from engine.media.objects import ObjectStore
from engine.services.old_processes import find_old_processes
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.node_values import read_node
from engine.services.runs.retries import FailedExecution
from engine.settings import Settings
from engine.store import Accepted, NewRun, Store
from engine.store.executions.claim import parse_claims
from engine.store.redis.installation import FIRST_SCHEMA, SCHEMA
from engine.webhooks.deliveries import DeliveryStatus
from tests.support.eventually import eventually
from tests.support.manifests import manifest
from tests.support.store.golden.load import RELEASES, Golden, load
from tests.support.workers.retried_runs import media_service
from workers.main import worker

ENDED = {"completed", "failed", "cancelled", "delivered"}
SCHEMAS = {"0.1.0": FIRST_SCHEMA, "0.2.0": 2}
"""Schema of the store that an installation of each release has."""
MADE_BEFORE = {"middle", "seen"}
"""Executions whose first call the former release has answered, in angle brackets."""


@pytest.fixture(params=RELEASES)
def golden(
    request: pytest.FixtureRequest, settings: Settings, redis_cleaner: redis.Redis
) -> Golden:
    return load(redis_cleaner, request.param)


@pytest.fixture
async def reader(settings: Settings, golden: Golden) -> Any:
    """Return a store that is opened once the records are there."""
    store = Store.open(settings, ObjectStore.from_settings(settings))
    yield store
    await store.close()


async def read(store: Store, golden: Golden, name: str) -> Execution:
    return await store.executions.get(golden.account, golden.executions[name])


def expected(golden: Golden, name: str) -> Any:
    """Return the result that an execution of the records must end with."""
    if name in golden.who:
        first = f"first {golden.who[name]}"
        return {"text": f"third second {f'<{first}>' if name in MADE_BEFORE else first}"}
    answers = [*(f"<many{n}>" for n in range(3)), "many3", "<many4>"]
    return {
        "pure": {"text": "Hello Ada"},
        "draft": {"text": "Hello "},
        "model": {"text": "a model"},
        "items": answers,
        "retrying": {"text": "again"},
    }[name]


# -- reading --------------------------------------------------------------------------------------


async def test_the_schema_of_the_store_is_served_and_names_old_processes(
    reader: Store, golden: Golden
) -> None:
    schema = SCHEMAS[golden.release]
    assert await reader.schema.read() == schema
    assert reader.schema.allows(SCHEMA) is (schema == SCHEMA)
    assert await find_old_processes(reader) == []  # they have been gone for long
    assert await reader.schema.raise_to_newest() == SCHEMA


async def test_accounts_keys_sessions_secrets_and_models_are_read(
    reader: Store, golden: Golden
) -> None:
    account = await reader.accounts.get(golden.account)
    by_key = await reader.api_keys.authorize(golden.secret)
    by_session = await reader.sessions.authorize(golden.session)
    _, window = await reader.api_keys.authorize_call(golden.secret, "api")
    renamed = await reader.api_keys.change(golden.key_id, owner=golden.account, name="renamed")
    moved = await reader.accounts.set_tier(golden.account, Tier.BUSINESS)
    await reader.models.look()
    [session] = await reader.session_list.all(golden.account)
    acts, _ = await reader.audit.page(limit=20)
    entries = (await reader.wallets.entries(golden.account, 100)).entries

    assert (account.email, account.tier, account.role) == ("ada@example.com", Tier.PRO, Role.USER)
    assert by_key.account == by_session.account == account
    assert by_key.key_id == golden.key_id
    assert window is not None
    assert (renamed.name, moved.tier) == ("renamed", Tier.BUSINESS)
    assert (await reader.api_keys.authorize(golden.secret)).key == renamed
    assert await reader.seals.fit()
    assert [each.name for each in await reader.secrets.list(golden.account)] == ["TOKEN"]
    assert (await reader.models.get("own")).text == manifest("own")
    assert reader.models.left_out() == {}
    assert (session.user_agent, session.address) == ("a browser", "192.0.2.1")
    assert {each.action for each in acts} >= {"account.create", "account.credit"}
    assert {each.kind for each in entries} >= {"allowance", "reserve", "capture", "top-up"}


async def test_workflows_versions_and_drafts_are_read_and_saved_again(
    reader: Store, golden: Golden
) -> None:
    summaries = await reader.workflow_list.own(golden.account)
    plans = {}
    for each in summaries:
        workflow, plan = await reader.workflows.own_plan(golden.account, each.slug)
        assert workflow.problems == ()
        assert plan is not None
        plans[each.slug] = plan
        names = await reader.workflows.node_names(golden.account, each.slug, 1, ())
        assert [*names] == [*plan.names]
    workflow = await reader.workflows.get_own(golden.account, "test-workflow")
    saved = await reader.workflows.update(
        golden.account, workflow.slug, workflow.document, [], expected_version=1
    )
    drafts = 0
    for each in summaries:
        try:
            await reader.drafts.get(golden.account, each.slug)
            drafts += 1
        except NotFound:
            continue

    assert len(plans) == len(summaries) > 10
    assert saved.version == 2
    assert drafts == 1


async def test_executions_are_listed_shown_and_followed(reader: Store, golden: Golden) -> None:
    rows, _ = await reader.executions.list(golden.account, limit=50)
    completed = await read(reader, golden, "completed")
    failed = await read(reader, golden, "failed")
    middle = await read(reader, golden, "middle")
    events = await reader.events.read(golden.account, golden.executions["seen"], 1)
    node = await read_node(reader, golden.account, completed.id, "second")
    record = await reader.executions.record(golden.account, golden.executions["retrying"])

    assert {row.id for row in rows} == set(golden.executions.values())
    assert completed.result == {"text": "<third <second <first Ada>>>"}
    assert failed.error is not None
    assert failed.error["nodeCode"] == "provider_error"
    assert (await read(reader, golden, "cancelled")).status is ExecutionStatus.CANCELLED
    assert [each.status for each in middle.nodes][:3] == [
        NodeStatus.COMPLETED,
        NodeStatus.COMPLETED,
        NodeStatus.RUNNING,
    ]
    assert [entry.number for entry in events.entries] == [1, 2, 3]
    assert node.outputs == {"text-out": "<second <first Ada>>"}
    assert parse_claims(record)[0].attempts == 1


async def test_deliveries_are_read_and_claimed_with_their_secret(
    reader: Store, golden: Golden
) -> None:
    reference = f"{golden.account}/{golden.executions['delivered']}"
    [delivery], _ = await reader.deliveries.list(golden.account, golden.key_id, limit=5)
    receiver = await reader.deliveries.find_receiver(reference)
    assert receiver is not None
    claimed = await reader.deliveries.claim(reference, receiver)

    assert (delivery.status, delivery.event) == (DeliveryStatus.PENDING, "execution.completed")
    assert claimed is not None
    assert claimed.secrets == (golden.webhook_secret,)


# -- walking --------------------------------------------------------------------------------------


async def test_every_execution_ends_as_it_would_have(
    golden: Golden, settings: Settings, reader: Store, brisk_sweeper: None
) -> None:
    waiting = set(golden.executions) - ENDED

    async def ended() -> bool:
        found = [await read(reader, golden, name) for name in waiting]
        return all(each.status in TERMINAL for each in found)

    async with worker(settings):
        await eventually(ended)
    executions = {name: await read(reader, golden, name) for name in sorted(waiting)}
    terms = reader.tiers.terms(Tier.PRO, Role.USER)

    assert {name: each.status for name, each in executions.items()} == dict.fromkeys(
        sorted(waiting), ExecutionStatus.COMPLETED
    )
    assert {name: each.result for name, each in executions.items()} == {
        name: expected(golden, name) for name in sorted(waiting)
    }
    assert await reader.wallets.check(golden.account) == []
    assert (await reader.wallets.get(golden.account, terms)).reserved == 0
    costs = {name: each.credits_cost for name, each in executions.items()}
    assert {costs[name] for name in golden.who} == {39}
    assert (costs["items"], costs["retrying"], costs["model"], costs["pure"]) == (65, 13, 13, 0)
    assert executions["retrying"].nodes[0].attempts == 2


async def test_a_failed_execution_is_retried_from_its_failed_node(
    golden: Golden, settings: Settings, reader: Store
) -> None:
    account_id, media = golden.account, media_service(reader)
    failed = await FailedExecution.read(reader, media, account_id, golden.executions["failed"])
    terms = reader.tiers.terms(Tier.PRO, Role.USER)
    new = NewRun(account_id=account_id, terms=terms, source="api-workflow", key_id="key")
    acceptance = Acceptance(store=reader, media_service=media, allow_http=True)
    verdict = await acceptance.accept(new, failed, {})
    assert isinstance(verdict, Accepted)

    async with worker(settings):
        execution = await eventually(
            lambda: reader.executions.get(account_id, verdict.id),
            lambda found: found.status in TERMINAL,
        )

    assert execution.result == {"text": "third second <first Eve>"}
    assert execution.credits_cost == 26
