"""Runs of drafts: whole, of one node, from an earlier execution, and with pinned outputs."""

import uuid
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller
from tests.support.gateway.documents import NAME_FIELD, broken, edge, greeting, node
from tests.support.http.target import Stub
from tests.support.media.files import png

ROUTES = {"POST /api/workflows/{slug}/draft/run": "workflow:write and workflow:run"}


def calls(stub: Stub, **members: Any) -> dict[str, Any]:
    """A workflow of two calls, the second with what the first answered."""
    first = node("first", "httpRequest", method="POST", url=f"{stub.url}/json/first")
    second = node("second", "httpRequest", method="POST", url=f"{stub.url}/json/second")
    return {
        "name": "Calls",
        "nodes": [
            node("in", "requestInput", fields=[NAME_FIELD]),
            node("text", "textBox", text="Hello {{ name }}"),
            first,
            second,
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "text", "name"),
            edge("text", "text-out", "first", "body-in"),
            edge("first", "response-out", "second", "body-in"),
            edge("second", "response-out", "out", "result-in"),
        ],
        **members,
    }


def changed(document: dict[str, Any], node_id: str, **data: Any) -> dict[str, Any]:
    """The document with other settings of a node."""
    nodes = [
        {**each, "data": each["data"] | data} if each["id"] == node_id else each
        for each in document["nodes"]
    ]
    return document | {"nodes": nodes}


def drafted(caller: Caller, document: dict[str, Any]) -> str:
    """Save a workflow of two versions of which the second is the draft; return its slug."""
    slug = caller.save(greeting())
    draft(caller, slug, document)
    return slug


def draft(caller: Caller, slug: str, document: dict[str, Any]) -> None:
    answer = caller.put(f"/api/workflows/{slug}/draft", document)
    assert answer.status_code == 200, answer.text


def run(
    caller: Caller, slug: str, query: str = "", headers: Any = None, **members: Any
) -> httpx2.Response:
    body = {"inputs": {"name": "Ada"}} | members
    return caller.post(f"/api/workflows/{slug}/draft/run{query}", body, headers=headers)


def done(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    return body


def statuses(caller: Caller, execution_id: str) -> dict[str, tuple[str, int]]:
    """Status and attempts of each node."""
    nodes = caller.execution(execution_id)["nodes"]
    return {each["id"]: (each["status"], each["attempts"]) for each in nodes}


def counted(stub: Stub) -> tuple[int, int]:
    return len(stub.at("/json/first")), len(stub.at("/json/second"))


# -- the whole draft ------------------------------------------------------------------------------


def test_a_draft_runs_and_callers_get_what_they_got(caller: Caller) -> None:
    slug = drafted(caller, changed(greeting(), "text", text="HELLO {{ name }}"))

    answer = done(run(caller, slug))

    assert answer["result"] == {"text": "HELLO Ada"}
    assert caller.run(slug, {"name": "Ada"}).json()["result"] == {"text": "Hello Ada"}
    execution = caller.execution(answer["executionId"])
    assert (execution["source"], execution["workflowSlug"]) == ("app-draft", slug)
    assert (execution["workflowVersion"], execution["status"]) == (None, "completed")
    assert [each["id"] for each in execution["nodes"]] == ["in", "text", "out"]


def test_a_session_runs_a_draft_as_the_same_source(browser: Caller) -> None:
    slug = drafted(browser, greeting())

    answer = done(run(browser, slug))

    assert browser.execution(answer["executionId"])["source"] == "app-draft"


def test_a_draft_that_was_never_published_runs(caller: Caller) -> None:
    slug = caller.save(greeting(draft=True))

    assert done(run(caller, slug))["result"] == {"text": "Hello Ada"}


def test_a_run_of_a_draft_may_be_async(caller: Caller) -> None:
    slug = drafted(caller, changed(greeting(), "text", text="HELLO {{ name }}"))

    accepted = run(caller, slug, "?async=true")

    assert accepted.status_code == 202
    assert caller.ended(accepted.json()["executionId"])["result"] == {"text": "HELLO Ada"}


def test_an_execution_ends_on_the_draft_that_it_began_with(caller: Caller, stub: Stub) -> None:
    slow = {"url": f"{stub.url}/slow/0.3", "onError": "continue"}
    document = changed(changed(calls(stub), "first", **slow), "text", text="Bye {{ name }}")
    slug = drafted(caller, document)
    accepted = run(caller, slug, "?async=true").json()["executionId"]

    draft(caller, slug, greeting())
    caller.delete(f"/api/workflows/{slug}/draft")

    ended = caller.ended(accepted)
    assert ended["status"] == "completed"
    assert [each["id"] for each in ended["nodes"]] == ["in", "text", "first", "second", "out"]
    assert len(stub.at("/json/second")) == 1


def test_a_run_of_a_draft_is_streamed_with_the_names_of_its_nodes(caller: Caller) -> None:
    slug = drafted(caller, greeting())

    answer = run(caller, slug, headers={"accept": "text/event-stream"})

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert '"nodeId":"text"' in answer.text
    assert "execution.finished" in answer.text


def test_a_key_that_is_used_again_replays_the_run(caller: Caller) -> None:
    slug = drafted(caller, greeting())
    key = {"Idempotency-Key": f"draft-{slug}"}
    first = run(caller, slug, headers=key)

    again, other = run(caller, slug, headers=key), run(caller, slug, headers=key, only="text")

    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    refused(other, 422, "IDEMPOTENCY_KEY_REUSED")


def test_a_run_of_a_draft_counts_in_the_window_of_runs(administration: Administration) -> None:
    caller = administration.caller("pro")
    slug = drafted(caller, greeting())
    before = caller.run(slug, {"name": "Ada"})

    answer = run(caller, slug)

    assert int(answer.headers["x-ratelimit-remaining"]) == (
        int(before.headers["x-ratelimit-remaining"]) - 1
    )
    caller.clean()


def test_a_workflow_without_a_draft_has_none_to_run(caller: Caller) -> None:
    slug = caller.save(greeting())

    refused(run(caller, slug), 404, "DRAFT_NOT_FOUND")


def test_drafts_of_others_are_404(caller: Caller, stranger: Caller) -> None:
    slug = drafted(caller, greeting())

    refused(run(stranger, slug), 404, "WORKFLOW_NOT_FOUND")
    refused(run(stranger, "never-saved"), 404, "WORKFLOW_NOT_FOUND")


@pytest.mark.parametrize(
    ("held", "required"),
    [
        (("workflow:run", "workflow:read"), "workflow:write"),
        (("workflow:write", "workflow:read"), "workflow:run"),
    ],
)
def test_a_key_must_be_able_to_write_and_to_run(
    administration: Administration, held: tuple[str, ...], required: str
) -> None:
    caller = administration.caller("business", *held)

    body = refused(run(caller, "greeting"), 403, "CAPABILITY_DENIED")

    assert body["required"] == required


def test_a_key_that_runs_the_one_workflow_may_run_its_draft(
    administration: Administration,
) -> None:
    account = administration.account("business")
    owner = administration.with_key(administration.key(account))
    slug = drafted(owner, greeting())
    narrow = administration.with_key(
        administration.key(account, "workflow:write", f"workflow:{slug}:run")
    )

    assert done(run(narrow, slug))["result"] == {"text": "Hello Ada"}
    owner.clean()


def test_a_key_must_be_able_to_write_to_retry_the_run_of_a_draft(
    administration: Administration, stub: Stub
) -> None:
    account = administration.account("business")
    owner = administration.with_key(administration.key(account))
    path = f"/status/500/{uuid.uuid4()}"
    slug = drafted(owner, changed(calls(stub), "second", url=f"{stub.url}{path}"))
    execution_id = refused(run(owner, slug), 500, "EXECUTION_FAILED")["executionId"]
    runner = administration.with_key(administration.key(account, "workflow:run", "workflow:read"))

    body = refused(runner.post(f"/api/executions/{execution_id}/retry"), 403, "CAPABILITY_DENIED")

    assert body["required"] == "workflow:write"
    owner.clean()


def test_an_invalid_draft_does_not_run(caller: Caller) -> None:
    slug = drafted(caller, broken())

    body = refused(run(caller, slug), 409, "WORKFLOW_NOT_RUNNABLE")

    assert {problem.get("nodeId") for problem in body["problems"]} >= {"a"}


def test_inputs_are_checked_by_the_fields_of_the_draft(caller: Caller) -> None:
    slug = drafted(caller, changed(greeting(), "in", fields=[NAME_FIELD | {"maxLength": 2}]))

    assert refused(run(caller, slug), 400, "INVALID_INPUTS")["field"] == "name"


@pytest.mark.parametrize("inputs", [None, [], "x"])
def test_inputs_must_be_an_object(caller: Caller, inputs: Any) -> None:
    slug = drafted(caller, greeting())

    assert refused(run(caller, slug, inputs=inputs), 400, "INVALID_BODY")["field"] == "inputs"


# -- one node -------------------------------------------------------------------------------------


def test_one_node_runs_with_what_it_needs(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))

    answer = done(run(caller, slug, only="first"))

    assert set(answer["result"]) == {"response-out", "status-out"}
    assert answer["result"]["status-out"] == 200
    assert counted(stub) == (1, 0)
    assert statuses(caller, answer["executionId"]) == {
        "in": ("completed", 1),
        "text": ("completed", 1),
        "first": ("completed", 1),
        "second": ("skipped", 0),
        "out": ("skipped", 0),
    }


def test_one_node_runs_though_others_are_invalid(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, changed(calls(stub), "second", method="NOTHING"))

    assert done(run(caller, slug, only="text"))["result"] == {"text-out": "Hello Ada"}
    body = refused(run(caller, slug, only="second"), 409, "WORKFLOW_NOT_RUNNABLE")
    assert [problem["nodeId"] for problem in body["problems"]] == ["second"]
    refused(run(caller, slug), 409, "WORKFLOW_NOT_RUNNABLE")


def test_a_node_that_it_needs_must_be_valid(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, changed(calls(stub), "first", method="NOTHING"))

    body = refused(run(caller, slug, only="second"), 409, "WORKFLOW_NOT_RUNNABLE")

    assert [problem["nodeId"] for problem in body["problems"]] == ["first"]


def test_inputs_that_one_node_does_not_need_may_be_left_out(caller: Caller) -> None:
    document = greeting()
    document["nodes"].append(node("alone", "textBox", text="Alone"))
    slug = drafted(caller, document)

    answer = done(run(caller, slug, only="alone", inputs={}))

    assert answer["result"] == {"text-out": "Alone"}


def test_the_form_alone_gives_what_callers_sent(caller: Caller) -> None:
    slug = drafted(caller, greeting())

    answer = done(run(caller, slug, only="in"))
    body = refused(run(caller, slug, only="in", inputs={}), 400, "INVALID_INPUTS")

    assert answer["result"]["name"] == "Ada"
    assert body["field"] == "name"


def test_the_output_alone_is_the_whole_run(caller: Caller) -> None:
    slug = drafted(caller, greeting())

    assert done(run(caller, slug, only="out"))["result"] == {"text": "Hello Ada"}


def test_a_node_alone_gives_its_fallback_or_its_error(caller: Caller, stub: Stub) -> None:
    fallback = {"onError": "fallback", "fallback": {"text-out": "nobody"}}
    document = changed(calls(stub), "text", text="{{ name.first }}", **fallback)
    branching = changed(calls(stub), "text", text="{{ name.first }}")
    branching["edges"].append(edge("text", "error-out", "second", "params-in"))

    given = done(run(caller, drafted(caller, document), only="text"))
    told = done(run(caller, drafted(caller, branching), only="text"))

    assert given["result"] == {"text-out": "nobody"}
    assert told["result"]["error-out"]["code"] == "template_error"
    assert list(told["result"]) == ["error-out"]


# -- pinned outputs -------------------------------------------------------------------------------


def test_pinned_outputs_are_taken_without_running(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))

    pinned = {"first": {"response-out": {"pinned": True}}}
    answer = done(run(caller, slug, pinned=pinned))

    assert counted(stub) == (0, 1)
    assert stub.requests[0].body == b'{"pinned":true}'
    assert statuses(caller, answer["executionId"]) == {
        "in": ("skipped", 0),
        "text": ("skipped", 0),
        "first": ("completed", 0),
        "second": ("completed", 1),
        "out": ("completed", 1),
    }
    assert answer["cost"] == 0


def test_a_pinned_node_alone_gives_what_is_pinned(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))

    answer = done(run(caller, slug, only="text", pinned={"text": {"text-out": "Pinned"}}))

    assert answer["result"] == {"text-out": "Pinned"}


def test_the_branch_of_an_error_is_tried_with_a_pinned_error(caller: Caller, stub: Stub) -> None:
    document = calls(stub)
    document["nodes"].append(node("told", "textBox", text="{{ error.code }}"))
    document["edges"] += [
        edge("first", "error-out", "told", "error"),
        edge("told", "text-out", "out", "result-in"),
    ]
    slug = drafted(caller, document)
    error = {"code": "http_status", "message": "Made up", "nodeId": "first", "attempts": 1}

    answer = done(run(caller, slug, pinned={"first": {"error-out": error}}))

    assert answer["result"] == {"text": "http_status"}
    assert counted(stub) == (0, 0)
    assert statuses(caller, answer["executionId"])["second"] == ("skipped", 0)
    unknown = {"in": {"error-out": error}}
    assert (
        "no such output" in refused(run(caller, slug, pinned=unknown), 400, "INVALID_BODY")["error"]
    )


def test_a_large_pinned_output_is_taken(caller: Caller) -> None:
    document = greeting()
    document["nodes"][1] = node("text", "textBox", text="{{ name }}")
    slug = drafted(caller, document)
    large = "x" * 400_000

    answer = done(run(caller, slug, pinned={"text": {"text-out": large}}))
    alone = done(run(caller, slug, only="text", pinned={"text": {"text-out": large}}))

    assert answer["result"] == {"text": large}
    assert alone["result"] == {"text-out": large}


def test_a_pinned_picture_may_be_an_asset(caller: Caller) -> None:
    file = {"file": ("a.png", png(), "image/png")}
    asset = caller.request("POST", "/api/assets", files=file).json()
    upload = node("up", "upload", asset=asset["id"])
    out = edge("up", "image-out", "out", "result-in")
    slug = drafted(
        caller, {"name": "Up", "nodes": [upload, node("out", "responseOutput")], "edges": [out]}
    )

    answer = done(run(caller, slug, pinned={"up": {"image-out": asset["id"]}}))

    [url] = answer["result"]["images"]
    assert caller.get(url).content == png()


@pytest.mark.parametrize(
    "pinned",
    [
        {"nobody": {"text-out": "x"}},
        {"text": {"nothing-out": "x"}},
        {"text": {"text-out": 5}},
        {"text": "x"},
        {"out": {"result": "x"}},
        [],
        "x",
    ],
    ids=str,
)
def test_wrong_pins_are_refused(caller: Caller, pinned: Any) -> None:
    slug = drafted(caller, greeting())

    assert refused(run(caller, slug, pinned=pinned), 400, "INVALID_BODY")["field"] == "pinned"


# -- from an earlier execution --------------------------------------------------------------------


def test_unchanged_nodes_give_what_they_gave(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))
    first = done(run(caller, slug))["executionId"]
    draft(caller, slug, changed(calls(stub), "second", timeoutSeconds=20))

    answer = done(run(caller, slug, **{"from": first}))

    assert counted(stub) == (1, 2)
    assert statuses(caller, answer["executionId"])["first"] == ("completed", 0)
    assert statuses(caller, answer["executionId"])["second"] == ("completed", 1)


def test_a_published_run_can_be_taken_up(caller: Caller, stub: Stub) -> None:
    slug = caller.save(calls(stub))
    first = caller.run(slug, {"name": "Ada"}).json()["executionId"]
    draft(caller, slug, changed(calls(stub), "second", timeoutSeconds=20))

    done(run(caller, slug, **{"from": first}))

    assert counted(stub) == (1, 2)


def test_other_inputs_run_what_follows_from_them(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))
    first = done(run(caller, slug))["executionId"]

    done(run(caller, slug, **{"from": first}))
    assert counted(stub) == (1, 1)
    done(run(caller, slug, inputs={"name": "Eve"}, **{"from": first}))
    assert counted(stub) == (2, 2)


def test_a_node_is_rerun_with_all_that_follows(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))
    first = done(run(caller, slug))["executionId"]

    done(run(caller, slug, rerun="second", **{"from": first}))
    assert counted(stub) == (1, 2)
    done(run(caller, slug, rerun="first", **{"from": first}))
    assert counted(stub) == (2, 3)


def test_one_node_is_taken_up_by_the_run_of_the_next(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))
    first = done(run(caller, slug, only="first"))["executionId"]

    second = done(run(caller, slug, only="second", **{"from": first}))["executionId"]
    whole = done(run(caller, slug, **{"from": second}))

    assert counted(stub) == (1, 1)
    assert statuses(caller, whole["executionId"])["out"] == ("completed", 1)


def test_what_was_pinned_is_not_taken_for_what_a_node_gives(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub))
    pinned = {"first": {"response-out": 1}}
    first = done(run(caller, slug, pinned=pinned))["executionId"]

    done(run(caller, slug, pinned=pinned, **{"from": first}))
    assert counted(stub) == (0, 1)
    done(run(caller, slug, **{"from": first}))
    assert counted(stub) == (1, 2)


def test_what_is_taken_up_outlives_its_execution(caller: Caller, stub: Stub) -> None:
    """Large outputs are copied, and what was taken can be taken again."""
    document = changed(calls(stub), "text", text="{{ name }} " + "x" * 200_000)
    slug = drafted(caller, document)
    first = done(run(caller, slug, only="text"))
    again = done(run(caller, slug, only="text", **{"from": first["executionId"]}))

    assert again["result"] == first["result"]
    third = done(run(caller, slug, only="text", **{"from": again["executionId"]}))
    assert third["result"] == first["result"]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"only": "nobody"}, "only"),
        ({"only": 5}, "only"),
        ({"from": "00000000-0000-4000-8000-000000000000"}, "from"),
        ({"from": "x"}, "from"),
        ({"from": 5}, "from"),
        ({"rerun": "text"}, "rerun"),
        ({"from": "x", "rerun": "nobody"}, "rerun"),
    ],
    ids=str,
)
def test_wrong_parts_are_refused(caller: Caller, members: Any, field: str) -> None:
    slug = drafted(caller, greeting())

    assert refused(run(caller, slug, **members), 400, "INVALID_BODY")["field"] == field


def test_executions_of_others_cannot_be_taken_up(caller: Caller, stranger: Caller) -> None:
    slug = drafted(caller, greeting())
    other = drafted(stranger, greeting())
    foreign = done(run(stranger, other))["executionId"]
    elsewhere = done(caller.run(caller.save(greeting()), {"name": "Ada"}))["executionId"]

    for each in (foreign, elsewhere):
        body = refused(run(caller, slug, **{"from": each}), 400, "INVALID_BODY")
        assert body["field"] == "from"
    stranger.clean()


def test_the_values_of_a_drafts_nodes_are_shown(caller: Caller, stub: Stub) -> None:
    """A node that was settled from the start has outputs and no attempts."""
    slug = drafted(caller, calls(stub))
    pinned = {"first": {"response-out": {"pinned": True}}}
    execution_id = done(run(caller, slug, pinned=pinned))["executionId"]

    first, second = (
        caller.get(f"/api/executions/{execution_id}/nodes/{each}").json()
        for each in ("first", "second")
    )

    assert (first["outputs"], first["attempts"]) == ({"response-out": {"pinned": True}}, [])
    assert second["inputs"] == {"body-in": {"pinned": True}}
    assert [each["number"] for each in second["attempts"]] == [1]


def test_a_draft_says_which_values_are_recorded(caller: Caller, stub: Stub) -> None:
    slug = drafted(caller, calls(stub, recordValues="none"))
    pinned = {"first": {"response-out": 1}}
    first = done(run(caller, slug, pinned=pinned))["executionId"]

    shown = caller.get(f"/api/executions/{first}/nodes/first").json()
    body = refused(run(caller, slug, **{"from": first}), 400, "INVALID_BODY")

    assert shown["outputs"] is None
    assert body["field"] == "from"
