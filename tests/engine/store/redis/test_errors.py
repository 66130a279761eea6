"""Every error word of Redis, as the reply to every script and command."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import hiredis
import pytest

from engine.errors import StoreFull, Unavailable
from engine.store.redis import errors
from engine.store.redis.address import RedisAddress
from engine.store.redis.client import Client
from engine.store.redis.errors import StoreFault
from engine.store.redis.scripts import SCRIPTS
from tests.conftest import RedisServer
from tests.support.store.script_scenarios import SCENARIOS

IN_SCRIPT = " script: 0884a443eadaa627a69bac3d5c78926429223588, on @user_script:12."
UNAVAILABLE = {
    "ASK": "ASK 3999 127.0.0.1:6381",
    "BUSY": "BUSY Redis is busy running a script. You can only call SCRIPT KILL.",
    "BUSYGROUP": "BUSYGROUP Consumer Group name already exists",
    "BUSYKEY": "BUSYKEY Target key name already exists.",
    "CLUSTERDOWN": "CLUSTERDOWN The cluster is down",
    "CROSSSLOT": "CROSSSLOT Keys in request don't hash to the same slot",
    "DENIED": "DENIED Redis is running in protected mode",
    "EXECABORT": "EXECABORT Transaction discarded because of previous errors.",
    "FAILOVER": "FAILOVER in progress",
    "INPROG": "INPROG Failover already in progress",
    "IOERR": "IOERR error or timeout reading to target instance",
    "LOADING": "LOADING Redis is loading the dataset in memory",
    "MASTERDOWN": "MASTERDOWN Link with MASTER is down.",
    "MOVED": "MOVED 3999 127.0.0.1:6381",
    "NOAUTH": "NOAUTH Authentication required.",
    "NOGOODSLAVE": "NOGOODSLAVE No suitable replica to promote",
    "NOGROUP": "NOGROUP No such key or consumer group",
    "NOMASTERLINK": "NOMASTERLINK Can't SYNC while not connected with my master",
    "NOPERM": "NOPERM User u has no permissions to run the 'evalsha' command",
    "NOPROTO": "NOPROTO unsupported protocol version",
    "NOQUORUM": "NOQUORUM 2 usable Sentinels.",
    "NOREPLICAS": "NOREPLICAS Not enough good replicas to write.",
    "NOTBUSY": "NOTBUSY No scripts in execution right now.",
    "READONLY": "READONLY You can't write against a read only replica.",
    "TRYAGAIN": "TRYAGAIN Multiple keys request during rehashing of slot",
    "UNBLOCKED": "UNBLOCKED force unblock, instance state changed (master -> replica?)",
    "UNKILLABLE": "UNKILLABLE Sorry the script already executed write commands.",
    "WRONGPASS": "WRONGPASS invalid username-password pair or user is disabled.",
    "TOMORROWSWORD": "TOMORROWSWORD of a server that is not written yet",
    "OTHER": "a proxy's sentence without a word",
    "NOPERM in a script": "ERR ACL failure in script: User u has no permissions" + IN_SCRIPT,
    "NOREPLICAS in a script": "NOREPLICAS Not enough good replicas to write." + IN_SCRIPT,
    "wrapped by an old server": "ERR Error running script (call to f_08): @user_script:12: "
    "-NOREPLICAS Not enough good replicas to write.",
}
FULL = {
    "OOM": "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM in a script": "OOM command not allowed when used memory > 'maxmemory'." + IN_SCRIPT,
    "OOM wrapped by an old server": "ERR Error running script (call to f_08): @user_script:12: "
    "-OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF": "MISCONF Redis is configured to save RDB snapshots, but it's unable to persist.",
}
FAULTS = {
    "ERR": "ERR unknown subcommand 'x'. Try OBJECT HELP.",
    "ERR in a script": "ERR user_script:3: attempt to index local 'x' (a nil value)" + IN_SCRIPT,
    "WRONGTYPE": "WRONGTYPE Operation against a key holding the wrong kind of value",
    "WRONGTYPE in a script": "WRONGTYPE Operation against a key holding the wrong kind of value"
    + IN_SCRIPT,
}
EXPECTED: dict[str, type[Exception]] = {
    **dict.fromkeys(UNAVAILABLE, Unavailable),
    **dict.fromkeys(FULL, StoreFull),
    **dict.fromkeys(FAULTS, StoreFault),
}
REPLIES = UNAVAILABLE | FULL | FAULTS


class RefusingServer:
    """Server that answers every command after the connection with one error."""

    def __init__(self) -> None:
        self.error = ""
        self.role = b"master"
        self.greeting_error = ""
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        commands = hiredis.Reader()
        with contextlib.suppress(ConnectionError):  # a client that leaves reads no further answer
            while data := await reader.read(65_536):
                commands.feed(data)
                while (command := commands.gets()) is not False:
                    writer.write(self._answer(command))
        writer.close()

    def _answer(self, command: list[bytes]) -> bytes:
        if command[0] == b"HELLO" and not self.greeting_error:
            return b"%%1\r\n$4\r\nrole\r\n$%d\r\n%s\r\n" % (len(self.role), self.role)
        if command[0] == b"SCRIPT":
            return b"+OK\r\n"
        error = self.greeting_error if command[0] == b"HELLO" else self.error
        return f"-{error}\r\n".encode() if error else b"+OK\r\n"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RefusingServer]:
    refusing = RefusingServer()
    listening = await asyncio.start_unix_server(refusing.serve, tmp_path / "s")
    yield refusing
    listening.close()


@pytest.fixture
async def client(server: RefusingServer, tmp_path: Path) -> AsyncIterator[Client]:
    client = Client(RedisAddress.parse(f"unix://{tmp_path}/s"))
    yield client
    await client.close()


@pytest.fixture(autouse=True)
def nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_logged", {})


@pytest.mark.parametrize("name", REPLIES)
async def test_an_error_reply_to_any_script_has_its_class(
    name: str, server: RefusingServer, client: Client
) -> None:
    server.error = REPLIES[name]
    names = sorted(SCRIPTS)

    calls = [SCENARIOS[n].call(client, n) for n in names]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    command = await asyncio.gather(client.send("SET", "a", "b"), return_exceptions=True)

    found = {n: type(outcome) for n, outcome in zip(names, outcomes, strict=True)}
    assert found == dict.fromkeys(names, EXPECTED[name])
    assert [type(each) for each in command] == [EXPECTED[name]]


@pytest.mark.parametrize("name", ["READONLY", "MASTERDOWN"])
async def test_a_server_that_says_it_is_a_replica_is_left(
    name: str, server: RefusingServer, client: Client
) -> None:
    await client.send("PING")
    server.error = REPLIES[name]
    with pytest.raises(Unavailable):
        await client.send("SET", "a", "b")
    server.error = ""

    assert await client.send("SET", "a", "b") == b"OK"
    assert server.connections == 2


async def test_other_refusals_keep_the_connection(server: RefusingServer, client: Client) -> None:
    for name in sorted(set(REPLIES) - {"READONLY", "MASTERDOWN"}):
        server.error = REPLIES[name]
        with pytest.raises((Unavailable, StoreFault)):
            await client.send("SET", "a", "b")

    assert server.connections == 1


@pytest.mark.parametrize("role", [b"slave", b"replica"])
async def test_a_replica_is_not_connected_to(
    role: bytes, server: RefusingServer, client: Client
) -> None:
    server.role = role
    with pytest.raises(Unavailable) as caught:
        await client.send("GET", "a")
    server.role = b"master"

    assert caught.value.word == "READONLY"
    assert await client.send("GET", "a") == b"OK"


@pytest.mark.parametrize("name", [*UNAVAILABLE, *FAULTS])
async def test_a_server_that_refuses_at_connecting_is_unavailable(
    name: str, server: RefusingServer, client: Client
) -> None:
    server.greeting_error = REPLIES[name]

    with pytest.raises(Unavailable):
        await client.send("GET", "a")


async def test_a_word_is_logged_once_in_a_while_and_never_a_value(
    server: RefusingServer,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            for error in ("MOVED 3999 secret", "NOPERM secret", "ask secret again"):
                server.error = error
                with pytest.raises(Unavailable):
                    await client.send("GET", "a")
        monkeypatch.setattr(errors, "LOGGED_EVERY_SECONDS", -1.0)
        errors._logged.clear()
        for _ in range(2):
            with pytest.raises(Unavailable):
                await client.send("GET", "a")

    words = [getattr(record, "word", "") for record in caplog.records]
    assert words == ["MOVED", "NOPERM", "OTHER", "OTHER", "OTHER"]
    assert not any("secret" in str(vars(record)) for record in caplog.records)


async def test_a_fault_names_the_refused_command_without_arguments(
    server: RefusingServer, client: Client
) -> None:
    server.error = "ERR unknown command 'NOPE', with args beginning with: 'secret' "

    with pytest.raises(StoreFault, match="unknown command 'NOPE'") as caught:
        await client.send("NOPE", "secret")

    assert "secret" not in str(caught.value)


async def test_the_command_that_an_acl_user_lacks_is_in_the_log_without_arguments(
    own_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    admin = Client(RedisAddress.parse(own_server.url))
    user = ("on", ">a%b:c", "~*", "+@all", "-incrby", "-config|get", "-select")
    await admin.send("ACL", "SETUSER", "ada", *user)
    url = own_server.url.replace("unix://", "unix://ada:a%25b%3Ac@")
    client = Client(RedisAddress.parse(url))
    lacking = (("INCRBY", "a-secret", 7), ("CONFIG", "GET", "a-secret"))
    calls = [client.send(*command) for command in lacking]
    calls.append(client.send("EVAL", "return redis.call('INCRBY', KEYS[1], 7)", 1, "a-secret"))

    failures = await asyncio.gather(*calls, return_exceptions=True)

    lacks = [record.lacks for record in caplog.records if hasattr(record, "lacks")]
    assert lacks == ["incrby", "config|get"]
    assert [getattr(each, "word", "") for each in failures] == ["NOPERM"] * 3
    assert all("lacks the command" in getattr(each, "reason", "") for each in failures)
    assert not any("a-secret" in str(vars(record)) for record in caplog.records)
    refused = Client(RedisAddress.parse(f"{url}?db=1"))
    with pytest.raises(Unavailable) as caught:
        await refused.send("PING")
    assert caught.value.word == "NOPERM"
    assert "'select'" in caught.value.reason
    for each in (admin, client, refused):
        await each.close()
