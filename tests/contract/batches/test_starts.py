"""Starts of batches: bodies, checks of all items, and what is begun."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.contract.batches import count_batches, inputs_of, start_batch
from tests.support.contract.installation import (
    Administration,
    Caller,
    asking,
    field,
    form,
    params,
    workflow,
)
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import edge, greeting, node

ROUTES = {"POST /api/workflows/{slug}/batch": "workflow:run"}


def named(*names: Any) -> list[Any]:
    return inputs_of("name", *names)


@pytest.fixture
def slug(caller: Caller) -> Iterator[str]:
    yield caller.save(greeting())


def test_a_batch_is_accepted_at_once(caller: Caller, slug: str) -> None:
    answer = start_batch(caller, slug, named("Ada", "Eve"), tags=["nightly"], concurrency=2)

    assert answer.status_code == 202
    assert_fits(
        answer.json(),
        {"batchId": str, "items": 2, "status": "processing", "pollUrl": str},
    )
    found = caller.get(answer.json()["pollUrl"])
    assert found.status_code == 200
    assert found.json()["tags"] == ["nightly"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": {}}, "items"),
        ({"items": None}, "items"),
        ({"items": named("a") * 1_001}, "items"),
        ({"items": [5]}, "items[0]"),
        ({"items": [*named("a"), {}]}, "items[1].inputs"),
        ({"items": [{"inputs": []}]}, "items[0].inputs"),
        ({"items": [{"inputs": {"name": "a"}, "tags": [""]}]}, "items[0].tags"),
        ({"items": named("a"), "tags": "a"}, "tags"),
        ({"items": named("a"), "tags": ["x"] * 11}, "tags"),
        ({"items": named("a"), "concurrency": 0}, "concurrency"),
        ({"items": named("a"), "concurrency": 101}, "concurrency"),
        ({"items": named("a"), "concurrency": 1.5}, "concurrency"),
        ({"items": named("a"), "concurrency": None}, "concurrency"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_a_body_that_is_wrong_is_refused(caller: Caller, slug: str, body: Any, wrong: str) -> None:
    answer = caller.post(f"/api/workflows/{slug}/batch", body)

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_BODY", "field": wrong})
    assert count_batches(caller, slug) == 0


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"items": [{]}', b'{"items": "\xff"}', b""])
def test_a_body_that_is_no_object_is_refused(caller: Caller, slug: str, data: bytes) -> None:
    answer = caller.request(
        "POST",
        f"/api/workflows/{slug}/batch",
        content=data,
        headers={"content-type": "application/json"},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")


def test_every_wrong_item_is_named_and_nothing_is_begun(caller: Caller) -> None:
    slug = caller.save(params(field("age", "number", required=True, max=9)))
    ages: list[Any] = [1, "x", 12, 3, None]
    items = [{"inputs": {"age": age}} for age in ages] + [{"inputs": {}}]

    answer = start_batch(caller, slug, items)

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_INPUTS", "items": list})
    told = [(each["index"], each["field"], each["reason"]) for each in answer.json()["items"]]
    assert told == [
        (1, "age", "must be a number of at most 64 bits, not a text"),
        (2, "age", "must be at most 9"),
        (4, "age", "must be a number of at most 64 bits, not null"),
        (5, "age", "is required"),
    ]
    assert count_batches(caller, slug) == 0
    assert caller.get(f"/api/executions?workflowSlug={slug}").json()["rows"] == []


def test_of_many_wrong_items_the_first_hundred_are_named(caller: Caller, slug: str) -> None:
    answer = start_batch(caller, slug, [*named("a"), *named(*[7] * 150)])

    assert answer.status_code == 400
    assert [each["index"] for each in answer.json()["items"]] == list(range(1, 101))


def test_an_item_that_names_an_asset_that_is_not_there_is_wrong(caller: Caller) -> None:
    slug = caller.save(workflow([form(field("photo", "image")), node("out", "responseOutput")], []))
    missing, name = "A" * 24, "https://example.org/a.png"

    answer = start_batch(caller, slug, [{"inputs": {"photo": each}} for each in (name, missing)])

    assert answer.json()["items"] == [
        {"index": 1, "field": "photo", "reason": "names no asset of yours"}
    ]


def test_members_and_inputs_that_nothing_takes_are_named(caller: Caller, slug: str) -> None:
    items = [{"inputs": {"name": "a", "nmae": "b"}, "tag": ["x"]}] * 2

    answer = start_batch(caller, slug, items, concurency=3)

    assert answer.status_code == 202
    warnings = answer.json()["warnings"]
    assert [sorted(each.split("'")[1] for each in warnings)] == [["concurency", "nmae", "tag"]]


def test_the_estimate_of_all_items_is_compared_with_the_balance(
    administration: Administration, chat: str
) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account, "workflow:*"))
    slug = caller.save(asking(chat))
    item = {"inputs": {"prompt": "Hello"}}
    estimate = caller.get(f"/api/workflows/{slug}/schema").json()["estimatedCreditCost"]

    answer = start_batch(caller, slug, [item] * 1_000)
    required = answer.json()["required"]
    fitting = start_batch(caller, slug, [item] * (answer.json()["balance"] * 1_000 // required))

    assert answer.status_code == 402
    expected = {"code": "INSUFFICIENT_CREDITS", "required": int, "balance": int, "error": sentence}
    assert_fits(answer.json(), expected)
    assert required == estimate * 1_000
    assert fitting.status_code == 202
    assert count_batches(caller, slug) == 1
    caller.clean()


def test_the_first_answer_is_replayed(caller: Caller, slug: str) -> None:
    headers = {"idempotency-key": str(uuid4())}

    first = start_batch(caller, slug, named("Ada"), headers=headers, other=1)
    again = [start_batch(caller, slug, named("Ada"), headers=headers, other=1) for _ in range(2)]
    other = start_batch(caller, slug, named("Eve"), headers=headers)

    assert "idempotent-replayed" not in first.headers
    for answer in again:
        assert (answer.status_code, answer.content) == (202, first.content)
        assert answer.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert count_batches(caller, slug) == 1


def test_refused_items_are_not_stored_with_the_key(caller: Caller, slug: str) -> None:
    headers = {"idempotency-key": str(uuid4())}

    refused = start_batch(caller, slug, named(5), headers=headers)
    taken = start_batch(caller, slug, named("Ada"), headers=headers)

    assert (refused.status_code, taken.status_code) == (400, 202)


def test_a_key_that_is_none_is_refused(caller: Caller, slug: str) -> None:
    answer = start_batch(caller, slug, named("Ada"), headers={"idempotency-key": "a b"})

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_IDEMPOTENCY_KEY")


def test_a_version_may_be_named(caller: Caller) -> None:
    slug = caller.save(greeting())
    changed = greeting()
    changed["nodes"][1]["data"]["text"] = "HELLO {{ name }}"
    assert caller.put(f"/api/workflows/{slug}", changed).status_code == 200

    named_version = start_batch(caller, slug, named("Ada"), "?version=1").json()["pollUrl"]
    live = start_batch(caller, slug, named("Ada")).json()["pollUrl"]
    missing = start_batch(caller, slug, named("Ada"), "?version=9")

    versions = [caller.get(path).json()["workflowVersion"] for path in (named_version, live)]
    assert versions == [1, 2]
    assert (missing.status_code, missing.json()["code"]) == (404, "VERSION_NOT_FOUND")


@pytest.mark.parametrize("query", ["?version=0", "?version=No-Name", "?async=true"])
def test_a_query_that_is_wrong_is_refused(caller: Caller, slug: str, query: str) -> None:
    answer = start_batch(caller, slug, named("Ada"), query)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")


def test_a_workflow_that_is_not_there_or_cannot_run_is_refused(
    caller: Caller, stranger: Caller, slug: str
) -> None:
    draft = caller.save(greeting(draft=True))

    for refused, code in (
        (start_batch(caller, "no-such", named("a")), (404, "WORKFLOW_NOT_FOUND")),
        (start_batch(stranger, slug, named("a")), (404, "WORKFLOW_NOT_FOUND")),
        (start_batch(caller, draft, named("a")), (409, "WORKFLOW_NOT_RUNNABLE")),
        (start_batch(caller, "No_Slug", named("a")), (400, "INVALID_SLUG")),
    ):
        assert (refused.status_code, refused.json()["code"]) == code


def test_the_capability_is_that_of_a_run(administration: Administration) -> None:
    account = administration.account("business")
    writer = administration.with_key(administration.key(account, "workflow:write"))
    one, other = writer.save(greeting("One")), writer.save(greeting("Other"))
    narrow = administration.with_key(administration.key(account, f"workflow:{one}:run"))

    allowed, denied = (start_batch(narrow, each, named("a")) for each in (one, other))

    assert allowed.status_code == 202
    assert (denied.status_code, denied.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert denied.json()["required"] == "workflow:run"
    assert start_batch(writer, one, named("a")).json()["code"] == "CAPABILITY_DENIED"
    writer.clean()


def test_an_account_that_is_not_approved_starts_none(administration: Administration) -> None:
    account = administration.account("business", approved=False)
    caller = administration.with_key(administration.key(account))

    answer = start_batch(caller, "any", named("a"))

    assert (answer.status_code, answer.json()["code"]) == (403, "ACCOUNT_NOT_APPROVED")


def test_the_call_counts_once_in_the_window_of_runs(administration: Administration) -> None:
    caller = administration.caller("pro")
    slug = caller.save(greeting())

    first = start_batch(caller, slug, [{"inputs": {}}] * 3)
    second = start_batch(caller, slug, named("Ada"))

    assert [each.headers["x-ratelimit-limit"] for each in (first, second)] == ["100", "100"]
    left = [int(each.headers["x-ratelimit-remaining"]) for each in (first, second)]
    assert left[0] == 99
    caller.clean()


def test_a_large_body_is_taken_and_a_larger_one_is_refused(caller: Caller) -> None:
    nodes = [form(field("text", "textarea")), node("out", "responseOutput")]
    slug = caller.save(workflow(nodes, [edge("in", "text", "out", "result-in")]))
    text = "x" * 15_000
    path = f"/api/workflows/{slug}/batch"

    taken = caller.post(path, {"items": [{"inputs": {"text": text}}] * 1_000})
    refused = caller.post(path, {"items": [{"inputs": {"text": text}}] * 1_000, "x": "x" * 2**21})

    assert taken.status_code == 202, taken.text
    caller.post(f"{taken.json()['pollUrl']}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert refused.json()["limit"] == 16_777_216
    assert caller.run(slug, {"text": "x" * 2**21}).status_code == 413


def test_a_batch_takes_a_webhook_without_events(caller: Caller, slug: str) -> None:
    own = {"url": "https://example.com/hook", "secret": "s" * 20}

    accepted = start_batch(caller, slug, named("Ada"), webhook=own)
    refused = [
        start_batch(caller, slug, named("Ada"), webhook=own | {"events": []}),
        start_batch(caller, slug, named("Ada"), webhook={"url": "ftp://x", "secret": "s" * 20}),
        start_batch(caller, slug, named("Ada"), webhook={"url": own["url"]}),
        start_batch(caller, slug, named("Ada"), webhook=5),
    ]

    assert accepted.status_code == 202, accepted.text
    assert [each.status_code for each in refused] == [400] * 4
    assert [each.json()["field"] for each in refused] == [
        "webhook.events",
        "webhook.url",
        "webhook.secret",
        "webhook",
    ]
    assert {each.json()["code"] for each in refused} == {"INVALID_WEBHOOK"}
