"""Assets in runs of another account's public workflow: inputs name the runner's alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub
from tests.support.media.files import png

Way = list[tuple[dict[str, Any], str, str]]
"""Nodes in line, each with its input and its output on the way."""

SPLIT = {"bodyType": "asset", "body": "{{ start }}{{ end }}"}
ASSET = {"bodyType": "asset"}
FILE = {"bodyType": "multipart", "body": {"photo": "{{ photo }}"}}
CASES = [{"name": "yes", "when": "true"}]


def listed(node_id: str, kind: str, *items: str) -> dict[str, Any]:
    """Return a list of items of a kind."""
    made = node(node_id, "list", items=[{"value": each} for each in items])
    made["data"]["kind"] = kind
    return made


INPUT_WAYS: dict[str, Way] = {
    "at once": [],
    "text box": [(node("a", "textBox", text="{{ x }}"), "x", "text-out")],
    "expression": [(node("a", "transform", expression="value + ''"), "value-in", "value-out")],
    "condition": [(node("a", "condition", expression="true"), "value-in", "true-out")],
    "switch": [(node("a", "switch", cases=CASES), "value-in", "yes")],
    "merge": [(node("a", "merge", mode="first"), "value-in", "value-out")],
    "list": [(listed("a", "any"), "items-in", "items-out")],
    "model": [(node("a", "customModel", model="echo"), "prompt-in", "text-out")],
    "two nodes": [
        (node("a", "textBox", text="{{ x }}"), "x", "text-out"),
        (node("b", "merge", mode="first"), "value-in", "value-out"),
    ],
}
"""Nodes that an id passes from the input to the call, with the sockets of its way."""


@pytest.fixture
def runner(administration: Administration) -> Caller:
    return administration.caller("pro", "workflow:*", "execution:*")


def upload(caller: Caller, data: bytes) -> str:
    """Store an image; return its id."""
    headers = {"content-type": "image/png"}
    answer = caller.request("POST", "/api/assets", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
def owned(caller: Caller) -> str:
    """The id of an asset of the workflow's owner."""
    return upload(caller, png(7, 5))


@pytest.fixture
def brought(runner: Caller) -> str:
    """The id of an asset of the runner."""
    return upload(runner, png(3, 2))


def posting(stub: Stub, **data: Any) -> dict[str, Any]:
    """Return a node that sends a body."""
    return node("call", "httpRequest", url=f"{stub.url}/take", method="POST", **data)


def published(
    caller: Caller, nodes: Sequence[dict[str, Any]], edges: Sequence[dict[str, Any]]
) -> str:
    """Save a public workflow whose result is the answer to its call; return its slug."""
    out = edge("call", "response-out", "out", "result-in")
    every = [*nodes, node("out", "responseOutput")]
    return caller.save(workflow(every, [*edges, out], publicPlayground=True))


def line(
    way: Way, start: tuple[str, str], socket: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the nodes of a way, and edges from `start` through them to the call's socket."""
    place, edges = start, []
    for each, into, output in way:
        edges.append(edge(*place, each["id"], into))
        place = each["id"], output
    return [each for each, _, _ in way], [*edges, edge(*place, "call", socket)]


def from_input(
    way: Way, call: dict[str, Any], socket: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    nodes, edges = line(way, ("in", "id"), socket)
    return [form(field("id", "text", required=True)), *nodes, call], edges


def assert_runner_sends_own_assets_alone(
    stub: Stub, runner: Caller, slug: str, owned: str, brought: str
) -> None:
    """Fail if the owner's asset goes out for a runner, or the runner's own one does not."""
    refused = runner.run(slug, {"id": owned})

    assert (refused.status_code, refused.json()["code"]) == (500, "EXECUTION_FAILED")
    assert stub.at("/take") == []
    answer = runner.run(slug, {"id": brought})
    assert answer.status_code == 200, answer.text
    (request,) = stub.at("/take")
    assert png(3, 2) in request.body


@pytest.mark.A92
@pytest.mark.parametrize("way", INPUT_WAYS)
@pytest.mark.parametrize("socket", ["body-in", "placeholder"])
def test_an_id_from_an_input_is_the_runners(
    caller: Caller, runner: Caller, stub: Stub, owned: str, brought: str, way: str, socket: str
) -> None:
    each = way == "list"  # a list is sent by its items
    data = ASSET if socket == "body-in" else {**ASSET, "body": "{{ photo }}"}
    name = socket if socket == "body-in" else "photo"
    call = posting(stub, **data, each=each)
    slug = published(caller, *from_input(INPUT_WAYS[way], call, name))

    assert_runner_sends_own_assets_alone(stub, runner, slug, owned, brought)

    stub.requests.clear()
    assert caller.run(slug, {"id": owned}).status_code == 200  # the owner's run is the owner's
    (request,) = stub.at("/take")
    assert request.body == png(7, 5)


@pytest.mark.A92
def test_an_id_in_two_halves_is_the_runners(
    caller: Caller, runner: Caller, stub: Stub, owned: str
) -> None:
    fields = [field("start", "text"), field("end", "text")]
    edges = [edge("in", name, "call", name) for name in ("start", "end")]
    slug = published(caller, [form(*fields), posting(stub, **SPLIT)], edges)

    answer = runner.run(slug, {"start": owned[:9], "end": owned[9:]})

    assert answer.status_code == 500, answer.text
    assert stub.at("/take") == []


@pytest.mark.A92
def test_a_file_of_a_form_by_an_id_from_an_input_is_the_runners(
    caller: Caller, runner: Caller, stub: Stub, owned: str, brought: str
) -> None:
    images = listed("a", "image")
    passing = node("v", "transform", expression="value")
    way = [(passing, "value-in", "value-out"), (images, "items-in", "items-out")]
    slug = published(caller, *from_input(way, posting(stub, **FILE), "photo"))

    assert_runner_sends_own_assets_alone(stub, runner, slug, owned, brought)


@pytest.mark.A92
def test_an_id_in_an_answer_is_the_runners(
    caller: Caller, runner: Caller, stub: Stub, owned: str
) -> None:
    stub.give("/told", owned)
    ask = node("ask", "httpRequest", url=f"{stub.url}/told")
    edges = [edge("ask", "response-out", "call", "body-in")]
    slug = published(caller, [ask, posting(stub, **ASSET)], edges)

    answer = runner.run(slug)

    assert answer.status_code == 500, answer.text
    assert stub.at("/take") == []


@pytest.mark.parametrize("way", ["typed", "text box", "list", "expression", "upload"])
def test_an_asset_that_the_document_names_is_the_owners(
    caller: Caller, runner: Caller, stub: Stub, owned: str, way: str
) -> None:
    box = node("box", "textBox", text=owned)
    ways: dict[str, Any] = {
        "typed": None,
        "text box": (box, "text-out", []),
        "list": (listed("l", "any", owned), "items-out", []),
        "expression": (
            box,
            "text-out",
            [(node("a", "transform", expression="value"), "value-in", "value-out")],
        ),
        "upload": (node("up", "upload", asset=owned), "image-out", []),
    }
    if ways[way] is None:
        slug = published(caller, [posting(stub, **ASSET, body=owned)], [])
    else:
        first, output, rest = ways[way]
        nodes, edges = line(rest, (first["id"], output), "body-in")
        call = posting(stub, **ASSET, each=way == "list")
        slug = published(caller, [first, *nodes, call], edges)

    answer = runner.run(slug)

    assert answer.status_code == 200, answer.text
    (request,) = stub.at("/take")
    assert request.body == png(7, 5)


@pytest.mark.A12
def test_a_media_input_takes_the_runners_asset_alone(
    caller: Caller, runner: Caller, stub: Stub, owned: str, brought: str
) -> None:
    edges = [edge("in", "photo", "call", "body-in")]
    slug = published(caller, [form(field("photo", "image")), posting(stub, **ASSET)], edges)

    refused = runner.run(slug, {"photo": owned})

    assert (refused.status_code, refused.json()["field"]) == (400, "photo")
    assert runner.run(slug, {"photo": brought}).status_code == 200
    (request,) = stub.at("/take")
    assert request.body == png(3, 2)


@pytest.mark.A92
def test_a_tool_for_images_gets_no_asset_by_an_id(
    caller: Caller, runner: Caller, owned: str
) -> None:
    """Wired images are named by links; an id is no link, whosever it is."""
    resize = node("call", "imageResize", width=2)
    passing = node("v", "transform", expression="value")
    edges = [edge("in", "id", "v", "value-in"), edge("v", "value-out", "call", "image-in")]
    edges.append(edge("call", "image-out", "out", "result-in"))
    nodes = [form(field("id", "text")), passing, resize, node("out", "responseOutput")]
    slug = caller.save(workflow(nodes, edges, publicPlayground=True))

    assert runner.run(slug, {"id": owned}).status_code == 500
    assert caller.run(slug, {"id": owned}).status_code == 500


@pytest.mark.A12
def test_an_own_document_names_no_asset_of_others(runner: Caller, owned: str) -> None:
    up = [node("up", "upload", asset=owned), node("out", "responseOutput")]
    wired = [edge("up", "image-out", "out", "result-in")]

    saved = runner.create(workflow(up, wired))
    covered = runner.create(workflow(up[1:], [], cover=owned))

    assert (saved.status_code, saved.json()["code"]) == (400, "INVALID_GRAPH")
    assert (covered.status_code, covered.json()["field"]) == (400, "cover")


@pytest.mark.A12
def test_pinned_outputs_and_earlier_runs_name_no_asset_of_others(
    runner: Caller, stub: Stub, owned: str
) -> None:
    box = node("box", "textBox", text="nothing")
    edges = [edge("box", "text-out", "call", "body-in")]
    edges.append(edge("call", "response-out", "out", "result-in"))
    slug = runner.save(
        workflow([box, posting(stub, **ASSET), node("out", "responseOutput")], edges)
    )
    document = runner.get(f"/api/workflows/{slug}").json()
    members = {name: document[name] for name in ("name", "nodes", "edges")}
    assert runner.put(f"/api/workflows/{slug}/draft", members).status_code == 200
    run = f"/api/workflows/{slug}/draft/run"

    pinned = runner.post(run, {"inputs": {}, "pinned": {"box": {"text-out": owned}}})
    execution_id = pinned.json()["executionId"]
    again = runner.post(run, {"inputs": {}, "from": execution_id})
    retried = runner.post(f"/api/executions/{execution_id}/retry")

    assert (pinned.status_code, again.status_code) == (500, 500)
    assert retried.status_code == 202
    assert runner.ended(retried.json()["executionId"])["status"] == "failed"
    assert stub.at("/take") == []


def test_a_run_of_anothers_workflow_is_not_retried(
    caller: Caller, runner: Caller, stub: Stub, owned: str
) -> None:
    call = posting(stub, **ASSET)
    slug = published(caller, *from_input([], call, "body-in"))
    failed = runner.run(slug, {"id": owned}).json()["executionId"]

    answer = runner.post(f"/api/executions/{failed}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "EXECUTION_NOT_RETRYABLE")


def test_a_copy_of_a_template_has_copies_of_its_assets(
    caller: Caller, runner: Caller, owned: str
) -> None:
    up = [node("up", "upload", asset=owned), node("out", "responseOutput")]
    wired = [edge("up", "image-out", "out", "result-in")]
    slug = caller.save(workflow(up, wired, isTemplate=True, cover=owned))

    copied = runner.create({"copyOf": slug, "name": "Mine"})

    assert copied.status_code == 201, copied.text
    body = copied.json()
    named = {body["cover"], *(each["data"].get("asset") for each in body["nodes"])} - {None}
    assert owned not in named
    assert all(runner.get(f"/api/assets/{each}").status_code == 200 for each in named)
