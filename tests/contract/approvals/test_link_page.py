"""The page behind the link of an approval, as the holder of the link uses it."""

from collections.abc import Iterator

import httpx2
import pytest

from tests.support.acceptance.running_stack import until
from tests.support.contract.approvals import asking_person, begin, delaying, node_of, waits_of
from tests.support.contract.installation import Caller, open_client

ROUTES = {"GET /approvals/{token}": "public", "POST /approvals/{token}": "public"}
HEADERS = {"referrer-policy": "no-referrer", "cache-control": "no-store"}


@pytest.fixture
def visitor(caller: Caller) -> Iterator[httpx2.Client]:
    """A client without a key and a session."""
    with open_client(str(caller.client.base_url), {}) as client:
        yield client


def link_of(caller: Caller, execution_id: str) -> str:
    """Return the path of the link, since the installation may have another address."""
    [entry] = waits_of(caller, execution_id)
    return httpx2.URL(entry["url"]).path


def test_whoever_has_the_link_answers_by_its_form(caller: Caller, visitor: httpx2.Client) -> None:
    execution_id = begin(caller, asking_person())
    link = link_of(caller, execution_id)

    shown = [visitor.get(link), visitor.get(link, params={"decision": "approve"})]
    assert visitor.head(link).status_code == 200
    assert [each.status_code for each in shown] == [200, 200]
    for text in ("Post for Ada?", "It says: Ada", "Headline", "fields.copies", 'name="note"'):
        assert text in shown[0].text
    assert len(waits_of(caller, execution_id)) == 1, "a GET decides nothing"
    given = {"fields.urgent": "true", "fields.copies": "3", "note": "Go on."}
    for wrong in (
        {"decision": "approve"},
        {**given, "decision": "approve", "fields.copies": "10"},
        {**given, "decision": "perhaps"},
        {"decision": "refuse", "fields.copies": "many"},
    ):
        refused = visitor.post(link, data=wrong)
        assert (refused.status_code, "Post for Ada?" in refused.text) == (400, True)
    decided = visitor.post(link, data={**given, "decision": "approve"})

    assert decided.status_code == 200
    run = caller.ended(execution_id)
    answer = run["result"]["answer"]
    assert answer["fields"] == {"copies": 3, "urgent": True}
    assert (answer["decision"], answer["note"], answer["by"]["kind"]) == (
        "approve",
        "Go on.",
        "link",
    )
    over = [visitor.get(link), visitor.post(link, data={"decision": "refuse"})]
    assert [each.status_code for each in over] == [410, 410]
    for each in (*shown, refused, decided, *over):
        assert HEADERS.items() <= dict(each.headers).items()
        assert "frame-ancestors 'none'" in each.headers["content-security-policy"]
        assert execution_id not in each.text and run["workflowSlug"] not in each.text


def test_a_refusal_by_link_needs_no_field(caller: Caller, visitor: httpx2.Client) -> None:
    execution_id = begin(caller, asking_person())

    assert (
        visitor.post(link_of(caller, execution_id), data={"decision": "refuse"}).status_code == 200
    )

    run = caller.ended(execution_id)
    assert (run["result"]["no"], node_of(run, "ask")["status"]) == ("Ada", "completed")


def test_a_link_is_over_with_its_run_and_no_other_text_is_one(
    caller: Caller, visitor: httpx2.Client
) -> None:
    execution_id, other = begin(caller, asking_person()), begin(caller, asking_person())
    link, second = link_of(caller, execution_id), link_of(caller, other)
    assert link != second
    approve = {"decision": "approve", "fields.urgent": "true"}
    caller.post(f"/api/executions/{execution_id}/cancel")
    caller.ended(execution_id)

    assert visitor.get(link).status_code == visitor.post(link, data=approve).status_code == 410
    half = len(link) // 2
    for unknown in ("/approvals/unknown", link[:-1], link[:half] + second[half:], f"{link}A"):
        answers = [visitor.get(unknown), visitor.post(unknown, data=approve)]
        assert [each.status_code for each in answers] == [404, 404], unknown
    assert until(lambda: caller.execution(other)["status"]) == "processing"
    [entry] = waits_of(caller, begin(caller, delaying(seconds=3_000)))
    assert "url" not in entry, "nobody answers a delay"
