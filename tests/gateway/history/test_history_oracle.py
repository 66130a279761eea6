"""Lists and figures over HTTP against a plain list of executions, wherever these are.

Filters, ranges and buckets are drawn by dice with a seed. Executions run, have ended and are in
Redis alone, in the history as well, or in the history alone, and move there between pages.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from engine.history.database.connections import Database
from engine.settings import Settings
from engine.store import Account, Store
from engine.store.archive.ended_executions import EndedRecord
from engine.store.redis import keyspace
from engine.store.redis.record_packing import unpack
from engine.values.plain import moment
from tests.support.history.archived import History
from tests.support.history.rows import DAY, HOUR, MINUTE, MONDAY, ended, some_records

STEP = 7 * MINUTE + 919
COUNT = 120
RUNNING = 4
LENGTHS = {"minute": MINUTE, "hour": HOUR, "day": DAY}


@dataclass(frozen=True)
class Known:
    """An execution as its caller sees it."""

    id: str
    created: int
    status: str
    slug: str | None
    version: int | None
    source: str
    key: str | None
    models: tuple[str, ...]
    code: str | None
    credits: int
    duration: int | None


def known(record: EndedRecord) -> Known:
    fields = {name: value.decode(errors="replace") for name, value in record.fields.items()}
    created, completed = int(fields["created"]), fields.get("completed")
    is_own = not fields.get("owner")
    error = record.fields["error"]
    return Known(
        id=record.execution_id,
        created=created,
        status=fields["status"],
        slug=fields["slug"] or None,
        version=int(fields["version"]) if is_own else None,
        source=fields["source"],
        key=fields["key"] or None,
        models=tuple(fields["models"].split(",")) if is_own and fields.get("models") else (),
        code=unpack(error)["code"] if error else None,
        credits=int(fields.get("spent", 0)),
        duration=int(completed) - created if completed else None,
    )


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    return replace(settings, database_url=database_url)


@pytest.fixture
def history(store: Store, database: Database) -> History:
    return History(store, database)


@pytest.fixture
async def records(history: History, account: Account) -> list[EndedRecord]:
    """Executions of which a third is in Redis, one in both, and one in the database."""
    found = some_records(COUNT, STEP, account.id)
    await history.put(found)
    names = [each.reference for each in found]
    random.Random(3).shuffle(names)
    await history.archive(names[COUNT // 3 :])
    await history.forget(names[2 * COUNT // 3 :])
    return found + [await start(history, account, number) for number in range(RUNNING)]


async def start(history: History, account: Account, number: int) -> EndedRecord:
    """Put an execution that runs into Redis."""
    at = MONDAY + number * 3 * STEP
    record = ended(account_id=account.id, at=at, status="processing", completed=None, spent=2)
    client, name = history.store.client, record.execution_id
    words = [word for pair in record.fields.items() for word in pair]
    await client.send("HSET", keyspace.execution(account.id, name), *words)
    await client.send("ZADD", keyspace.account_executions(account.id), at, name)
    await client.send("SADD", keyspace.active(account.id), name)
    return record


Condition = tuple[str, Any, Callable[[Known], bool]]
"""Parameter, its value, and the executions that match."""


def draw_condition(dice: random.Random, name: str, executions: Sequence[Known]) -> Condition:
    """Return a condition that some execution may match."""
    some = dice.choice(executions)
    at = some.created
    match name:
        case "status":
            kinds = ["completed", "failed", "cancelled", "processing"]
            chosen = dice.sample(kinds, dice.randint(1, 3))
            return name, chosen, lambda x: x.status in chosen
        case "workflowSlug":
            slug = dice.choice(["echo", "other", "none"])
            return name, slug, lambda x: x.slug == slug
        case "version":
            version = dice.randint(1, 4)
            return name, version, lambda x: x.version == version
        case "source":
            source = dice.choice(["app", "api-workflow", "api-slim"])
            return name, source, lambda x: x.source == source
        case "keyId":
            key = dice.choice(["key_1", "key_2", "key_3"])
            return name, key, lambda x: x.key == key
        case "modelId":
            model = dice.choice(["gpt", "claude", "gp"])
            return name, model, lambda x: model in x.models
        case "errorCode":
            code = dice.choice(["http_status", "TIMEOUT", "none"])
            return name, code, lambda x: x.code == code
        case "from":
            return name, moment(at), lambda x: x.created >= at
        case "to":
            return name, moment(at), lambda x: x.created < at
        case _:
            begin = some.id[: dice.randint(1, 5)]
            return name, begin, lambda x: x.id.startswith(begin)


NAMES = (
    *("status", "workflowSlug", "version", "source", "keyId", "modelId", "errorCode"),
    *("from", "to", "q"),
)


def draw_filters(executions: Sequence[Known]) -> list[list[Condition]]:
    """Return each filter alone, and combinations of up to four of them."""
    dice = random.Random(11)
    chosen = [[name] for name in NAMES]
    chosen += [dice.sample(NAMES, dice.randint(2, 4)) for _ in range(30)]
    return [[draw_condition(dice, name, executions) for name in names] for names in chosen]


async def ids(client: httpx2.AsyncClient, query: dict[str, Any], limit: int) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        words = urlencode({**query, "limit": limit, **cursor}, doseq=True)
        answer = await client.get(f"/api/executions?{words}")
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["rows"]) <= limit
        found += [row["executionId"] for row in page["rows"]]
        if page["nextCursor"] is None:
            return found
        cursor = {"cursor": page["nextCursor"]}


def newest_first(executions: Sequence[Known]) -> list[str]:
    return [x.id for x in sorted(executions, key=lambda x: (x.created, x.id), reverse=True)]


async def test_filters_and_their_combinations_list_what_matches(
    client: httpx2.AsyncClient, records: list[EndedRecord]
) -> None:
    executions = [known(each) for each in records]

    for conditions in draw_filters(executions):
        query = {name: value for name, value, _ in conditions}
        right = [x for x in executions if all(fits(x) for *_, fits in conditions)]

        assert await ids(client, query, 40) == newest_first(right), query


async def test_a_list_is_complete_while_executions_move_between_its_pages(
    client: httpx2.AsyncClient, history: History, records: list[EndedRecord]
) -> None:
    executions = [known(each) for each in records]
    client.event_hooks["request"].append(Moving(history, records).step)

    assert await ids(client, {}, 9) == newest_first(executions)
    right = [x for x in executions if x.status == "failed"]
    assert await ids(client, {"status": "failed"}, 9) == newest_first(right)


@dataclass
class Moving:
    """Moves ended executions into the history, and out of Redis, before each request."""

    history: History
    records: list[EndedRecord]
    count: int = 0

    async def step(self, _: object) -> None:
        chosen = self.records[self.count : self.count + 6]
        self.count += 6
        names = [each.reference for each in chosen if "completed" in each.fields]
        there = [name for name in names if await self._is_hot(name)]
        if there:
            await self.history.move(*there)

    async def _is_hot(self, reference: str) -> bool:
        key = keyspace.execution(*keyspace.parse_reference(reference))
        return bool(await self.history.store.client.send("EXISTS", key))


async def test_totals_of_usage_are_those_of_the_list(
    client: httpx2.AsyncClient, records: list[EndedRecord]
) -> None:
    executions = [known(each) for each in records]
    dice = random.Random(5)
    for _ in range(10):
        names = dice.sample(("status", "workflowSlug", "modelId"), dice.randint(0, 3))
        conditions = [draw_condition(dice, name, executions) for name in names]
        query = {name: value for name, value, _ in conditions}
        if "status" in query:
            query["status"] = query["status"][0]
            status = query["status"]
            conditions = [each for each in conditions if each[0] != "status"]
            conditions.append(("status", status, lambda x, status=status: x.status == status))
        right = newest_first([x for x in executions if all(fits(x) for *_, fits in conditions)])

        page = (await client.get(f"/api/usage?{urlencode({**query, 'offset': 20})}")).json()

        assert page["total"] == len(right), query
        assert [row["id"] for row in page["rows"]] == right[20:70], query


def draw_series(dice: random.Random) -> tuple[dict[str, str], int, int]:
    """Return the query of figures, and its range."""
    start = MONDAY + dice.randint(-HOUR, COUNT // 3 * STEP)
    end = start + dice.choice([dice.randint(1, MINUTE), dice.randint(1, 6 * HOUR), 2 * DAY])
    if dice.random() < 0.3:
        start, end = start // DAY * DAY, -(-end // DAY) * DAY
    by = dice.choice(["workflow", "model", "key", "status"])
    query = {"from": moment(start), "to": moment(end), "by": by}
    return {**query, "bucket": dice.choice(list(LENGTHS))}, start, end


def keys_of(x: Known, by: str) -> Sequence[str | None]:
    if by == "model":
        return x.models or (None,)
    return [{"workflow": x.slug, "key": x.key, "status": x.status}[by]]


def true_quantile(of: Sequence[Known], fraction: float) -> int | None:
    durations = sorted(x.duration for x in of if x.duration is not None)
    return durations[int(fraction * (len(durations) - 1))] if durations else None


def is_close(shown: int | None, true: int | None) -> bool:
    """Return whether a quantile is within one percent."""
    if shown is None or true is None:
        return shown is true
    return math.isclose(shown, true, abs_tol=0.01 * true + 0.5)


async def test_figures_are_sums_over_the_executions(
    client: httpx2.AsyncClient, records: list[EndedRecord]
) -> None:
    executions = [known(each) for each in records]
    dice = random.Random(17)
    for _ in range(30):
        query, start, end = draw_series(dice)
        groups: dict[tuple[int, str], list[Known]] = defaultdict(list)
        for x in executions:
            if start <= x.created < end:
                for key in keys_of(x, query["by"]):
                    at = x.created // LENGTHS[query["bucket"]] * LENGTHS[query["bucket"]]
                    groups[at, key or ""].append(x)

        rows = (await client.get(f"/api/usage/series?{urlencode(query)}")).json()["rows"]

        assert [(row["at"], row["key"] or "") for row in rows] == [
            (moment(at), key) for at, key in sorted(groups)
        ], query
        for row, place in zip(rows, sorted(groups), strict=True):
            of = groups[place]
            assert row["runs"] == len(of)
            assert row["failed"] == sum(x.status == "failed" for x in of)
            assert row["credits"] == sum(x.credits for x in of)
            for name, fraction in (("p50Ms", 0.5), ("p95Ms", 0.95)):
                assert is_close(row[name], true_quantile(of, fraction))
