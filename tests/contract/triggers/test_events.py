"""Events of inbound webhooks: verified, decided on, and each accounted for."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.triggers.trigger import VerifyKind
from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.contract.shapes import assert_fits, sentence, uuid
from tests.support.contract.triggers import SECRET, at, greeting, hook, make
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub
from tests.support.triggers.signatures import HMAC_HEADER, github, signed, standard

ROUTES = {"POST /hooks/{token}": "public"}
JSON = "application/json"
EVENT = {"name": "Ada"}
FORM = 'multipart/form-data; boundary="b"'
JSON_BODIES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())
HEAVY = "size(lists.range(900).map(x, lists.range(900).map(y, x * y)).flatten()) > 0"
"""Takes a second or so, or is stopped."""
SIGNED = [each for each in VerifyKind if each is not VerifyKind.NONE]


@pytest.fixture(scope="module")
def shared_hooks(administration: Administration) -> list[dict[str, Any]]:
    """Inbound webhooks of an account without a rate limit: one is simple, one has expressions."""
    owner = administration.browser(administration.account("enterprise"))
    slug = owner.save(greeting())
    inputs = {"name": "json.stringify([body, query])"}
    more = {"when": "has(headers.host)", "inputs": inputs}
    return [make(owner, hook(slug)), make(owner, hook(slug, **more))]


def send(
    trigger: dict[str, Any],
    body: Any = EVENT,
    headers: Mapping[str, str] | None = None,
    *,
    content_type: str = JSON,
    query: str = "",
) -> httpx2.Response:
    """Send an event as a service does: without a key."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"content-type": content_type, **(headers or {})}
    return httpx2.post(trigger["url"] + query, content=data, headers=given, timeout=60)


def started(answer: httpx2.Response) -> str:
    """Check that an event started a run; return the execution."""
    assert answer.status_code == 202, answer.text
    assert_fits(answer.json(), {"executionId": uuid, "occurrenceId": uuid})
    return str(answer.json()["executionId"])


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body


def text_of(text: str) -> dict[str, str]:
    """Return the result of a run that ends with a text."""
    return {"text": text}


def verify(kind: VerifyKind, **members: str) -> dict[str, str]:
    own = {"header": HMAC_HEADER} if kind is VerifyKind.HMAC else {}
    return {"kind": kind.value, "secret": "SIGNING", **own, **members}


def last(owner: Caller, trigger: dict[str, Any]) -> Any:
    """Return the newest occurrence of a trigger."""
    return owner.get(at(trigger)).json()["lastOccurrence"]


def runs(owner: Caller, trigger: dict[str, Any]) -> int:
    """Return the number of the runs of a trigger."""
    return len(owner.get(f"/api/executions?triggerId={trigger['id']}").json()["rows"])


# -- accepted -------------------------------------------------------------------------------------


def test_an_event_starts_a_run_of_the_account(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug))

    answer = send(trigger)

    execution = owner.ended(started(answer))
    assert (execution["status"], execution["result"]) == ("completed", text_of("Hello Ada!"))
    members = ("source", "triggerId", "occurrenceId", "workflowSlug", "keyId")
    expected = ["trigger", trigger["id"], answer.json()["occurrenceId"], slug, None]
    assert [execution[name] for name in members] == expected
    row = last(owner, trigger)
    assert row["id"] == answer.json()["occurrenceId"]
    assert (row["status"], row["executionId"]) == ("started", execution["executionId"])


def test_respond_result_answers_as_a_run_does(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, respond="result"))

    answer = send(trigger)

    assert answer.status_code == 200
    body = {
        "success": True,
        "result": text_of("Hello Ada!"),
        "cost": int,
        "ms": int,
        "executionId": uuid,
    }
    assert_fits(answer.json(), body)


def test_the_body_may_be_json_a_form_or_a_text(owner: Caller, slug: str) -> None:
    of_object = make(owner, hook(slug, respond="result"))
    of_text = make(owner, hook(slug, respond="result", inputs={"name": "body"}))
    form, text = "application/x-www-form-urlencoded", "text/plain"

    assert send(of_object, b"name=Ada+L&x=1", content_type=form).json()["result"] == text_of(
        "Hello Ada L!"
    )
    assert send(of_text, b"Ada", content_type=text).json()["result"] == text_of("Hello Ada!")
    assert send(of_text, "Ada").json()["result"] == text_of("Hello Ada!")
    refused(send(of_object, b"Ada", content_type=text), 400, "INVALID_INPUTS")
    refused(send(of_object, b"{"), 400, "INVALID_BODY")


def test_expressions_see_body_headers_query_and_method(owner: Caller, slug: str) -> None:
    inputs = {
        "name": "body.user.name + ' ' + query.a + ' ' + headers['x-mine'] + ' ' + method",
        "mark": "string(size(headers.filter(name, name in ['authorization', 'cookie'])))",
    }
    trigger = make(owner, hook(slug, respond="result", inputs=inputs))
    hidden = {"X-Mine": "C", "authorization": "Bearer x", "cookie": "a=b"}

    answer = send(trigger, {"user": {"name": "A"}}, hidden, query="?a=B")

    assert answer.json()["result"] == text_of("Hello A B C POST0")


@pytest.mark.A95c
def test_a_body_over_1_mb_is_refused(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, inputs={"name": "string(size(body))"}, respond="result"))

    def chunked() -> Any:
        for _ in range(5):
            yield b"x" * 262_144

    assert send(trigger, b"x" * 2**20, content_type="text/plain").json()["result"] == (
        text_of("Hello 1048576!")
    )
    refused(send(trigger, b"x" * (2**20 + 1), content_type="text/plain"), 413, "BODY_TOO_LARGE")
    answer = httpx2.post(trigger["url"], content=chunked(), headers={"content-type": "text/plain"})
    refused(answer, 413, "BODY_TOO_LARGE")


# -- verification ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SIGNED)
def test_a_signed_event_starts_a_run(owner: Caller, slug: str, kind: VerifyKind) -> None:
    trigger = make(owner, hook(slug, verify=verify(kind)))
    body = json.dumps(EVENT).encode()

    started(send(trigger, body, signed(kind, SECRET, body)))
    for answer in (
        send(trigger, body),
        send(trigger, body, signed(kind, "another secret", body)),
        send(trigger, b"{", signed(kind, "another secret", body)),
    ):
        assert answer.status_code == 401
        assert_fits(answer.json(), {"error": sentence, "code": "INVALID_SIGNATURE"})
    assert runs(owner, trigger) == 1


@pytest.mark.A95a
@pytest.mark.parametrize(
    "kind", [VerifyKind.STRIPE, VerifyKind.SLACK, VerifyKind.STANDARD_WEBHOOKS]
)
def test_an_old_signature_is_refused(owner: Caller, slug: str, kind: VerifyKind) -> None:
    trigger = make(owner, hook(slug, verify=verify(kind)))
    body = json.dumps(EVENT).encode()

    for age in (310, -310):
        old = signed(kind, SECRET, body, time.time() - age)
        refused(send(trigger, body, old), 401, "INVALID_SIGNATURE")
    started(send(trigger, body, signed(kind, SECRET, body, time.time() - 280)))


@pytest.mark.A95a
def test_a_secret_that_is_deleted_later_verifies_nothing(owner: Caller, slug: str) -> None:
    owner.put("/api/secrets/SHORT_LIVED", {"value": SECRET})
    settings = {"kind": "bearer", "secret": "SHORT_LIVED"}
    trigger = make(owner, hook(slug, verify=settings))
    started(send(trigger, headers={"authorization": f"Bearer {SECRET}"}))

    owner.delete("/api/secrets/SHORT_LIVED")

    for token in (SECRET, "None"):
        answer = send(trigger, headers={"authorization": f"Bearer {token}"})
        refused(answer, 401, "INVALID_SIGNATURE")


def test_the_challenge_of_slack_is_answered_and_starts_nothing(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, verify=verify(VerifyKind.SLACK)))
    body = json.dumps({"type": "url_verification", "challenge": "abc", "name": "x"}).encode()

    answer = send(trigger, body, signed(VerifyKind.SLACK, SECRET, body))

    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})
    refused(send(trigger, body), 401, "INVALID_SIGNATURE")
    assert last(owner, trigger) is None


# -- urls -----------------------------------------------------------------------------------------


@pytest.mark.A94d
def test_unknown_and_disabled_ones_are_alike(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug))
    base = trigger["url"].rpartition("/")[0]
    owner.patch(at(trigger), {"enabled": False})
    urls = [trigger["url"], f"{base}/{'a' * 43}", f"{base}/x", f"{base}/{'a' * 3000}"]

    answers = [send({"url": url}) for url in urls]

    assert {answer.text for answer in answers} == {answers[0].text}
    refused(answers[0], 404, "TRIGGER_NOT_FOUND")
    owner.patch(at(trigger), {"enabled": True})
    started(send(trigger))


@pytest.mark.A94d
def test_the_former_url_is_unknown_at_once(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug))

    rotated = owner.post(at(trigger, "/rotate")).json()

    refused(send(trigger), 404, "TRIGGER_NOT_FOUND")
    started(send(rotated))
    owner.delete(at(trigger))
    refused(send(rotated), 404, "TRIGGER_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(owner: Caller, slug: str, method: str) -> None:
    trigger = make(owner, hook(slug))

    answer = httpx2.request(method, trigger["url"])

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


# -- when and event ids ---------------------------------------------------------------------------


def test_an_event_that_is_not_wanted_is_skipped_and_counted(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, when="body.wanted"))

    answer = send(trigger, {"wanted": False, "name": "x"})

    assert (answer.status_code, answer.json()) == (200, {"skipped": True})
    row = last(owner, trigger)
    found = (row["status"], row["reason"], row["executionId"])
    assert found == ("skipped", "condition_false", None)
    started(send(trigger, {"wanted": True, "name": "x"}))
    assert last(owner, trigger)["status"] == "started"


def test_an_event_with_an_id_starts_one_run(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, verify=verify(VerifyKind.GITHUB)))
    body = json.dumps(EVENT).encode()

    first = started(send(trigger, body, github(SECRET, body, "delivery-1")))
    again = send(trigger, body, github(SECRET, body, "delivery-1"))
    other = started(send(trigger, body, github(SECRET, body, "delivery-2")))

    assert (again.status_code, again.json()) == (200, {"executionId": first})
    assert again.headers["idempotent-replayed"] == "true"
    assert other != first
    assert runs(owner, trigger) == 2


def test_the_id_may_come_from_an_expression(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, eventId="body.id"))

    first = started(send(trigger, {**EVENT, "id": "1"}))

    assert send(trigger, {**EVENT, "id": "1"}).json() == {"executionId": first}
    assert started(send(trigger, {**EVENT, "id": "2"})) != first
    refused(send(trigger, {**EVENT, "id": 3}), 400, "INVALID_INPUTS")


def test_the_usual_ids_are_known(owner: Caller, slug: str) -> None:
    of_stripe = make(owner, hook(slug, verify=verify(VerifyKind.STRIPE), inputs={"name": "'x'"}))
    of_standard = make(owner, hook(slug, verify=verify(VerifyKind.STANDARD_WEBHOOKS)))
    event = json.dumps({"id": "evt_1", "object": "event"}).encode()
    body = json.dumps(EVENT).encode()

    first = started(send(of_stripe, event, signed(VerifyKind.STRIPE, SECRET, event)))
    again = send(of_stripe, event, signed(VerifyKind.STRIPE, SECRET, event, time.time() - 5))
    assert again.json() == {"executionId": first}
    first = started(send(of_standard, body, standard(SECRET, body, "msg_a")))
    again = send(of_standard, body, standard(SECRET, body, "msg_a"))
    assert again.json() == {"executionId": first}


def test_a_refused_event_may_come_again(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, eventId="body.id"))

    refused(send(trigger, {"id": "1"}), 400, "INVALID_INPUTS")

    started(send(trigger, {**EVENT, "id": "1"}))


def test_a_repeated_event_is_answered_whatever_has_changed(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, eventId="body.id"))
    first = started(send(trigger, {**EVENT, "id": "1"}))

    owner.delete(f"/api/workflows/{slug}?force=true")

    assert send(trigger, {**EVENT, "id": "1"}).json() == {"executionId": first}
    answer = send(trigger, {**EVENT, "id": "2"})
    refused(answer, 409, "WORKFLOW_NOT_RUNNABLE")
    assert last(owner, trigger)["reason"] == "workflow_not_runnable"


def test_a_repeated_event_is_answered_although_an_expression_fails_by_now(
    owner: Caller, slug: str
) -> None:
    trigger = make(owner, hook(slug, eventId="body.id"))
    first = started(send(trigger, {**EVENT, "id": "1"}))

    owner.patch(at(trigger), {"inputs": {"name": "body.user.name"}})

    assert send(trigger, {**EVENT, "id": "1"}).json() == {"executionId": first}
    assert last(owner, trigger)["status"] == "started"
    refused(send(trigger, {**EVENT, "id": "2"}), 400, "INVALID_INPUTS")


# -- failed ---------------------------------------------------------------------------------------


def test_wrong_inputs_and_failing_expressions_are_failed_occurrences(
    owner: Caller, slug: str
) -> None:
    trigger = make(owner, hook(slug, inputs={"name": "body.user.name"}))
    of_body = make(owner, hook(slug))

    told = refused(send(trigger), 400, "INVALID_INPUTS")
    assert told["field"] == "inputs.name"
    assert told["error"].startswith("'inputs.name' of the trigger has no value for this event: ")
    assert refused(send(of_body, {"name": 5}), 400, "INVALID_INPUTS")["field"] == "name"
    assert refused(send(of_body, [1]), 400, "INVALID_INPUTS")["field"] == "name"

    for each in (trigger, of_body):
        row = last(owner, each)
        found = (row["status"], row["reason"], row["executionId"])
        assert found == ("failed", "invalid_inputs", None)


def test_a_run_that_costs_too_much_is_402(owner: Caller, chat: str) -> None:
    nodes = [node("a", "assistant", model=chat, prompt="hi"), node("out", "responseOutput")]
    slug = owner.save(workflow(nodes, [edge("a", "text-out", "out", "result-in")]))
    trigger = make(owner, hook(slug, max_credits=0))
    same = {"webhook-id": "1"}

    refused(send(trigger, headers=same), 402, "MAX_CREDITS_EXCEEDED")

    assert last(owner, trigger)["reason"] == "max_credits_exceeded"
    owner.patch(at(trigger), {"max_credits": None})
    started(send(trigger, headers=same))


@pytest.mark.A96a
def test_a_run_deeper_than_8_is_508(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug))

    refused(send(trigger, headers={"headrace-depth": "8"}), 508, "LOOP_DETECTED")
    started(send(trigger, headers={"headrace-depth": "7"}))


def test_an_event_is_shown_while_it_is_hot(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug, when="body.name != 'x'"))
    send(trigger, EVENT, {"x-mine": "1", "authorization": "Bearer secret"})
    send(trigger, {"name": "x"}, {"x-mine": "2"})

    newest, oldest = (
        owner.get(at(trigger, f"/occurrences/{row['id']}")).json()
        for row in owner.get(at(trigger, "/occurrences")).json()["rows"]
    )

    assert (oldest["body"], oldest["headers"]["x-mine"]) == (EVENT, "1")
    assert (newest["body"], newest["headers"]["x-mine"]) == ({"name": "x"}, "2")
    assert "authorization" not in oldest["headers"]


def test_a_large_event_is_shown_too(owner: Caller, slug: str) -> None:
    trigger = make(owner, hook(slug))
    event = {**EVENT, "more": ["x" * 1_000] * 900}

    occurrence_id = send(trigger, event).json()["occurrenceId"]

    assert owner.get(at(trigger, f"/occurrences/{occurrence_id}")).json()["body"] == event


@pytest.mark.A96a
def test_a_trigger_that_calls_its_own_url_ends_at_the_depth_of_8(owner: Caller) -> None:
    call = {"url": "{{ url }}", "method": "POST", "body": "{}", "retry": {"attempts": 1}}
    nodes = [form(field("url", "text")), node("call", "httpRequest", **call)]
    nodes.append(node("out", "responseOutput"))
    edges = [edge("in", "url", "call", "url"), edge("call", "response-out", "out", "result-in")]
    trigger = make(owner, hook(owner.save(workflow(nodes, edges)), inputs={"url": "''"}))
    owner.patch(at(trigger), {"inputs": {"url": f"'{trigger['url']}'"}})

    send(trigger, {})

    path = f"/api/executions?triggerId={trigger['id']}"
    rows = until(
        lambda: owner.get(path).json()["rows"],
        lambda found: any(each["status"] == "failed" for each in found),
    )
    assert Counter(each["status"] for each in rows) == {"completed": 7, "failed": 1}
    deepest = next(each for each in rows if each["status"] == "failed")
    assert "508" in deepest["error"]["message"]


def test_the_webhook_of_the_trigger_is_told_of_the_end(
    owner: Caller, slug: str, stub: Stub
) -> None:
    webhook = {"url": f"{stub.url}/told", "secret": "a secret of the receiver"}
    trigger = make(owner, hook(slug, webhook=webhook))

    execution_id = started(send(trigger))

    path = f"/api/deliveries?executionId={execution_id}"
    [row] = until(lambda: owner.get(path).json()["rows"], bool)
    found = (row["url"], row["keyId"], row["event"])
    assert found == (webhook["url"], None, "execution.completed")


@pytest.mark.A95d
def test_heavy_expressions_of_one_account_keep_no_other_out(
    administration: Administration, owner: Caller, slug: str
) -> None:
    greedy = administration.browser(administration.account("enterprise"))
    heavy = make(greedy, hook(greedy.save(greeting()), when=HEAVY))
    trigger = make(owner, hook(slug, when="body.name != ''"))

    async def measure() -> tuple[list[int], int]:
        async with httpx2.AsyncClient(timeout=60, limits=httpx2.Limits()) as client:
            storm = [asyncio.create_task(client.post(heavy["url"], json=EVENT)) for _ in range(40)]
            await asyncio.sleep(0.2)
            answers = [await client.post(trigger["url"], json=EVENT) for _ in range(3)]
            left = sum(not each.done() for each in storm)
            await asyncio.gather(*storm)
            return [answer.status_code for answer in answers], left

    statuses, left = asyncio.run(measure())

    assert statuses == [202] * 3
    assert left > 0


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["application/json", "text/plain", "a/b", "", "multipart/form-data", FORM]),
    st.one_of(st.binary(max_size=400), st.text(max_size=100).map(str.encode), JSON_BODIES),
    st.dictionaries(
        st.sampled_from(["x-a", "webhook-id", "stripe-signature", "x-github-delivery", "cookie"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=60),
    ),
    st.text(max_size=30),
)
def test_no_event_is_an_error_of_the_server(
    shared_hooks: list[dict[str, Any]],
    content_type: str,
    data: bytes,
    headers: dict[str, str],
    query: str,
) -> None:
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    if content_type:
        raw.append((b"content-type", content_type.encode()))
    for trigger in shared_hooks:
        url = f"{trigger['url']}?{quote(query)}"
        answer = httpx2.post(url, content=data, headers=raw, timeout=60)

        assert answer.status_code in {200, 202, 400, 401, 429}, answer.text
