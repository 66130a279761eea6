"""Answers by link: shown, checked, taken once, and over."""

import asyncio
from collections import Counter

import httpx2
import pytest
from msgspec.structs import replace

from engine.executions.node_waits import Answerer, AnswererKind, Decision, NewWait, WaitKind
from engine.store import Account, Store
from engine.store.waits.node_waits import Answered
from gateway.approvals.service import MAX_BYTES
from tests.gateway.approvals.conftest import Ask, LinkOf
from tests.support.waits.runs import ASK, DAY, DELAY, WaitRuns, answer

pytestmark = pytest.mark.A94b

APPROVED = {"decision": "approve", "fields.where": "here", "note": ""}
RICH = NewWait(
    kind=WaitKind.APPROVAL,
    duration_ms=DAY,
    title="Post it?",
    fields=(
        {"name": "text", "label": "Text", "type": "textarea", "maxLength": 9},
        {"name": "count", "label": "Count", "type": "number", "required": True, "max": 5},
        {"name": "live", "label": "Live", "type": "toggle", "required": True},
        {"name": "more", "label": "More", "type": "json", "default": {"a": 1}},
    ),
)


async def test_a_look_decides_nothing(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()

    for method in ("GET", "HEAD", "GET"):
        shown = await visitor.request(method, path, params={"decision": "approve"})
        assert shown.status_code == 200
        assert ("Post it?" in shown.text) is (method == "GET")

    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.is_open


async def test_an_answer_is_taken_once(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()

    taken = await visitor.post(path, data={**APPROVED, "note": "Go\r\non."})
    again = await visitor.post(path, data={"decision": "refuse"})
    looked = await visitor.get(path)

    assert (taken.status_code, again.status_code, looked.status_code) == (200, 410, 410)
    assert "Approved" in taken.text and "Approved" not in again.text + looked.text
    assert "Post it?" not in again.text + looked.text
    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.answer is not None
    assert (found.answer.decision, found.answer.note) == (Decision.APPROVE, "Go\non.")
    assert found.answer.fields == {"where": "here"}
    assert found.answer.by == Answerer(AnswererKind.LINK)
    entries, _ = await store.audit.page(limit=1)
    assert (entries[0].action, entries[0].by) == ("approval.approve", "link")


async def test_of_many_answers_one_wins(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()

    sent = [
        visitor.post(path, data={**APPROVED, "decision": each, "note": f"{number}"})
        for number in range(10)
        for each in ("approve", "refuse")
    ]
    answers = await asyncio.gather(*sent)

    assert Counter(each.status_code for each in answers) == {200: 1, 410: 19}
    found = await store.node_waits.find(runs.asked)
    winner = next(each for each in answers if each.status_code == 200)
    assert found is not None and found.answer is not None
    assert ("Approved" in winner.text) is (found.answer.decision is Decision.APPROVE)


async def test_wrong_fields_decide_nothing_and_keep_the_form(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask(RICH)
    sent = {"fields.text": "too long a text", "fields.count": "7", "note": "n" * 2_001}

    refused = await visitor.post(path, data={"decision": "approve", **sent})

    assert refused.status_code == 400
    for reason in (
        "This must have at most 9 characters.",
        "This must be at most 5.",
        "This is required.",
        "This must have at most 2,000 characters.",
    ):
        assert refused.text.count(reason) == 2, "in the list, and beside its field"
    assert ">\ntoo long a text<" in refused.text and 'value="7"' in refused.text
    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.is_open


async def test_values_are_read_as_their_fields_say(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask(RICH)
    for wrong in (
        {"count": "two", "live": "true"},
        {"count": "1", "live": "maybe"},
        {"count": "1", "live": "true", "more": "{"},
        {"count": "1", "live": "true", "other": ""},
    ):
        named = {f"fields.{name}": text for name, text in wrong.items()}
        assert (await visitor.post(path, data={"decision": "approve", **named})).status_code == 400
    right = {"text": "a\r\nb", "count": "1.5", "live": "true", "more": ""}
    named = {f"fields.{name}": text for name, text in right.items()}

    answered = await visitor.post(path, data={"decision": "approve", **named})

    assert answered.status_code == 200
    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.answer is not None
    assert found.answer.fields == {"text": "a\nb", "count": 1.5, "live": True, "more": {"a": 1}}


async def test_a_refusal_needs_no_field_but_right_types(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask(RICH)

    unreadable = await visitor.post(path, data={"decision": "refuse", "fields.count": "two"})
    refused = await visitor.post(path, data={"decision": "refuse", "fields.count": "7"})

    assert (unreadable.status_code, refused.status_code) == (400, 200)
    assert "Refused" in refused.text
    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.answer is not None
    assert (found.answer.decision, found.answer.fields) == (Decision.REFUSE, {"count": 7})


async def test_what_is_over_is_gone_and_what_nobody_asked_is_unknown(
    ask: Ask, runs: WaitRuns, link_of: LinkOf, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()
    assert isinstance(await store.node_waits.answer(runs.asked, answer()), Answered)
    over = await visitor.get(path)
    other_node = await visitor.get(link_of(replace(runs.asked, node_index=1)))
    unknown = await visitor.get("/approvals/AbCdEf")
    posted = await visitor.post("/approvals/AbCdEf", data=APPROVED)

    assert over.status_code == 410
    assert [each.status_code for each in (other_node, unknown, posted)] == [404] * 3
    assert other_node.text == unknown.text == posted.text, "without a word more"
    assert other_node.headers.keys() == unknown.headers.keys()


async def test_a_delay_has_no_link(ask: Ask, visitor: httpx2.AsyncClient) -> None:
    path = await ask(DELAY)

    assert (await visitor.get(path)).status_code == 404
    assert (await visitor.post(path, data=APPROVED)).status_code == 404


async def test_a_cancelled_run_is_not_answered(
    ask: Ask, runs: WaitRuns, account: Account, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()
    await store.executions.cancel(account.id, runs.root_id)

    assert (await visitor.get(path)).status_code == 410
    assert (await visitor.post(path, data=APPROVED)).status_code == 410


async def test_the_end_of_the_time_is_over_before_the_worker_has_seen_it(
    ask: Ask, visitor: httpx2.AsyncClient
) -> None:
    path = await ask(replace(ASK, duration_ms=1))
    await asyncio.sleep(0.01)

    assert (await visitor.get(path)).status_code == 410
    assert (await visitor.post(path, data=APPROVED)).status_code == 410


FORM = "application/x-www-form-urlencoded"
NO_ANSWERS = [
    ("application/json", b'{"decision": "approve"}', "must be sent as a form"),
    ("text/plain", b"decision=approve", "must be sent as a form"),
    ("", b"decision=approve", "must be sent as a form"),
    (FORM, b"", "Choose Approve or Refuse"),
    (FORM, b"decision=yes", "Choose Approve or Refuse"),
    (FORM, b"decision=approve&decision=refuse&fields.where=x", "more than once"),
    (FORM, b"decision=approve&fields.where=x&fields.where=y", "more than once"),
    (FORM, b"decision=approve&fields.where=x&by=me", "not asked for"),
    (FORM, b"decision=approve&fields.where=%ff", "not UTF-8"),
    ("multipart/form-data; boundary=b", b"decision=approve", "not well-formed"),
]
"""Content type, body, and a part of the reason."""


async def test_a_body_that_is_no_answer_decides_nothing(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask()

    for content_type, body, reason in NO_ANSWERS:
        headers = {"content-type": content_type} if content_type else {}
        refused = await visitor.post(path, content=body, headers=headers)
        assert (refused.status_code, reason in refused.text) == (400, True), (content_type, body)

    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.is_open
    refused = await visitor.post(path, data={**APPROVED, "note": "x" * MAX_BYTES})
    assert refused.status_code == 413


async def test_more_than_a_record_holds_is_a_fault_of_the_longest_field(
    ask: Ask, runs: WaitRuns, store: Store, visitor: httpx2.AsyncClient
) -> None:
    path = await ask(RICH)
    long = {"fields.count": "1", "fields.live": "true", "fields.more": f'"{"x" * 70_000}"'}

    refused = await visitor.post(path, data={"decision": "refuse", **long})

    assert refused.status_code == 400
    assert refused.text.count("This is too long: all fields together") == 2
    found = await store.node_waits.find(runs.asked)
    assert found is not None and found.is_open
