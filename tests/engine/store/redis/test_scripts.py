"""Rules for every script of engine/lua."""

import itertools
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from engine.errors import StoreFull
from engine.store import Store
from engine.store.redis.script_names import Parameter
from engine.store.redis.scripts import SCRIPTS, USES
from tests.support.replies.repeated_scripts import REPEATABLE
from tests.support.store.acceptance import acceptance
from tests.support.store.redis_contents import contents
from tests.support.store.script_runner import with_keys
from tests.support.store.script_scenarios import NOW, SCENARIOS, Scenario
from tests.support.suite.lua_scopes import find_undeclared

REFUSED_WHEN_FULL = {
    "restore_archived_batch",
    "restore_archived_delivery",
    "restore_archived_execution",
    *(
        "accept_execution",
        "add_batch",
        "begin_children",
        "finish_children",
        "begin_public_run",
        "count_key_call",
        "count_session_call",
        "redeem_login",
        "save_draft",
    ),
    "save_tests",
    *("save_trigger", "rotate_hook"),
    *(
        "append_children",
        "open_children",
        "open_wait",
        "replace_key",
        "restore_workflow",
        "revise_version",
    ),
    "save_workflow",
    "set_alias",
    "promote_alias",
    "request_cover",
    *("add_delivery", "save_model", "save_secret", "save_webhook", "top_up"),
    *("add_oauth_record", "answer_grant_request", "redeem_grant_code"),
    *("create_account", "create_key", "create_login", "guarantee_admin"),
    *("delay_message", "publish_progress", "relay_progress"),
}
READ_ONLY = {
    "find_hook",
    "authorize_key",
    "authorize_session",
    "list_dead_workers",
    "list_worker_variables",
    "list_executions",
    "match_executions",
    "read_ledger",
    "read_account_events",
    "read_asset",
    "read_trace_record",
}


async def seeded(store: Store, scenario: Scenario) -> None:
    for command in scenario.seed:
        await store.client.send(*command)


async def call(store: Store, name: str) -> object:
    return await SCENARIOS[name].call(store.client, name)


async def run(store: Store, name: str, **names: Any) -> Any:
    return await store.client.call(SCRIPTS[name], **with_keys(SCRIPTS[name], names))


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_uses_only_names_in_scope(name: str) -> None:
    assert find_undeclared(SCRIPTS[name].text) == set()


@pytest.mark.parametrize(
    ("text", "undeclared"),
    [
        ("local function add(a) return a + b end", {"b"}),
        ("if KEYS.a then local y = 1 end return y", {"y"}),
        ("for i, v in ipairs(KEYS) do local z = v end return z", {"z"}),
        ("for i = 1, 3 do local x = i end return i", {"i"}),
        ("local t = {a = 1, b = c} return t.q", {"c"}),
        ("repeat local last = 1 until last", set()),
        ("while ARGV.a do local b = 1 end local c = b", {"b"}),
        ("-- no_name\nreturn redis.call('GET', find(KEYS.a))", {"find"}),
    ],
)
def test_names_out_of_scope_are_found(text: str, undeclared: set[str]) -> None:
    assert find_undeclared(text) == undeclared


CALLED = re.compile(r"redis\.call\('(?!TIME|PUBLISH)[A-Z]+',\s*([^,)]+)")


PASSED = r"KEYS\.[a-z_]+|[a-z_]+"
"""Keys of shared functions: those of the header, and their parameters."""
LUA = Path(str(resources.files("engine"))) / "lua"


def own_and_shared(name: str) -> tuple[str, str]:
    """Return a script's own text, and that of its shared functions."""
    own = next(LUA.rglob(f"{name}.lua")).read_text()
    shared = [text for used in USES.findall(own) for text in shared_texts(used)]
    return own, "".join(shared)


def shared_texts(used: str) -> Iterator[str]:
    """Yield the texts of shared functions and, before each, of those that it uses in turn."""
    for name in used.split(", "):
        text = next((LUA / "shared").rglob(f"{name}.lua")).read_text()
        yield from (each for names in USES.findall(text) for each in shared_texts(names))
        yield text


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_functions_that_a_file_names_are_called(path: Path) -> None:
    text = path.read_text()
    names = [name for used in USES.findall(text) for name in used.split(", ")]
    known = text + "".join(each for used in USES.findall(text) for each in shared_texts(used))

    for name in names:
        functions = re.findall(
            r"local function (\w+)\(", next(LUA.rglob(f"{name}.lua")).read_text()
        )
        assert any(len(re.findall(rf"\b{each}\(", known)) > 1 for each in functions), name


@pytest.mark.parametrize("path", sorted(LUA.rglob("*.lua")), ids=lambda path: path.stem)
def test_a_file_has_at_most_60_lines_of_code_and_no_long_line(path: Path) -> None:
    lines = path.read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith("--")]

    assert len(code) <= 60
    assert max(map(len, lines)) <= 100


def test_no_two_scripts_have_one_name() -> None:
    shared = list((LUA / "shared").rglob("*.lua"))
    scripts = set(LUA.rglob("*.lua")) - set(shared)

    assert sorted(path.stem for path in scripts) == sorted(SCRIPTS)
    assert len({path.stem for path in shared}) == len(shared)


def test_every_script_has_a_scenario_here() -> None:
    assert set(SCENARIOS) >= set(SCRIPTS)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_documents_its_arguments_and_answer(name: str) -> None:
    lines = SCRIPTS[name].text.splitlines()
    header = "\n".join(itertools.takewhile(lambda line: line.startswith("--"), lines[1:]))

    assert lines[0].startswith("#!lua")
    assert re.search(r"^-- Returns ", header, re.M)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_reads_no_key_it_was_not_given(name: str) -> None:
    own, shared = own_and_shared(name)

    for key in CALLED.findall(own):
        assert re.match(r"KEYS[.[]", key), key
    for key in CALLED.findall(shared):
        assert re.fullmatch(PASSED, key), key
    assert "cmsgpack" not in own + shared


ALIAS_FILES = {"aliases", "alias_history"}
"""Files with JSON of our own, of small numbers and ids: cjson changes other values."""


def test_json_is_read_and_written_by_the_functions_of_aliases_alone() -> None:
    named = {path.stem for path in LUA.rglob("*.lua") if "cjson" in path.read_text()}

    assert named == ALIAS_FILES


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_script_whose_time_is_given_takes_it_first_and_else_asks_redis(name: str) -> None:
    script = SCRIPTS[name]
    names = [each.name for each in script.names.arguments]

    assert ("now" in names) is ("redis.call('TIME')" in script.text)
    if "now" in names:
        assert script.names.arguments[0] == Parameter("now", is_optional=True)


@pytest.mark.parametrize("name", REPEATABLE)
async def test_a_script_called_again_changes_nothing(name: str, store: Store) -> None:
    scenario = SCENARIOS[name]
    await seeded(store, scenario)
    before = await contents(store.client)

    first = await call(store, name)
    after = await contents(store.client)
    second = await call(store, name)

    assert (after == before) is (name in READ_ONLY)
    assert await contents(store.client) == after
    assert second == (first if scenario.again is None else scenario.again)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
async def test_a_full_redis_refuses_only_scripts_that_accept_new_work(
    name: str, store: Store
) -> None:
    await seeded(store, SCENARIOS[name])
    before = await contents(store.client)
    await store.client.send("CONFIG", "SET", "maxmemory", 1)

    if name in REFUSED_WHEN_FULL:
        with pytest.raises(StoreFull):
            await call(store, name)
        assert await contents(store.client) == before
    else:
        await call(store, name)
        assert (await contents(store.client) == before) is (name in READ_ONLY)


async def test_the_clock_is_redis_own_when_no_time_is_given(store: Store) -> None:
    seconds, _ = await store.client.send("TIME")

    now = await run(store, "beat_worker", worker="w1", lease_ms=3000, names="")

    assert int(seconds) * 1000 <= int(now) <= int(seconds) * 1000 + 60_000


async def test_a_graph_of_a_thousand_nodes_fits_the_scripts(store: Store) -> None:
    count = 1_000
    await store.client.send("HSET", "w", "version", 1, "state", "live")
    statuses = "p" * count
    every = range(count)
    names = {"now": NOW, "reference": "acc/x", "execution": "x"}
    step = {**names, "execution_id": "x", "claim": "1:token", "workflow": "w"}

    accepted = acceptance("x", workflow="w", now=NOW, version=1, statuses=statuses)
    await run(store, "accept_execution", **(accepted | names))
    await run(store, "claim_execution", **names, token="token", worker="w1")
    claimed = await run(
        store, "advance_execution", **step, step=1, claimed=",".join(map(str, every))
    )
    settled = await run(
        store,
        "advance_execution",
        **step,
        step=2,
        settled="".join(f"{i}c" for i in every),
        end_status="completed",
    )

    assert claimed[:3] == [b"ok", b"processing", b"r" * count]
    assert settled[:3] == [b"ok", b"completed", b"c" * count]
