"""Every filter of executions in every place that has it: lists, cancellation, document, page.

A field of ExecutionFilter without a case here fails, and so does a place that lacks a case's field.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from engine.executions.filter import FIELDS
from engine.executions.sources import Source
from engine.executions.statuses import ExecutionStatus
from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.redis import keyspace
from engine.store.redis.record_packing import pack
from engine.values.plain import moment
from tests.support.history.archived import History
from tests.support.history.rows import MONDAY, ended
from tests.support.store.records import accept, save

ROOT = Path(__file__).parents[3]
UI = ROOT / "gateway" / "ui" / "src" / "executions"
GUIDE = ROOT / "docs" / "how-to" / "call" / "history.md"


@dataclass(frozen=True, slots=True)
class Case:
    """Value of a filter, and fields of the record of an execution that fits, and of another."""

    name: str
    value: Any
    """None: the start of the id of the one that fits."""
    fits: Mapping[str, Any]
    differs: Mapping[str, Any]

    def query(self, fitting_id: str) -> Any:
        """Return the value in a query or body."""
        return fitting_id[:8] if self.value is None else self.value


def failed(code: str) -> dict[str, Any]:
    return {"error": pack({"code": code, "message": "It failed"})}


AT = MONDAY + 1_000
BATCH = "0b6f9a57-5c1e-4d0a-9a3e-2f6d7c8b9a01"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = f"{TRACE[::-1]}-{16 * 'a'}-00"
CASES = [
    Case("workflowSlug", "mine", {"slug": "mine"}, {"slug": "other"}),
    Case("version", 7, {"version": 7}, {"version": 8}),
    Case("version", 9, {"version": 9}, {"version": 9, "owner": "acc_2"}),
    Case("source", "app", {"source": "app"}, {"source": "api-slim"}),
    Case("keyId", "key_7", {"key": "key_7"}, {"key": ""}),
    Case("keyId", "-", {"key": ""}, {"key": "key_8"}),
    Case("modelId", "gpt", {"models": "claude,gpt"}, {"models": "gpt-2"}),
    Case("modelId", "-", {"models": ""}, {"models": "gpt"}),
    Case("httpRequestId", "req-7", {"request": "req-7"}, {"request": "req-8"}),
    Case("traceId", TRACE, {"trace": f"00-{TRACE}-{16 * 'a'}-01"}, {"trace": f"00-{OTHER}"}),
    Case("tag", "b, c", {"tags": "a\0b, c"}, {"tags": "a\0b\0c"}),
    Case("tag", ["b", "\\n\n"], {"tags": "b\0\\n\n\0a"}, {"tags": "b\0\\n"}),
    Case("batchId", BATCH, {"batch": BATCH, "item": 7}, {"batch": BATCH[::-1], "item": 7}),
    Case("triggerId", "trg_1", {"trigger": "trg_1"}, {"trigger": "trg_2"}),
    Case("errorCode", "TIMEOUT", failed("TIMEOUT"), failed("http_status")),
    Case("from", moment(AT), {"created": AT}, {"created": AT - 1}),
    Case("to", moment(AT), {"created": AT - 1}, {"created": AT}),
    Case("q", None, {}, {}),
]
ENDED = [*CASES, Case("status", "failed", {"status": "failed"}, {"status": "cancelled"})]
RUNNING = [
    *CASES,
    Case("status", "processing", {"status": "processing"}, {"status": "cancel_requested"}),
]
NAMES = {each.name for each in FIELDS.values()}
USAGE = {"status", "modelId", "workflowSlug", "tag"}


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    if "database_url" not in request.fixturenames:
        return settings
    return replace(settings, database_url=request.getfixturevalue("database_url"))


def test_every_field_has_a_case() -> None:
    assert {each.name for each in ENDED} == NAMES


async def found(client: httpx2.AsyncClient, path: str, case: Case, fitting_id: str) -> set[str]:
    """Return the ids of a list with the case's filter."""
    params = {case.name: case.query(fitting_id), "limit": 500}
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return {each.get("executionId") or each["id"] for each in answer.json()["rows"]}


async def test_lists_have_every_filter_for_hot_and_archived_executions(
    client: httpx2.AsyncClient, store: Store, database: Database, account: Account
) -> None:
    history = History(store, database)

    def record(values: Mapping[str, Any]) -> EndedRecord:
        return ended(account_id=account.id, **values)

    pairs = [(each, record(each.fits), record(each.differs)) for each in ENDED]
    records = [one for _, *both in pairs for one in both]
    await history.put(records)
    for place in ("in Redis", "archived"):
        for case, fitting, other in pairs:
            ids = {fitting.execution_id, other.execution_id}
            right = {fitting.execution_id}
            listed = await found(client, "/api/executions", case, fitting.execution_id)
            assert listed & ids == right, (place, case)
            if case.name in USAGE and case.value != "-":
                used = await found(client, "/api/usage", case, fitting.execution_id)
                assert used & ids == right, (place, case)
        await history.move(*(each.reference for each in records))
        records = []


@pytest.mark.parametrize("case", RUNNING, ids=lambda each: f"{each.name}={each.value}")
async def test_cancellation_has_every_filter(
    case: Case, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    workflow, plan = await save(store, account)

    async def begin(values: Mapping[str, Any]) -> str:
        name = (await accept(store, account, workflow, plan)).id
        words = [word for pair in values.items() for word in pair]
        if words:
            await store.client.send("HSET", keyspace.execution(account.id, name), *words)
        if "created" in values:
            key = keyspace.account_executions(account.id)
            await store.client.send("ZADD", key, values["created"], name)
        return name

    fitting, other = await begin(case.fits), await begin(case.differs)

    answer = await client.post("/api/executions/cancel", json={case.name: case.query(fitting)})

    assert (answer.status_code, answer.json()) == (202, {"cancelled": 1, "more": False})
    assert await store.executions.status(account.id, fitting) is ExecutionStatus.CANCELLED
    assert await store.executions.status(account.id, other) is not ExecutionStatus.CANCELLED


WRONG = [
    *((name, "") for name in sorted(NAMES)),
    ("status", "nothing"),
    ("workflowSlug", "No Slug"),
    ("workflowSlug", "slug\n"),
    ("version", 0),
    ("version", 2**53),
    ("source", "nowhere"),
    ("keyId", "k" * 101),
    ("modelId", "a model"),
    ("tag", "t" * 65),
    ("tag", "a\0b"),
    ("tag", [f"t{number}" for number in range(21)]),
    ("batchId", "no-batch"),
    ("from", "yesterday"),
    ("to", "2026-11-30T08:00:00"),
    ("q", "no id"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=repr)
async def test_queries_and_bodies_refuse_the_same_values(
    name: str, value: Any, client: httpx2.AsyncClient, store: Store, account: Account
) -> None:
    begun = await accept(store, account, *await save(store, account))

    listed = await client.get("/api/executions", params={name: value})
    cancelled = await client.post("/api/executions/cancel", json={name: value})

    refusals = {"INVALID_QUERY": listed, "INVALID_BODY": cancelled}
    for code, answer in refusals.items():
        body = answer.json()
        assert (answer.status_code, body["code"], body["field"]) == (400, code, name)
    assert cancelled.json()["error"].startswith(listed.json()["error"])
    assert await store.executions.status(account.id, begun.id) is ExecutionStatus.PROCESSING


async def test_the_document_describes_every_filter(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    def parameters(path: str) -> set[str]:
        return {each["name"] for each in document["paths"][path]["get"]["parameters"]}

    body = document["components"]["schemas"]["CancelRequest"]["properties"]
    of_children = {"parentId", "parentNodeId"}
    assert parameters("/api/executions") == NAMES | of_children | {"limit", "cursor"}
    assert parameters("/api/usage") == USAGE | {"limit", "offset", "cursor"}
    assert set(body) == NAMES


def test_the_page_has_every_filter() -> None:
    source = (UI / "filters.ts").read_text()
    [listed] = re.findall(r"NAMES = \[([^\]]*)\]", source)
    [statuses] = re.findall(r"STATUSES = \[([^\]]*)\]", source)
    [sources] = re.findall(r"SOURCES: [^=]* = \{([^}]*)\}", source)
    bar = (UI / "Filters.tsx").read_text()
    in_one_control = {"status": "<Statuses ", "from": "<TimeRange ", "to": "<TimeRange "}

    assert set(re.findall(r'"(\w+)"', listed)) == NAMES | {"range"}
    assert set(re.findall(r'"(\w+)"', statuses)) == {*ExecutionStatus}
    assert set(re.findall(r'^ *"?([\w-]+)"?:', sources, re.MULTILINE)) == {*Source} - {Source.SUB}
    for name in NAMES:
        assert in_one_control.get(name, f'name="{name}"') in bar, name


def test_the_guide_names_every_filter() -> None:
    _, _, table = GUIDE.read_text().partition("| Filter | Executions |\n")
    cells = (row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[1:])

    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == NAMES
