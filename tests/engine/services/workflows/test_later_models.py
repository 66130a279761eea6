"""Models that 0.2.0 lacks wait for the schema; those that it has, and new node types, do not."""

from typing import Any

import pytest
import redis

from engine.errors import Unavailable
from engine.models.registry import shipped_models
from engine.services.workflows.later_models import SHIPPED_BEFORE, check_model_run
from engine.services.workflows.schema_checks import check_schema
from engine.store import Store
from engine.store.redis import installation, keyspace
from engine.store.schema import FILES_SCHEMA
from engine.values.fields import FieldType
from tests.support.eventually import eventually
from tests.support.factories import Graph

WITH_FILE = next(
    (each, field.name)
    for each in shipped_models()
    for field in each.fields
    if field.type is FieldType.FILE
)
LATER = sorted({each.internal_name for each in shipped_models()} - SHIPPED_BEFORE)


@pytest.fixture(autouse=True)
def checks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "CHECK_SECONDS", 0.02)


def calling(kind: str, **data: Any) -> Graph:
    return Graph("who").node("m", kind, **data).node("out", "responseOutput")


async def begin_before(store: Store, client: redis.Redis) -> None:
    """Set the schema to that of 0.2.0, and wait until the store has noticed."""
    client.hset(keyspace.installation(), "schema", FILES_SCHEMA - 1)
    await store.ping()

    async def allows() -> bool:
        return store.schema.allows(FILES_SCHEMA)

    await eventually(allows, lambda allowed: not allowed)


def reasons(store: Store, graph: Graph) -> list[str]:
    body = graph.body()
    problems = check_schema(store.schema, body["nodes"], body["edges"])
    return [problem.reason.partition(" must wait: ")[0] for problem in problems]


def test_the_models_of_0_2_0_still_ship() -> None:
    assert {each.internal_name for each in shipped_models()} > SHIPPED_BEFORE


async def test_a_workflow_with_a_model_that_0_2_0_lacks_waits(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    graph = calling("customModel", model="local-speech", text="Hello")
    await store.ping()
    assert reasons(store, graph) == []

    await begin_before(store, redis_cleaner)

    assert reasons(store, graph) == ["The model 'local-speech'"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("customModel", {"model": "echo", "prompt": "x"}),
        ("assistant", {"model": WITH_FILE[0].internal_name, "prompt": "x"}),
        ("transcribe", {"model": "local-transcription"}),
        ("speak", {"model": "local-speech", "text": "x"}),
        ("textBox", {"text": "x"}),
        ("customModel", {"model": "no-such-model"}),
        ("customModel", {"model": 3}),
        ("customModel", None),
    ],
)
async def test_what_0_2_0_knows_or_leaves_to_others_does_not_wait(
    store: Store, redis_cleaner: redis.Redis, kind: str, data: Any
) -> None:
    await begin_before(store, redis_cleaner)
    body = calling(kind, **(data or {})).body()
    if data is None:
        next(node for node in body["nodes"] if node["id"] == "m")["data"] = None

    assert check_schema(store.schema, body["nodes"], body["edges"]) == []


async def test_a_file_for_a_model_that_takes_none_in_0_2_0_waits_wired_and_typed(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    model, field = WITH_FILE
    assert model.internal_name in SHIPPED_BEFORE
    await begin_before(store, redis_cleaner)
    wired = calling("customModel", model=model.internal_name)
    wired.wire(f"in.who > m.{field}-in")
    typed = calling("customModel", model=model.internal_name, values={field: "https://a.example"})

    expected = [f"The field '{field}' of the model '{model.internal_name}'"]

    assert reasons(store, wired) == reasons(store, typed) == expected


async def test_the_segments_of_a_custom_model_wait(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    await begin_before(store, redis_cleaner)
    graph = calling("customModel", model="of-the-operator")
    graph.wire("m.segments-out > out.result-in")

    assert reasons(store, graph) == ["The socket 'segments-out' of the model 'of-the-operator'"]


async def test_a_run_of_a_model_waits_as_a_workflow_does(
    store: Store, redis_cleaner: redis.Redis
) -> None:
    model, field = WITH_FILE
    name = model.internal_name
    await store.ping()
    check_model_run(store.schema, "local-speech", {"text": "x"})

    await begin_before(store, redis_cleaner)
    check_model_run(store.schema, "echo", {"prompt": "x"})
    check_model_run(store.schema, name, {"prompt": "x"})
    with pytest.raises(Unavailable, match=r"Runs with the model 'local-speech' .*migrate"):
        check_model_run(store.schema, "local-speech", {"text": "x"})
    with pytest.raises(Unavailable, match=f"Runs with the field '{field}' of the model '{name}'"):
        check_model_run(store.schema, name, {field: "https://a.example"})


@pytest.mark.parametrize("name", LATER)
async def test_each_later_model_waits(store: Store, redis_cleaner: redis.Redis, name: str) -> None:
    await begin_before(store, redis_cleaner)

    assert reasons(store, calling("customModel", model=name)) == [f"The model '{name}'"]
