"""Listing and deletion of assets."""

from typing import Any

import pytest

from tests.contract.assets.test_assets import ASSET, followed, show, upload
from tests.support.contract.installation import Administration, Caller, workflow
from tests.support.contract.shapes import assert_fits, text_or_null, whole_or_null
from tests.support.gateway.documents import edge, node
from tests.support.media import files

PAGE = {"rows": [ASSET], "nextCursor": text_or_null, "bytes": int, "maxBytes": whole_or_null}
LIST = "/api/assets"


def make(caller: Caller) -> dict[str, Any]:
    return dict(upload(caller, files.png(), "image/png").json())


def listed(caller: Caller, limit: int = 500) -> list[dict[str, Any]]:
    """Return all assets, page by page."""
    rows, cursor = [], ""
    while True:
        page = caller.get(f"{LIST}?limit={limit}{cursor}").json()
        assert len(page["rows"]) <= limit
        rows += page["rows"]
        if page["nextCursor"] is None:
            return rows
        cursor = f"&cursor={page['nextCursor']}"


def test_assets_are_listed_newest_first_a_page_at_a_time(caller: Caller) -> None:
    before = listed(caller)
    made = [make(caller) for _ in range(3)]

    page = caller.get(f"{LIST}?limit=2").json()
    rows = listed(caller, 2)

    assert_fits(page, PAGE)
    assert [row["id"] for row in page["rows"]] == [made[2]["id"], made[1]["id"]]
    assert [row["id"] for row in rows] == [each["id"] for each in (*made[::-1], *before)]
    assert rows[2] | {"url": ""} == made[0] | {"url": ""}
    assert followed(caller, rows[2]["url"]).content == files.png()


def test_a_list_has_ones_own_only(caller: Caller, stranger: Caller) -> None:
    own, foreign = make(caller), make(stranger)

    ids = [{row["id"] for row in listed(each)} for each in (caller, stranger)]

    assert own["id"] in ids[0] and foreign["id"] not in ids[0]
    assert foreign["id"] in ids[1] and own["id"] not in ids[1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit")),
        *(("cursor=x", "cursor"), ("cursor=", "cursor"), ("cursor=a&cursor=b", "cursor")),
    ],
)
def test_a_query_that_does_not_parse_is_refused_by_name(
    caller: Caller, query: str, field: str
) -> None:
    answer = caller.get(f"{LIST}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == field


def test_what_is_stored_and_what_may_be_is_told(administration: Administration) -> None:
    pro, enterprise = [administration.caller(tier) for tier in ("pro", "enterprise")]
    make(pro)

    reported = [each.get(LIST).json() for each in (pro, enterprise)]

    assert [page["bytes"] for page in reported] == [len(files.png()), 0]
    assert reported[0]["maxBytes"] > reported[0]["bytes"]
    assert reported[1] == {"rows": [], "nextCursor": None, "bytes": 0, "maxBytes": None}


def test_a_deleted_asset_is_gone_for_whoever_asks(caller: Caller) -> None:
    asset = make(caller)
    stored = caller.get(LIST).json()["bytes"]
    slug = caller.save(show("image"))

    first, second = [caller.delete(f"{LIST}/{asset['id']}") for _ in range(2)]
    link, again = followed(caller, asset["url"]), caller.get(f"{LIST}/{asset['id']}")
    run = caller.run(slug, {"medium": asset["id"]})

    assert (first.status_code, first.json()) == (200, {"success": True})
    for answer in (second, again, link):
        assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_NOT_FOUND")
    assert (run.status_code, run.json()["code"]) == (400, "INVALID_INPUTS")
    assert asset["id"] not in {row["id"] for row in listed(caller)}
    assert caller.get(LIST).json()["bytes"] == stored - asset["bytes"]


def test_a_foreign_and_an_unknown_asset_cannot_be_deleted(caller: Caller, stranger: Caller) -> None:
    asset = make(stranger)

    answers = [caller.delete(f"{LIST}/{each}") for each in (asset["id"], "0" * 24, "x")]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_NOT_FOUND")
        assert answer.json() == answers[0].json()
    assert followed(stranger, asset["url"]).content == files.png()


def test_who_may_only_read_lists_and_deletes_nothing(administration: Administration) -> None:
    account = administration.account("pro")
    owner, reader = [
        administration.with_key(administration.key(account, each))
        for each in ("workflow:run", "workflow:read")
    ]
    asset = make(owner)

    answer = reader.delete(f"{LIST}/{asset['id']}")

    assert (answer.status_code, answer.json()["code"]) == (403, "CAPABILITY_DENIED")
    assert answer.json()["required"] == "workflow:run"
    assert [row["id"] for row in listed(reader)] == [asset["id"]]


def test_a_run_that_comes_to_a_deleted_asset_fails_there_and_says_why(caller: Caller) -> None:
    asset = make(caller)
    nodes = [node("up", "upload", asset=asset["id"]), node("out", "responseOutput")]
    slug = caller.save(workflow(nodes, [edge("up", "image-out", "out", "result-in")]))
    before = caller.run(slug)
    caller.delete(f"{LIST}/{asset['id']}")

    after = caller.run(slug)

    (url,) = before.json()["result"]["images"]
    assert followed(caller, url).json()["code"] == "ASSET_NOT_FOUND"
    assert (after.status_code, after.json()["nodeType"]) == (500, "upload")
    assert (after.json()["nodeCode"], after.json()["retryable"]) == ("asset_not_found", False)
    assert after.json()["reason"] == "The account has no such asset (any more)"
