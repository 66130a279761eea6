"""The client with a Redis that loses replies, loses scripts, fills up and dies."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.executions.statuses import ExecutionStatus, NodeStatus
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.executions.advance import Step, Verdict
from engine.store.redis import connection as connections
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.connection import Connection
from engine.store.redis.scripts import SCRIPTS
from tests.conftest import RedisServer, free_port
from tests.support.eventually import PATIENCE_SECONDS, eventually
from tests.support.redis.proxy import RedisProxy, When, running_proxy
from tests.support.store.records import BOTH_DONE, accept, save


def beat(client: Client, now: int = 5, worker: str = "w1") -> "asyncio.Future[Any]":
    return client.call(
        SCRIPTS["beat_worker"],
        workers="workers",
        variables="variables",
        now=now,
        worker=worker,
        lease_ms=10,
        names="",
    )


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(RedisAddress.parse(redis_url))
    yield client
    await client.close()


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[RedisProxy]:
    async with running_proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
async def far(proxy: RedisProxy) -> AsyncIterator[Client]:
    """Return a connected client behind the proxy."""
    client = Client(RedisAddress.parse(proxy.url))
    await client.send("PING")
    await eventually(lambda: _is_quiet(proxy))
    proxy.requests.clear()
    yield client
    await client.close()


async def _is_quiet(proxy: RedisProxy) -> bool:
    seen = len(proxy.requests)
    await asyncio.sleep(0.02)
    return seen == len(proxy.requests)


async def test_commands_of_one_tick_travel_together(far: Client, proxy: RedisProxy) -> None:
    replies = await asyncio.gather(
        *(far.send("INCR", "n") for _ in range(20)),
        *(beat(far, worker=f"w{i}") for i in range(20)),
    )

    assert replies[:20] == list(range(1, 21))
    assert replies[20:] == [b"5"] * 20
    assert len(proxy.requests) == 1
    assert proxy.connections == 1


async def test_commands_of_later_ticks_do_not_wait_for_earlier_replies(
    far: Client, proxy: RedisProxy
) -> None:
    async def three() -> None:
        for _ in range(3):
            await far.send("INCR", "n")

    await asyncio.gather(*(three() for _ in range(50)))

    assert len(proxy.requests) <= 6
    assert await far.send("GET", "n") == b"150"


async def test_commands_leave_at_once_if_asked_while_no_reply_is_outstanding(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes, write = list[int](), Connection.write

    def note(connection: Connection, packed: Iterable[bytes], receivers: Any) -> None:
        writes.append(len(commands := [*packed]))
        write(connection, commands, receivers)

    def beat_now(number: int) -> "asyncio.Future[Any]":
        reply = beat(client, worker=f"w{number}")
        client.flush_if_idle()
        return reply

    early = beat_now(0)
    assert await early == b"5", "it waits for the connection"
    monkeypatch.setattr(Connection, "write", note)

    replies = [beat_now(number) for number in range(4)]
    assert writes == [1, 2], "scripts leave two at a time"

    assert await asyncio.gather(*replies) == [b"5"] * 4
    assert writes == [1, 2, 1]


@pytest.mark.F24b
@pytest.mark.parametrize("when", ["run", "before"])
async def test_a_script_whose_second_call_changes_nothing_is_sent_again(
    far: Client, proxy: RedisProxy, when: When
) -> None:
    loss = proxy.lose("beat_worker", after=when, times=3)

    assert await beat(far) == b"5"
    assert loss.left == 0


async def test_a_script_is_sent_again_a_few_times_alone(far: Client, proxy: RedisProxy) -> None:
    loss = proxy.lose("beat_worker", times=10)

    with pytest.raises(Unavailable):
        await beat(far)

    assert loss.left == 6


async def test_a_script_of_which_each_call_counts_is_not_sent_again(
    far: Client, proxy: RedisProxy, client: Client
) -> None:
    loss = proxy.lose("send_hints", times=2)

    with pytest.raises(Unavailable):
        await far.call(SCRIPTS["send_hints"], queue="q", hints=["one"])

    assert loss.left == 1
    assert await client.send("LLEN", "q") == 1


async def test_nobody_waits_for_a_second_silence(
    far: Client, proxy: RedisProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENCE_SECONDS", 0.1)
    proxy.is_frozen = True
    connected = proxy.connections

    with pytest.raises(Unavailable):
        await asyncio.wait_for(beat(far), 20)

    assert proxy.connections == connected


async def test_a_closed_client_sends_nothing_again(far: Client, proxy: RedisProxy) -> None:
    gate = proxy.hold("beat_worker")
    reply = beat(far)
    await gate.reached()

    await far.close()

    with pytest.raises(Unavailable):
        await reply


async def test_a_command_whose_reply_is_lost_is_unavailable_and_never_replayed(
    far: Client, proxy: RedisProxy, client: Client
) -> None:
    proxy.swallow_replies = True

    calls = [far.send("INCR", "n"), beat(far)]  # each reply of the repetitions is lost too
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    assert await client.send("GET", "n") == b"1"
    proxy.swallow_replies = False
    assert await far.send("INCR", "n") == 2


async def test_a_step_whose_reply_was_lost_counts_once_when_it_is_sent_again(
    store: Store, account: Account, settings: Settings
) -> None:
    workflow, plan = await save(store, account)
    async with running_proxy(settings.redis_url) as proxy:
        far = Store.open(Settings(redis_url=proxy.url))
        accepted = await accept(far, account, workflow, plan)
        claimed = await far.walks.claim(f"{account.id}/{accepted.id}", "w1")
        assert claimed is not None
        step = Step(
            settled=BOTH_DONE,
            end=ExecutionStatus.COMPLETED,
        )
        proxy.swallow_replies = True
        with pytest.raises(Unavailable):
            await far.walks.advance(claimed.lease, 1, step)
        proxy.swallow_replies = False

        advanced = await far.walks.advance(claimed.lease, 1, step)

        execution = await store.executions.get(account.id, accepted.id)
        assert advanced.verdict is Verdict.OK
        assert [node.status for node in execution.nodes] == [NodeStatus.COMPLETED] * 2
        await far.close()


async def test_a_frozen_redis_is_unavailable_soon_and_fine_afterwards(
    far: Client, proxy: RedisProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENCE_SECONDS", 0.1)
    proxy.is_frozen = True

    with pytest.raises(Unavailable):
        await asyncio.wait_for(far.send("INCR", "n"), 20)

    proxy.is_frozen = False
    assert await far.send("INCR", "n") == 1


async def test_a_slow_loop_is_not_taken_for_a_silent_redis(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "SILENCE_SECONDS", 0.1)
    await client.send("PING")

    reply = client.send("INCR", "n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.sleep(0.3)

    assert await reply == 1


@pytest.mark.F24
async def test_forgotten_scripts_are_sent_again_amid_other_commands(client: Client) -> None:
    await client.send("SCRIPT", "FLUSH")

    replies = await asyncio.gather(
        client.send("INCR", "n"),
        beat(client),
        client.send("SCRIPT", "FLUSH"),
        beat(client, 6),
        client.send("INCR", "n"),
    )

    assert replies == [1, b"5", b"OK", b"6", 2]
    assert await beat(client, 7) == b"7"


async def test_an_execution_accepted_by_forgotten_scripts_has_its_hint(
    store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)
    await store.client.send("SCRIPT", "FLUSH")

    accepted = await accept(store, account, workflow, plan)

    assert await store.hints.depth() >= 1
    claimed = await store.walks.claim(f"{account.id}/{accepted.id}", "w1")
    assert claimed is not None


async def test_a_killed_redis_is_unavailable_and_fine_once_it_is_back(
    own_server: RedisServer,
) -> None:
    client = Client(RedisAddress.parse(own_server.url))
    assert await client.send("INCR", "n") == 1
    own_server.kill()

    for _ in range(3):
        with pytest.raises(Unavailable):
            await client.send("INCR", "n")
    own_server.start()

    assert await beat(client) == b"5"
    assert await client.send("INCR", "n") == 1
    await client.close()


async def test_ping_says_whether_redis_answers(own_server: RedisServer) -> None:
    store = Store.open(Settings(redis_url=own_server.url))
    await store.ping()
    own_server.kill()

    with pytest.raises(Unavailable):
        await store.ping()

    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:1/0",
        "unix:///nowhere/at/all",
        "redis://no..such..name:6379",
        "redis://" + "x" * 70 + ":6379",
    ],
)
async def test_a_redis_that_is_nowhere_is_unavailable(url: str) -> None:
    client = Client(RedisAddress.parse(url))

    for _ in range(2):
        with pytest.raises(Unavailable):
            await asyncio.wait_for(client.send("PING"), 20)

    await client.close()


async def test_a_password_that_is_wrong_is_unavailable(own_server: RedisServer) -> None:
    async with _client(own_server.url) as client:
        await client.send("CONFIG", "SET", "requirepass", "right")
    wrong = own_server.url.replace("unix://", "unix://:wrong@")
    right = own_server.url.replace("unix://", "unix://:right@")

    async with _client(wrong) as client:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(client.send("PING"), 20)
    async with _client(own_server.url) as client:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(client.send("PING"), 20)
    async with _client(right) as client:
        assert await client.send("PING") in (b"PONG", "PONG")


async def test_the_database_of_the_url_is_used(redis_url: str, client: Client) -> None:
    async with _client(redis_url + "?db=3") as other:
        await other.send("SET", "only", "here")

        assert await client.send("GET", "only") is None
        assert await other.send("GET", "only") == b"here"


async def test_tcp_with_user_password_and_database() -> None:
    port = free_port()
    server = RedisServer("--port", str(port), "--bind", "127.0.0.1")
    server.start()
    async with _client(server.url) as client:
        await client.send("ACL", "SETUSER", "ada", "on", ">se:cret", "~*", "+@all")
        await client.send("CONFIG", "SET", "requirepass", "other")

    async with _client(f"redis://ada:se%3Acret@127.0.0.1:{port}/2") as client:
        assert await client.send("ACL", "WHOAMI") == b"ada"
        assert await beat(client) == b"5"
        info: bytes = await client.send("CLIENT", "INFO")
        assert b" db=2 " in info
    async with _client(f"redis://:other@localhost:{port}") as client:
        assert await client.send("ACL", "WHOAMI") == b"default"
    server.stop()


class _client:
    """Client that closes itself."""

    def __init__(self, url: str) -> None:
        self._client = Client(RedisAddress.parse(url))

    async def __aenter__(self) -> Client:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


async def test_a_cancelled_caller_never_gets_or_spoils_anothers_reply(client: Client) -> None:
    chance = random.Random(3)

    async def ask(number: int) -> None:
        for _ in range(10):
            if number % 2:
                assert await client.send("ECHO", str(number)) == str(number).encode()
            else:
                now = await beat(client, number)
                assert int(now) == number

    tasks = [asyncio.create_task(ask(number)) for number in range(1, 2_001)]
    doomed = set(chance.sample(range(2_000), 1_000))
    for index in doomed:
        if chance.random() < 0.3:
            await asyncio.sleep(0)
        tasks[index].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    failures = [each for each in outcomes if isinstance(each, Exception)]
    assert failures == []
    assert all(outcomes[index] is None for index in range(2_000) if index not in doomed)


async def test_a_caller_may_be_cancelled_before_its_command_leaves(client: Client) -> None:
    await client.send("PING")
    first = client.send("INCR", "n")
    first.cancel()
    second = client.send("ECHO", "mine")

    assert await second == b"mine"


@pytest.mark.parametrize("word", [None, "\ud800", object(), ("a", "b")])
async def test_a_word_that_is_none_hurts_only_its_own_caller(client: Client, word: Any) -> None:
    good = client.send("ECHO", "mine")

    with pytest.raises((TypeError, ValueError)):
        await client.send("ECHO", word)

    assert await asyncio.wait_for(good, PATIENCE_SECONDS) == b"mine"


async def test_closing_answers_everybody(redis_url: str) -> None:
    client = Client(RedisAddress.parse(redis_url))
    await client.send("PING")
    waiting = client.send("BLPOP", "nothing", 5)
    await asyncio.sleep(0)
    late = client.send("INCR", "n")

    await client.close()
    outcomes = await asyncio.wait_for(
        asyncio.gather(waiting, late, client.send("PING"), return_exceptions=True), 2
    )

    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3


async def test_a_store_that_never_connected_closes(settings: Settings) -> None:
    await Store.open(settings).close()


async def test_a_large_value_comes_back_whole(client: Client) -> None:
    value = random.Random(1).randbytes(8_000_000)

    await client.send("SET", "large", value)
    replies = await asyncio.gather(client.send("GET", "large"), client.send("ECHO", "x"))

    assert replies == [value, b"x"]


async def test_a_command_that_redis_refuses_is_an_error_of_ours(client: Client) -> None:
    await client.send("SET", "text", "x")

    with pytest.raises(RuntimeError, match="WRONGTYPE"):
        await client.send("LPUSH", "text", "y")
