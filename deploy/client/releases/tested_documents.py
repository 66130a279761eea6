"""Tests of workflows in documents: the member `tests`, and the judges that they name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TESTS = "tests"


def saved_test(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the API as a document has it, without members that are empty."""
    members = {"inputs": row["inputs"], "expect": row["expect"]}
    return members | {name: row[name] for name in ("pinned", "judge") if row.get(name)}


def judges_of(document: Mapping[str, Any]) -> list[str]:
    """Return the slugs of the workflows that judge runs of a document's tests, in order."""
    return sorted({judge["workflow"] for _, judge in _judges(document)})


def judges_first(bodies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return documents with those before that judge tests of others; else their order stays."""
    judges = {slug for body in bodies for slug in judges_of(body)}
    return sorted(bodies, key=lambda body: body.get("slug") not in judges)


def with_replaced_judges(
    document: Mapping[str, Any], slugs: Mapping[str, str]
) -> Mapping[str, Any]:
    """Return a document, which may be malformed, with other judges, by the former slug."""
    changed = {
        name: {**document[TESTS][name], "judge": judge | {"workflow": slugs[judge["workflow"]]}}
        for name, judge in _judges(document)
        if judge["workflow"] in slugs
    }
    return {**document, TESTS: {**document[TESTS], **changed}} if changed else document


def changes_of_tests(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the changes of tests by name, as those of documents are."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        change: dict[str, Any] = {"kind": "test", "id": name}
        if old is None:
            yield {"change": "added", **change}
        elif new is None:
            yield {"change": "removed", **change}
        elif old != new:
            names = sorted(old.keys() | new.keys()) if isinstance(new, Mapping) else []
            values = {
                each: {"from": old.get(each), "to": new.get(each)}
                for each in names
                if old.get(each) != new.get(each)
            }
            yield {"change": "changed", **change, "values": values}


def _judges(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the judges of tests by name; a malformed test has none, which saving it reports."""
    tests = document.get(TESTS)
    for name, test in tests.items() if isinstance(tests, Mapping) else ():
        judge = test.get("judge") if isinstance(test, Mapping) else None
        if isinstance(judge, dict) and isinstance(judge.get("workflow"), str):
            yield name, judge
