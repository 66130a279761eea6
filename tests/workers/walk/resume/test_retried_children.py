"""Retries of runs with children: completed ones are kept, failed ones go on where they failed."""

import asyncio

from engine.executions.execution import Execution
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.graph.document import parse_document
from engine.ids.executions import child_execution_id
from engine.services.media import MediaService
from engine.services.runs.acceptance import Acceptance
from engine.services.runs.retries import FailedExecution
from engine.settings import Settings
from engine.store import Accepted, NewRun
from engine.store.children.keys import GroupRef
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.graphs.nested_graphs import calling, per_item
from tests.support.http.scripted_server import Target
from tests.support.store.records import NotAccepted
from workers.walk.walker import Walker

FIRST, SECOND = 1, 2
"""Indexes of the two calls of `chain`."""


def chain(url: str) -> Graph:
    """Two calls one after the other; the second one fails once for items that say so."""
    graph = Graph("who").node("first", "httpRequest", url=f"{url}/echo?of={{{{ who }}}}")
    graph.node("second", "httpRequest", url="{{ who }}", method="POST")
    graph.node("out", "responseOutput")
    graph.wire("in.who > first.who", "in.who > second.who")
    graph.wire("first.response-out > second.body-in")
    return graph.wire("second.response-out > out.result-in")


def items(url: str, count: int, *failing: int) -> list[str]:
    """Return addresses, of which some fail once."""
    return [
        f"{url}/flaky/1/{index}" if index in failing else f"{url}/echo/{index}"
        for index in range(count)
    ]


async def retry(runner: Runner, settings: Settings, execution_id: str) -> Execution:
    store, account = runner.store, runner.account
    media = MediaService.from_settings(settings, store)
    failed = await FailedExecution.read(store, media, account.id, execution_id)
    terms = store.tiers.terms(account.tier, account.role)
    new = NewRun(account_id=account.id, terms=terms, source=Source.WORKFLOW, key_id="key")
    acceptance = Acceptance(store=store, media_service=media, allow_http=True)
    verdict = await acceptance.accept(new, failed, {})
    if not isinstance(verdict, Accepted):
        raise NotAccepted(verdict)
    return await runner.end(verdict.id)


async def child(runner: Runner, parent_id: str, node_id: str, index: int = 0) -> Execution:
    child_id = child_execution_id(parent_id, node_id, index)
    return await runner.store.executions.get(runner.account.id, child_id)


def calls(target: Target, part: str) -> int:
    """Return the number of calls whose path or query has this part."""
    return sum(count for path, count in target.calls.items() if part in path)


async def test_completed_children_are_kept_and_failed_ones_go_on(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    slug = await runner.save(per_item(chain(target.url), concurrency=1))
    first = await runner.end(await runner.begin(slug, {"items": items(target.url, 5, 2)}))
    assert first.status is ExecutionStatus.FAILED
    assert calls(target, "/echo/3") == 0

    again = await retry(runner, settings, first.id)

    assert again.status is ExecutionStatus.COMPLETED
    assert len(again.result["results"]) == 5
    for index in (0, 1, 3, 4):
        assert calls(target, f"/echo/{index}") == 1 + 1  # its own, and in the query of `first`
    assert calls(target, "of=") == 5
    assert sum(n for path, n in target.calls.items() if path.startswith("/flaky")) == 2
    kept = await child(runner, again.id, "each", 0)
    assert [kept.nodes[each].attempts for each in (FIRST, SECOND)] == [0, 0]
    assert kept.retry_of == child_execution_id(first.id, "each", 0)
    gone_on = await child(runner, again.id, "each", 2)
    assert [gone_on.nodes[each].attempts for each in (FIRST, SECOND)] == [0, 1]
    assert gone_on.nodes[FIRST].status is NodeStatus.COMPLETED


async def test_a_retry_waits_for_a_former_child_that_has_not_ended(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    slug = await runner.save(per_item(chain(target.url), concurrency=1))
    first = await runner.end(await runner.begin(slug, {"items": items(target.url, 2, 1)}))
    former = child_execution_id(first.id, "each", 0)
    key = keyspace.execution(runner.account.id, former)
    await runner.store.client.send("HSET", key, "status", "processing")

    again = asyncio.create_task(retry(runner, settings, first.id))
    done, _ = await asyncio.wait([again], timeout=0.5)
    assert not done
    await runner.store.client.send("HSET", key, "status", "completed")

    assert (await again).status is ExecutionStatus.COMPLETED
    assert calls(target, "of=") == 2


async def test_children_of_children_are_kept_too(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    inner = await runner.save(chain(target.url))
    middle = await runner.save(calling(inner))
    outer = await runner.save(calling(middle))
    [address] = items(target.url, 1, 0)
    first = await runner.end(await runner.begin(outer, {"who": address}))
    assert first.status is ExecutionStatus.FAILED

    again = await retry(runner, settings, first.id)

    assert again.status is ExecutionStatus.COMPLETED
    assert calls(target, "of=") == 1
    middle_child = await child(runner, again.id, "call")
    innermost = await child(runner, middle_child.id, "call")
    assert [innermost.nodes[each].attempts for each in (FIRST, SECOND)] == [0, 1]


async def test_a_retry_calls_the_version_that_failed(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    inner = await runner.save(chain(target.url))
    outer = await runner.save(calling(inner))
    [address] = items(target.url, 1, 0)
    first = await runner.end(await runner.begin(outer, {"who": address}))
    later = parse_document(chain(target.url + "/later").body())
    await runner.store.workflows.update(runner.account.id, inner, later, [])

    again = await retry(runner, settings, first.id)

    assert again.status is ExecutionStatus.COMPLETED
    assert calls(target, "/later") == 0
    assert (await child(runner, again.id, "call")).workflow_version == 1
    group = await runner.store.children.find(GroupRef(runner.account.id, again.id, 1, again.id))
    assert group is None or group.target.version == 1


async def test_a_second_retry_keeps_what_the_first_one_did_not_come_to(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    last = f"{target.url}/flaky/2/last"
    slug = await runner.save(per_item(chain(target.url), concurrency=3, onItemError="fail"))
    some = [last, f"{target.url}/echo/1", f"{target.url}/echo/2"]
    first = await runner.end(await runner.begin(slug, {"items": some}))
    again = await retry(runner, settings, first.id)
    assert (first.status, again.status) == (ExecutionStatus.FAILED, ExecutionStatus.FAILED)
    for index in (1, 2):  # as if the first retry had not begun them
        gone = child_execution_id(again.id, "each", index)
        await runner.store.client.send("DEL", keyspace.execution(runner.account.id, gone))
    before = {index: await child(runner, first.id, "each", index) for index in (1, 2)}

    second = await retry(runner, settings, again.id)

    assert second.status is ExecutionStatus.COMPLETED
    for index, former in before.items():
        kept = await child(runner, second.id, "each", index)
        assert kept.retry_of == former.id


async def test_a_child_that_is_gone_begins_anew(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    slug = await runner.save(per_item(chain(target.url), concurrency=1))
    inputs = {"items": items(target.url, 3, 2)}
    first = await runner.end(await runner.begin(slug, inputs))
    gone = child_execution_id(first.id, "each", 0)
    await runner.store.client.send("DEL", keyspace.execution(runner.account.id, gone))

    again = await retry(runner, settings, first.id)

    assert again.status is ExecutionStatus.COMPLETED
    assert calls(target, "of=") == 3 + 1
    assert (await child(runner, again.id, "each", 0)).retry_of is None


async def test_a_failed_item_of_a_node_that_completed_is_not_run_again(
    runner: Runner, settings: Settings, walker: Walker, target: Target
) -> None:
    graph = per_item(chain(target.url), onItemError="null")
    graph.node("last", "httpRequest", url=f"{target.url}/flaky/1/last")
    graph.nodes[-2]["data"]["fields"].append({"name": "last"})
    graph.wire("each.errors-out > last.body-in", "last.response-out > out.last")
    slug = await runner.save(graph)
    first = await runner.end(await runner.begin(slug, {"items": items(target.url, 3, 1)}))
    assert first.status is ExecutionStatus.FAILED

    again = await retry(runner, settings, first.id)

    assert again.status is ExecutionStatus.COMPLETED
    assert [each is None for each in again.result["results"]] == [False, True, False]
    assert calls(target, "of=") == 3
