import time

import pytest

from tests.support.contract.installation import Administration, Caller, failing, never
from tests.support.contract.shapes import assert_fits, sentence, uuid
from tests.support.gateway.documents import greeting


@pytest.mark.parametrize("document", [greeting(), never(), failing()])
def test_an_async_run_is_accepted_at_once_whatever_the_workflow_does(
    caller: Caller, document: dict[str, object]
) -> None:
    slug = caller.save(document)

    began = time.monotonic()
    answer = caller.run(slug, {"name": "Eve"}, "?async=true")
    seconds = time.monotonic() - began

    body = answer.json()
    assert answer.status_code == 202
    assert seconds < 20
    assert_fits(
        body,
        {
            "_async": True,
            "executionId": uuid,
            "requestId": body["executionId"],
            "status": "processing",
            "webhookDelivery": {"configured": False},
            "pollUrl": f"/api/executions/{body['executionId']}",
            "warnings?": [sentence],
        },
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *((each, 202) for each in ("?async", "?async=", "?async=1", "?async=true")),
        *((each, 200) for each in ("?async=0", "?async=false")),
    ],
)
def test_async_is_true_without_a_value(caller: Caller, query: str, status: int) -> None:
    assert caller.run(caller.save(greeting()), {"name": "Eve"}, query).status_code == status


def test_the_poll_url_leads_to_the_end(caller: Caller) -> None:
    accepted = caller.run(caller.save(greeting()), {"name": "Eve"}, "?async=true").json()

    ended = caller.ended(accepted["executionId"])

    assert ended == caller.get(accepted["pollUrl"]).json()
    assert (ended["status"], ended["result"]) == ("completed", {"text": "Hello Eve"})


@pytest.mark.parametrize("query", ["?async=perhaps", "?async=true&async=false"])
def test_async_that_is_neither_true_nor_false_is_refused(caller: Caller, query: str) -> None:
    answer = caller.run(caller.save(greeting()), {"name": "Eve"}, query)

    assert answer.status_code == 400
    assert_fits(answer.json(), {"error": sentence, "code": "INVALID_QUERY", "field": "async"})


def test_an_async_run_says_where_its_end_will_be_told(administration: Administration) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    made = browser.post("/api/api-keys", {"name": "hook", "capabilities": ["workflow:*"]}).json()
    both = {"name": "hook", "capabilities": ["workflow:*", "webhook:receive"]}
    made = browser.post("/api/api-keys", both).json()
    url = "https://example.org/hook"
    browser.put(f"/api/api-keys/{made['id']}/webhook", {"url": url})
    caller = administration.with_key(made["key"])

    answer = caller.run(caller.save(never()), {}, "?async=true").json()
    caller.clean()

    assert answer["webhookDelivery"] == {"configured": True, "url": url}
