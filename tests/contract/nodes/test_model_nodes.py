"""Assistant, generators and image tools over HTTP, without a provider."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.support.contract.installation import Caller, workflow
from tests.support.gateway.documents import edge, node
from tests.support.media.pictures import BLUE, RED, halves, pixel, plain

OUT = node("out", "responseOutput")
LIST = node("l", "list", items=[{"value": "a"}, {"value": "b", "included": False}, {"value": "c"}])
PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def assistant(**data: Any) -> dict[str, Any]:
    return node("m", "assistant", **{"model": "echo", **data})


def given(caller: Caller, output: str, *nodes: dict[str, Any], edges: tuple[Any, ...] = ()) -> Any:
    """Return an output of the node `m`."""
    in_edges = [*edges, edge("m", output, "out", "it")]
    named = node("out", "responseOutput", fields=[{"name": "it"}])
    return caller.result([*nodes, named], in_edges, {})["it"]


@pytest.mark.parametrize("output", ["text-out", "analysis-out"])
def test_an_assistant_gives_its_text_under_two_names(caller: Caller, output: str) -> None:
    assert given(caller, output, assistant(prompt="hello")) == "hello"


def test_a_text_of_an_assistant_is_the_result(caller: Caller) -> None:
    nodes = [assistant(prompt="hello", exportMode="text"), OUT]

    assert caller.result(nodes, [edge("m", "text-out", "out", "result-in")], {}) == {
        "text": "hello"
    }


def test_a_prompt_is_a_template_and_a_wired_prompt_takes_its_place(caller: Caller) -> None:
    text = node("t", "textBox", text="cats")
    payload = assistant(prompt="about {{ what }}")
    typed = [edge("t", "text-out", "m", "what")]

    assert given(caller, "text-out", text, payload, edges=(*typed,)) == "about cats"
    wired = (*typed, edge("t", "text-out", "m", "prompt-in"))
    assert given(caller, "text-out", text, payload, edges=wired) == "cats"


def test_a_list_gives_one_text_per_included_item_in_order(caller: Caller) -> None:
    wire = edge("l", "items-out", "m", "prompt-in")

    assert given(caller, "text-out", LIST, assistant(), edges=(wire,)) == ["a", "c"]


def test_a_list_is_exported_item_by_item(caller: Caller) -> None:
    payload = assistant(prompt="Here they are:\n\n1. a cat\n2. a dog", exportMode="list")

    assert given(caller, "items-out", payload) == ["a cat", "a dog"]


@pytest.mark.parametrize(
    ("status", "code", "is_retryable"),
    [
        (500, "PROVIDER_UNAVAILABLE", True),
        (400, "PROVIDER_REJECTED", False),
        (401, "PROVIDER_REJECTED", False),
    ],
)
def test_who_waits_is_told_what_the_provider_failed_with(
    caller: Caller, chat: str, status: int, code: str, is_retryable: bool
) -> None:
    nodes = [assistant(model=chat, prompt=f"[[stub fail={status}]] Hello"), OUT]
    slug = caller.save(workflow(nodes, [edge("m", "text-out", "out", "result-in")]))

    answer = caller.run(slug)

    body = answer.json()
    why = {"nodeCode": code, "retryable": is_retryable}
    shown = caller.execution(body["executionId"])
    assert (answer.status_code, body["code"]) == (500, "EXECUTION_FAILED")
    assert body | why == body
    assert shown["error"] == {
        "code": "EXECUTION_FAILED",
        "message": body["error"],
        "nodeId": "m",
    }
    failed = {each["id"]: each["error"] for each in shown["nodes"]}["m"]
    assert failed["code"] == code


def test_json_by_a_schema_is_given_compact(caller: Caller) -> None:
    payload = assistant(prompt='{ "name" : "Ada" }', jsonSchema=PERSON)

    assert given(caller, "text-out", payload) == '{"name":"Ada"}'


def test_the_parsed_value_goes_on_to_the_next_node(caller: Caller) -> None:
    asked = assistant(prompt='{"name": "Ada"}', jsonSchema=PERSON)
    next_node = node("next", "transform", expression="value.name + '!'")
    wired = [
        edge("m", "json-out", "next", "value-in"),
        edge("next", "value-out", "out", "result-in"),
    ]

    assert caller.result([asked, next_node, OUT], wired) == "Ada!"


def test_the_parsed_value_cannot_be_wired_without_a_schema(caller: Caller) -> None:
    nodes = [assistant(prompt="x"), OUT]

    answer = caller.create(workflow(nodes, [edge("m", "json-out", "out", "result-in")]))

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH")
    (problem,) = answer.json()["problems"]
    assert "where 'jsonSchema' is set" in problem["reason"]


def test_an_answer_that_does_not_fit_its_schema_fails_the_node(caller: Caller) -> None:
    retry = {"attempts": 2, "backoff": 0}
    nodes = [assistant(prompt='{"name": 5}', jsonSchema=PERSON, retry=retry), OUT]
    slug = caller.save(workflow(nodes, [edge("m", "text-out", "out", "result-in")]))

    shown = caller.ended(caller.start(slug))

    [record] = [each for each in shown["nodes"] if each["id"] == "m"]
    assert (shown["status"], record["error"]["code"]) == ("failed", "PROVIDER_BAD_RESPONSE")
    assert (record["attempts"], record["creditsCost"]) == (2, 0)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("assistant", {"model": "no-such"}, "There is no model 'no-such' here"),
        ("assistant", {"exportMode": "json"}, "exportMode must be 'text' or 'list'"),
        ("assistant", {"temperature": 1}, "The model 'echo' has no 'temperature'; it has 'prompt'"),
        (
            "assistant",
            {"jsonSchema": {"$ref": "http://127.0.0.1/x"}},
            "jsonSchema is not a JSON Schema: Resource 'http://127.0.0.1/x' is not present in a "
            "registry and retrieving it failed: Retrieval is disabled, cannot fetch "
            "http://127.0.0.1/x",
        ),
        ("imageGenerator", {}, "The model 'echo' gives text, not image"),
        ("imageGenerator", {"count": 16}, "count must be a whole number from 1 to 15"),
        ("videoGenerator", {}, "The model 'echo' gives text, not video"),
        ("musicGenerator", {}, "The model 'echo' gives text, not audio"),
        ("imageResize", {"width": 0}, "width must be a whole number from 1 to 10000"),
    ],
)
def test_settings_that_cannot_be_are_problems_at_save(
    caller: Caller, kind: str, data: dict[str, Any], reason: str
) -> None:
    made = node("m", kind, **{"model": "echo", "prompt": "x", **data})

    answer = caller.create(workflow([made, OUT], []))

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_GRAPH"
    assert {"nodeId": "m", "reason": reason} in answer.json()["problems"]


def test_a_wire_that_the_model_can_do_nothing_with_is_a_problem_of_the_edge(caller: Caller) -> None:
    images = node("l", "list", items=[])
    wire = edge("l", "items-out", "m", "image-in")

    answer = caller.create(workflow([images, assistant(prompt="x"), OUT], [wire]))

    assert answer.json()["problems"] == [
        {"edgeId": wire["id"], "reason": "'image-in' of 'm': The model 'echo' has no 'image'"}
    ]


def stored(caller: Caller, data: bytes) -> str:
    """Return the id of an uploaded image."""
    answer = caller.request(
        "POST", "/api/assets", content=data, headers={"Content-Type": "image/png"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def fetched(caller: Caller, url: str) -> Image.Image:
    """Return an image from a run."""
    answer = caller.request("GET", url)
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


@pytest.mark.parametrize(
    ("kind", "data", "size", "written"),
    [
        ("imageResize", {"width": 40}, (40, 20), "PNG"),
        ("imageCrop", {"aspectRatio": "1:1", "format": "webp"}, (50, 50), "WEBP"),
        ("imageConvert", {"format": "jpeg"}, (100, 50), "JPEG"),
        ("imageCaption", {"text": "Hi", "size": 20}, (100, 50), "PNG"),
    ],
)
def test_an_image_becomes_another(
    caller: Caller, kind: str, data: dict[str, Any], size: tuple[int, int], written: str
) -> None:
    upload = node("u", "upload", asset=stored(caller, halves((100, 50))))
    upload["data"]["kind"] = "image"
    edges = [edge("u", "image-out", "m", "image-in"), edge("m", "image-out", "out", "result-in")]

    result = caller.result([upload, node("m", kind, **data), OUT], edges, {})

    [url] = result["images"]
    image = fetched(caller, url)
    assert (image.size, image.format) == (size, written)


def test_an_image_is_put_upon_each_of_several(caller: Caller) -> None:
    ids = [stored(caller, plain((100, 50), color)) for color in (RED, BLUE)]
    uploads = [node(f"u{n}", "upload", asset=each) for n, each in enumerate(ids)]
    for each in uploads:
        each["data"]["kind"] = "image"
    both = node("l", "list")
    nodes = [*uploads, both, node("m", "imageCompose", anchor="center", scale=0.5), OUT]
    edges = [
        edge("u0", "image-out", "l", "items-in"),
        edge("u1", "image-out", "l", "items-in"),
        edge("l", "items-out", "m", "image-in"),
        edge("u1", "image-out", "m", "overlay-in"),
        edge("m", "image-out", "out", "result-in"),
    ]

    result = caller.result(nodes, edges, {})

    first, second = (fetched(caller, url) for url in result["images"])
    assert (pixel(first, 0.05, 0.05), pixel(first, 0.5, 0.5)) == (RED, BLUE)
    assert second.convert("RGB").getcolors() == [(5_000, BLUE)]


def test_what_is_no_image_fails_the_node(caller: Caller) -> None:
    nodes = [
        node("l", "list", items=[{"value": f"{caller.client.base_url}healthz"}]),
        node("m", "imageConvert", format="png"),
        OUT,
    ]
    edges = [edge("l", "items-out", "m", "image-in"), edge("m", "image-out", "out", "result-in")]

    shown = caller.ended(caller.start(caller.save(workflow(nodes, edges))))

    [record] = [each for each in shown["nodes"] if each["id"] == "m"]
    assert shown["status"] == "failed"
    assert record["error"]["code"] in {"bad_media", "url_blocked", "asset_not_found"}
