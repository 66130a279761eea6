"""Replays that would reach for secrets, call somebody, or go on without an end of their own."""

from typing import Any

import pytest

from engine.executions.execution import Execution
from engine.executions.statuses import ExecutionStatus
from engine.nodes import NODE_TYPES
from engine.nodes.support.base import WorkKind
from engine.nodes.upload import Upload
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.redis import keyspace
from tests.support.factories import Graph, Runner
from tests.support.http.scripted_server import Target
from tests.support.replays.replayed_runs import accept_replay, code_of
from tests.support.store.redis_contents import contents
from workers.main import worker
from workers.nodes.secrets import StoredSecrets

pytestmark = pytest.mark.A98a

CANARY = "canary-value-of-a-secret"


def calling(url: str, text: str = "{{ a }}", **data: Any) -> Graph:
    graph = Graph("who").node("call", "httpRequest", method="POST", url=f"{url}/echo", **data)
    graph.node("text", "textBox", text=text).node("out", "responseOutput")
    return graph.wire(
        *("in.who > call.body-in", "call.response-out > text.a", "text.text-out > out.result-in")
    )


async def replayed(runner: Runner, former: Execution, graph: Graph, **options: Any) -> Execution:
    channel = runner.notifier.channel
    new_id = await accept_replay(
        runner.store, runner.account, former, graph, notifier=channel, **options
    )
    return await runner.end(new_id)


@pytest.mark.usefixtures("walker")
async def test_no_secret_is_opened_and_none_is_in_what_a_replay_keeps(
    runner: Runner,
    target: Target,
    store: Store,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    auth = {"type": "bearer", "secret": "TOKEN"}
    await store.secrets.save(account.id, "TOKEN", CANARY)
    former = await runner.run(calling(target.url, auth=auth), {"who": "Ada"})
    assert (former.error, target.calls.total()) == (None, 1)
    await store.secrets.delete(account.id, "TOKEN")

    async def refuse(*_: object) -> None:
        raise AssertionError("a replay opens no secret")

    monkeypatch.setattr(StoredSecrets, "open", refuse)
    same = await replayed(runner, former, calling(target.url, "Dear {{ a }}", auth=auth))
    other = await replayed(runner, former, calling(target.url, auth=auth | {"secret": "OTHER"}))

    assert same.error is None
    assert code_of(other) == "replay_unmatched"
    assert target.calls.total() == 1
    assert CANARY not in repr(await contents(store.client))


@pytest.mark.usefixtures("walker")
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_url_that_an_input_chooses_is_not_called(
    runner: Runner, target: Target, method: str
) -> None:
    graph = Graph("who").node("text", "textBox", text="{{ a }}").node("out", "responseOutput")
    graph.wire("in.who > text.a", "text.text-out > out.result-in")
    former = await runner.run(graph, {"who": f"{target.url}/echo"})
    graph.node("call", "httpRequest", method=method, url="{{ to }}", onError="continue")
    graph.wire("in.who > call.to", "call.response-out > out.result-in")

    ended = await replayed(runner, former, graph)

    assert code_of(ended) == "replay_unmatched"
    assert target.calls.total() == 0


@pytest.mark.usefixtures("walker")
async def test_other_accounts_outcomes_are_never_taken(
    runner: Runner, target: Target, store: Store
) -> None:
    former = await runner.run(calling(target.url), {"who": "Ada"})
    record = keyspace.execution(runner.account.id, former.id)
    await store.client.send("HSET", record, "owner", "acc_another")

    with pytest.raises(Exception, match="is no execution of yours"):
        await replayed(runner, former, calling(target.url))


async def test_a_replay_survives_the_death_of_its_worker(
    settings: Settings, runner: Runner, target: Target
) -> None:
    async with worker(settings):
        former = await runner.run(calling(target.url), {"who": "Ada"})
    new_id = await accept_replay(
        *(runner.store, runner.account, former, calling(target.url, "Dear {{ a }}")),
        notifier=runner.notifier.channel,
    )
    reference = keyspace.reference(runner.account.id, new_id)
    for number in range(4):  # each claim is lost before its first step
        claimed = await runner.store.walks.claim(reference, f"lost-{number}")
        assert claimed is not None
        await runner.store.walks.give_back(reference, f"lost-{number}", is_lost=True)

    async with worker(settings):
        await runner.store.hints.send([reference])
        ended = await runner.end(new_id)

    assert (ended.status, ended.result["text"][:4]) == (ExecutionStatus.COMPLETED, "Dear")
    assert target.calls.total() == 1


def test_no_other_type_of_node_runs_without_a_recorded_outcome() -> None:
    """A type is added here only if it makes no call that others could notice."""
    local = {
        each.type for each in NODE_TYPES if each.kind is WorkKind.CPU or isinstance(each, Upload)
    }

    assert local == {
        *("condition", "switch", "transform", "upload"),
        *("imageCaption", "imageCompose", "imageConvert", "imageCrop", "imageResize"),
        *("documentText", "imageText", "nearest", "splitText", "textEmbedding"),
    }
