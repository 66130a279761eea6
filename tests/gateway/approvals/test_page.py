"""Pages of approvals: what they show, and that texts stay texts."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from engine.values.fields import parse_fields
from gateway.approvals.page import UNTITLED, Filled, Question, notice_page, question_page
from tests.support.gateway.html_pages import Element, HtmlPage

pytestmark = pytest.mark.A97a

FIELDS = (
    {"name": "a", "label": "Reason", "type": "text", "required": True, "helperText": "In short"},
    {"name": "b", "label": "Copies", "type": "number", "default": 2},
)
OWN = (
    "html head meta title style body main p b h1 div form button label textarea span ul li a input"
)
HOSTILE = (
    '</title><script>alert(1)</script><img src=x onerror="alert(1)">',
    '"\' onfocus=alert(1) autofocus x="',
    "</textarea></form><form action=https://evil.example>",
    "<!-- --> &lt;b&gt; &amp; ]]> \0 \u202e\u2066 https://evil.example/a.png",
)


def question(**members: Any) -> Question:
    fields = parse_fields([dict(each) for each in members.pop("fields", FIELDS)])
    texts = {"host": "example.com", "title": "Post it?", "message": "All\n  of it"}
    return Question(**{**texts, **members}, fields=fields)


def parse(page: Response) -> Element:
    return HtmlPage.parse(bytes(page.body).decode())


def test_the_page_asks_and_says_what_happens() -> None:
    page = parse(question_page(question()))

    assert page.one("h1").text == page.one("title").text == "Post it?"
    assert page.one("div", **{"class": "message"}).text == "All\n  of it"
    assert "Somebody at example.com asks" in page.text
    assert "After Approve the workflow goes on. After Refuse it takes its other way." in page.text
    form = page.one("form")
    assert form.attributes["method"] == "post"
    assert "action" not in form.attributes, "it posts to its own address, also behind a proxy"
    names = [each.attributes.get("name") for each in form if "name" in each.attributes]
    assert names == ["fields.a", "fields.b", "note", "decision", "decision"]
    assert "script" not in {each.tag for each in page}
    assert page.one("input", name="fields.b").attributes["value"] == "2"


def test_the_first_button_of_the_form_does_nothing() -> None:
    nothing, approve, refuse = parse(question_page(question())).one("form").all("button")

    assert {"disabled", "hidden"} == nothing.attributes.keys()
    assert (approve.text, approve.attributes["value"]) == ("Approve", "approve")
    assert (refuse.text, refuse.attributes["value"]) == ("Refuse", "refuse")
    assert "formnovalidate" in refuse.attributes, "a refusal needs no field"


def test_an_approval_without_texts_has_a_heading() -> None:
    page = parse(question_page(question(title=" ", message=" \n", fields=())))

    assert page.one("h1").text == page.one("title").text == UNTITLED
    assert page.all("div", **{"class": "message"}) == []


def test_faults_stand_in_a_list_and_beside_their_fields_and_texts_are_kept() -> None:
    texts = {"decision": "approve", "fields.a": "", "fields.b": "two", "note": "\nHm <b>"}
    faults = {"fields.a": "This is required.", "fields.b": "A <number>.", "note": "Too long."}

    response = question_page(question(), Filled(texts=texts, faults=faults))

    page = parse(response)
    assert response.status_code == 400
    assert page.one("title").text == "Not sent yet: Post it?"
    alert = page.one("div", role="alert")
    listed = {each.attributes["href"]: each.text for each in alert.all("a")}
    assert listed == {"#f0": "Reason", "#f1": "Copies", "#note": "Note"}
    for name, fault in faults.items():
        control = next(each for each in page if each.attributes.get("name") == name)
        assert control.attributes["aria-invalid"] == "true"
        described = control.attributes["aria-describedby"].split()
        assert fault in [page.one("p", id=each).text for each in described]
        assert fault in alert.text
    assert page.one("input", name="fields.b").attributes["value"] == "two"
    assert page.one("textarea", name="note").text == "\n\nHm <b>", "a browser drops one line break"


def test_a_form_that_could_not_be_read_begins_anew() -> None:
    page = parse(question_page(question(), Filled(faults={"decision": "It is no form."})))

    assert page.one("input", name="fields.b").attributes["value"] == "2"
    assert page.one("div", role="alert").text == "Nothing is decided yet. It is no form."


def test_a_notice_has_two_texts() -> None:
    response = notice_page("Over & out", "No <more>.", 410)

    page = parse(response)
    assert (response.status_code, page.one("h1").text, page.one("p").text) == (
        410,
        "Over & out",
        "No <more>.",
    )


@settings(max_examples=25)
@given(st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)), min_size=9, max_size=9))
def test_no_text_becomes_markup(texts: list[str]) -> None:
    title, message, host, label, helper, option, kept, fault, note = texts
    members = {"label": label[:99], "helperText": helper[:99], "options": [option, "x"]}
    kinds = [
        {"name": kind, "type": kind, "required": True, **members}
        for kind in ("text", "textarea", "pills", "json", "number", "toggle")
    ]
    numbers = {"options": [1, 2]}
    asked = question(
        host=host,
        title=title,
        message=message,
        fields=[each | (numbers if each["type"] == "number" else {}) for each in kinds],
    )
    names = [f"fields.{each['name']}" for each in kinds]
    filled = Filled(
        texts={**dict.fromkeys(names, kept), "note": note},
        faults={**dict.fromkeys(names, fault), "note": fault},
    )

    page = parse(question_page(asked, filled))

    assert {each.tag for each in page} <= {
        "",
        *OWN.split(),
        "fieldset",
        "legend",
        "select",
        "option",
    }
    active = [name for each in page for name in each.attributes if name.startswith("on")]
    links = [each.attributes["href"] for each in page.all("a")]
    assert active == [] and all(link.startswith("#") for link in links)
    assert {"src", "action", "formaction", "srcset", "autofocus"}.isdisjoint(
        name for each in page for name in each.attributes
    )
