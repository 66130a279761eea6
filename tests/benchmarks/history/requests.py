"""Requests that a benchmark of the history repeats, with frequent and rare values."""

import random
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

from engine.store.executions.record_fields import make_cursor
from engine.values.plain import moment
from tests.benchmarks.history import data
from tests.benchmarks.history.data import DAY, DAYS, END, START

Query = dict[str, str | list[str] | None]
Make = Callable[[random.Random], Query]
"""Makes the query of one request."""

LISTS = "/api/executions"
SERIES = "/api/usage/series"
USAGE = "/api/usage"
FREQUENT = data.WORKFLOWS[0]
FAILED = {"status": "failed"}
DEEP_DAYS = 20
"""Distance from the end at which deep pages begin."""


def requests() -> Iterator[tuple[str, str, Make]]:
    """Yield name, path and queries of each kind of request."""
    for name, make in (single() | pairs()).items():
        yield name, LISTS, make
    for name in ("no filter", "workflowSlug", "status=failed", "modelId", "workflowSlug, failed"):
        yield f"{name}, deep page", LISTS, deep((single() | pairs())[name])
    yield "workflowSlug, 500 rows", LISTS, lambda _: {"workflowSlug": FREQUENT, "limit": "500"}
    for name, make in usage().items():
        yield f"usage: {name}", USAGE, make
    for by in ("workflow", "model", "key", "status"):
        for bucket in ("hour", "day"):
            yield f"month by {bucket}, by {by}", SERIES, month(bucket, by)


def single() -> Mapping[str, Make]:
    """Return the queries with one filter."""
    return {
        "no filter": lambda _: {},
        "status=completed": lambda _: {"status": "completed"},
        "status=failed": lambda _: dict(FAILED),
        "status, two": lambda _: {"status": ["failed", "cancelled"]},
        "workflowSlug": lambda dice: {"workflowSlug": dice.choice(data.WORKFLOWS)},
        "workflowSlug, rare": lambda _: {"workflowSlug": data.RARE_WORKFLOW},
        "version": lambda dice: {"version": str(dice.randint(1, data.VERSIONS))},
        "source=app": lambda _: {"source": "app"},
        "source, none": lambda _: {"source": "app-draft"},
        "keyId": lambda dice: {"keyId": dice.choice(data.KEYS)},
        "keyId, rare": lambda _: {"keyId": data.RARE_KEY},
        "modelId": lambda dice: {"modelId": dice.choice(data.MODELS)},
        "modelId, rare": lambda _: {"modelId": data.RARE_MODEL},
        "errorCode": lambda dice: {"errorCode": dice.choice(data.CODES)},
        "errorCode, rare": lambda _: {"errorCode": data.RARE_CODE},
        "from, to": day,
        **{f"q, {length} characters": id_start(length) for length in (1, 2, 3, 4, 8)},
    }


def pairs() -> Mapping[str, Make]:
    """Return the queries with several filters."""
    return {
        "workflowSlug, failed": lambda dice: FAILED | slug(dice),
        "workflowSlug, rare, failed": lambda _: FAILED | {"workflowSlug": data.RARE_WORKFLOW},
        "workflowSlug, version": lambda dice: slug(dice) | {"version": str(dice.randint(1, 8))},
        "workflowSlug, from, to": lambda dice: slug(dice) | day(dice),
        "workflowSlug, keyId": lambda dice: slug(dice) | key(dice),
        "workflowSlug, rare keyId": lambda dice: slug(dice) | {"keyId": data.RARE_KEY},
        "workflowSlug, modelId": lambda dice: slug(dice) | model(dice),
        "workflowSlug, errorCode": lambda dice: slug(dice) | {"errorCode": dice.choice(data.CODES)},
        "workflowSlug, rare errorCode": lambda dice: slug(dice) | {"errorCode": data.RARE_CODE},
        "workflowSlug, status, source": lambda dice: FAILED | slug(dice) | {"source": "app"},
        "workflowSlug, unknown key": lambda dice: slug(dice) | {"keyId": "key_none"},
        "keyId, failed": lambda dice: FAILED | key(dice),
        "keyId, completed": lambda dice: {"status": "completed"} | key(dice),
        "keyId, from, to": lambda dice: key(dice) | day(dice),
        "modelId, failed": lambda dice: FAILED | model(dice),
        "modelId, cancelled": lambda dice: {"status": "cancelled"} | model(dice),
        "modelId, rare, failed": lambda _: FAILED | {"modelId": data.RARE_MODEL},
        "modelId, errorCode, keyId": lambda dice: (
            model(dice) | key(dice) | {"errorCode": "TIMEOUT"}
        ),
        "source, version, failed": lambda dice: FAILED | {"source": "app", "version": "4"},
        "cancelled, errorCode": lambda _: {"status": "cancelled", "errorCode": "TIMEOUT"},
        "from, to, failed": lambda dice: FAILED | day(dice),
        "q, 2 characters, workflowSlug": lambda dice: slug(dice) | id_start(2)(dice),
        "q, 3 characters, failed": lambda dice: FAILED | id_start(3)(dice),
        "every filter": lambda dice: (
            (slug(dice) | model(dice) | key(dice) | FAILED)
            | {"from": moment(START), "to": moment(END), "errorCode": "TIMEOUT"}
            | {"source": "api-workflow", "version": "5"}
        ),
    }


def usage() -> Mapping[str, Make]:
    """Return the queries of pages with a total."""
    return {
        "no filter": lambda _: {},
        "failed": lambda _: dict(FAILED),
        "failed, offset 5000": lambda _: FAILED | {"offset": "5000"},
        "workflowSlug": slug,
        "modelId": model,
        "workflowSlug, failed": lambda dice: FAILED | slug(dice),
        "modelId, workflowSlug": lambda dice: slug(dice) | model(dice),
        "modelId, failed": lambda dice: FAILED | model(dice),
        "all three": lambda dice: FAILED | slug(dice) | model(dice),
    }


def slug(dice: random.Random) -> Query:
    """Return the filter by a workflow."""
    return {"workflowSlug": dice.choice(data.WORKFLOWS)}


def key(dice: random.Random) -> Query:
    """Return the filter by a key."""
    return {"keyId": dice.choice(data.KEYS)}


def model(dice: random.Random) -> Query:
    """Return the filter by a model."""
    return {"modelId": dice.choice(data.MODELS)}


def day(dice: random.Random) -> Query:
    """Return the range of a day."""
    start = START + dice.randrange(DAYS - 1) * DAY + 12_345
    return {"from": moment(start), "to": moment(start + DAY)}


def id_start(length: int) -> Make:
    """Return queries by the start of an id."""
    return lambda dice: {"q": f"{dice.getrandbits(32):08x}"[:length]}


def deep(make: Make) -> Make:
    """Return queries of a page far from the first one."""
    return lambda dice: make(dice) | {"cursor": cursor_at(END - DEEP_DAYS * DAY)}


def cursor_at(at: int) -> str:
    """Return the cursor after the executions from a time on."""
    return make_cursor(at, "00000000-0000-4000-8000-000000000000")


def month(bucket: str, by: str) -> Make:
    """Return queries of figures over a month that begins and ends within a minute."""
    times = {"from": moment(START + 12_345), "to": moment(END - 6_789)}
    return lambda _: {**times, "bucket": bucket, "by": by}


def target(path: str, query: Query) -> str:
    """Return the target of a request."""
    return f"{path}?{urlencode(query, doseq=True)}" if query else path
