"""The member `editor` of documents: data of the canvas that runs ignore."""

from typing import Any

import pytest

from tests.support.contract.installation import Caller
from tests.support.gateway.documents import greeting

EDITOR = {
    "groups": [{"name": "Texts", "nodes": ["text"]}],
    "samples": {"name": "Ada"},
    "pinned": {"text": {"text-out": "Hello Ada"}},
    "theme": None,
}
MOST_BYTES = 65_536


def path(slug: str) -> str:
    return f"/api/workflows/{slug}"


def sized(size: int) -> dict[str, Any]:
    """An object of so many bytes as compact JSON."""
    return {"é": "x" * (size - len('{"é":""}'.encode()))}


def test_the_canvas_keeps_data_in_the_document(caller: Caller) -> None:
    saved = caller.create(greeting(editor=EDITOR)).json()

    assert saved["editor"] == EDITOR
    assert caller.get(path(saved["slug"])).json()["editor"] == EDITOR
    assert caller.create(greeting()).json()["editor"] == {}


def test_a_save_of_the_editor_alone_makes_no_version(caller: Caller) -> None:
    slug = caller.save(greeting(editor=EDITOR))

    answer = caller.put(path(slug), {"editor": {"groups": []}})

    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert caller.get(path(slug)).json()["editor"] == {"groups": []}
    assert caller.put(path(slug), {"editor": None}).json()["editor"] == {}


def test_versions_and_drafts_keep_the_editor_of_their_own(caller: Caller) -> None:
    slug = caller.save(greeting(editor={"of": "the first"}))
    caller.put(path(slug), greeting(editor={"of": "the second"}))
    caller.put(f"{path(slug)}/draft", greeting(editor={"of": "the draft"}))

    places = ("versions/1", "versions/2", "draft")
    read = [caller.get(f"{path(slug)}/{place}").json()["editor"]["of"] for place in places]

    assert read == ["the first", "the second", "the draft"]
    assert caller.post(f"{path(slug)}/publish").json()["editor"] == {"of": "the draft"}
    restored = caller.post(f"{path(slug)}/versions/1/restore").json()
    assert (restored["version"], restored["editor"]) == (4, {"of": "the first"})


@pytest.mark.parametrize("value", [[], "groups", 5, sized(MOST_BYTES + 1)])
def test_an_editor_of_the_wrong_shape_or_size_is_refused(caller: Caller, value: Any) -> None:
    slug = caller.save(greeting())

    for answer in (
        caller.create(greeting(editor=value)),
        caller.put(path(slug), {"editor": value}),
        caller.put(f"{path(slug)}/draft", greeting(editor=value)),
    ):
        body = answer.json()
        assert (answer.status_code, body["code"], body["field"]) == (400, "INVALID_BODY", "editor")


def test_an_editor_of_the_largest_size_is_kept(caller: Caller) -> None:
    largest = sized(MOST_BYTES)

    assert caller.create(greeting(editor=largest)).json()["editor"] == largest


def test_a_run_has_nothing_of_the_editor(caller: Caller) -> None:
    slug = caller.save(greeting(editor=EDITOR))

    answer = caller.run(slug, {"name": "Grace"})

    assert answer.json()["result"] == {"text": "Hello Grace"}
    assert "Texts" not in caller.get(f"/api/executions/{answer.json()['executionId']}").text
    assert "Texts" not in caller.get(f"{path(slug)}/schema").text


def test_others_do_not_see_the_editor_of_a_template(caller: Caller, stranger: Caller) -> None:
    slug = caller.save(greeting(isTemplate=True, publicPlayground=True, editor=EDITOR))

    read = stranger.get(path(slug))

    assert read.status_code == 200
    assert "editor" not in read.json()
    assert "Texts" not in stranger.get(f"{path(slug)}/public-schema").text
