"""Occurrences of triggers."""

import pytest

from tests.support.contract.installation import Caller
from tests.support.contract.triggers import at, hook, make, refused, schedule

ROUTES = {
    "GET /api/triggers/{trigger_id}/occurrences": "workflow:run and workflow:write",
    "GET /api/triggers/{trigger_id}/occurrences/{occurrence_id}": "workflow:run and workflow:write",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


def test_a_new_trigger_has_none(owner: Caller, slug: str) -> None:
    for body in (schedule(slug), hook(slug)):
        answer = owner.get(at(make(owner, body), "/occurrences"))

        assert (answer.status_code, answer.json()) == (200, {"rows": [], "nextCursor": None})


@pytest.mark.parametrize("query", ["status=done", "limit=0", "limit=201", "cursor=x", "other=1"])
def test_a_wrong_query_is_refused(owner: Caller, slug: str, query: str) -> None:
    answer = owner.get(at(make(owner, schedule(slug)), f"/occurrences?{query}"))

    assert refused(answer, 400, "INVALID_QUERY")["field"] == query.partition("=")[0]


@pytest.mark.parametrize("occurrence_id", [NOBODY, "nothing"])
def test_an_unknown_one_is_not_found(owner: Caller, slug: str, occurrence_id: str) -> None:
    answer = owner.get(at(make(owner, schedule(slug)), f"/occurrences/{occurrence_id}"))

    refused(answer, 404, "NOT_FOUND")


def test_those_of_someone_else_s_trigger_are_not_found(
    owner: Caller, slug: str, stranger: Caller
) -> None:
    made = make(owner, hook(slug))

    for path in ("/occurrences", f"/occurrences/{NOBODY}"):
        refused(stranger.get(at(made, path)), 404, "TRIGGER_NOT_FOUND")
