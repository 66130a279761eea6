"""Tests in documents: their judges, and their changes."""

from typing import Any

from deploy.client.releases.tested_documents import (
    changes_of_tests,
    judges_first,
    judges_of,
    saved_test,
    with_replaced_judges,
)

GREETS: dict[str, Any] = {"inputs": {}, "expect": ["true"]}
JUDGED: dict[str, Any] = GREETS | {"judge": {"workflow": "rate", "inputs": {"text": "result"}}}


def document(slug: str, **tests: Any) -> dict[str, Any]:
    return {"slug": slug, "nodes": [], "tests": tests}


def test_a_row_becomes_a_member_without_what_it_lacks() -> None:
    row = {"name": "greets", **GREETS, "pinned": {}, "judge": None, "lastRun": None}

    assert saved_test(row) == GREETS
    assert saved_test(row | {"judge": JUDGED["judge"]}) == JUDGED


def test_judges_come_first_and_get_their_slugs_here() -> None:
    judged, rate = document("reply", a=JUDGED, b=GREETS), document("rate")

    assert judges_of(judged) == ["rate"]
    assert judges_first([judged, rate]) == [rate, judged]
    replaced = with_replaced_judges(judged, {"rate": "rate-2"})
    assert replaced["tests"]["a"]["judge"]["workflow"] == "rate-2"
    assert replaced["tests"]["b"] == GREETS
    assert with_replaced_judges(judged, {"other": "other-2"}) is judged


def test_malformed_tests_have_no_judges() -> None:
    for tests in (None, [], {"a": 1}, {"a": {"judge": "rate"}}, {"a": {"judge": {}}}):
        assert judges_of({"slug": "reply", "tests": tests}) == []


def test_changes_are_by_name() -> None:
    before, after = {"a": GREETS, "b": GREETS, "c": GREETS}, {"a": GREETS, "b": JUDGED, "d": GREETS}

    assert list(changes_of_tests(before, after)) == [
        {
            "change": "changed",
            "kind": "test",
            "id": "b",
            "values": {"judge": {"from": None, "to": JUDGED["judge"]}},
        },
        {"change": "removed", "kind": "test", "id": "c"},
        {"change": "added", "kind": "test", "id": "d"},
    ]
