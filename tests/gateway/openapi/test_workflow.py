"""The OpenAPI document of one workflow."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import jsonschema_rs
import pytest

from engine.graph.document import parse_document
from engine.graph.plan import compile_plan
from engine.settings import Settings
from engine.values.fields import check_inputs
from gateway.openapi.results import result_of
from gateway.openapi.workflow import DescribedWorkflow, make_workflow_document
from gateway.routes.runs.runs import run_workflow
from tests.support.gateway.documents import broken, edge, greeting, node
from tests.support.gateway.fake_worker import FakeWorker

HERE = "/api/workflows/greeting"
RUN = f"{HERE}/run"
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").rglob("*.json"))
FIELDS: dict[str, Any] = {
    "text": {"maxLength": 2},
    "textarea": {"options": ["a", "b"]},
    "number": {"min": 2.5, "max": 9},
    "slider": {"max": -4},
    "pills": {"options": [7, "seven"]},
    "toggle": {},
    "image": {},
    "video": {},
    "audio": {},
    "file": {},
    "json": {},
}


@pytest.fixture
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    return replace(settings, public_url=getattr(request, "param", ""))


def describe(document: dict[str, Any], **shown: Any) -> Any:
    parsed = parse_document(document)
    plan = compile_plan(parsed.nodes, parsed.edges)
    described = DescribedWorkflow(
        slug="greeting",
        version=3,
        document=parsed,
        plan=plan,
        values=shown.pop("values", plan.values),
        allow_http=False,
    )
    return make_workflow_document(described, run_workflow, "https://example.com")


def asking(*fields: dict[str, Any], **data: Any) -> dict[str, Any]:
    """Return a workflow with these fields, which answers with a text."""
    nodes = [
        node("in", "requestInput", fields=list(fields), **data),
        node("text", "textBox", text="a"),
        node("out", "responseOutput"),
    ]
    return {"name": "A", "nodes": nodes, "edges": [edge("text", "text-out", "out", "result-in")]}


def answering(in_edges: list[tuple[str, str]], **output: Any) -> dict[str, Any]:
    """Return a workflow whose fields feed these inputs of its Response Output."""
    kinds = [kind for kind, _ in in_edges]
    fields = [{"name": f"f{place}", "type": kind} for place, kind in enumerate(kinds)]
    return {
        "name": "A",
        "nodes": [
            node("in", "requestInput", fields=fields),
            node("out", "responseOutput", **output),
        ],
        "edges": [
            edge("in", "params" if kind == "json" else f"f{place}", "out", socket)
            for place, (kind, socket) in enumerate(in_edges)
        ],
    }


def body_of(document: Any) -> Any:
    (methods,) = document["paths"].values()
    return methods["post"]["requestBody"]["content"]["application/json"]


def validator(document: Any, schema: Any) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


async def test_a_workflow_has_a_description_of_its_own(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting(description="Says hello"))

    answer = await client.get(f"{HERE}/openapi.json")

    document = answer.json()
    assert answer.status_code == 200
    assert document["openapi"] == "3.1.0"
    assert document["info"] == {"title": "Greeting", "description": "Says hello", "version": "1"}
    assert document["servers"] == [{"url": str(client.base_url).rstrip("/")}]
    assert list(document["paths"]) == [RUN]
    assert list(document["paths"][RUN]) == ["post"]


@pytest.mark.parametrize("settings", ["https://api.example.com/"], indirect=True)
async def test_the_server_is_the_one_that_callers_know(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())

    document = (await client.get(f"{HERE}/openapi.json")).json()

    assert document["servers"] == [{"url": "https://api.example.com"}]


async def test_the_inputs_are_described_as_they_are_asked_for(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=greeting())

    document = (await client.get(f"{HERE}/openapi.json")).json()

    schema = body_of(document)["schema"]
    assert body_of(document)["example"] == {"inputs": {"name": "Ada"}}
    assert schema["properties"]["inputs"]["properties"] == {
        "name": {"title": "Name", "type": "string", "maxLength": 40}
    }
    assert validator(document, schema).is_valid({"inputs": {"name": "Eve"}})
    assert not validator(document, schema).is_valid({"inputs": {}})
    assert not validator(document, schema).is_valid({"inputs": {"name": 5}})


async def test_what_a_run_answers_is_as_described(
    client: httpx2.AsyncClient, worker: FakeWorker
) -> None:
    await client.post("/api/workflows", json=greeting())
    document = (await client.get(f"{HERE}/openapi.json")).json()
    responses = document["paths"][RUN]["post"]["responses"]

    answers = [
        await client.post(RUN, json=body_of(document)["example"]),
        await client.post(f"{RUN}?async=true", json=body_of(document)["example"]),
        await client.post(RUN, json={"inputs": {}}),
    ]

    assert [answer.status_code for answer in answers] == [200, 202, 400]
    for answer in answers:
        content = responses[str(answer.status_code)]["content"]["application/json"]
        validator(document, content["schema"]).validate(answer.json())


async def test_only_what_has_a_schema_is_described(client: httpx2.AsyncClient) -> None:
    await client.post("/api/workflows", json=broken(draft=True))

    unknown = await client.get("/api/workflows/nobody/openapi.json")
    draft = await client.get("/api/workflows/broken/openapi.json")
    bad = await client.get("/api/workflows/Bad_One/openapi.json")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")
    assert (draft.status_code, draft.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")
    assert (bad.status_code, bad.json()["code"]) == (400, "INVALID_SLUG")


@pytest.mark.parametrize(("is_public", "shown"), [(False, "Name"), (True, "Ada")])
async def test_of_a_template_the_saved_values_stay_with_its_owner(
    client: httpx2.AsyncClient, strangers_client: httpx2.AsyncClient, is_public: bool, shown: str
) -> None:
    template = greeting(isTemplate=True, publicPlayground=is_public)
    await client.post("/api/workflows", json=template)

    document = (await strangers_client.get(f"{HERE}/openapi.json")).json()

    assert body_of(document)["example"] == {"inputs": {"name": shown}}


def test_everything_that_is_referred_to_is_there_and_nothing_else() -> None:
    document = describe(greeting())

    shapes, examples = document["components"]["schemas"], document["components"]["examples"]
    text = json.dumps(document)
    assert {name for name in shapes if f'"#/components/schemas/{name}"' not in text} == set()
    assert {name for name in examples if f'"#/components/examples/{name}"' not in text} == set()
    assert "WORKFLOW_NOT_RUNNABLE" in shapes
    assert "INVALID_SECRET" not in shapes
    assert "links" not in text


@pytest.mark.parametrize("is_strict", [True, False])
def test_unknown_inputs_are_described_as_they_are_taken(is_strict: bool) -> None:
    document = describe(asking({"name": "a", "type": "text"}, strict=is_strict))

    shape = validator(document, body_of(document)["schema"])
    assert shape.is_valid({"inputs": {"a": "b", "c": 5}}) is not is_strict


def test_what_an_author_wrote_is_never_taken_for_a_reference() -> None:
    tricky = {"$ref": "#/components/schemas/nothing"}

    document = describe(asking({"name": "$ref", "type": "json", "default": tricky}))

    assert body_of(document)["example"] == {"inputs": {"$ref": tricky}}
    assert "nothing" not in document["components"]["schemas"]


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_an_example_is_made_up_where_no_value_is_saved(kind: str) -> None:
    field = {"name": "it", "type": kind, "required": True, **FIELDS[kind]}
    document = asking(field)
    plan = compile_plan(document["nodes"], document["edges"])

    inputs = body_of(describe(document))["example"]["inputs"]

    assert inputs.keys() == {"it"}
    assert check_inputs(plan.fields, inputs, strict=True) == inputs


def test_there_is_no_example_where_none_can_be_made_up() -> None:
    odd = {"name": "it", "type": "number", "required": True, "max": -4, "step": 3}

    assert "example" not in body_of(describe(asking(odd)))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_of_an_example_is_one_that_its_run_takes(path: Path) -> None:
    document = describe(json.loads(path.read_text()))

    body = body_of(document)
    validator(document, body["schema"]).validate(body["example"])


@pytest.mark.parametrize(
    ("in_edges", "output", "fitting", "wrong"),
    [
        ([("text", "result-in")], {}, [{"text": "a"}, ["a"], None], [{"images": []}, "a"]),
        ([("image", "result-in")], {}, [{"images": ["a"]}, None], [{"text": "a"}, {"images": "a"}]),
        ([("audio", "result-in")], {}, [{"audios": []}], [{"images": []}]),
        ([("file", "result-in")], {}, [{"files": ["a"]}, None], [{"images": []}, {"files": "a"}]),
        ([("text", "result-in"), ("image", "result-in")], {}, [{"texts": ["a"]}, None, 5], []),
        (
            [("text", "a"), ("image", "b")],
            {"fields": [{"name": "a"}, {"name": "b"}, {"name": "c"}]},
            [{"a": "x", "b": ["y"], "c": None}],
            [{"a": "x"}, {"a": 5, "b": "y", "c": None}, None],
        ),
        (
            [("text", "a"), ("json", "b"), ("text", "a"), ("text", "b")],
            {"fields": [{"name": "a"}, {"name": "b"}]},
            [{"a": ["x", "y"], "b": [{"k": 1}, "y"]}, {"a": "x", "b": {"k": 1}}],
            [{"a": 5, "b": None}],
        ),
    ],
)
def test_the_result_is_described_as_far_as_the_graph_tells(
    in_edges: list[tuple[str, str]], output: dict[str, Any], fitting: list[Any], wrong: list[Any]
) -> None:
    document = answering(in_edges, **output)

    schema, example = result_of(compile_plan(document["nodes"], document["edges"]))

    shape = jsonschema_rs.validator_for(schema)
    assert shape.is_valid(example)
    assert [shape.is_valid(each) for each in fitting] == [True] * len(fitting)
    assert [shape.is_valid(each) for each in wrong] == [False] * len(wrong)
