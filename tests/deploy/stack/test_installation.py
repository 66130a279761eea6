"""Initialization of an installation: new data directories, and the command `init`."""

import json
from pathlib import Path

import pytest
import redis

from deploy.admin.diagnosis import examine
from deploy.output.problems import CommandFailed, WrongRedis
from deploy.stack.installation import begin, mark_if_new
from deploy.stack.new_installation import record_marked, record_new
from deploy.stack.store_access import open_store
from engine.access.sealing import Sealer
from engine.errors import Unavailable
from engine.ids.partitions import partition_among
from engine.store.redis import keyspace
from tests.deploy.test_cli import headrace
from tests.support.redis.installation import SECRET_KEY, process_with

OTHER = "of-another-installation-" * 2


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_SECRET_KEY", raising=False)
    monkeypatch.delenv("HEADRACE_REDIS_URL", raising=False)


def ids(url: str) -> str:
    """Return the ids of the marker; empty without one."""
    with redis.Redis.from_url(url) as client:
        return (client.hget(keyspace.installation(), "ids") or b"").decode()


def init(url: str, key: str, *arguments: str) -> tuple[int, str, str]:
    done = headrace("init", *arguments, HEADRACE_REDIS_URL=url, HEADRACE_SECRET_KEY=key)
    return done.returncode, done.stdout, done.stderr


# -- data directories -----------------------------------------------------------------------------


async def test_the_redis_of_a_new_directory_is_marked_once(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    (tmp_path / "lock").touch()  # `headrace up` has created it by then
    record_new(tmp_path)
    await mark_if_new(tmp_path, unmarked_redis_url, SECRET_KEY)
    record_marked(tmp_path)
    first = ids(unmarked_redis_url)
    with redis.Redis.from_url(unmarked_redis_url) as client:
        client.flushall()

    record_new(tmp_path)
    await mark_if_new(tmp_path, unmarked_redis_url, SECRET_KEY)

    assert first == Sealer.from_secret_key(SECRET_KEY).installation_ids[0]
    assert ids(unmarked_redis_url) == ""


async def test_a_first_start_that_was_cut_short_may_be_repeated(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    record_new(tmp_path)
    (tmp_path / "secret.key").write_text(SECRET_KEY)
    (tmp_path / "redis").mkdir()
    with pytest.raises(Unavailable):
        await mark_if_new(tmp_path, "unix:///nowhere/at/all.sock", SECRET_KEY)

    record_new(tmp_path)
    await mark_if_new(tmp_path, unmarked_redis_url, SECRET_KEY)

    assert ids(unmarked_redis_url) != ""


@pytest.mark.parametrize("trace", ["secret.key", "redis", "media", "demo.json"])
async def test_a_directory_that_a_stack_has_used_is_not_new(
    trace: str, tmp_path: Path, unmarked_redis_url: str
) -> None:
    (tmp_path / trace).mkdir()

    record_new(tmp_path)
    await mark_if_new(tmp_path, unmarked_redis_url, SECRET_KEY)

    assert ids(unmarked_redis_url) == ""


async def test_a_new_directory_does_not_take_over_anothers_redis(
    tmp_path: Path, redis_url: str
) -> None:
    record_new(tmp_path)
    before = ids(redis_url)

    with pytest.raises(WrongRedis, match="holds another installation's data"):
        await mark_if_new(tmp_path, redis_url, OTHER)

    assert ids(redis_url) == before


# -- the command ----------------------------------------------------------------------------------


def test_init_begins_keeps_refuses_and_adopts(
    unmarked_redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_REDIS_URL", unmarked_redis_url)
    begun = init(unmarked_redis_url, SECRET_KEY)
    monkeypatch.setenv("HEADRACE_SECRET_KEY", SECRET_KEY)
    row = begin(tmp_path, adopts=False)
    refused = init(unmarked_redis_url, OTHER, "--json")
    after_refusal = ids(unmarked_redis_url)
    monkeypatch.setenv("HEADRACE_SECRET_KEY", OTHER)
    adopted = begin(tmp_path, adopts=True)

    assert begun == (0, "The Redis is marked as this installation's, which is empty.\n", "")
    assert row.pop("createdAt").endswith("Z")
    assert row == {
        "outcome": "kept",
        "id": Sealer.from_secret_key(SECRET_KEY).installation_ids[0],
        "schemaVersion": 3,
        "partitions": 16,
    }
    assert refused[:2] == (1, "")
    assert refused[2].startswith("headrace: The Redis at ")
    assert refused[2].count("\n") == 1
    assert after_refusal == row["id"]
    assert adopted["outcome"] == "adopted"
    assert ids(unmarked_redis_url) == Sealer.from_secret_key(OTHER).installation_ids[0]


def test_init_wants_a_key_and_a_redis(
    tmp_path: Path, unmarked_redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the clone may have the data, and the key, of `make run`
    keyless = init(unmarked_redis_url, "")
    nowhere = headrace("init", "--data-dir", str(tmp_path / "none"))

    assert keyless[0] == 1
    assert "HEADRACE_SECRET_KEY is not set" in keyless[2]
    assert ids(unmarked_redis_url) == ""
    assert (nowhere.returncode, nowhere.stdout) == (1, "")
    assert "start one with `headrace up`" in nowhere.stderr


def test_init_chooses_the_partitions_once(unmarked_redis_url: str) -> None:
    begun = init(unmarked_redis_url, SECRET_KEY, "--partitions", "64", "--json")
    again = init(unmarked_redis_url, SECRET_KEY, "--partitions", "64", "--json")
    plain = init(unmarked_redis_url, SECRET_KEY, "--json")
    other = init(unmarked_redis_url, SECRET_KEY, "--partitions", "16")
    adopted = init(unmarked_redis_url, OTHER, "--partitions", "16", "--adopt")
    seen = headrace(
        *("doctor", "--json"),
        HEADRACE_REDIS_URL=unmarked_redis_url,
        HEADRACE_SECRET_KEY=SECRET_KEY,
    )

    rows = [json.loads(stdout) for code, stdout, _ in (begun, again, plain)]
    assert [(row["outcome"], row["partitions"]) for row in rows] == [
        ("begun", 64),
        ("kept", 64),
        ("kept", 64),
    ]
    for code, stdout, stderr in (other, adopted):
        assert (code, stdout) == (1, "")
        assert "has 64 partitions, not 16." in stderr
        assert stderr.count("\n") == 1
    checks = {each["name"]: each["seen"] for each in json.loads(seen.stdout)["checks"]}
    assert checks["partitions"] == "64, chosen when the installation began"
    assert ids(unmarked_redis_url) == Sealer.from_secret_key(SECRET_KEY).installation_ids[0]


def test_a_marker_that_is_lost_comes_back_with_its_number_alone(unmarked_redis_url: str) -> None:
    assert init(unmarked_redis_url, SECRET_KEY, "--partitions", "64")[0] == 0
    environ = {"HEADRACE_REDIS_URL": unmarked_redis_url, "HEADRACE_SECRET_KEY": SECRET_KEY}
    account = ("account", "create", "--email", "ada@example.com", "--tier", "pro")
    while True:  # an account may lie in the same partition of 64 and of 16
        made = json.loads(headrace(*account, "--json", **environ).stdout)
        if partition_among(made["id"], 64) != partition_among(made["id"], 16):
            break
    with redis.Redis.from_url(unmarked_redis_url) as client:
        client.zremrangebyrank(keyspace.account_ids(), 0, -2)
        client.delete(keyspace.installation())

    plain = init(unmarked_redis_url, SECRET_KEY)
    right = init(unmarked_redis_url, SECRET_KEY, "--partitions", "64", "--json")

    assert plain[:2] == (1, "")
    assert "has lost its marker, and its accounts are not in 16 partitions." in plain[2]
    assert json.loads(right[1])["outcome"] == "begun"


@pytest.mark.parametrize("number", ["0", "1025", "many"])
def test_init_refuses_a_number_that_is_none(number: str, unmarked_redis_url: str) -> None:
    code, stdout, stderr = init(unmarked_redis_url, SECRET_KEY, "--partitions", number)

    assert (code, stdout) == (2, "")
    assert "--partitions" in stderr
    assert ids(unmarked_redis_url) == ""


async def test_a_new_directory_keeps_the_planned_partitions_for_its_first_start(
    tmp_path: Path, unmarked_redis_url: str
) -> None:
    new = tmp_path / "data"
    planned = begin(new, adopts=False, partition_count=64)
    plain = begin(new, adopts=False)
    record_new(new)
    with process_with(0):
        await mark_if_new(new, unmarked_redis_url, SECRET_KEY)

    with redis.Redis.from_url(unmarked_redis_url) as client:
        marker = client.hgetall(keyspace.installation())
    assert planned == plain == {"outcome": "planned", "partitions": 64}
    assert marker[b"partitions"] == b"64"


async def test_a_directory_that_has_begun_cannot_plan_other_partitions(
    tmp_path: Path, redis_url: str
) -> None:
    begin(tmp_path, adopts=False, partition_count=64)
    with pytest.raises(WrongRedis, match="has 16 partitions, not 64"):
        await mark_if_new(tmp_path, redis_url, SECRET_KEY)

    begin(tmp_path, adopts=False, partition_count=16)
    await mark_if_new(tmp_path, redis_url, SECRET_KEY)


# -- the other commands ---------------------------------------------------------------------------


async def test_commands_tell_of_a_redis_that_is_not_ours(
    redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_REDIS_URL", redis_url)
    monkeypatch.setenv("HEADRACE_SECRET_KEY", OTHER)

    with pytest.raises(CommandFailed, match="data folder, or set HEADRACE_SECRET_KEY to the key"):
        async with open_store(redis_url):
            pass
    checks = await examine(tmp_path)

    assert (checks[0].name, checks[0].is_well) == ("installation", False)
    assert checks[0].seen.endswith("holds another installation's data.")
    assert checks[0].fix.startswith("Start Redis on the right data folder, or ")
