from typing import Any

import pytest

from tests.support.contract.installation import ALL, Administration, Caller, asking, failing, never
from tests.support.contract.shapes import (
    assert_fits,
    moment,
    number,
    sentence,
    text_or_null,
    uuid,
    whole_or_null,
)
from tests.support.gateway.documents import greeting

ROW = {
    "id": uuid,
    "userId": str,
    "workflowSlug": text_or_null,
    "modelIds": [str],
    "status": str,
    "source": str,
    "cost": number,
    "userCost": number,
    "creditsCost": int,
    "durationMs": whole_or_null,
    "errorCode": text_or_null,
    "requestId": str,
    "createdAt": moment,
}
PAGE = {"rows": [ROW], "page": int, "pageSize": int, "total": int}


@pytest.fixture
def spender(administration: Administration) -> Caller:
    """A caller whose account has run nothing."""
    return administration.caller("business", *ALL, "model:*")


def usage(caller: Caller, query: str = "") -> Any:
    """Return a page of the usage."""
    answer = caller.get(f"/api/usage{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page: Any) -> list[str]:
    return [row["id"] for row in page["rows"]]


def test_usage_is_a_page_of_rows(spender: Caller) -> None:
    assert usage(spender) == {"rows": [], "page": 1, "pageSize": 50, "total": 0}

    spender.run(spender.save(greeting()), {"name": "Eve"})
    spender.run_model("echo", {"prompt": "a"})

    page = usage(spender)
    assert_fits(page, PAGE)
    assert page["total"] == 2


def test_a_row_tells_what_a_model_cost(spender: Caller) -> None:
    ran = spender.run_model("echo", {"prompt": "a"}).json()

    (row,) = usage(spender)["rows"]

    account = spender.get("/api/whoami").json()["user"]["id"]
    execution = spender.execution(ran["executionId"])
    assert row == {
        "id": ran["executionId"],
        "userId": account,
        "workflowSlug": None,
        "modelIds": ["echo"],
        "status": "completed",
        "source": "api-slim",
        "cost": 0.01,
        "userCost": 0.012,
        "creditsCost": ran["cost"],
        "durationMs": execution["durationMs"],
        "errorCode": None,
        "requestId": ran["executionId"],
        "createdAt": execution["createdAt"],
    }


def test_a_row_of_a_workflow_adds_up_its_models(spender: Caller) -> None:
    slug = spender.save(asking("echo", 3))
    ran = spender.run(slug, {"prompt": "a"}).json()

    (row,) = usage(spender)["rows"]

    assert (row["workflowSlug"], row["source"]) == (slug, "api-workflow")
    assert (row["cost"], row["userCost"], row["creditsCost"]) == (0.03, 0.036, ran["cost"])


def test_a_failed_run_has_its_code_and_a_run_that_goes_on_no_duration(spender: Caller) -> None:
    spender.run(spender.save(failing()))
    going = spender.start(spender.save(never()))

    newest, oldest = usage(spender)["rows"]

    spender.clean()
    assert (newest["id"], newest["status"], newest["durationMs"]) == (going, "processing", None)
    assert (oldest["status"], oldest["errorCode"]) == ("failed", "EXECUTION_FAILED")


def test_rows_come_newest_first_in_numbered_pages(spender: Caller) -> None:
    made = [spender.run_model("echo", {"prompt": "a"}).json()["executionId"] for _ in range(5)]

    pages = [usage(spender, f"?limit=2&offset={offset}") for offset in (0, 2, 4, 6)]

    assert [ids(page) for page in pages] == [made[4:2:-1], made[2:0:-1], made[:1], []]
    assert [(page["page"], page["pageSize"], page["total"]) for page in pages] == [
        (1, 2, 5),
        (2, 2, 5),
        (3, 2, 5),
        (4, 2, 5),
    ]


def test_filters_narrow_rows_and_total(spender: Caller) -> None:
    quiet, payload, wrong = [
        spender.save(document) for document in (greeting(), asking("echo"), failing())
    ]
    plain = spender.run(quiet, {"name": "a"}).json()["executionId"]
    graph = spender.run(payload, {"prompt": "a"}).json()["executionId"]
    spender.run(wrong)
    model = spender.run_model("echo", {"prompt": "a"}).json()["executionId"]

    def found(query: str) -> tuple[list[str], int]:
        page = usage(spender, f"?{query}")
        return ids(page), page["total"]

    assert found("modelId=echo") == ([model, graph], 2)
    assert found("modelId=other") == ([], 0)
    assert found(f"workflowSlug={quiet}") == ([plain], 1)
    assert found(f"workflowSlug={payload}&modelId=echo") == ([graph], 1)
    assert found("status=completed") == ([model, graph, plain], 3)
    assert found("status=failed")[1] == 1
    assert found("status=completed&limit=1&offset=1") == ([graph], 3)


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=501", "limit"), ("limit=a", "limit"), ("offset=-1", "offset")]
    + [("offset=1.5", "offset"), (f"offset={2**53}", "offset"), ("workflowSlug=A", "workflowSlug")]
    + [(f"modelId={value}", "modelId") for value in ("", "a%20b", "a,b")]
    + [("status=done", "status"), ("status=failed&status=failed", "status")],
)
def test_what_does_not_parse_is_refused_by_name(caller: Caller, query: str, field: str) -> None:
    answer = caller.get(f"/api/usage?{query}")

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_QUERY", "field": field})


def test_a_page_has_up_to_500_rows(caller: Caller) -> None:
    assert usage(caller, "?limit=500")["pageSize"] == 500


def test_any_key_of_the_account_and_its_browser_see_the_same(
    administration: Administration,
) -> None:
    account = administration.account("business")
    runner = administration.with_key(administration.key(account, "model:run"))
    ran = runner.run_model("echo", {"prompt": "a"}).json()["executionId"]
    reader = administration.with_key(administration.key(account, "webhook:receive"))

    for one in (runner, reader, administration.browser(account)):
        assert ids(usage(one)) == [ran]


def test_others_see_nothing_of_it(spender: Caller, stranger: Caller) -> None:
    ran = spender.run_model("echo", {"prompt": "a"}).json()["executionId"]

    for query in ("?limit=500", "?limit=500&modelId=echo"):
        assert ran not in ids(usage(stranger, query))


def test_a_test_event_is_no_usage(administration: Administration, stub: Any) -> None:
    browser = administration.browser(administration.account("business"))
    body = {"name": "hook", "capabilities": ["webhook:receive"]}
    key = browser.post("/api/api-keys", body).json()["id"]
    browser.put(f"/api/api-keys/{key}/webhook", {"url": f"{stub.url}/test"})

    sent = browser.post(f"/api/api-keys/{key}/webhook/test")

    assert sent.status_code == 202
    assert usage(browser)["total"] == 0
