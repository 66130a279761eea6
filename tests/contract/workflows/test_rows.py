"""Rows of workflows: facts beside the document, pages, search."""

import base64
from typing import Any

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller, asking, failing
from tests.support.contract.shapes import assert_fits, moment, number, text_or_null, whole_or_null
from tests.support.gateway.documents import greeting
from tests.support.media.pictures import plain

LIST = "/api/workflows"
LAST_RUN = {"at": moment, "status": str, "creditsCost": int}
ROW = {
    "slug": str,
    "name": str,
    "description": str,
    "tags": [str],
    "isTemplate": bool,
    "hidden": bool,
    "archived": bool,
    "cover": text_or_null,
    "createdBy": text_or_null,
    "estimatedCreditCost": number,
    "folderId": text_or_null,
    "updatedAt": moment,
    "version": whole_or_null,
    "hasDraft": bool,
    "publicPlayground": bool,
    "coverUrl": text_or_null,
    "lastRun": lambda value: value is None or not assert_fits(value, LAST_RUN),
    "runs7d": int,
}


@pytest.fixture
def fresh(administration: Administration) -> Caller:
    """A caller whose account has nothing yet."""
    return administration.caller("business")


def page(caller: Caller, **query: Any) -> dict[str, Any]:
    answer = caller.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert_fits(body, {"rows": [ROW], "nextCursor": text_or_null})
    return body


def row_of(caller: Caller, slug: str) -> dict[str, Any]:
    (row,) = [each for each in caller.get(LIST).json() if each["slug"] == slug]
    assert_fits(row, ROW)
    return dict(row)


def names(found: dict[str, Any]) -> list[str]:
    return [row["name"] for row in found["rows"]]


def test_a_row_tells_version_draft_and_publicity(caller: Caller) -> None:
    slug = caller.save(greeting(publicPlayground=True))
    begun = caller.save(greeting(draft=True))

    assert (
        row_of(caller, slug).items()
        >= {
            "version": 1,
            "hasDraft": False,
            "publicPlayground": True,
            "coverUrl": None,
            "lastRun": None,
            "runs7d": 0,
        }.items()
    )
    caller.put(f"{LIST}/{slug}/draft", greeting())
    assert row_of(caller, slug)["hasDraft"] is True
    row = row_of(caller, begun)
    assert (row["version"], row["hasDraft"]) == (None, True)


def test_a_row_tells_the_last_run_and_the_runs_of_seven_days(caller: Caller, chat: str) -> None:
    slug = caller.save(asking(chat))

    runs = [caller.run(slug, {"prompt": "a"}).json() for _ in range(3)]

    last = caller.execution(runs[-1]["executionId"])
    row = row_of(caller, slug)
    assert row["lastRun"] == {
        "at": last["createdAt"],
        "status": "completed",
        "creditsCost": last["creditsCost"],
    }
    assert row["lastRun"]["creditsCost"] > 0
    assert row["runs7d"] == 3


def test_a_failed_and_a_cancelled_run_are_last_runs_too(caller: Caller) -> None:
    slug = caller.save(failing())

    caller.run(slug)

    row = row_of(caller, slug)
    assert (row["lastRun"]["status"], row["lastRun"]["creditsCost"]) == ("failed", 0)
    assert row["runs7d"] == 1


def test_a_run_of_a_model_and_a_refused_run_are_no_runs_of_a_workflow(caller: Caller) -> None:
    slug = caller.save(greeting())

    assert caller.run(slug, {}).status_code == 400

    assert row_of(caller, slug).items() >= {"lastRun": None, "runs7d": 0}.items()


def test_a_cover_has_a_link(caller: Caller, anonymous: httpx2.Client) -> None:
    asset = caller.request(
        "POST", "/api/assets", content=plain((4, 4)), headers={"content-type": "image/png"}
    ).json()
    slug = caller.save(greeting(cover=asset["id"]))
    linked = caller.save(greeting(cover="https://example.org/c.png"))

    row = row_of(caller, slug)

    assert row["cover"] == asset["id"]
    assert anonymous.get(row["coverUrl"]).content == plain((4, 4))
    # It is fetched once; no browser is ever led to the address itself.
    assert row_of(caller, linked)["coverUrl"] != "https://example.org/c.png"
    caller.delete(f"/api/assets/{asset['id']}")
    assert row_of(caller, slug)["coverUrl"] is None


def test_others_see_nothing_private_in_the_row_of_a_template(
    caller: Caller, stranger: Caller
) -> None:
    slug = caller.save(greeting(isTemplate=True, folderId="f"))
    caller.put(f"{LIST}/{slug}/draft", greeting())
    caller.run(slug, {"name": "Ada"})

    row = row_of(stranger, slug)

    assert (row["createdBy"], row["folderId"]) == (None, None)
    assert (row["hasDraft"], row["lastRun"], row["runs7d"]) == (False, None, 0)
    assert row["version"] == 1


def test_pages_are_newest_first_and_lead_through_all(fresh: Caller) -> None:
    slugs = [fresh.save(greeting(f"Page {number}")) for number in range(5)]
    fresh.put(f"{LIST}/{slugs[1]}", {"tags": ["changed"]})
    fresh.delete(f"{LIST}/{slugs[3]}")

    read, cursor = [], None
    for _ in range(10_000):
        found = page(fresh, limit=2, **({"cursor": cursor} if cursor else {}))
        read += [row for row in found["rows"] if row["createdBy"]]
        cursor = found["nextCursor"]
        if cursor is None:
            break

    assert [row["slug"] for row in read] == [slugs[1], slugs[4], slugs[2], slugs[0]]


def test_a_page_searches_name_slug_and_description(fresh: Caller) -> None:
    fresh.save(greeting("Zürich weather", description="What will it be?"))
    fresh.save(greeting("Zurich trams", tags=["transport"]))
    fresh.save(greeting("Old trams", tags=["transport"], archived=True))

    own = {"archived": "false"}
    assert names(page(fresh, q="ZÜRICH")) == ["Zürich weather"]
    assert names(page(fresh, q="zurich-")) == ["Zurich trams", "Zürich weather"]
    assert names(page(fresh, q="WILL it")) == ["Zürich weather"]
    assert names(page(fresh, tag="transport")) == ["Old trams", "Zurich trams"]
    assert names(page(fresh, tag="transport", **own)) == ["Zurich trams"]
    assert names(page(fresh, q="trams", archived="true")) == ["Old trams"]
    assert page(fresh, q="no such text") == {"rows": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", each) for each in ("0", "201", "x", "-1")),
        *(("cursor", each) for each in ("x", base64.b64encode(b"1:NO").decode())),
        ("archived", "maybe"),
        ("order", "name"),
    ],
)
def test_a_wrong_parameter_of_the_list_is_refused(caller: Caller, name: str, value: str) -> None:
    answer = caller.get(LIST, params={name: value})

    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (400, "INVALID_QUERY", name)


def test_without_parameters_the_list_is_a_bare_array(caller: Caller) -> None:
    caller.save(greeting())

    assert_fits(caller.get(LIST).json(), [ROW])
