"""Replays: earlier runs of a workflow again, on its draft or on a version, with verdicts."""

from typing import Any

import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.installation import (
    ALL,
    Administration,
    Caller,
    form,
    never,
    workflow,
)
from tests.support.contract.installation import asking as asking_model
from tests.support.contract.replays import (
    begun_replay,
    ended_replay,
    replay_of,
    start_replay,
)
from tests.support.contract.shapes import assert_fits, moment, number, sentence, uuid
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.target import Stub

ROUTES = {
    "POST /api/workflows/{slug}/replay": "workflow:write and workflow:run",
    "GET /api/replays": "execution:read",
    "GET /api/replays/{replay_id}": "execution:read",
    "POST /api/replays/{replay_id}/cancel": "execution:cancel",
}
VERDICTS = ("same", "different", "failed", "unmatched")
NO_ONE = "00000000-0000-4000-8000-000000000000"


def verdicts(**some: int) -> dict[str, int]:
    return dict.fromkeys(VERDICTS, 0) | some


def dear(**members: Any) -> dict[str, Any]:
    """The greeting in other words."""
    document = greeting(**members)
    document["nodes"][1] = node("text", "textBox", text="Dear {{ name }}")
    return document


def asking(url: str, path: str = "/told") -> dict[str, Any]:
    """A workflow that asks a server, and says what it answers."""
    nodes = [form(), node("ask", "httpRequest", url=url + path), node("out", "responseOutput")]
    return workflow(nodes, [edge("ask", "response-out", "out", "result-in")])


def ran(caller: Caller, slug: str, *names: str) -> list[str]:
    """Run the greeting for each name; return the executions."""
    answers = [caller.run(slug, {"name": name}) for name in names]
    return [str(answer.json()["executionId"]) for answer in answers]


@pytest.fixture
def slug(caller: Caller) -> str:
    return caller.save(greeting())


def test_each_run_of_a_replay_is_compared_with_the_earlier_one(caller: Caller, slug: str) -> None:
    ids = ran(caller, slug, "Ada", "Eve")
    caller.put(f"/api/workflows/{slug}/draft", dear())

    answer = start_replay(caller, slug, last=10, against="draft", calls="recorded")
    started = answer.json()
    ended = ended_replay(caller, started["replayId"])

    assert answer.status_code == 202
    assert_fits(
        started,
        {
            "replayId": uuid,
            "executions": 2,
            "status": "processing",
            "pollUrl": f"/api/replays/{started['replayId']}",
        },
    )
    outcome = {"status": "completed", "creditsCost": 0, "durationMs": int, "error": None}
    row = {
        "index": int,
        "executionId": str,
        "replayExecutionId": uuid,
        "status": "completed",
        "verdict": "different",
        "changes": list,
        "hasMoreChanges": False,
        "node": None,
        "error": None,
        "before": outcome,
        "after": outcome,
    }
    assert_fits(
        ended,
        {
            "replayId": started["replayId"],
            "workflowSlug": slug,
            "against": "draft",
            "calls": "recorded",
            "status": "completed",
            "counts": verdicts(different=2),
            "total": 2,
            "progress": dict,
            "creditsCost": number,
            "createdAt": moment,
            "completedAt": moment,
            "rows": [row, row],
            "nextCursor": None,
        },
    )
    assert [each["executionId"] for each in ended["rows"]] == ids[::-1]
    assert ended["rows"][0]["changes"] == [
        {"path": "result.text", "before": "Hello Eve", "after": "Dear Eve"}
    ]
    execution = caller.execution(ended["rows"][0]["replayExecutionId"])
    assert (execution["source"], execution["replayId"]) == ("replay", started["replayId"])
    assert (execution["batchId"], execution["batchIndex"]) == (None, None)
    assert execution["deliveries"] == []


def test_a_replay_of_a_version_says_the_same_where_nothing_changed(
    caller: Caller, slug: str
) -> None:
    ids = ran(caller, slug, "Ada", "Eve", "Mia")
    caller.put(f"/api/workflows/{slug}", dear())

    replay_id = begun_replay(caller, slug, executionIds=ids[:2], against=1)
    ended = ended_replay(caller, replay_id)
    live = ended_replay(caller, begun_replay(caller, slug, executionIds=ids[:1], against="live"))

    assert (ended["against"], ended["counts"]) == (1, verdicts(same=2))
    assert [each["executionId"] for each in ended["rows"]] == ids[:2]
    assert [each["changes"] for each in ended["rows"]] == [[], []]
    assert (live["against"], live["counts"]) == (2, verdicts(different=1))


def test_recorded_calls_are_not_repeated_and_others_are_not_made(
    caller: Caller, stub: Stub
) -> None:
    slug = caller.save(asking(stub.url))
    caller.run(slug)
    called = len(stub.requests)

    same = ended_replay(caller, begun_replay(caller, slug, last=1, against=1))
    caller.put(f"/api/workflows/{slug}/draft", asking(stub.url, "/other"))
    other = ended_replay(caller, begun_replay(caller, slug, last=1, against="draft"))

    assert same["counts"] == verdicts(same=1)
    assert other["counts"] == verdicts(unmatched=1)
    assert len(stub.requests) == called
    assert_fits(other["rows"][0]["node"], {"id": "ask", "reason": sentence})
    live = begun_replay(caller, slug, last=1, against="draft", calls="live")
    assert ended_replay(caller, live)["calls"] == "live"
    assert len(stub.requests) == called + 1


def test_a_run_that_fails_where_the_earlier_one_did_not_has_failed(caller: Caller) -> None:
    document = greeting()
    slug = caller.save(document)
    ran(caller, slug, "Ada")
    document["nodes"][0]["data"]["fields"].append(
        {"name": "age", "label": "Age", "type": "number", "required": True}
    )
    document["nodes"][0]["data"]["values"] = {"name": "Ada", "age": 1}
    caller.put(f"/api/workflows/{slug}/draft", document)

    ended = ended_replay(caller, begun_replay(caller, slug, last=1, against="draft"))

    (row,) = ended["rows"]
    assert ended["counts"] == verdicts(failed=1)
    assert (row["replayExecutionId"], row["status"]) == (None, "failed")
    assert row["error"]["code"] == "INVALID_INPUTS"


def test_rows_are_chosen_by_verdict_and_come_in_pages(caller: Caller, slug: str) -> None:
    ids = ran(caller, slug, "Ada", "Eve", "Mia")
    replay_id = begun_replay(caller, slug, executionIds=ids, against=1)
    ended_replay(caller, replay_id)

    first = replay_of(caller, replay_id, "?limit=2")
    rest = replay_of(caller, replay_id, f"?limit=2&cursor={first['nextCursor']}")
    none = replay_of(caller, replay_id, "?verdict=different&verdict=failed")

    assert [each["executionId"] for each in [*first["rows"], *rest["rows"]]] == ids
    assert (rest["nextCursor"], none["rows"]) == (None, [])
    for query in ("verdict=wrong", "limit=201", "cursor=x"):
        answer = caller.get(f"/api/replays/{replay_id}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")


def test_replays_are_listed_newest_first_and_no_batches(administration: Administration) -> None:
    caller = administration.caller("business")
    slug = caller.save(greeting())
    ran(caller, slug, "Ada")
    begun = [begun_replay(caller, slug, last=1, against=1) for _ in range(3)]

    first = caller.get("/api/replays?limit=2").json()
    second = caller.get(f"/api/replays?limit=2&cursor={first['nextCursor']}").json()

    assert [row["replayId"] for row in [*first["rows"], *second["rows"]]] == begun[::-1]
    assert caller.get("/api/batches").json()["rows"] == []
    assert caller.get(f"/api/batches/{begun[0]}").status_code == 404
    caller.clean()


def test_a_replay_counts_in_no_figure_of_the_workflow(caller: Caller, slug: str) -> None:
    (execution_id,) = ran(caller, slug, "Ada")
    at = caller.execution(execution_id)["createdAt"]
    ended_replay(caller, begun_replay(caller, slug, last=1, against=1))

    (row,) = [each for each in caller.get("/api/workflows").json() if each["slug"] == slug]
    again = ended_replay(caller, begun_replay(caller, slug, last=5, against=1))

    assert (row["runs7d"], row["lastRun"]["at"]) == (1, at)
    assert [each["executionId"] for each in again["rows"]] == [execution_id]


# -- what cannot be replayed ----------------------------------------------------------------------


def test_executions_that_cannot_be_taken_are_named(
    caller: Caller, stranger: Caller, slug: str
) -> None:
    (own,) = ran(caller, slug, "Ada")
    (of_other,) = ran(caller, caller.save(greeting()), "Eve")
    (foreign,) = ran(stranger, stranger.save(greeting()), "Eve")
    unrecorded = caller.save(greeting(recordValues="none"))
    caller.run(unrecorded, {"name": "Eve"})
    running = caller.start(caller.save(never()))
    replay = ended_replay(caller, begun_replay(caller, slug, last=1, against=1))
    replayed = replay["rows"][0]["replayExecutionId"]
    wrong = [of_other, foreign, running, replayed, NO_ONE, "x"]

    answer = start_replay(caller, slug, executionIds=[own, *wrong], against=1)
    none = start_replay(caller, unrecorded, last=5, against=1)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["executionIds"] == wrong
    assert answer.json()["field"] == "executionIds"
    assert (none.status_code, none.json()["field"]) == (400, "last")
    stranger.clean()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"against": "draft"}, "last"),
        ({"against": "draft", "last": 1, "executionIds": [NO_ONE]}, "last"),
        ({"against": "draft", "last": 0}, "last"),
        ({"against": "draft", "last": 201}, "last"),
        ({"against": "draft", "executionIds": []}, "executionIds"),
        ({"against": "draft", "executionIds": [NO_ONE] * 201}, "executionIds"),
        ({"last": 1}, "against"),
        ({"last": 1, "against": 0}, "against"),
        ({"last": 1, "against": True}, "against"),
        ({"last": 1, "against": "No Name"}, "against"),
        ({"last": 1, "against": "draft", "calls": "some"}, "calls"),
    ],
)
def test_a_body_that_cannot_be_is_refused(
    caller: Caller, slug: str, body: dict[str, Any], name: str
) -> None:
    answer = start_replay(caller, slug, **body)

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_BODY")
    assert answer.json()["field"] == name


def test_a_target_that_is_not_there_is_refused(caller: Caller, stranger: Caller) -> None:
    slug = caller.save(greeting())
    ran(caller, slug, "Ada")
    answers = {
        "DRAFT_NOT_FOUND": start_replay(caller, slug, last=1, against="draft"),
        "VERSION_NOT_FOUND": start_replay(caller, slug, last=1, against=7),
        "WORKFLOW_NOT_FOUND": start_replay(stranger, slug, last=1, against=1),
    }
    named = start_replay(caller, slug, last=1, against="no-alias")
    broken = greeting()
    broken["edges"].append(edge("text", "nothing", "out", "result-in"))
    caller.put(f"/api/workflows/{slug}/draft", broken)
    unfit = start_replay(caller, slug, last=1, against="draft")

    for code, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    assert (named.status_code, named.json()["code"]) == (404, "VERSION_NOT_FOUND")
    assert (unfit.status_code, unfit.json()["code"]) == (409, "WORKFLOW_NOT_RUNNABLE")


def test_live_calls_that_the_balance_does_not_cover_begin_nothing(
    administration: Administration, chat: str
) -> None:
    account = administration.account("pro")
    caller = administration.with_key(administration.key(account, *ALL))
    slug = caller.save(asking_model(chat, 10))
    answers = [caller.run(slug, {"prompt": "Hello"}).json() for _ in range(30)]
    ids = [answer["executionId"] for answer in answers]
    paid = sum(answer["cost"] for answer in answers)
    recorded = ended_replay(caller, begun_replay(caller, slug, executionIds=ids, against=1))
    live = start_replay(caller, slug, executionIds=ids, against=1, calls="live")

    assert recorded["counts"] == verdicts(same=len(ids))
    assert recorded["creditsCost"] == 0
    assert (live.status_code, live.json()["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert live.json()["required"] >= paid > live.json()["balance"]
    assert caller.get("/api/replays").json()["rows"][0]["replayId"] == recorded["replayId"]
    caller.clean()


def test_a_replay_runs_the_version_of_an_alias(caller: Caller, slug: str) -> None:
    (execution_id,) = ran(caller, slug, "Ada")
    caller.put(f"/api/workflows/{slug}", dear())
    caller.put(f"/api/workflows/{slug}/aliases/prod", {"version": 1})

    named = ended_replay(caller, begun_replay(caller, slug, last=1, against="prod"))

    assert (named["against"], named["counts"]) == (1, verdicts(same=1))
    assert named["rows"][0]["executionId"] == execution_id


# -- callers --------------------------------------------------------------------------------------


def test_a_repeated_call_gets_the_first_replay(caller: Caller, slug: str) -> None:
    ran(caller, slug, "Ada")
    headers = {"Idempotency-Key": f"replay-{slug}"}

    first = start_replay(caller, slug, last=1, against=1, headers=headers)
    second = start_replay(caller, slug, last=1, against=1, headers=headers)
    other = start_replay(caller, slug, last=2, against=1, headers=headers)

    assert first.status_code == second.status_code == 202
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_replay_that_is_not_the_callers_is_not_found(
    caller: Caller, stranger: Caller, slug: str
) -> None:
    ran(caller, slug, "Ada")
    own = begun_replay(caller, slug, last=1, against=1)

    for who, replay_id in ((stranger, own), (caller, NO_ONE), (caller, own.upper()), (caller, "x")):
        path = f"/api/replays/{replay_id}"
        for answer in (who.get(path), who.post(f"{path}/cancel")):
            assert answer.status_code == 404
            assert_fits(answer.json(), {"error": sentence, "code": "REPLAY_NOT_FOUND"})
    assert stranger.get("/api/replays").json()["rows"] == []


def test_a_replay_needs_the_right_to_write_and_to_run(administration: Administration) -> None:
    account = administration.account("business")
    owner = administration.with_key(administration.key(account))
    slug = owner.save(greeting())
    ran(owner, slug, "Ada")
    for capability, required in (
        ("workflow:write", "workflow:run"),
        ("workflow:run", "workflow:write"),
    ):
        caller = administration.with_key(administration.key(account, capability))
        answer = start_replay(caller, slug, last=1, against=1)
        assert (answer.status_code, answer.json()["required"]) == (403, required)
    owner.clean()


def test_a_cancelled_replay_begins_nothing_more(caller: Caller, stub: Stub) -> None:
    slug = caller.save(asking(stub.url))
    caller.run(slug)
    waiting = never()
    caller.put(f"/api/workflows/{slug}/draft", waiting)
    replay_id = begun_replay(caller, slug, last=1, against="draft", calls="live")
    until(lambda: replay_of(caller, replay_id)["progress"]["processing"] == 1)

    asked = caller.post(f"/api/replays/{replay_id}/cancel")
    ended = ended_replay(caller, replay_id)
    again = caller.post(f"/api/replays/{replay_id}/cancel")

    assert (asked.status_code, asked.json()["replayId"]) == (202, replay_id)
    assert (ended["status"], ended["counts"]) == ("cancelled", verdicts())
    assert ended["rows"][0]["verdict"] is None
    assert again.json() == {"replayId": replay_id, "status": "cancelled"}


def test_an_execution_of_a_replay_is_not_retried(caller: Caller, stub: Stub) -> None:
    slug = caller.save(asking(stub.url))
    caller.run(slug)
    caller.put(f"/api/workflows/{slug}/draft", asking(stub.url, "/other"))
    ended = ended_replay(caller, begun_replay(caller, slug, last=1, against="draft"))

    answer = caller.post(f"/api/executions/{ended['rows'][0]['replayExecutionId']}/retry")

    assert (answer.status_code, answer.json()["code"]) == (409, "EXECUTION_NOT_RETRYABLE")
